"""Contacts: told after the yes of both sides, only what was ticked, never by mail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.domain.clock import FixedClock
from node.engagements.between import post
from node.engagements.contacts import accepted
from node.pages import mailing
from node.practices.registry import PRACTICES
from node.store import notices
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import START_MS, TownHere, Two, found, two_towns
from tests.node.test_reminders import mail_town
from tests.node.test_talk import say


@pytest.fixture
def here(tmp_path: Path) -> Iterator[TownHere]:
    town = found(tmp_path, "Lorient", FixedClock(START_MS))
    yield town
    town.database.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


TICKED = {"email": "n@example.org", "share_email": "1", "phone": "06 12", "share_phone": "1"}


def contact(town: TownHere, row: Engagement, who: str) -> str:
    member = town.member(who)
    with town.inside():
        return town.engine.contact(town.engine.find(row.id), member)


def travels(town: TownHere, row: Engagement) -> str:
    """Return the contact that a town's register of an engagement says now."""
    with town.inside():
        held, ground = town.engine.find(row.id), town.engine.ground
        if ground.decides(held):
            return post.reply_of(ground, held).contact
        return post.request_of(ground, held).contact


def test_each_way_is_told_only_if_it_was_ticked(here: TownHere) -> None:
    listing = here.publish(copies=4)
    cases = {
        "both": (TICKED, "n@example.org\n06 12"),
        "mail": ({**TICKED, "share_phone": ""}, "n@example.org"),
        "phone": ({**TICKED, "share_email": ""}, "06 12"),
        "none": ({**TICKED, "share_email": "", "share_phone": ""}, ""),
    }
    for who, (form, expected) in cases.items():
        row = here.ask(listing, who, **form)
        assert contact(here, row, "keeper") == ""
        here.act(row, "approve", args={"phone": "02 97", "share_phone": "1", "email": "k@x.org"})
        assert contact(here, row, "keeper") == expected
        assert contact(here, row, who) == "02 97" and contact(here, row, "curious") == ""
        here.act(row, "hand_over")
        here.act(row, "take_back")
        assert contact(here, row, "keeper") == expected  # brought back, not closed yet
        here.act(row, "close")
        assert (contact(here, row, "keeper"), contact(here, row, who)) == ("", "")


def test_nothing_ticked_leaves_a_town_before_both_said_yes(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing, **TICKED)
    two.exchange()
    assert travels(two.away, row) == "" == contact(two.home, row, "keeper")
    mine = {"phone": "02 97", "share_phone": "1"}
    days = {"first_day": "2026-11-28", "last_day": "2026-11-29"}
    two.home.act(row, "counter", args={**days, **mine})
    two.exchange()
    assert travels(two.home, row) == "" == travels(two.away, row)
    assert contact(two.away, row, "asker") == ""
    version = two.away.row(row).version
    two.away.act(row, "accept", "asker", "asker", on_version=version)
    two.exchange()
    two.exchange()
    assert two.both(row) == ("approved", "approved")
    assert contact(two.home, row, "keeper") == "n@example.org\n06 12"
    assert contact(two.away, row, "asker") == "02 97"
    two.away.withdraw_ask(row)
    two.exchange()
    for town, who in ((two.home, "keeper"), (two.away, "asker")):
        assert travels(town, row) == "" == contact(town, row, who)


def test_what_is_offered_countered_or_held_is_not_a_yes() -> None:
    for practice in PRACTICES:
        for table in practice.engaging.lifecycles.values() if practice.engaging else ():
            opened = accepted(table)
            before = {"requested", "waiting", "offered", "countered", "held"}
            assert opened and not opened & before
            assert not any(table.state(name).final for name in opened)


def test_no_mail_tells_a_contact_or_the_words_of_a_message(here: TownHere) -> None:
    row = here.ask(here.publish(), **TICKED)
    say(here, row, "CANARY mon adresse est rue du Lavoir")
    here.act(row, "approve", args={"phone": "02 97", "share_phone": "1"})
    here.clock.forward(minutes=10)
    with here.inside():
        writers = mailing.writers(mail_town(here))
        due = notices.due(here.clock.now_ms(), 99)
        letters = [letter for each in due if (letter := writers[each.kind](each))]
    assert len(letters) >= 2
    for letter in letters:
        for secret in ("CANARY", "06 12", "02 97", "n@example.org"):
            assert secret not in letter.body + letter.subject
