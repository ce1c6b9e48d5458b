"""A town's word on its sets: signed as they change, held against others', hidden until checked."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from federation import codec, limits
from federation.checkpoint import parse_runs, sign_checkpoint
from federation.record import SCOPE_PUBLIC, Record, parse
from federation.stamp import DAY_MS, as_of_day
from federation.store import EXPIRED_KEPT_DAYS
from node.cli import main
from node.journal import checking, checkpoints, restoring, signing
from node.store.database import write_tx
from node.store.network import hints, refusals, strikes
from node.store.sets import checkpoints as stored
from node.store.sets import sums, waiting
from node.store.sets.record_store import SqlRecordStore, figures
from node.upkeep import GAPS_KEPT_DAYS
from tests.node.partner_wire import KIND, item, listing, publish, titles, withdraw
from tests.world import Place, World

MANY = limits.RANGE_ABOVE_RECORDS + 40
SECOND_MS = 1_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient and Quimper, partners."""
    made = World(tmp_path)
    for name in ("Lorient", "Quimper"):
        made.found(name)
    made.pair("Lorient", "Quimper")
    yield made
    made.close()


def said(place: Place, scope: int = SCOPE_PUBLIC) -> Any:
    with place.inside() as town:
        return town.store.witness.checkpoint(town.id, scope)


def held(place: Place, scope: int = SCOPE_PUBLIC) -> tuple[int, bytes, int]:
    with place.inside() as town:
        day = as_of_day(town.clock.now_ms())
        (row,) = (e for e in figures(day) if (e.origin, e.scope) == (town.id, scope))
        return row.live + row.tombstones, row.fingerprint, row.size_bytes


def is_true(place: Place) -> bool:
    """Whether the newest checkpoint of a town says what its public set holds."""
    word = said(place)
    return word is not None and (word.records, word.fingerprint, word.size_bytes) == held(place)


def sign_due(place: Place) -> int:
    with place.inside() as town:
        return checkpoints.sign_due(town.journal, town.clock.now_ms())


def publish_many(place: Place, count: int = MANY) -> list[Record]:
    """Records of a town straight into its store: no pages are looked at."""
    with place.inside() as town, write_tx():
        made = [
            signing.live(
                town.keyring,
                signing.fresh_stamp(town.clock),
                kind="test.thing/1",
                key=number.to_bytes(16, "big"),
                scope=SCOPE_PUBLIC,
                body=b"\xa0",
            )
            for number in range(count)
        ]
        town.store.put(made)
        checkpoints.mark_dirty(SCOPE_PUBLIC)
    return made


def signed_many(world: World, place: Place) -> list[Record]:
    made = publish_many(place)
    world.clock.forward(ms=2 * 60 * SECOND_MS)
    assert sign_due(place) == 1
    return made


# ── ours ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_burial_is_in_a_checkpoint_of_the_same_transaction(world: World) -> None:
    lorient = world.places["Lorient"]
    first, _ = publish(lorient, "Une échelle", "Une remorque")
    sign_due(lorient)
    before = said(lorient)
    world.clock.forward(ms=5 * SECOND_MS)
    withdraw(lorient, first)
    assert said(lorient).stamp > before.stamp
    assert is_true(lorient)


def test_a_burial_that_is_undone_leaves_the_checkpoint_of_before(world: World) -> None:
    lorient = world.places["Lorient"]
    (record,) = publish(lorient, "Une échelle")
    sign_due(lorient)
    before = said(lorient)
    world.clock.forward(ms=5 * SECOND_MS)
    with lorient.inside() as town, pytest.raises(ZeroDivisionError), write_tx():
        town.journal.withdraw(record.key)
        raise ZeroDivisionError
    assert said(lorient) == before


def test_burials_in_a_row_take_the_checkpoint_back_and_one_is_signed_after_them(
    world: World,
) -> None:
    lorient = world.places["Lorient"]
    made = publish(lorient, *(f"Objet {number}" for number in range(20)))
    sign_due(lorient)
    world.clock.forward(ms=5 * SECOND_MS)
    for record in made[:10]:
        withdraw(lorient, record)
    assert said(lorient) is None  # rather none than one that vouches for what was erased
    assert sign_due(lorient) == 1
    assert is_true(lorient)
    assert sign_due(lorient) == 0


