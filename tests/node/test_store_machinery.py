"""What the node remembers of its own running: leases, limits, notices, marks and the audit."""

import multiprocessing
import subprocess
from pathlib import Path

import peewee
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.store import audit, jobs, marks, notices, rates
from node.store.database import DRIVERS, open_database, using, write_tx
from node.store.schema import migrate

NOW_MS = 1_795_000_000_000
MINUTE_MS = 60_000
spawn = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module", params=DRIVERS)
def made(tmp_path_factory, request):
    database = open_database(tmp_path_factory.mktemp("machinery") / "town.db", request.param)
    migrate(database)
    yield database
    database.close()


@pytest.fixture(autouse=True)
def database(made):
    with using(made):
        with write_tx():
            for table in (
                marks.Mark, jobs.JobLease, rates.Rate, notices.Notice, audit.AuditEntry,
            ):  # fmt: skip
                table.delete().execute()
        yield made


def test_a_mark_is_what_was_last_written():
    assert (marks.read("generation"), marks.number("last_stamp")) == ("", 0)
    marks.write("generation", "ab")
    marks.write("generation", "cd")
    marks.write_number("last_stamp", 2**62)
    assert (marks.read("generation"), marks.number("last_stamp")) == ("cd", 2**62)
    marks.forget("generation")
    assert marks.read("generation", "none") == "none"


def test_a_job_is_run_by_one_holder_until_it_gives_it_back():
    assert jobs.take("sync", "a", MINUTE_MS, NOW_MS)
    assert not jobs.take("sync", "b", MINUTE_MS, NOW_MS)
    assert jobs.take("sync", "a", MINUTE_MS, NOW_MS + 30_000), "its holder may go on"
    assert not jobs.take("sync", "b", MINUTE_MS, NOW_MS + MINUTE_MS)
    jobs.give_back("sync", "b", NOW_MS)
    assert not jobs.take("sync", "b", MINUTE_MS, NOW_MS + MINUTE_MS), "another's is not given back"
    jobs.give_back("sync", "a", NOW_MS)
    assert jobs.take("sync", "b", MINUTE_MS, NOW_MS)


def test_a_job_of_a_dead_process_is_taken_over_when_its_lease_ends():
    jobs.take("sync", "dead", MINUTE_MS, NOW_MS)
    assert not jobs.take("sync", "b", MINUTE_MS, NOW_MS + MINUTE_MS - 1)
    assert jobs.take("sync", "b", MINUTE_MS, NOW_MS + MINUTE_MS)


def test_a_job_is_not_taken_before_it_is_due_unless_hastened():
    jobs.take("sync", "a", MINUTE_MS, NOW_MS)
    jobs.give_back("sync", "a", NOW_MS, due_ms=NOW_MS + 15 * MINUTE_MS, outcome="unreachable")
    (row,) = jobs.every()
    assert (row.outcome, row.ended_ms) == ("unreachable", NOW_MS)
    assert not jobs.is_due(row, NOW_MS + 15 * MINUTE_MS - 1)
    assert not jobs.take("sync", "b", MINUTE_MS, NOW_MS + 15 * MINUTE_MS - 1)
    assert jobs.is_due(row, NOW_MS + 15 * MINUTE_MS)
    jobs.hasten("sync")
    assert jobs.take("sync", "b", MINUTE_MS, NOW_MS)


def test_a_clock_that_was_years_ahead_stops_no_job_for_years():
    years_ms = 5 * 365 * 24 * 3_600_000
    jobs.take("sync", "a", MINUTE_MS, NOW_MS + years_ms)
    assert jobs.take("sync", "b", MINUTE_MS, NOW_MS)
    jobs.give_back("sync", "b", NOW_MS, due_ms=NOW_MS + years_ms)
    assert jobs.take("sync", "b", MINUTE_MS, NOW_MS)


