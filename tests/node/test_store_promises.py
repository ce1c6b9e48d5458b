"""The promises: one holder for each unit and slot, one verdict for each act, one row for a wish."""

import multiprocessing
import random

import peewee
import pytest

from node.domain.errors import Conflict
from node.store.database import DRIVERS, open_database, using, write_tx
from node.store.promises import acts, claims, engagements
from node.store.schema import migrate

NOW_MS = 1_795_000_000_000
HOME, THERE = b"\x01" * 32, b"\x02" * 32
LISTING = b"\x05" * 16
spawn = multiprocessing.get_context("spawn")


@pytest.fixture(autouse=True, params=DRIVERS)
def database(tmp_path, request):
    made = open_database(tmp_path / "town.db", request.param)
    migrate(made)
    with using(made):
        yield made
    made.close()


def ask(number, **columns):
    given = {
        "practice": "lending", "lifecycle": "loan", "home": HOME, "asker_town": HOME,
        "listing_origin": HOME, "listing_key": LISTING, "asker": 1, "keeper": 2,
        "who": b"w" * 16, "state": "requested", "since_ms": NOW_MS, "created_ms": NOW_MS + number,
        **columns,
    }  # fmt: skip
    return engagements.start(bytes([number]) * 16, **given)


def test_a_double_click_is_one_engagement():
    ask(1)
    with pytest.raises(peewee.IntegrityError):
        ask(1)
    assert len(engagements.of_member(1)) == 1


def test_a_unit_is_held_by_one_engagement_in_each_slot():
    first, second = ask(1), ask(2)
    claims.take(first.id, HOME, LISTING, 0, range(10, 13))
    with pytest.raises(Conflict) as refused:
        claims.take(second.id, HOME, LISTING, 0, range(12, 15))
    assert refused.value.code == "taken"
    assert claims.of_engagement(second.id) == []
    claims.take(second.id, HOME, LISTING, 1, range(12, 15))
    claims.take(second.id, HOME, LISTING, 0, range(13, 15))
    assert claims.taken(HOME, LISTING, 12, 14) == [(0, 12), (1, 12), (0, 13), (1, 13)]
    assert claims.taken(HOME, LISTING, 12, 14, but=second.id) == [(0, 12)]
    assert claims.taken(THERE, LISTING, 0, 100) == []


def test_what_is_given_back_can_be_taken_again():
    first, second = ask(1), ask(2)
    claims.take(first.id, HOME, LISTING, 0, range(10, 13))
    assert claims.release(first.id) == 3
    claims.take(second.id, HOME, LISTING, 0, range(10, 13))
    assert claims.taken(HOME, LISTING, 0, 100) == [(0, 10), (0, 11), (0, 12)]


def test_a_refused_claim_leaves_the_transaction_usable():
    first, second = ask(1), ask(2)
    claims.take(first.id, HOME, LISTING, 0, [10])
    with write_tx():
        with pytest.raises(Conflict):
            claims.take(second.id, HOME, LISTING, 0, [9, 10])
        engagements.change(second.id, state="waiting")
    assert engagements.find(second.id).state == "waiting"
    assert claims.of_engagement(second.id) == []


def test_nothing_is_held_for_an_engagement_that_is_not_there():
    with pytest.raises(peewee.IntegrityError):
        claims.take(b"\x09" * 16, HOME, LISTING, 0, [1])


def test_two_processes_never_get_the_same_object_for_overlapping_days(database):
    """4 processes, 40 engagements, spans of 1 to 4 days over 30 days, one object; any order."""
    driver = "sqlite3" if type(database) is peewee.SqliteDatabase else "apsw"
    for number in range(40):
        ask(number)
    jobs = [(database.database, driver, first, first + 10) for first in range(0, 40, 10)]
    with spawn.Pool(4) as pool:
        won = [each for wins in pool.starmap(_take_some, jobs) for each in wins]
    held = [(day, number) for number, days in won for day in days]
    assert len({day for day, _ in held}) == len(held)
    assert len(claims.taken(HOME, LISTING, 0, 100)) == len(held)
    assert 7 < len(won) < 40  # some had to lose, and not everybody did


