"""Reminders: before a deadline, once each, to whoever's turn it is, and only what still holds."""

import logging
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from node.domain.capacity import calendar_day, day_number, midnight_ms
from node.domain.clock import FixedClock
from node.domain.lifecycle import HOUR_MS, State
from node.pages import mailing
from node.pages.language import Catalogues, locale_folders
from node.store import notices
from node.store.database import db
from node.store.notices import Notice
from node.store.promises import engagements as rows
from node.store.promises import reminders
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import DAY_MS, START_MS, TownHere, Two, found, two_towns
from tests.node.restored_towns import back_up, restored

REMINDED = "engagement_reminded"
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[TownHere]:
    town = found(tmp_path, "Lorient", FixedClock(START_MS))
    yield town
    town.database.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


def told(town: TownHere, who: str = "asker") -> int:
    """Return how often somebody was reminded."""
    with town.inside():
        rows = Notice.select().where(Notice.member == town.member(who), Notice.kind == REMINDED)
        return int(rows.count())


def sent(town: TownHere) -> None:
    """Let everything that is due leave."""
    with town.inside():
        for each in notices.due(town.clock.now_ms(), 1_000):
            notices.sent(each, town.clock.now_ms())


def waiting(town: TownHere, who: str) -> list[str]:
    with town.inside():
        rows = Notice.select().where(
            Notice.member == town.member(who), Notice.next_try_ms.is_null(False)
        )
        return [each.kind for each in rows.order_by(Notice.id)]


def mail_town(town: TownHere) -> SimpleNamespace:
    """Return what the letters of a town want to know of it."""
    config = SimpleNamespace(
        name="Lorient", manager="", language="fr", url="https://lorient.example"
    )
    return SimpleNamespace(
        config=config, clock=town.clock, keyring=town.keyring, engagements=town.engine,
        catalogues=Catalogues(locale_folders(Path(__file__).parents[2] / "node")),
    )  # fmt: skip


def hourly(town: TownHere, hours: int) -> None:
    """Let the job run every hour, and the mails leave."""
    for _ in range(hours):
        town.clock.forward(hours=1)
        town.sweep()
        sent(town)


def lent(town: TownHere) -> Engagement:
    """Return a loan that was handed over."""
    row = town.ask(town.publish())
    town.act(row, "approve")
    town.act(row, "hand_over")
    sent(town)
    return town.row(row)


def test_a_state_tells_its_reminders_earliest_first() -> None:
    assert State("a", "A", remind_hours=24).reminders == (24,)
    assert State("a", "A", remind_hours=(2, 48, 2, 0)).reminders == (48, 2)
    assert State("a", "A").reminders == ()


def test_whoever_s_turn_it_is_is_reminded_once_however_often_the_job_runs(here: TownHere) -> None:
    here.ask(here.publish(), first=20, last=21)
    sent(here)
    hourly(here, 4 * 24 - 1)
    assert told(here, "keeper") == 0
    hourly(here, 2)
    for _ in range(5):
        here.sweep()
    assert told(here, "keeper") == 1


