"""A month switched off: deadlines had their effect at their hour; only what still holds is told."""

import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.domain.clock import FixedClock
from node.domain.lifecycle import HOUR_MS
from node.pages import mailing
from node.store import notices
from node.store.catalogue.listings import Listing
from node.store.notices import Notice
from node.store.promises import acts, claims
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import (
    DAY_MS,
    START_MS,
    TODAY,
    TownHere,
    Two,
    found,
    iso,
    two_towns,
)
from tests.node.test_reminders import REMINDED, mail_town, sent


@pytest.fixture
def here(tmp_path: Path) -> Iterator[TownHere]:
    town = found(tmp_path, "Lorient", FixedClock(START_MS))
    yield town
    town.database.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


def steps(town: TownHere, row: Engagement) -> list[tuple[str, int]]:
    """Return what the clock did to an engagement, each with its instant."""
    with town.inside():
        return [(act.action, act.at_ms) for act in acts.of_engagement(row.id) if act.by == "home"]


def queue(town: TownHere, listing: Listing, who: str, first: int, last: int) -> Engagement:
    member = town.member(who)
    days = {"first_day": iso(TODAY + first), "last_day": iso(TODAY + last), "queue": "1"}
    with town.inside():
        return town.engine.ask(town.listing(listing), member, days, secrets.token_bytes(16))


def mails(town: TownHere) -> Counter[tuple[int, bytes]]:
    """Write and send all that is due; return how many letters (person, engagement) got."""
    written: Counter[tuple[int, bytes]] = Counter()
    with town.inside():
        writers = mailing.writers(mail_town(town))
        while due := notices.due(town.clock.now_ms(), 500):
            for each in due:
                if writers[each.kind](each) is not None:
                    written[each.member, bytes(each.engagement)] += 1
                notices.sent(each, town.clock.now_ms())
    return written


def test_a_loan_that_became_late_and_later_did_so_at_its_own_hours(here: TownHere) -> None:
    row = here.ask(here.publish())
    here.act(row, "approve")
    here.act(row, "hand_over")
    row = here.row(row)
    sent(here)
    here.clock.forward(days=31)
    here.sweep()
    late = here.row(row)
    assert (late.state, late.since_ms) == ("overdue", row.deadline_ms)
    assert late.deadline_ms == row.deadline_ms + 90 * DAY_MS
    here.clock.forward(days=200)
    here.sweep()
    lost = here.row(row)
    assert (lost.state, lost.since_ms) == ("lost", late.deadline_ms)
    assert [at for _, at in steps(here, row)] == [row.deadline_ms, late.deadline_ms]


def test_after_a_month_off_each_person_gets_one_mail_an_engagement_at_most(here: TownHere) -> None:
    listing = here.publish(copies=3)
    kept = [here.ask(listing, f"asker{number}", 3 + number, 4 + number) for number in range(3)]
    for row in kept:
        here.act(row, "approve")
    here.act(kept[0], "hand_over")
    here.act(kept[1], "hand_over")
    asked = here.ask(here.publish(title="Scie"), "asker9", first=20, last=21)
    sent(here)
    here.clock.forward(days=31)
    for _ in range(5):
        here.sweep()
    written = mails(here)
    assert written and max(written.values()) == 1
    told = {engagement for _, engagement in written}
    assert kept[0].id in told and asked.id in told
    for _ in range(5):
        here.sweep()
    assert mails(here) == Counter()


def test_of_the_reminders_a_month_missed_only_the_last_is_told(here: TownHere) -> None:
    row = here.ask(here.publish())
    here.act(row, "approve")
    here.act(row, "hand_over")
    here.clock.at_ms = here.row(row).deadline_ms
    here.sweep()
    sent(here)
    here.clock.forward(days=31)  # one, seven and thirty days late have passed meanwhile
    here.sweep()
    with here.inside():
        told = Notice.select().where(Notice.kind == REMINDED, Notice.sent_ms.is_null())
        assert told.count() == 1
        notices.sent(told.get(), here.clock.now_ms())
    here.clock.forward(days=20)
    here.sweep()
    with here.inside():
        assert Notice.select().where(Notice.kind == REMINDED).count() == 1


