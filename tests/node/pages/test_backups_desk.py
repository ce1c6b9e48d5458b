"""The backups at the desk: proven or not, made now, carried away; and a town in restore mode."""

import json

import pytest

from node.app import open_town
from node.backup import drill, rota
from node.journal import restoring
from node.store import jobs, marks
from tests.node.pages.conftest import Pair
from tests.visitor import Reader

PAGE = "/admin/sauvegardes"
DAY_MS = 86_400_000


def note(pair: Pair, name: str, **said: object) -> None:
    with pair.quimper.inside():
        marks.write(name, json.dumps(said))


def test_a_town_without_a_backup_is_told_what_will_happen(pair: Pair) -> None:
    text = pair.visitor("Maïwenn").read(PAGE).text
    assert "Aucune sauvegarde n’a encore été vérifiée" in text
    assert "Une copie sur la même carte n’est pas une sauvegarde" in text


def test_a_proven_backup_is_said_with_its_day_and_its_listings(pair: Pair) -> None:
    with pair.quimper.inside() as town:
        made = rota.run(town)
        drill.run(town, open_town)
    visitor = pair.visitor("Maïwenn")
    text = visitor.read(PAGE).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Dernière sauvegarde vérifiée : lundi 23 novembre" in text
    sent = visitor.get(f"{PAGE}/{made.path.name}")
    assert sent.status_code == 200 and sent.get_data() == made.path.read_bytes()
    assert "attachment" in sent.headers["Content-Disposition"]
    assert "Une sauvegarde a été téléchargée" in visitor.read("/admin/journal").text


@pytest.mark.parametrize("name", ["../town.keys", "town.keys", "lavoir-9999.backup", "%2e%2e"])
def test_nothing_else_can_be_downloaded(pair: Pair, name: str) -> None:
    assert pair.visitor("Maïwenn").get(f"{PAGE}/{name}").status_code == 404


def test_after_eight_days_without_proof_the_desk_is_red(pair: Pair) -> None:
    with pair.quimper.inside() as town:
        rota.run(town)
        drill.run(town, open_town)
    visitor = pair.visitor("Maïwenn")
    front = visitor.read("/admin").text
    assert "Aucune sauvegarde" not in front
    assert "Dernière sauvegarde vérifiée : lundi 23 novembre" in front.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    pair.world.clock.forward(days=9)
    visitor = pair.visitor("Maïwenn")
    assert "Aucune sauvegarde n’a été vérifiée depuis plus de huit jours" in visitor.read(PAGE).text
    assert "Aucune sauvegarde n’a été vérifiée" in visitor.read("/admin").text


def test_a_backup_that_failed_is_on_the_front_page(pair: Pair) -> None:
    note(pair, marks.BACKUP_FAILED, at_ms=pair.world.clock.now_ms(), why="The disk is full.")
    visitor = pair.visitor("Maïwenn")
    assert "La dernière sauvegarde n’a pas pu être faite" in visitor.read("/admin").text
    assert "The disk is full." in visitor.read(PAGE).text


def test_one_button_has_a_backup_made_and_tried(pair: Pair) -> None:
    with pair.quimper.inside():
        for name in ("backup", "drill"):
            jobs.take(name, "one", 1_000, pair.world.clock.now_ms())
            jobs.give_back(name, "one", pair.world.clock.now_ms(), due_ms=2**50)
    visitor = pair.visitor("Maïwenn")
    page = visitor.follow(visitor.send(PAGE, f"{PAGE}/faire"))
    assert "Revenez voir dans une minute" in page.text
    with pair.quimper.inside() as town:
        assert {each.name: each.due_ms for each in jobs.every()} == {"backup": 0, "drill": 2**50}
        rota.run(town)  # the drill follows, so that it tries the new one
        assert {each.name: each.due_ms for each in jobs.every()} == {"backup": 0, "drill": 0}


def test_in_restore_mode_people_read_and_are_told_why_nothing_can_be_published(pair: Pair) -> None:
    with pair.quimper.inside():
        restoring.begin(pair.world.clock.now_ms(), restoring.RESTORED)
    assert "en cours de restauration" in pair.visitor().read("/").text
    nolwenn = pair.visitor("Nolwenn")
    refused = nolwenn.send("/publier/objets", title="Perceuse", object="autre")
    assert refused.status_code == 409
    assert "rien de nouveau ne peut encore être signé" in Reader(refused.text).text
    assert "Cette ville est en cours de restauration" in pair.visitor("Maïwenn").read("/admin").text


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (restoring.RESTORED, "Une sauvegarde a été remise en place"),
        (restoring.COPIED, "copie plus ancienne"),
        (restoring.RECOVERED, "mots de secours"),
        (restoring.ELSEWHERE, "jamais signés"),
        (restoring.TWIN, "Une seconde machine tourne avec nos clés"),
    ],
)
def test_the_desk_says_why_and_ends_it_by_one_button(pair: Pair, why: str, said: str) -> None:
    with pair.quimper.inside():
        restoring.begin(pair.world.clock.now_ms(), why)
    visitor = pair.visitor("Maïwenn")
    text = visitor.read(PAGE).text
    assert said in text and "Lorient" in text
    page = visitor.follow(visitor.send(PAGE, f"{PAGE}/terminer"))
    assert "La ville publie de nouveau" in page.text
    with pair.quimper.inside():
        assert not restoring.is_restoring()
    assert "en cours de restauration" not in pair.visitor().read("/").text
    again = visitor.post(f"{PAGE}/terminer", {"token": visitor.token()})
    assert again.status_code == 409