def test_due_tomorrow_due_today_and_one_seven_and_thirty_days_late(here: TownHere) -> None:
    row = lent(here)
    seen: list[int] = []
    for hour in range(45 * 24):
        here.clock.forward(hours=1)
        here.sweep()
        with here.inside():
            due = [each for each in notices.due(here.clock.now_ms(), 99) if each.kind == REMINDED]
        seen += [hour + 1 for _ in due]
        sent(here)
    due_hours = (row.deadline_ms - START_MS) // HOUR_MS
    states = [(hours - due_hours) // 24 for hours in seen]
    assert states == [-2, -1, 1, 7, 30]
    local = [datetime.fromtimestamp((START_MS + h * HOUR_MS) / 1000, UTC) for h in seen]
    assert {each.astimezone(PARIS).hour for each in local} == {8}


def test_librarika_318_no_reminder_for_what_is_already_back(here: TownHere) -> None:
    """The state is looked at again when the mail really leaves, not when it was queued."""
    row = lent(here)
    here.clock.at_ms = row.deadline_ms - HOUR_MS
    here.sweep()
    assert waiting(here, "asker") == [REMINDED]
    here.act(row, "take_back")
    with here.inside():
        writers = mailing.writers(mail_town(here))
        letters = [
            (each.kind, writers[each.kind](each)) for each in notices.due(here.clock.now_ms())
        ]
    assert [letter for kind, letter in letters if kind == REMINDED] == [None]
    assert any(letter for kind, letter in letters if kind != REMINDED)


def test_a_renewed_loan_is_reminded_of_its_new_day(here: TownHere) -> None:
    row = lent(here)
    here.clock.at_ms = row.deadline_ms - 20 * HOUR_MS
    here.sweep()
    sent(here)
    with here.inside():
        first = reminders.of_engagement(row.id)
        rows.change(row.id, deadline_ms=row.deadline_ms + 7 * DAY_MS)
    here.clock.forward(days=7)
    here.sweep()
    with here.inside():
        assert len(reminders.of_engagement(row.id)) == len(first) + 1 == 2


def test_nobody_is_reminded_of_a_deadline_that_began_later_than_its_reminder(
    here: TownHere,
) -> None:
    here.ask(here.publish(), first=1, last=2)  # the answer is due within the day
    sent(here)
    here.sweep()
    assert told(here, "keeper") == 0


def test_each_town_reminds_its_own(two: Two) -> None:
    row = two.asked()
    two.clock.at_ms = two.home.row(row).deadline_ms - HOUR_MS
    for town in (two.home, two.away):
        sent(town)
        town.sweep()
    assert (told(two.home, "keeper"), told(two.away)) == (1, 0)
    two.home.act(row, "approve")
    two.home.act(row, "hand_over")
    two.exchange()
    two.clock.at_ms = two.home.row(row).deadline_ms - HOUR_MS
    for town in (two.home, two.away):
        sent(town)
        town.sweep()
    assert (told(two.home, "keeper"), told(two.away)) == (1, 1)


def test_who_has_answered_is_not_reminded_while_the_answer_travels(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "counter", args={"first_day": "2026-11-27", "last_day": "2026-11-28"})
    two.exchange()
    sent(two.away)
    held = two.away.row(row)
    assert held.turn == "asker"
    two.away.act(row, "accept", "asker", "asker", on_version=held.version)
    two.clock.at_ms = held.deadline_ms - HOUR_MS
    two.away.sweep()
    assert told(two.away) == 0


@pytest.mark.parametrize("day", ["2027-03-28", "2027-10-31", "2028-02-29", "2027-01-31"])
def test_a_reminder_stays_on_its_day_when_the_clock_changes(tmp_path: Path, day: str) -> None:
    """Due at the end of a day of 23 or 25 hours: the last reminder is still on that day."""
    last = datetime.fromisoformat(day).date()
    number = day_number(last)
    clock = FixedClock(midnight_ms(number - 6, "Europe/Paris") + 9 * HOUR_MS)
    town = found(tmp_path, "Lorient", clock)
    member = town.member("asker")
    listing = town.publish()
    with town.inside():
        typed = {
            "first_day": calendar_day(number - 5).isoformat(),
            "last_day": calendar_day(number).isoformat(),
        }
        row = town.engine.ask(listing, member, typed, secrets.token_bytes(16))
    town.act(row, "approve")
    town.act(row, "hand_over")
    sent(town)
    days = []
    while clock.now_ms() < midnight_ms(number + 1, "Europe/Paris"):
        clock.forward(minutes=30)
        town.sweep()
        if REMINDED in waiting(town, "asker"):
            local = datetime.fromtimestamp(clock.now_ms() / 1000, UTC).astimezone(PARIS)
            days.append((day_number(local.date()) - number, local.hour))
        sent(town)
    assert [each for each, _ in days] == [-1, 0] and all(7 <= hour <= 9 for _, hour in days)
    town.database.close()


def test_what_was_told_before_a_restore_is_not_told_again(two: Two, tmp_path: Path) -> None:
    """The line of an engagement in the logbook tells its reminders too."""
    row = two.asked()
    two.home.act(row, "approve")
    two.home.act(row, "hand_over")
    two.exchange()
    sent(two.away)
    backup = back_up(two.away, tmp_path / "backup.db")
    two.clock.at_ms = two.away.row(row).deadline_ms - HOUR_MS
    two.away.sweep()
    assert told(two.away) == 1
    two.away = restored(two.away, backup, two.home, with_logbook=True)
    two.exchange()
    for _ in range(3):
        two.away.sweep()
    assert told(two.away) == 0  # the backup knew no notice, and none was queued since
    with two.away.inside():
        assert len(reminders.of_engagement(row.id)) == 1


# ── how much a sweep reads ───────────────────────────────────────────────────────────────────────


def test_a_sweep_with_nothing_to_do_reads_only_indexes(
    here: TownHere, caplog: pytest.LogCaptureFixture
) -> None:
    here.ask(here.publish(), first=30, last=31)
    here.sweep()
    with here.inside(), caplog.at_level(logging.DEBUG, logger="peewee"):
        here.engine.sweep()
        asked = [each.msg for each in caplog.records if isinstance(each.msg, tuple)]
        plans = []
        for sql, params in asked:
            if sql.lstrip().upper().startswith("SELECT"):
                for step in db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params).fetchall():
                    plans.append((step[-1], sql))
    assert plans
    big = ("engagement", "act", "claim", "message", "notice")
    for step, sql in plans:
        assert not any(step.startswith(f"SCAN {name}") or step == "SCAN t1" for name in big), sql