@pytest.mark.parametrize("ahead_ms", [1, 3_600_000, 39 * 86_400_000])
def test_a_clock_that_was_ahead_puts_a_job_off_by_its_own_period_at_most(ahead_ms):
    period_ms = 15 * MINUTE_MS
    jobs.take("sync", "a", MINUTE_MS, NOW_MS + ahead_ms)
    jobs.give_back("sync", "a", NOW_MS + ahead_ms, due_ms=NOW_MS + ahead_ms + period_ms)
    (row,) = jobs.every()
    assert jobs.is_due(row, NOW_MS, every_ms=period_ms)
    assert jobs.take("sync", "b", MINUTE_MS, NOW_MS, every_ms=period_ms)


def test_a_lease_written_by_a_clock_that_was_ahead_ends_when_its_holder_is_not_known_to_live():
    jobs.take("sync", "somebody", MINUTE_MS, NOW_MS + 3_600_000)
    assert jobs.take("sync", "b", MINUTE_MS, NOW_MS)
    jobs.take("mails", jobs.holder_here(), MINUTE_MS, NOW_MS + 3_600_000)
    assert not jobs.take("mails", "b", MINUTE_MS, NOW_MS), "it lives, and renews it"


def test_the_lease_of_a_process_that_was_killed_is_free_at_once():
    killed = subprocess.Popen(["sleep", "60"])
    boot, namespace, *_ = jobs.holder_here().split(":")
    began = Path(f"/proc/{killed.pid}/stat").read_text().rpartition(")")[2].split()[19]
    holder = f"{boot}:{namespace}:{killed.pid}:{began}:0"
    assert jobs.state_of(holder) == jobs.ALIVE
    assert jobs.take("sync", holder, MINUTE_MS, NOW_MS)
    assert not jobs.take("sync", "b", MINUTE_MS, NOW_MS)
    killed.kill()
    killed.wait()
    assert jobs.state_of(holder) == jobs.DEAD
    assert jobs.take("sync", "b", MINUTE_MS, NOW_MS)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda boot, space, pid, began, end: ("0" * 36, space, pid, began, end), "dead"),
        (lambda boot, space, pid, began, end: (boot, "pid[1]", pid, began, end), "unknown"),
        (lambda boot, space, pid, began, end: (boot, space, pid, "1", end), "dead"),
        (lambda boot, space, pid, began, end: (boot, space, "x", began, end), "unknown"),
        (lambda boot, space, pid, began, end: ("", "", pid, "", end), "unknown"),
        (lambda *parts: parts, "alive"),
    ],
)
def test_a_holder_is_judged_only_by_who_can(change, state):
    assert jobs.state_of(":".join(change(*jobs.holder_here().split(":")))) == state
    assert jobs.state_of("somebody") == "unknown"


def test_of_four_processes_one_takes_the_job(database):
    driver = "sqlite3" if type(database) is peewee.SqliteDatabase else "apsw"
    with spawn.Pool(4) as pool:
        taken = pool.starmap(_take, [(database.database, driver, str(n)) for n in range(4)])
    assert [sum(each) for each in zip(*taken, strict=True)] == [1] * 30


def _take(path, driver, holder):
    with using(open_database(path, driver)):
        return [jobs.take(f"job {n}", holder, MINUTE_MS, NOW_MS) for n in range(30)]


def test_a_full_bucket_allows_its_limit_then_one_at_a_time():
    assert [rates.wait_ms("ip", 3, MINUTE_MS, NOW_MS) for _ in range(5)] == [
        0,
        0,
        0,
        20_000,
        20_000,
    ]
    assert not rates.allow("ip", 3, MINUTE_MS, NOW_MS + 19_999)
    assert rates.allow("ip", 3, MINUTE_MS, NOW_MS + 20_000)
    assert not rates.allow("ip", 3, MINUTE_MS, NOW_MS + 20_000)
    assert rates.allow("other", 3, MINUTE_MS, NOW_MS)


@settings(max_examples=40, deadline=None)
@given(
    limit=st.integers(1, 7),
    window_ms=st.sampled_from([1_000, 60_000, 86_400_000]),
    steps=st.lists(st.integers(0, 20_000), min_size=1, max_size=40),
)
def test_no_window_ever_sees_more_than_twice_the_limit(made, limit, window_ms, steps):
    """A full bucket at its start and what drips in during it: the bound a token bucket promises."""
    with using(made), write_tx():
        rates.sweep(10**15)
        now_ms, allowed = NOW_MS, []
        for step in steps:
            now_ms += step
            if rates.allow("key", limit, window_ms, now_ms):
                allowed.append(now_ms)
        for start in allowed:
            inside = [at for at in allowed if start <= at < start + window_ms]
            assert len(inside) <= 2 * limit
        rates.sweep(10**15)


