"""A trailer is lent between two towns, told as those who live it read it on their pages.

Lorient's library of things lends; Nolwenn asks from Quimper while Lorient's server is off; Yann of
Lorient waits in line for the same days. Two real servers, pages without script, in French. The
tests of this file are one story, told in order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.nodes import Node, Nodes
from tests.stories.neighbours import Neighbour, newcomer

TITLE = "Remorque bleue"
PHONE = "06 12 34 56 78"


@dataclass
class Story:
    """The two towns and the people in it."""

    nodes: Nodes
    keeper: Neighbour
    nolwenn: Neighbour
    yann: Neighbour
    soizig: Neighbour

    @property
    def lorient(self) -> Node:
        return self.nodes.towns["Lorient"]

    def post(self) -> None:
        """Let both towns tell each other what is new: Quimper visits, until both have heard."""
        with self.nodes.towns["Quimper"].inside() as town:
            for _ in range(2):
                for partner in town.store.accepted() - {town.id}:
                    assert town.exchanges.visit(partner).outcome == "ok"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Two towns that serve, paired, and four people let in by their desks."""
    nodes = Nodes(tmp_path_factory.mktemp("trailer"))
    lorient, quimper = nodes.found("Lorient"), nodes.found("Quimper")
    nodes.link("Lorient", "Quimper")
    nodes.serve()
    yield Story(
        nodes,
        keeper=newcomer(lorient, "Roue libre"),
        nolwenn=newcomer(quimper, "Nolwenn"),
        yann=newcomer(lorient, "Yann"),
        soizig=newcomer(lorient, "Soizig"),
    )
    nodes.cut_power()


def day(ahead: int) -> str:
    today = datetime.now(ZoneInfo("Europe/Paris")).date()
    return (today + timedelta(days=ahead)).isoformat()


def find(person: Neighbour) -> str:
    """Look for the trailer, open it; return where its form goes."""
    person.open("/?q=remorque").follow(TITLE)
    return next(form.action for form in person.page.forms if form.action.endswith("/demander"))


def test_1_the_library_publishes_what_it_lends_and_on_which_terms(story: Story) -> None:
    form = story.keeper.open("/publier").follow("Objets à emprunter")
    form.press(
        "",
        title=TITLE,
        text="Deux roues, attache fournie.",
        object="velo",
        owner="library",
        max_days="4",
        renewals="1",
        accessories="Attache\nBâche",
    )
    story.keeper.reads(TITLE, "4 jours au plus", "Attache")
    story.post()
    find(story.nolwenn)
    story.nolwenn.reads("Ville : Lorient", "Signature vérifiée", "4 jours au plus", "Bâche")


def test_2_nolwenn_asks_while_lorient_is_off_and_is_told_the_truth(story: Story) -> None:
    form = find(story.nolwenn)
    story.lorient.stop()
    wish = {"first_day": day(7), "last_day": day(8), "message": "Pour un déménagement"}
    story.nolwenn.press(form, **wish, phone=PHONE, share_phone="1")
    story.nolwenn.reads("Notée ici, pas encore envoyée à Lorient", "Pour un déménagement")
    story.nolwenn.does_not_read("signé par", "Confirmée")


def test_3_lorient_comes_back_and_proposes_other_days(story: Story) -> None:
    story.nodes.serve("Lorient")
    story.post()
    story.nolwenn.open(story.nolwenn.address)
    story.nolwenn.reads("Lorient l’a reçue", "signé par Lorient")
    story.keeper.open("/demandes").reads("Nolwenn vous le demande").follow(TITLE)
    story.keeper.reads("Pour un déménagement").does_not_read(PHONE)
    story.keeper.follow("Proposer d’autres jours")
    story.keeper.press("", first_day=day(9), last_day=day(10), reason="Ces jours-là, elle roule.")
    story.keeper.reads("Quimper ne le sait peut-être pas encore").does_not_read(PHONE)


