"""After a restore: the desk sees whom it waits for, may go on without, and settles doubts."""

import json
from pathlib import Path

from click.testing import CliRunner

from node.cli import main
from node.engagements import gate
from node.journal import restoring
from node.store import audit
from node.store.promises import doubts
from tests.node.pages.conftest import Pair

PAGE = "/admin/promesses"


def restored(pair: Pair) -> None:
    """Let Quimper leave a restore of which its logbook knows nothing."""
    with pair.quimper.inside() as town:
        restoring.begin(town.clock.now_ms(), restoring.RESTORED)
        restoring.finish(town.clock.now_ms())


def test_a_town_without_a_restore_waits_for_nobody(pair: Pair) -> None:
    page = pair.visitor("Maïwenn").read(PAGE).text
    assert "Aucune réponse n’est attendue" in page and "Rien n’est douteux" in page


def test_the_desk_says_whom_it_waits_for_and_the_next_exchange_opens_it(pair: Pair) -> None:
    restored(pair)
    desk = pair.visitor("Maïwenn")
    assert "En attente de Lorient" in desk.read(PAGE).text
    assert "ce que sait Lorient" in desk.read("/admin").text
    pair.world.cut("Quimper", "Lorient")
    assert pair.world.visit("Quimper", "Lorient").outcome != "ok"
    assert "En attente de Lorient" in desk.read(PAGE).text
    pair.world.heal("Quimper", "Lorient")
    assert pair.world.visit("Lorient", "Quimper").outcome == "ok"
    assert "En attente de Lorient" in desk.read(PAGE).text  # it came to us: nothing was asked
    assert pair.world.visit("Quimper", "Lorient").outcome == "ok"
    assert "Aucune réponse n’est attendue" in desk.read(PAGE).text
    with pair.lorient.inside(), pair.quimper.inside():
        assert not gate.closed()


def test_an_administrator_goes_on_without_a_partner_under_their_name(pair: Pair) -> None:
    restored(pair)
    desk = pair.visitor("Maïwenn")
    which = pair.lorient.town.id.hex()[:12]
    done = desk.follow(desk.send(PAGE, f"{PAGE}/{which}/ouvrir"))
    assert "On n’attend plus la réponse de Lorient" in done.text and "Poursuivi sans" in done.text
    trail = desk.read("/admin/journal").text
    assert "Poursuivi sans attendre Lorient" in trail and "Maïwenn" in trail
    with pair.quimper.inside():
        said = audit.latest(1)[0]
        assert (said.action, said.detail) == ("gate.open", "Lorient")


def test_a_doubt_is_shown_in_words_and_put_away_once(pair: Pair) -> None:
    with pair.quimper.inside() as town:
        told = json.dumps({"state": "approved"})
        for code in (doubts.UNKNOWN, doubts.FORGOTTEN, doubts.COLLIDES, doubts.MEMBERLESS):
            doubts.raise_about(
                code.encode().ljust(16, b"."), code, pair.lorient.town.id, told, town.clock.now_ms()
            )
        first = doubts.unsettled()[0].id
    desk = pair.visitor("Maïwenn")
    page = desk.read(PAGE).text
    assert "Lorient répond à une demande inconnue ici" in page
    assert "Des promesses sont douteuses" in desk.read("/admin").text
    for _ in range(2):
        desk.post(f"{PAGE}/doute/{first}", {"token": desk.token()})
    assert "Lorient répond à une demande inconnue ici" not in desk.read(PAGE).text
    with pair.quimper.inside():
        assert len(doubts.unsettled()) == 3
        assert [each.action for each in audit.latest(2)].count("doubt.settle") == 1
    assert desk.post(f"{PAGE}/doute/99999", {"token": desk.token()}).status_code == 303


def test_the_command_line_lists_and_opens_it_too(pair: Pair) -> None:
    restored(pair)
    home = pair.quimper.town.home
    asked = _run(home, "--json")
    assert json.loads(asked.stdout)["waiting"] == ["Lorient"]
    refused = _run(home, "--open", "Lorient", typed="n\n", code=1)
    assert "two people may stand before the door" in refused.output
    done = _run(home, "--open", "Lorient", "--yes")
    assert "gone on without Lorient" in done.output
    assert json.loads(_run(home, "--json").stdout)["gone_on_without"] == ["Lorient"]


def _run(home: Path, *words: str, typed: str = "", code: int = 0):
    result = CliRunner().invoke(main, ["gate", *words, "--home", str(home)], input=typed)
    assert result.exit_code == code, result.output
    return result


def test_before_restore_mode_ends_nobody_is_let_through(pair: Pair) -> None:
    with pair.quimper.inside() as town:
        restoring.begin(town.clock.now_ms(), restoring.RESTORED)
    desk = pair.visitor("Maïwenn")
    assert "ouvrir" not in desk.read(PAGE).text
    _run(pair.quimper.town.home, "--open", "Lorient", "--yes", code=1)


def test_a_town_first_linked_after_the_restore_holds_nothing_up(pair: Pair) -> None:
    restored(pair)
    assert pair.world.visit("Quimper", "Lorient").outcome == "ok"
    pair.world.clock.forward(days=2)
    pair.world.found("Vannes")
    pair.world.pair("Quimper", "Vannes")
    with pair.quimper.inside():
        assert gate.is_unheard(pair.world.places["Vannes"].town.id)
        assert gate.closed() == []
    assert pair.world.visit("Quimper", "Vannes").outcome == "ok"
    with pair.quimper.inside():
        assert not gate.is_unheard(pair.world.places["Vannes"].town.id)