def _take_some(path, driver, first, after):
    won, dice = [], random.Random(first)
    with using(open_database(path, driver)):
        for number in range(first, after):
            start = dice.randrange(30)
            days = list(range(start, start + dice.randint(1, 4)))
            try:
                claims.take(bytes([number]) * 16, HOME, LISTING, 0, days)
                won.append((number, days))
            except Conflict as refused:
                assert refused.code == "taken"
    return won


def test_a_change_on_an_older_version_changes_nothing():
    one = ask(1)
    assert engagements.change(one.id, on_version=0, version=1, state="countered")
    assert not engagements.change(one.id, on_version=0, version=1, state="approved")
    assert engagements.find(one.id).state == "countered"


def test_deadlines_and_patience_are_swept_by_the_town_they_belong_to():
    ask(1, deadline_ms=NOW_MS)
    ask(2, deadline_ms=NOW_MS - 5)
    ask(3, deadline_ms=NOW_MS + 1)
    ask(4, deadline_ms=NOW_MS, final=True)
    ask(5, home=THERE, deadline_ms=NOW_MS, answer_by_ms=NOW_MS)
    ask(6, answer_by_ms=NOW_MS)
    assert [each.id[0] for each in engagements.overdue(NOW_MS, HOME)] == [2, 1]
    assert [each.id[0] for each in engagements.unanswered(NOW_MS, HOME)] == [5]


def test_who_is_told_of_what():
    ask(1, asker=7, keeper=8)
    ask(2, asker=8, keeper=9, home=THERE, request_key=b"r" * 16, final=True)
    ask(3, asker=None, asker_town=THERE, reply_key=b"s" * 16)
    assert [each.id[0] for each in engagements.of_member(8)] == [2, 1]
    assert [each.id[0] for each in engagements.with_town(THERE)] == [3]
    assert [each.id[0] for each in engagements.with_town(THERE, only_open=False)] == [2, 3]
    assert engagements.by_register(b"r" * 16).id[0] == 2
    assert engagements.by_register(b"s" * 16).id[0] == 3
    assert engagements.by_register(b"t" * 16) is None
    assert engagements.open_between(THERE, HOME, LISTING) == 1
    queue = engagements.of_listing(HOME, LISTING, states=("requested", "waiting"))
    assert [each.id[0] for each in queue] == [1, 2, 3]


def test_an_act_is_in_the_list_once_and_judged_once():
    one = ask(1)
    given = {"at_ms": NOW_MS, "by": "self"}
    first = acts.append(one.id, b"a" * 8, "ask", **given)
    acts.append(one.id, b"b" * 8, "withdraw", **given, on_version=1)
    again = acts.append(one.id, b"a" * 8, "withdraw", **given)
    assert (first.place, again.place, again.action) == (1, 1, "ask")
    assert acts.judge(one.id, b"a" * 8, "pending", NOW_MS)
    assert acts.judge(one.id, b"a" * 8, "ok", NOW_MS + 1)
    assert not acts.judge(one.id, b"a" * 8, "full", NOW_MS + 2)
    listed = acts.of_engagement(one.id)
    assert [(each.action, each.verdict) for each in listed] == [("ask", "ok"), ("withdraw", "")]
    assert acts.mark_sent(one.id, NOW_MS) == 2
    assert acts.mark_sent(one.id, NOW_MS) == 0


def test_two_engagements_may_have_acts_of_one_id():
    for number in (1, 2):
        acts.append(ask(number).id, b"a" * 8, "ask", at_ms=NOW_MS, by="self")
    acts.judge(bytes([1]) * 16, b"a" * 8, "ok", NOW_MS)
    assert acts.find(bytes([2]) * 16, b"a" * 8).verdict == ""