def test_4_nolwenn_reads_both_and_says_yes_which_is_not_hers_before_lorient_heard(
    story: Story,
) -> None:
    story.post()
    nolwenn = story.nolwenn.open(story.nolwenn.address)
    nolwenn.reads("Lorient propose d’autres conditions", "Jusqu’ici", "Proposé")
    nolwenn.reads("Ces jours-là, elle roule.").press("accept")
    nolwenn.reads("Votre oui est en route vers Lorient. Ce n’est pas encore à vous.")
    story.post()
    nolwenn.open(nolwenn.address).reads("Confirmée par Lorient")


def test_5_only_now_the_library_reads_how_to_reach_her_and_only_what_she_ticked(
    story: Story,
) -> None:
    story.post()
    story.keeper.open(story.keeper.address).reads("Acceptée", PHONE)


def test_6_they_write_to_each_other_and_nothing_changes_by_it(story: Story) -> None:
    nolwenn, keeper = story.nolwenn, story.keeper
    nolwenn.press(f"{nolwenn.address}/messages", text="Faut-il une prise à sept broches ?")
    story.post()
    keeper.open(keeper.address).reads("Faut-il une prise à sept broches ?", "Acceptée")
    keeper.press(f"{keeper.address}/messages", text="Non, treize : un adaptateur est fourni.")
    story.post()
    nolwenn.open(nolwenn.address).reads("un adaptateur est fourni", "Confirmée par Lorient")


def test_7_yann_cannot_have_the_same_days_and_waits_in_line(story: Story) -> None:
    wish = {"first_day": day(9), "last_day": day(10)}
    story.yann.press(find(story.yann), status=409, **wish)
    story.yann.reads("Il vient d’être pris")
    story.yann.press(find(story.yann), **wish, queue="1")
    story.yann.reads("Numéro 1 dans la file d’attente")


def test_8_nolwenn_withdraws_while_lorient_is_off_and_it_is_still_in_her_name(
    story: Story,
) -> None:
    story.lorient.stop()
    nolwenn = story.nolwenn.open(story.nolwenn.address)
    nolwenn.press("withdraw").reads("Lorient ne le sait pas encore")
    nolwenn.does_not_read("Annulée ; Lorient le sait")


def test_9_once_lorient_knows_the_line_passes_on_by_itself(story: Story) -> None:
    story.nodes.serve("Lorient")
    story.yann.open(story.yann.address).reads("Numéro 1 dans la file d’attente")
    story.post()
    story.nolwenn.open(story.nolwenn.address).reads("Annulée ; Lorient le sait")
    story.yann.open(story.yann.address).reads("Proposé").press("accept")
    story.yann.reads("Acceptée")


def test_10_yann_takes_it_and_may_keep_it_longer_until_somebody_waits(story: Story) -> None:
    keeper = story.keeper.open("/demandes").follow(TITLE)
    keeper.press("hand_over").reads("Remis", "Avec : Attache, Bâche")
    yann = story.yann.open(story.yann.address).reads("Prolongations restantes 1")
    assert yann.sees_button("renew")
    story.soizig.press(find(story.soizig), first_day=day(10), last_day=day(11), queue="1")
    story.soizig.reads("Numéro 1 dans la file d’attente")
    yann.open(yann.address)
    assert not yann.sees_button("renew")
    yann.reads("Quelqu’un l’attend")


def test_11_it_comes_back_broken_and_without_its_cover_and_the_next_one_is_warned(
    story: Story,
) -> None:
    keeper = story.keeper.open(story.keeper.address)
    private = "Yann, pensez à la bâche."
    said = {"reason": private, "broken_text": "Essieu tordu."}
    keeper.press("take_back", part=["Attache"], broken="1", **said)
    keeper.reads("Rendu", "Bâche", private)
    story.soizig.open(story.soizig.address).reads("Essieu tordu.").does_not_read(private)
    find(story.yann)
    story.yann.reads("Essieu tordu.").does_not_read(private)