def test_other_changes_are_signed_once_a_minute_and_every_day_has_its_own(world: World) -> None:
    lorient = world.places["Lorient"]
    publish(lorient, "Une échelle")
    assert sign_due(lorient) == 1
    publish(lorient, "Une remorque")
    world.clock.forward(ms=59 * SECOND_MS)
    assert sign_due(lorient) == 0
    world.clock.forward(ms=2 * SECOND_MS)
    assert sign_due(lorient) == 1
    assert is_true(lorient)
    world.clock.forward(ms=3_600 * SECOND_MS)
    assert sign_due(lorient) == 0
    world.clock.forward(ms=DAY_MS)
    assert sign_due(lorient) == 1
    assert said(lorient).as_of == as_of_day(world.clock.now_ms())


def test_nothing_is_signed_in_restore_mode_or_under_a_clock_that_is_wrong(world: World) -> None:
    lorient = world.places["Lorient"]
    publish(lorient, "Une échelle")
    with lorient.inside():
        restoring.begin(world.clock.now_ms(), restoring.RESTORED)
    assert sign_due(lorient) == 0
    with lorient.inside():
        restoring.finish(world.clock.now_ms())
    world.clock.forward(ms=-3 * DAY_MS)
    assert sign_due(lorient) == 0
    world.clock.forward(ms=3 * DAY_MS)
    assert sign_due(lorient) == 1


def test_the_end_of_restore_mode_makes_every_checkpoint_due(world: World) -> None:
    lorient = world.places["Lorient"]
    publish(lorient, "Une échelle")
    sign_due(lorient)
    world.clock.forward(ms=5 * SECOND_MS)
    assert sign_due(lorient) == 0
    with lorient.inside():
        restoring.begin(world.clock.now_ms(), restoring.RESTORED)
        restoring.finish(world.clock.now_ms())
    world.clock.forward(ms=SECOND_MS)
    assert sign_due(lorient) == 1
    assert sign_due(lorient) == 0


def test_the_end_of_restore_mode_can_sign_all_at_once(world: World) -> None:
    lorient = world.places["Lorient"]
    publish(lorient, "Une échelle")
    with lorient.inside() as town:
        signed = checkpoints.sign_all(town.journal)
    assert [each.scope for each in signed] == [SCOPE_PUBLIC]
    assert is_true(lorient)


def test_a_checkpoint_of_ours_that_came_home_is_followed_by_a_later_one(world: World) -> None:
    lorient = world.places["Lorient"]
    publish(lorient, "Une échelle")
    sign_due(lorient)
    with lorient.inside() as town:
        ahead, _ = sign_checkpoint(
            town.keyring.signing,
            [],
            origin=town.id,
            keyset=town.keyring.keyset.number,
            scope=SCOPE_PUBLIC,
            stamp=said(lorient).stamp + (3_600_000 << 16),
            as_of=as_of_day(world.clock.now_ms()),
            size_bytes=0,
        )
        town.store.witness.keep(ahead)
        assert checkpoints.sign(town.journal, SCOPE_PUBLIC).stamp > ahead.stamp


def test_expired_bytes_are_kept_until_a_checkpoint_without_them_exists() -> None:
    # one is signed every day: what ends today is in no set of tomorrow's, and kept a day longer
    assert EXPIRED_KEPT_DAYS >= 2
    assert GAPS_KEPT_DAYS > 7


# ── others' ──────────────────────────────────────────────────────────────────────────────────────