def test_what_came_back_just_before_the_mail_leaves_is_not_reminded_of(here: TownHere) -> None:
    row = here.ask(here.publish())
    here.act(row, "approve")
    here.act(row, "hand_over")
    sent(here)
    here.clock.forward(days=31)
    here.sweep()
    here.act(row, "take_back")
    here.act(row, "close")
    with here.inside():
        due = notices.due(here.clock.now_ms(), 99)
        writers = mailing.writers(mail_town(here))
        told = [each.kind for each in due if writers[each.kind](each) is not None]
    assert len(due) > len(told) and REMINDED not in told
    assert mails(here)[here.members["asker"], bytes(row.id)] == 1  # that it is closed


def test_the_line_went_on_and_the_one_offered_now_has_their_whole_time(here: TownHere) -> None:
    """Approved, never fetched, lapsed; the next were offered it, and each has two days from now."""
    listing = here.publish(max_days=60)
    first = here.ask(listing, "first", first=2, last=50)
    here.act(first, "approve")
    second = queue(here, listing, "second", 30, 45)
    third = queue(here, listing, "third", 31, 46)
    assert {second.state, third.state} == {"waiting"}
    sent(here)
    here.clock.forward(days=20)
    here.sweep()
    assert here.row(first).state == "lapsed"
    offered = here.row(second)
    assert offered.state == "offered" and here.row(third).state == "waiting"
    assert offered.since_ms == here.clock.now_ms()
    assert offered.deadline_ms == here.clock.now_ms() + 48 * HOUR_MS
    assert mails(here)[here.members["second"], bytes(second.id)] == 1  # "your turn", at once
    here.clock.forward(days=4)  # off again, while the offer ran out
    here.sweep()
    assert here.row(second).state == "passed"
    here.sweep()
    last = here.row(third)
    assert last.state == "offered" and last.deadline_ms > here.clock.now_ms() + 40 * HOUR_MS
    assert here.act(third, "accept", "third", "asker", on_version=last.version).state == "approved"
    with here.inside():
        assert len({unit for unit, _ in claims.of_engagement(third.id)}) == 1


def test_a_line_whose_days_are_all_past_ends_without_an_offer(here: TownHere) -> None:
    listing = here.publish()
    first = here.ask(listing, "first")
    here.act(first, "approve")
    waits = [queue(here, listing, f"waiting{number}", 3, 4) for number in range(3)]
    sent(here)
    here.clock.forward(days=31)
    for _ in range(3):
        here.sweep()
    assert {here.row(each).state for each in waits} == {"lapsed"}
    assert max(mails(here).values()) == 1


def test_a_job_that_runs_again_and_again_does_nothing_twice(here: TownHere) -> None:
    row = here.ask(here.publish())
    here.act(row, "approve")
    here.act(row, "hand_over")
    here.clock.forward(days=31)
    here.sweep()
    before = here.row(row).__data__
    with here.inside():
        queued = Notice.select().count()
    for _ in range(10):
        assert here.sweep() == 0
    with here.inside():
        assert Notice.select().count() == queued
    assert here.row(row).__data__ == before


def test_home_was_off_for_a_month_and_both_towns_agree_when_it_is_back(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.home.act(row, "hand_over")
    two.exchange()
    due_ms = two.home.row(row).deadline_ms
    two.clock.forward(days=31)
    two.away.sweep()
    assert two.away.row(row).state == "handed_over"  # what is not heard is not said
    two.home.sweep()
    two.exchange()
    assert two.both(row) == ("overdue", "overdue")
    assert two.home.row(row).since_ms == two.away.row(row).since_ms == due_ms + DAY_MS  # its reach
    two.home.sweep(), two.away.sweep()
    assert max(mails(two.away).values()) == 1
