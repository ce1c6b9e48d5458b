"""What pages read of the engagements of a town: contacts, notices, buttons, days, steps."""

from pathlib import Path

import pytest

from node.domain.clock import FixedClock
from node.store import notices
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import START_MS, TODAY, TownHere, found


@pytest.fixture
def town(tmp_path: Path) -> TownHere:
    return found(tmp_path, "Lorient", FixedClock(START_MS))


def test_contacts_show_only_after_the_yes_and_only_what_each_ticked(town: TownHere) -> None:
    listing, keeper = town.publish(copies=3), town.member("keeper")
    asker = town.member("asker")
    row = town.ask(listing, share="1", contact="06 11 22 33 44")
    silent = town.ask(listing, contact="06 99")

    def contact(row: Engagement, member: int) -> str:
        with town.inside():
            return town.engine.contact(town.engine.find(row.id), member)

    assert contact(row, keeper) == contact(row, asker) == ""
    town.act(row, "approve", args={"contact": "Porte verte", "share": "1"})
    town.act(silent, "approve", args={"contact": "Porte verte"})
    assert (contact(row, keeper), contact(row, asker)) == ("06 11 22 33 44", "Porte verte")
    assert contact(silent, keeper) == contact(silent, asker) == ""
    assert contact(row, town.member("stranger")) == ""
    town.act(row, "revoke")
    assert contact(row, keeper) == contact(row, asker) == "" and town.row(row).contacts == "{}"


def test_each_side_is_told_of_what_the_other_did(town: TownHere) -> None:
    row = town.ask(town.publish())
    town.act(row, "approve")
    town.withdraw_ask(row)
    with town.inside():
        told = [(each.kind, each.member) for each in notices.due(town.clock.now_ms())]
    keeper, asker = town.member("keeper"), town.member("asker")
    assert told == [
        ("engagement_asked", keeper),
        ("engagement_moved", asker),
        ("engagement_moved", keeper),
    ]


def test_a_member_finds_what_they_asked_and_what_is_asked_of_them(town: TownHere) -> None:
    row = town.ask(town.publish())
    with town.inside():
        asked, received = town.engine.of_member(town.member("asker"))
        assert [each.id for each in asked] == [row.id] and received == []
        asked, received = town.engine.of_member(town.member("keeper"))
        assert asked == [] and [each.id for each in received] == [row.id]


def test_buttons_are_what_the_table_lets_this_person_do(town: TownHere) -> None:
    row = town.ask(town.publish())

    def buttons(who: str) -> list[str]:
        with town.inside():
            now = town.engine.find(row.id)
            return [each.action for each in town.engine.buttons(now, town.member(who))]

    assert (buttons("keeper"), buttons("asker")) == (["approve", "decline"], ["withdraw"])
    town.act(row, "approve")
    assert (buttons("keeper"), buttons("asker")) == (["hand_over", "revoke"], ["withdraw"])
    town.act(row, "hand_over")
    assert (buttons("keeper"), buttons("asker")) == (["take_back", "lose"], ["renew"])
    town.act(row, "lose")
    assert buttons("keeper") == buttons("asker") == buttons("stranger") == []


def test_the_calendar_strikes_out_what_is_taken_or_closed(town: TownHere) -> None:
    trailer = town.publish(copies=2, open_days=[0, 1, 2, 3, 4])
    for who in ("anne", "bernez"):
        town.act(town.ask(trailer, who, 1, 2), "approve")
    with town.inside():
        days = town.engine.days(trailer, chosen=[TODAY + 3], count=7)
    shown = [(each["day"] - TODAY, each["free"], each["chosen"]) for each in days]
    assert shown == [
        (0, True, False),
        (1, False, False),
        (2, False, False),
        (3, True, True),
        (4, True, False),
        (5, False, False),
        (6, False, False),
    ]


def test_the_timeline_says_what_was_done_and_what_comes(town: TownHere) -> None:
    row = town.ask(town.publish())

    def steps() -> list[tuple[str, str]]:
        with town.inside():
            told = town.engine.timeline(town.engine.find(row.id))
        return [(each.label, each.status) for each in told]

    assert steps() == [
        ("Asked", "done"),
        ("Answer", "now"),
        ("Pick-up", "later"),
        ("Return", "later"),
    ]
    town.act(row, "approve")
    town.act(row, "hand_over")
    assert steps() == [
        ("Asked", "done"),
        ("Accepted", "done"),
        ("Handed over", "done"),
        ("Return", "now"),
    ]
    town.act(row, "lose")
    assert steps()[-1] == ("Lost", "failed")
