"""Loans and rooms on the days on which clocks and calendars jump, through the forms."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from node.domain.capacity import quarter_ms
from node.domain.schema import plain
from node.store.catalogue import holdings, listings
from node.store.database import write_tx
from node.store.promises import engagements as rows
from tests.visitor import Visitor
from tests.world import Place, World

PARIS = ZoneInfo("Europe/Paris")
DAYS = [date(2027, 3, 28), date(2027, 10, 31), date(2028, 2, 29), date(2027, 12, 31)]


def moment(day: date, hour: int) -> int:
    """An hour of Paris as UTC ms."""
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=PARIS).timestamp() * 1_000)


class Town:
    """One town on a day, with a listing, a keeper and somebody who asks."""

    def __init__(self, folder: Path, at_ms: int) -> None:
        self.world = World(folder)
        self.world.clock.at_ms = at_ms
        self.place: Place = self.world.found("Quimper")
        self.keeper, self.asker = (
            self.place.member(name, f"{name}@example.org") for name in ("keeper", "asker")
        )

    def publish(self, practice: str, **body: Any) -> str:
        """Publish a listing; return its address."""
        with self.place.inside() as town, write_tx():
            made = town.registry.by_name[practice]
            record = town.journal.publish(made.kind, plain(made.schema.read(body)))
            holdings.keep(record.key, self.keeper.id, self.world.clock.now_ms())
            return f"/a/{listings.find(town.id, record.key).code}"

    def ask(self, href: str, **wish: str) -> Any:
        """Ask through the form; return the answer."""
        return Visitor(self.place, self.asker).send(f"{href}/demander", **wish)

    def press(self, href: str, action: str) -> None:
        """Let the keeper press a button of a request."""
        visitor = Visitor(self.place, self.keeper)
        form = visitor.form(href)
        assert ("action", action) in form.buttons, form.buttons
        assert visitor.post(href, {**form.fields, "action": action}).status_code == 303

    def state(self, href: str) -> str:
        """The state of a request, whose page opens for both sides."""
        for who in (self.keeper, self.asker):
            assert Visitor(self.place, who).get(href).status_code == 200
        with self.place.inside():
            return str(rows.find(bytes.fromhex(href.rsplit("/", 1)[1])).state)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_a_loan_of_an_odd_day_goes_out_and_is_due_the_midnight_after(
    tmp_path: Path, day: date
) -> None:
    town = Town(tmp_path, moment(day, 9))
    asked = town.ask(
        town.publish("lending", title="Remorque"),
        first_day=day.isoformat(),
        last_day=day.isoformat(),
    )
    assert asked.status_code == 303
    href = str(asked.location)
    town.press(href, "approve")
    town.press(href, "hand_over")
    for at_ms, state in (
        (moment(day, 23), "handed_over"),
        (moment(day + timedelta(days=2), 9), "overdue"),
    ):
        town.world.clock.at_ms = at_ms
        with town.place.inside() as here:
            here.engagements.sweep()
        assert town.state(href) == state
    town.press(href, "take_back")
    assert town.state(href) == "returned"
    town.world.close()


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_a_room_at_half_past_two_and_over_midnight(tmp_path: Path, day: date) -> None:
    town = Town(tmp_path, moment(day - timedelta(days=1), 9))
    room = town.publish("spaces", title="Salle", opening=[], units=1, step=30)
    night = town.ask(room, day=day.isoformat(), start="02:30", minutes="60")
    assert night.status_code == (422 if day == DAYS[0] else 303)
    before = day - timedelta(days=1)
    for each in (before, day):
        over = town.ask(room, day=each.isoformat(), start="23:30", minutes="60")
        assert over.status_code == 303
        href = str(over.location)
        assert town.state(href) in ("requested", "confirmed")
        with town.place.inside():
            row = rows.find(bytes.fromhex(href.rsplit("/", 1)[1]))
        terms = json.loads(row.terms)
        wall = [
            datetime.fromtimestamp(quarter_ms(terms[name]) / 1_000, PARIS).strftime("%m-%d %H:%M")
            for name in ("first", "after")
        ]
        assert wall == [f"{each:%m-%d} 23:30", f"{each + timedelta(days=1):%m-%d} 00:30"]
    assert Visitor(town.place).get(room).status_code == 200
    assert Visitor(town.place).get(f"{room}/calendrier.ics").status_code == 200
    town.world.close()
