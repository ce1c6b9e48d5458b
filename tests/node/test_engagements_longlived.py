"""Engagements that outlive records, partners and people: nothing changes because paper ends."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from federation.record import parse
from federation.stamp import as_of_day
from node.domain.clock import FixedClock
from node.domain.errors import Conflict
from node.engagements.between import post
from node.engagements.between.registers import REQUEST, request_inner
from node.engagements.moves import restate
from node.store.promises import acts, claims
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
from node.store.sets import record_store, records
from tests.node.engagement_towns import (
    DAY_MS,
    START_MS,
    TownHere,
    Two,
    exchange,
    found,
    know,
    pair,
    two_towns,
)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


def day_passes(two: Two, days: int = 1) -> None:
    """Let days pass and both towns do what they do by themselves."""
    two.clock.forward(days=days)
    for town in (two.home, two.away):
        town.sweep()
        with town.inside():
            record_store.sweep(as_of_day(two.clock.now_ms()), town.id)


def said(town: TownHere, row: Engagement) -> dict[str, Any]:
    """Return what a row says, without the ids of its records and when to look at it again."""
    data = {**town.row(row).__data__, "remind_ms": None}
    return {name: value for name, value in data.items() if not name.endswith("_record")}


def test_an_engagement_of_nine_hundred_days_is_moved_by_no_expiry(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    with two.home.inside():
        far_ms = START_MS + 900 * DAY_MS
        held = restate(two.home.engine.find(row.id), deadline_ms=far_ms, ends_ms=far_ms)
        post.publish(two.home.engine.ground, held)
    two.exchange()
    kept = [said(town, row) for town in (two.home, two.away)]
    for day in range(0, 890, 10):
        day_passes(two, 10)
        if not 250 <= day < 450:
            exchange(two.home, two.away, rounds=1)
    exchange(two.home, two.away)
    assert [said(town, row) for town in (two.home, two.away)] == kept
    with two.away.inside():
        assert records.find(two.home.id, row.reply_key or kept[0]["reply_key"]).state == 0
    day_passes(two, 30)
    two.exchange()
    assert two.both(row) == ("lapsed", "lapsed")


def test_a_register_that_expired_in_silence_changes_no_row(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    kept = said(two.home, row)
    old = two.away.held()
    with two.home.inside():
        far_ms = START_MS + 900 * DAY_MS
        rows.change(row.id, deadline_ms=far_ms, ends_ms=far_ms)
    two.clock.forward(days=500)
    two.home.sweep()
    with two.home.inside():
        record_store.sweep(as_of_day(two.clock.now_ms()), two.home.id)
        assert records.find(two.away.id, kept["request_key"]) is None
    assert two.home.row(row).state == "approved"
    assert set(two.home.hear(old)) <= {"expired", "known", "older"}
    assert two.home.row(row).state == "approved"


def test_what_is_over_is_known_for_longer_than_any_record_of_it_lives(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "decline")
    two.exchange()
    air = two.home.held() + two.away.held()
    for days in (61, 100, 230):
        day_passes(two, days)
        two.exchange()
        kept = [said(town, row) for town in (two.home, two.away)]
        for town in (two.home, two.away):
            town.hear(air)
        assert [said(town, row) for town in (two.home, two.away)] == kept
    assert two.both(row) == ("declined", "declined")


def test_a_final_answer_nobody_heard_is_not_buried_before_it_is(two: Two) -> None:
    declined, lapsed = two.asked(), two.asked()
    two.home.act(declined, "decline")
    two.clock.forward(days=100)  # the link was cut, and home was off
    for _ in range(3):
        two.home.sweep()
        two.clock.forward(days=1)
    two.exchange()
    two.exchange()
    assert two.both(declined) == ("declined", "declined")
    assert two.both(lapsed)[0] == two.both(lapsed)[1] == "lapsed"


def test_an_asker_s_town_lost_for_ever_holds_no_place_for_ever(two: Two) -> None:
    listing = two.home.publish(copies=2)
    two.exchange()
    waiting, promised = (two.away.ask(listing) for _ in range(2))
    two.exchange()
    two.home.act(promised, "approve")
    for _ in range(10):
        two.clock.forward(days=10)
        two.home.sweep()
    assert two.home.row(waiting).state == two.home.row(promised).state == "lapsed"
    with two.home.inside():
        assert claims.taken(two.home.id, listing.key, 0, 10**6) == []


def test_a_home_lost_for_ever_leaves_nobody_waiting(two: Two) -> None:
    listing = two.home.publish(copies=2)
    two.exchange()
    waiting, promised = (two.away.ask(listing) for _ in range(2))
    two.exchange()
    two.home.act(promised, "approve")
    two.exchange()
    for _ in range(20):
        two.clock.forward(days=10)
        two.away.sweep()
    assert two.away.row(promised).final
    with two.away.inside():
        left = [act.by for act in acts.of_engagement(waiting.id) if act.action == "withdraw"]
    assert left == ["clock"]
    assert two.away.row(waiting).answer_by_ms is None


# ── what arrives in the wrong order, or again and again ──────────────────────────────────────────


def test_abuse_033_an_old_version_after_a_newer_one_changes_nothing(two: Two) -> None:
    row = two.asked()
    old = two.home.raws("reply/1") + two.away.raws(REQUEST)
    two.home.act(row, "approve")
    two.exchange()
    kept = [said(town, row) for town in (two.home, two.away)]
    for _ in range(3):
        for town in (two.home, two.away):
            assert set(town.hear(old)) <= {"older", "known"}
    assert [said(town, row) for town in (two.home, two.away)] == kept


def test_abuse_035_an_answer_before_its_request_waits_and_a_withdrawal_before_its_ask_too(
    two: Two, tmp_path: Path
) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing)
    asked = two.away.raws(REQUEST)
    two.away.withdraw_ask(row)
    two.home.hear(two.away.raws(REQUEST))
    assert two.home.row(row).state == "cancelled"
    two.home.hear(asked)
    assert two.home.row(row).state == "cancelled"
    clock = FixedClock(START_MS)
    third = found(tmp_path, "Vannes", clock)
    know(third, two.home)
    third.hear(two.home.raws("reply/1"))
    with third.inside():
        assert rows.find(row.id) is None


def test_abuse_108_a_confirmation_and_a_withdrawal_that_cross_end_in_one_way(two: Two) -> None:
    for is_home_first in (True, False):
        listing = two.home.publish()
        two.exchange()
        row = two.away.ask(listing)
        two.exchange()
        two.home.act(row, "approve")
        two.away.withdraw_ask(row)
        first, second = (two.home, two.away) if is_home_first else (two.away, two.home)
        second.hear(first.raws())
        first.hear(second.raws())
        two.exchange()
        assert two.both(row) == ("cancelled", "cancelled")
    with pytest.raises(Conflict) as ended:
        two.home.act(row, "approve")
    assert ended.value.code == "ended"


def test_abuse_108_two_volunteers_who_approve_at_once_approve_once(two: Two) -> None:
    row = two.asked()
    version = two.home.row(row).version
    two.home.act(row, "approve", on_version=version)
    with pytest.raises(Conflict) as stale:
        two.home.act(row, "approve", on_version=version)
    assert stale.value.code == "stale"
    with pytest.raises(Conflict):
        two.home.act(row, "decline", on_version=version)
    assert two.home.row(row).state == "approved"


def test_abuse_109_the_same_act_a_hundred_times_counts_once(two: Two) -> None:
    row = two.asked()
    act_id = secrets.token_bytes(8)
    for _ in range(100):
        two.home.act(row, "approve", act_id=act_id)
    assert two.home.row(row).version == 2
    raws = two.away.raws(REQUEST)
    for _ in range(100):
        two.home.hear(raws)
    assert two.home.row(row).version == 2
    with two.home.inside():
        assert len(claims.of_engagement(row.id)) == 2


def test_abuse_109_an_act_id_used_again_for_another_act_is_the_first_act(two: Two) -> None:
    row = two.asked()
    with two.away.inside():
        mine = two.away.engine.find(row.id)
        request = post.request_of(two.away.engine.ground, mine)
        other = replace(request.deeds[0], action="withdraw")
        two.clock.forward(minutes=1)
        forged = request_inner(replace(request, deeds=(request.deeds[0], other)))
        two.away.journal.publish_sealed(REQUEST, forged, to=two.home.id, key=mine.request_key)
    two.exchange()
    assert two.home.row(row).state == "requested"


def test_a_third_town_that_was_lent_the_sealed_words_cannot_read_them(
    two: Two, tmp_path: Path
) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    clock = FixedClock(START_MS)
    relay = found(tmp_path, "Vannes", clock)
    for town in (two.home, two.away):
        pair(relay, town)
        relay.hear(town.held())
    with relay.inside():
        held = [parse(each.raw) for each in records.walk(two.home.id, "reply/1")]
        assert held and rows.find(row.id) is None
        for each in held:
            with pytest.raises(Exception, match="not_readable"):
                relay.journal.open_sealed(each)
    fresh = found(tmp_path, "Auray", clock)
    know(two.away, relay)
    fresh.database.close()
    two.away.hear(relay.held(), relay)
    assert two.away.row(row).state == "approved"
    assert json.loads(two.away.row(row).terms)["units"] == 1
