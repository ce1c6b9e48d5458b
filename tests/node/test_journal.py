"""The journal: what we sign, what we admit, and who is told, in one transaction or not at all."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from federation import codec
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.record import RECORD_MAX_BYTES, Record, new_key, parse, verify
from federation.stamp import DAY_S, stamp_ms
from node.domain.errors import Conflict
from node.store import marks
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.sets import records, sums
from tests.node.partner_wire import (
    KIND,
    Caller,
    falsified,
    foreign_record,
    held_ids,
    item,
    publish,
    refused,
    three_towns,
    titles,
)
from tests.world import START_MS, Place, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient and Quimper, partners that hold each other's profile."""
    made = World(tmp_path)
    made.found("Lorient")
    made.found("Quimper")
    made.pair("Lorient", "Quimper")
    made.visit("Lorient", "Quimper")
    yield made
    made.close()


def ingest(place: Place, raws: list[bytes], carrier: Place | None = None) -> list[str]:
    with place.inside() as town:
        brought = town.journal.ingest(raws, carrier.town.id if carrier else None)
    assert len(brought) == len(raws)
    return [each.code for each in brought]


def foreign(place: Place, title: str = "Perceuse", **more: Any) -> Record:
    return foreign_record(place.town.keyring, START_MS, title, **more)


# ── ours ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_published_is_signed_held_and_shown(lorient: Place) -> None:
    (record,) = publish(lorient, "Perceuse")
    assert verify(parse(record.raw), lorient.town.keyring.signing.public)
    assert record.id in held_ids(lorient, lorient.town.id)
    assert titles(lorient) == {"Perceuse"}


def test_stamps_go_up_even_when_the_clock_stands_still_or_goes_back(world: World) -> None:
    lorient, made = world.places["Lorient"], []
    for forward in (0, 0, -3_600_000, 10, -10):
        world.clock.forward(ms=forward)
        made += publish(lorient, "Perceuse", "Scie")
    stamps = [record.stamp for record in made]
    assert stamps == sorted(set(stamps))


def test_a_revision_never_ends_before_what_it_replaces(world: World, lorient: Place) -> None:
    world.clock.forward(days=30)
    (record,) = publish(lorient, "Perceuse")
    world.clock.forward(days=-1, hours=2)  # the clock was a day fast and was set right
    with lorient.inside() as town:
        newer = town.journal.publish(KIND, item("Perceuse"), key=record.key)
    assert newer.stamp > record.stamp and newer.expires >= record.expires


@pytest.mark.parametrize("days", [-3, -3_000])
def test_with_a_clock_far_behind_nothing_is_signed(world: World, lorient: Place, days: int) -> None:
    publish(lorient, "Perceuse")
    world.clock.forward(days=days)
    before = held_ids(lorient, lorient.town.id)
    with pytest.raises(Conflict) as told:
        publish(lorient, "Scie")
    assert told.value.code == "clock"
    assert held_ids(lorient, lorient.town.id) == before


def test_a_body_too_big_to_be_signed_leaves_nothing(lorient: Place) -> None:
    before = held_ids(lorient, lorient.town.id)
    with lorient.inside() as town:
        last = marks.number(marks.LAST_STAMP)
        with pytest.raises(LocalProtocolError):
            town.journal.publish(KIND, {"text": "x" * RECORD_MAX_BYTES})
        assert marks.number(marks.LAST_STAMP) == last
    assert held_ids(lorient, lorient.town.id) == before


def test_what_is_withdrawn_once_cannot_be_withdrawn_again(lorient: Place) -> None:
    (record,) = publish(lorient, "Perceuse")
    with lorient.inside() as town:
        buried = town.journal.withdraw(record.key)
        assert buried.is_tombstone and buried.body == b""
        assert buried.expires == stamp_ms(buried.stamp) // 1_000 + 430 * DAY_S
        assert town.journal.withdraw(record.key) is None
        assert town.journal.withdraw(new_key()) is None


def test_a_register_that_was_withdrawn_stays_so(lorient: Place, quimper: Place) -> None:
    (record,) = publish(lorient, "Perceuse")
    with lorient.inside() as town:
        buried = town.journal.withdraw(record.key)
        with pytest.raises(Conflict) as told:
            town.journal.publish(KIND, item("Perceuse"), key=record.key)
    assert told.value.code == "withdrawn"
    assert ingest(quimper, [buried.raw, record.raw]) == ["stored", "older"]
    assert titles(lorient) == titles(quimper) == set()