def test_the_wait_told_is_enough():
    for _ in range(7):
        rates.wait_ms("key", 7, MINUTE_MS, NOW_MS)
    wait = rates.wait_ms("key", 7, MINUTE_MS, NOW_MS)
    assert rates.wait_ms("key", 7, MINUTE_MS, NOW_MS + wait) == 0


def test_a_clock_set_back_locks_nobody_out_for_longer_than_the_window():
    day_ms = 24 * 60 * MINUTE_MS
    for _ in range(3):
        rates.allow("key", 3, MINUTE_MS, NOW_MS + day_ms)
    assert rates.wait_ms("key", 3, MINUTE_MS, NOW_MS) <= MINUTE_MS
    assert rates.allow("key", 3, MINUTE_MS, NOW_MS + MINUTE_MS)


def test_full_buckets_are_forgotten():
    rates.allow("key", 1, MINUTE_MS, NOW_MS)
    assert rates.sweep(NOW_MS + MINUTE_MS - 1) == 0
    assert rates.sweep(NOW_MS + MINUTE_MS) == 1


def test_a_notice_is_tried_ever_later_then_given_up():
    notice = notices.queue("accepted", now_ms=NOW_MS, member=1, params='{"x":1}')
    assert notices.due(NOW_MS) == [notice]
    at_ms, waits = NOW_MS, []
    for _ in range(notices.GIVE_UP_AFTER - 1):
        (pending,) = notices.due(at_ms)
        notices.failed(pending, "greylisted", at_ms)
        next_ms = notices.Notice.get().next_try_ms
        waits.append(next_ms - at_ms)
        assert notices.due(next_ms - 1) == []
        at_ms = next_ms
    assert waits == sorted(waits) and waits[0] == notices.FIRST_RETRY_MS
    (pending,) = notices.due(at_ms)
    notices.failed(pending, "no such mailbox", at_ms)
    assert notices.due(at_ms * 2) == []
    assert notices.Notice.get().last_error == "no such mailbox"
    assert notices.sweep(NOW_MS + 1) == 1


def test_a_sent_notice_forgets_what_it_said():
    notice = notices.queue("code", now_ms=NOW_MS, address="a@b.fr", params="123456")
    notices.sent(notice, NOW_MS + 1)
    row = notices.Notice.get()
    assert (row.params, row.address, row.sent_ms) == ("", "", NOW_MS + 1)
    assert notices.due(NOW_MS * 2) == []


def test_a_notice_belongs_to_what_happened():
    with pytest.raises(KeyError), write_tx():
        notices.queue("accepted", now_ms=NOW_MS, member=1)
        raise KeyError
    assert notices.due(NOW_MS) == []


def test_the_audit_tells_who_did_what_newest_first():
    for number in range(3):
        audit.note("hide", at_ms=NOW_MS + number, actor="desk", member=number, subject="/a/K7QM")
    audit.note("sync", at_ms=NOW_MS + 3, actor="clock")
    first, second = audit.latest(2)
    assert (first.actor, second.member) == ("clock", 2)
    assert [each.member for each in audit.latest(before=second.id)] == [1, 0]
    assert len(audit.latest(subject="/a/K7QM")) == 3
    audit.forget_member(2)
    assert [each.member for each in audit.latest(subject="/a/K7QM")] == [None, 1, 0]
    assert audit.sweep(NOW_MS + 1) == 1


def test_erasing_a_member_takes_what_was_to_be_told():
    notices.queue("accepted", now_ms=NOW_MS, member=1)
    notices.queue("accepted", now_ms=NOW_MS, member=2)
    notices.forget_member(1)
    assert [each.member for each in notices.due(NOW_MS)] == [2]
