"""A room is booked between two towns, told as those who live it read it on their pages.

Lorient's neighbourhood house keeps the room; Nolwenn asks from Quimper while Lorient's server is
off; Yann of Lorient wants the same hour every week. Two real servers, pages without script, in
French. The tests of this file are one story, told in order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.nodes import Node, Nodes
from tests.stories.neighbours import Neighbour, newcomer

TITLE = "Salle des voiles"
HOURS = {f"opening_{weekday}": "9:00-22:00" for weekday in range(7)}


@dataclass
class Story:
    """The two towns and the people in it."""

    nodes: Nodes
    keeper: Neighbour
    nolwenn: Neighbour
    yann: Neighbour

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
    """Two towns that serve, paired, and three people let in by their desks."""
    nodes = Nodes(tmp_path_factory.mktemp("room"))
    lorient, quimper = nodes.found("Lorient"), nodes.found("Quimper")
    nodes.link("Lorient", "Quimper")
    nodes.serve()
    yield Story(
        nodes,
        keeper=newcomer(lorient, "Maison de quartier"),
        nolwenn=newcomer(quimper, "Nolwenn"),
        yann=newcomer(lorient, "Yann"),
    )
    nodes.cut_power()


def day(ahead: int) -> str:
    return (datetime.now(ZoneInfo("Europe/Paris")).date() + timedelta(days=ahead)).isoformat()


def week_of(person: Neighbour, ahead: int) -> tuple[str, str]:
    """Open the week of the room at a day; return where its form and that of a series go."""
    person.open("/espaces").follow(TITLE)
    path = person.address.partition("?")[0]
    person.open(f"{path}?jour={day(ahead)}")
    asks = [form.action for form in person.page.forms if form.action.endswith("/demander")]
    series = [form.action for form in person.page.forms if form.action.endswith("/serie")]
    return (asks or [""])[0], (series or [""])[0]


def test_1_the_house_publishes_its_room_and_when_it_opens(story: Story) -> None:
    form = story.keeper.open("/publier").follow("Lieux et machines")
    form.press(
        "", title=TITLE, text="Parquet, vue sur la rade.", sort="room", site="Maison du port",
        step="60", max_minutes="240", repeat_max="4", prices="Associations : 0\nHabitants : 12",
        seats="30", **HOURS,
    )  # fmt: skip
    story.keeper.reads(TITLE, "Habitants : 12", "lundi 9")
    story.post()
    week_of(story.nolwenn, 7)
    story.nolwenn.reads("Seule la ville de Lorient sait ce qui est pris")


def test_2_nolwenn_asks_while_lorient_is_off_and_is_told_the_truth(story: Story) -> None:
    form, _ = week_of(story.nolwenn, 7)
    story.lorient.stop()
    story.nolwenn.press(
        form, start="10:00", minutes="120", people="12", group="Habitants", message="Chorale"
    )
    story.nolwenn.reads("Notée ici, pas encore envoyée à Lorient", "24", "(2 h)", "Chorale")
    story.nolwenn.does_not_read("signé par", "Réservé par")


def test_3_lorient_comes_back_and_proposes_the_afternoon(story: Story) -> None:
    story.nodes.serve("Lorient")
    story.post()
    story.nolwenn.open(story.nolwenn.address).reads("Lorient l’a reçue")
    keeper = story.keeper.open("/demandes").follow(TITLE).reads("Chorale", "Nolwenn")
    keeper.follow("Proposer")
    keeper.press(
        "", day=day(7), start="14:00", minutes="120", people="12", group="Habitants",
        reason="Le matin, on cire le parquet.",
    )  # fmt: skip
    keeper.reads("Quimper ne le sait peut-être pas encore")


def test_4_nolwenn_says_yes_and_the_room_is_hers_once_lorient_has_heard(story: Story) -> None:
    story.post()
    nolwenn = story.nolwenn.open(story.nolwenn.address)
    nolwenn.reads("Lorient propose d’autres conditions", "on cire le parquet", "14 h")
    nolwenn.press("accept").reads("Ce n’est pas encore à vous")
    story.post()
    nolwenn.open(nolwenn.address).reads("Confirmée par Lorient")


def test_5_what_is_taken_is_shown_taken_and_yann_waits_in_line(story: Story) -> None:
    form, _ = week_of(story.yann, 7)
    story.yann.reads("14 h–16 h", "9 h–14 h, 16 h–22 h")
    wish = {"day": day(7), "start": "14:00", "minutes": "60", "group": "Associations"}
    story.yann.press(form, status=409, **wish)
    story.yann.press(form, **wish, queue="1")
    story.yann.reads("Numéro 1 dans la file d’attente")


def test_6_every_week_yann_gets_what_can_be_had_and_reads_which_date_cannot(
    story: Story,
) -> None:
    other = Neighbour("Yann", story.lorient, browser=story.yann.browser)
    _, series = week_of(other, 7)
    other.press(
        series, day=day(7), start="15:00", minutes="60", until_day=day(21), group="Associations"
    )
    other.reads("1 date est impossible ; les autres sont gardées", "Demandé")
    other.follow("Toutes les dates de cette série").reads("15 h")
    other.press("withdraw").reads("Fait pour 2 dates sur 2", "Annulé")


def test_7_nolwenn_withdraws_while_lorient_is_off_then_the_line_passes_on(story: Story) -> None:
    story.lorient.stop()
    nolwenn = story.nolwenn.open(story.nolwenn.address)
    nolwenn.press("withdraw").reads("Lorient ne le sait pas encore")
    story.nodes.serve("Lorient")
    story.yann.open(story.yann.address).reads("Numéro 1 dans la file d’attente")
    story.post()
    nolwenn.open(nolwenn.address).reads("Annulée ; Lorient le sait")
    story.yann.open(story.yann.address).reads("Une place s’est libérée pour vous").press("accept")
    story.yann.reads("Réservé", "Gratuit")