# ── theirs ───────────────────────────────────────────────────────────────────────────────────────


def test_a_batch_gets_one_verdict_each_in_its_order(lorient: Place, quimper: Place) -> None:
    one, two = foreign(quimper, "Un"), foreign(quimper, "Deux")
    newer = foreign(quimper, "Un, revu", key=one.key, stamp=one.stamp + 5)
    raws = [
        one.raw, falsified(two), two.raw, one.raw, newer.raw, one.raw, b"", b"\xff", two.raw[:50],
    ]  # fmt: skip
    assert ingest(lorient, raws, quimper) == [
        "stored", "refused:bad_signature", "stored", "known", "stored", "known",
        "refused:bad_cose", "refused:bad_cose", "refused:bad_cose",
    ]  # fmt: skip
    assert titles(lorient) == {"Un, revu", "Deux"}
    assert refused(lorient, quimper) == {"bad_cose": 3, "bad_signature": 1}


def test_whatever_bytes_come_in_each_gets_a_verdict(
    lorient: Place, quimper: Place, rng: random.Random
) -> None:
    right = foreign(quimper).raw
    for _ in range(150):
        at = rng.randrange(len(right))
        changed = right[:at] + rng.randbytes(rng.randrange(4)) + right[at + rng.randrange(4) :]
        (code,) = ingest(lorient, [changed], quimper)
        is_kept_out = code.startswith("refused:") or code in ("quarantined", "expired")
        assert is_kept_out or changed == right, (code, changed.hex())


def test_the_order_of_arrival_does_not_matter(
    world: World, lorient: Place, quimper: Place, rng: random.Random
) -> None:
    made = []
    for at in range(8):
        key = new_key()
        made += [
            foreign(quimper, f"{at}.{turn}", key=key, stamp=(START_MS << 16) + turn)
            for turn in range(3)
        ]
    for _ in range(4):
        rng.shuffle(made)
        for each in made:
            ingest(lorient, [each.raw])
    assert titles(lorient) == {f"{at}.2" for at in range(8)}
    with lorient.inside():
        kept = sums.parts()
        with write_tx():
            sums.change([], list(records.walk()))
            assert sums.parts() == []
            sums.change(list(records.walk()), [])
        assert sums.parts() == kept