def test_a_first_sync_comes_under_one_signature_and_is_checked_afterwards(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    made = signed_many(world, quimper)
    told = world.visit("Lorient", "Quimper")
    assert told.outcome == "ok"
    with lorient.inside() as town:
        assert waiting.count(quimper.town.id) == len(made)
        assert town.store.raws([made[0].id], None) == {}
        assert checking.check_signatures(town.journal) == 0
        assert not waiting.any_left()
        assert set(town.store.raws([made[0].id], None)) == {made[0].id}
        assert checking.look(town.journal) == 1
        assert not checking.needs_look()
        (row,) = checking.completeness(quimper.town.id)
        assert (row.state, row.missing, row.scope) == ("complete", 0, SCOPE_PUBLIC)
        assert row.listed == said(quimper).records
        assert checking.audit(town.journal) == 0
        (row,) = checking.completeness(quimper.town.id)
        assert row.audited_ms == world.clock.now_ms()
    assert world.visit("Lorient", "Quimper").round_trips == 1


def test_kinds_that_are_acted_upon_are_verified_even_under_a_checkpoint(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    signed_many(world, quimper)
    world.visit("Lorient", "Quimper")
    with lorient.inside() as town:
        hidden = waiting.hidden_from(None)
        profiles = [
            row.id
            for row in stored.records.walk(quimper.town.id)
            if row.kind in town.journal.handled or row.kind == "town.profile/1"
        ]
    assert profiles and not hidden & set(profiles)


def test_a_bad_one_among_the_vouched_goes_and_its_origin_is_told_of(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish_many(quimper)
    with quimper.inside() as town, write_tx():
        good = signing.live(
            town.keyring,
            signing.fresh_stamp(town.clock),
            kind=KIND,
            key=b"f" * 16,
            scope=SCOPE_PUBLIC,
            body=codec.dumps(item("Un faux")),
        )
        false = parse(good.raw[:-1] + bytes((good.raw[-1] ^ 1,)))
        town.store.put([false])
    world.clock.forward(ms=2 * 60 * SECOND_MS)
    sign_due(quimper)
    assert world.visit("Lorient", "Quimper").refused == 0
    assert "Un faux" in titles(lorient, quimper)
    with lorient.inside() as town:
        assert checking.check_signatures(town.journal) == 1
        assert town.store.witness.distrusted() == {quimper.town.id: "bad_signature"}
        assert [row.code for row in refusals.latest(quimper.town.id)] == ["bad_signature"]
        (strike,) = strikes.counts(quimper.town.id, world.clock.now_ms())
        assert (strike.role, strike.code) == (strikes.ORIGIN, "bad_signature")
        assert false.id in town.store.known([false.id])
        assert sum(part.count for part in sums.parts(quimper.town.id)) == MANY + 1
    assert "Un faux" not in titles(lorient, quimper)
    assert listing(lorient, false).state == "distrusted"


def test_an_admin_can_let_a_town_s_word_count_again(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    with lorient.inside() as town:
        town.store.witness.distrust(quimper.town.id, "bad_runs", b"", world.clock.now_ms())
    asked = ["partner", "trust", "Quimper", "--json", "--home", str(lorient.town.home)]
    for was in ("bad_runs", ""):
        result = CliRunner().invoke(main, asked)
        assert json.loads(result.stdout) == {"town": quimper.town.id.hex(), "was": was}
    with lorient.inside() as town:
        assert town.store.witness.distrusted() == {}


def test_a_record_that_a_partner_withholds_is_named_as_missing(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    first, *_ = publish(quimper, "Une échelle", "Une remorque", "Une tente")
    world.clock.forward(ms=2 * 60 * SECOND_MS)
    sign_due(quimper)
    with quimper.inside() as town:
        SqlRecordStore(town.id).expel([first])
    world.visit("Lorient", "Quimper")
    with lorient.inside() as town:
        checking.look(town.journal)
        (row,) = checking.completeness(quimper.town.id)
        assert (row.state, row.missing) == ("missing", 1)


# ── hints ────────────────────────────────────────────────────────────────────────────────────────


def test_news_of_both_towns_cost_one_round_trip(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    world.visit("Lorient", "Quimper")
    publish(quimper, *(f"Objet {number}" for number in range(10)))
    publish(lorient, "Une échelle")
    told = world.visit("Lorient", "Quimper")
    assert (told.outcome, told.received, told.sent, told.round_trips) == ("ok", 10, 1, 1)
    assert world.fingerprints()["Lorient"] == world.fingerprints()["Quimper"]


def test_a_restored_database_gives_and_believes_other_tokens(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    world.visit("Lorient", "Quimper")
    with quimper.inside():
        restoring.begin(world.clock.now_ms(), restoring.RESTORED)
        restoring.finish(world.clock.now_ms())
    publish(quimper, "Une échelle")
    told = world.visit("Lorient", "Quimper")
    assert (told.outcome, told.received) == ("ok", 1)
    assert told.round_trips > 1
    publish(quimper, "Une remorque")
    assert world.visit("Lorient", "Quimper").round_trips == 1
    with lorient.inside():
        assert hints.find(quimper.town.id) is not None


def test_a_run_list_is_given_to_whoever_may_see_its_set(world: World) -> None:
    quimper = world.places["Quimper"]
    signed_many(world, quimper)
    word = said(quimper)
    with quimper.inside() as town:
        raw = town.store.witness.runs(word.runs)
    assert raw is not None
    assert len(parse_runs(raw, word).runs) == word.run_count