def test_many_bring_the_same_at_once_and_it_is_there_once(
    lorient: Place, quimper: Place, rng: random.Random
) -> None:
    keys = [new_key() for _ in range(60)]
    raws = [
        foreign(quimper, f"{at}.{turn}", key=key, stamp=(START_MS << 16) + turn).raw
        for turn in range(2)
        for at, key in enumerate(keys)
    ]
    start, codes = threading.Barrier(4), []

    def bring(mine: list[bytes]) -> None:
        start.wait()
        codes.extend(ingest(lorient, mine, quimper))

    threads = [
        threading.Thread(target=bring, args=(rng.sample(raws, len(raws)),)) for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(codes) <= {"stored", "known", "older"} and len(codes) == 4 * len(raws)
    assert titles(lorient) == {f"{at}.1" for at in range(60)}
    with lorient.inside():
        (part,) = [each for each in sums.parts(quimper.town.id) if each.count > 5]
        assert part.count == 60 + 1 - sum(1 for each in sums.parts(quimper.town.id) if each != part)


def test_our_own_records_brought_back_are_known(lorient: Place, quimper: Place) -> None:
    (record,) = publish(lorient, "Perceuse")
    assert ingest(lorient, [record.raw], quimper) == ["known"]


def test_an_unknown_kind_is_held_and_handed_on_but_not_shown(
    world: World, lorient: Place, quimper: Place
) -> None:
    with quimper.inside() as town:
        record = town.journal.publish("later.kind/9", {"anything": [1, 2, 3]})
    world.visit("Lorient", "Quimper")
    assert record.id in held_ids(lorient, quimper.town.id)
    assert titles(lorient) == set()


# ── who is told ──────────────────────────────────────────────────────────────────────────────────


class Heard:
    """A handler that keeps what it was told, and may be told to fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.told: list[Any] = []
        self.error = error

    def __call__(self, record: Record, body: Any) -> None:
        self.told.append(body)
        marks.write("heard", str(len(self.told)))
        if self.error:
            raise self.error


def test_a_handler_hears_of_foreign_records_and_of_no_other(lorient: Place, quimper: Place) -> None:
    heard = Heard()
    lorient.town.journal.on(KIND, heard)
    publish(lorient, "La nôtre")
    record = foreign(quimper, "La leur")
    ingest(lorient, [record.raw, foreign(quimper, kind="other.kind/1").raw])
    assert [each["title"] for each in heard.told] == ["La leur"]
    ingest(lorient, [record.raw])
    assert len(heard.told) == 1


def test_a_handler_hears_of_a_tombstone_without_a_body(lorient: Place, quimper: Place) -> None:
    heard = Heard()
    lorient.town.journal.on(KIND, heard)
    (record,) = publish(quimper, "Perceuse")
    with quimper.inside() as town:
        buried = town.journal.withdraw(record.key)
    ingest(lorient, [record.raw, buried.raw])
    assert heard.told == [codec.loads(record.body), None]


@pytest.mark.parametrize(
    "error", [Conflict("full", "No place is left."), RemoteProtocolError("bad_message")]
)
def test_what_a_handler_refuses_is_held_named_and_leaves_nothing(
    lorient: Place, quimper: Place, error: Exception
) -> None:
    lorient.town.journal.on(KIND, Heard(error))
    record = foreign(quimper)
    assert ingest(lorient, [record.raw, foreign(quimper, "Scie").raw], quimper) == ["stored"] * 2
    assert titles(lorient) == {"Perceuse", "Scie"}
    assert refused(lorient, quimper) == {error.code: 2}  # type: ignore[attr-defined]
    with lorient.inside():
        assert marks.read("heard") == ""


def test_a_handler_that_breaks_undoes_the_whole_batch(lorient: Place, quimper: Place) -> None:
    before = held_ids(lorient, quimper.town.id)
    lorient.town.journal.on(KIND, Heard(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        ingest(lorient, [foreign(quimper).raw])
    assert held_ids(lorient, quimper.town.id) == before
    with lorient.inside():
        assert Listing.select().where(Listing.origin == quimper.town.id).count() == 0


# ── sealed ───────────────────────────────────────────────────────────────────────────────────────

SEALED = "note.test/1"
INNER = {0: SEALED, 1: b"k" * 16, 4: 0, 5: 1}


def test_what_is_sealed_is_read_by_its_reader_and_by_its_author(
    lorient: Place, quimper: Place
) -> None:
    heard = Heard()
    lorient.town.journal.on(SEALED, heard)
    with quimper.inside() as town:
        record = town.journal.publish_sealed(SEALED, INNER, to=lorient.town.id)
        assert INNER.items() <= town.journal.open_sealed(record).items()
    assert ingest(lorient, [record.raw], quimper) == ["stored"]
    assert INNER.items() <= heard.told[0].items()


def test_what_is_sealed_to_another_is_carried_and_not_read(tmp_path: Path) -> None:
    world = three_towns(tmp_path)
    lorient, quimper, vannes = world.places.values()
    world.sync()
    heard = Heard()
    vannes.town.journal.on(SEALED, heard)
    with quimper.inside() as town:
        record = town.journal.publish_sealed(SEALED, INNER, to=lorient.town.id)
    world.visit("Vannes", "Quimper")
    assert record.id in held_ids(vannes, quimper.town.id)
    assert heard.told == []
    with vannes.inside() as town, pytest.raises(RemoteProtocolError) as told:
        town.journal.open_sealed(record)
    assert told.value.code == "not_readable"
    world.close()


def test_nothing_is_sealed_to_a_town_whose_key_has_not_come(lorient: Place, quimper: Place) -> None:
    with quimper.inside() as town, pytest.raises(Conflict) as told:
        town.journal.publish_sealed(SEALED, INNER, to=bytes(32))
    assert told.value.code == "no_seal_key"


def test_a_seal_that_was_broken_on_the_way_is_refused(lorient: Place, quimper: Place) -> None:
    lorient.town.journal.on(SEALED, Heard())
    with quimper.inside() as town:
        record = town.journal.publish_sealed(SEALED, INNER, to=lorient.town.id)
    body = bytes([*record.body[:-1], record.body[-1] ^ 1])
    broken = foreign(
        quimper, key=record.key, kind=SEALED, scope=2, to=lorient.town.id, body=body,
        stamp=record.stamp + 1, expires=record.expires,
    )  # fmt: skip
    assert ingest(lorient, [broken.raw], quimper) == ["stored"]
    assert sum(refused(lorient, quimper).values()) == 1


def test_a_push_is_admitted_like_anything_else(lorient: Place, quimper: Place) -> None:
    record = foreign(quimper)
    Caller(quimper, lorient).ask("/federation/v1/push", record.raw)
    assert record.id in held_ids(lorient, quimper.town.id)
