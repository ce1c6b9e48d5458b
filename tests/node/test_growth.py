"""What a partner, a finder or a crash repeats neither fills the disk nor hides a word."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation import codec, frames
from federation.record import SCOPE_PARTNERS, TOMBSTONE, tombstone_until
from node.engagements import gate
from node.journal import erasing, restoring, twins
from node.journal.logbook import read
from node.store import marks
from node.store.database import write_tx
from node.store.network import partners, refusals
from node.store.sets import memory, records
from tests.node.partner_wire import foreign_record, publish, titles, withdraw
from tests.node.sticks import couple, moved_in, pack, unpack
from tests.world import World


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return couple(tmp_path_factory.mktemp("couple"))


@pytest.fixture
def world(houses: Path, tmp_path: Path) -> Iterator[World]:
    made = moved_in(houses, tmp_path)
    yield made
    made.close()


def test_ids_without_end_fill_no_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST", 50)
    monkeypatch.setattr(memory, "LOOK_EVERY", 10)
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    with lorient.inside() as town:
        for at in range(30):  # of a partner that pushes torn records
            raws = [codec.dumps(at * 10 + each) for each in range(10)]
            town.journal.ingest(raws, quimper.town.id)
        assert memory.count() <= 50


def test_what_matters_longest_is_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST", 2)
    with world.places["Lorient"].inside():
        memory.remember([(bytes([each]) * 32, "older", 100 - each) for each in range(4)])
        memory.trim()
        assert memory.ids_remembered(bytes([each]) * 32 for each in range(4)) == {
            bytes(32),
            b"\x01" * 32,
        }


def test_a_partner_that_buries_our_key_takes_no_line_of_our_logbook(world: World) -> None:
    """Keys are public: the newer line about a register must be about the same town's."""
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    (made,) = publish(lorient, "Perceuse")
    withdraw(lorient, made)
    with lorient.inside() as town:
        now_ms = town.clock.now_ms()
        end = {"state": TOMBSTONE, "body": b"", "expires": tombstone_until(made.stamp)}
        theirs = foreign_record(quimper.town.keyring, now_ms, key=made.key, stamp=made.stamp, **end)
        assert [each.code for each in town.journal.ingest([theirs.raw])] == ["stored"]
        with write_tx():
            erasing.log([theirs], town.logbook)
            town.logbook.compact(now_ms)
        lines = [each.body for each in read(town.home, town.keyring.archive)]
        origins = {each[0] for each in lines if each.get(1) == made.key}
        assert origins == {town.id, quimper.town.id}


def test_starts_that_nobody_was_shown_push_out_none_that_a_partner_knows(
    world: World,
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    with lorient.inside() as town:
        keysets = town.store.keysets(town.id)
        twins.wake()
        shown = twins.to_show(town.keyring.signing, town.id, quimper.town.id)
        for _ in range(twins.KEPT + 1):  # it dies at each start, for an hour
            twins.wake()
        twins.to_show(town.keyring.signing, town.id, quimper.town.id)
        assert not twins.heard(shown, town.id, quimper.town.id, keysets, 0)
        assert not restoring.is_restoring()


def test_a_finder_who_takes_a_part_out_and_fills_it_up_opens_no_gate(world: World) -> None:
    """The private part is cut out, and what is public put in twice."""
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(quimper, "Perceuse", "Scie")
    publish(quimper, "Confidentiel", scope=SCOPE_PARTNERS)
    with lorient.inside() as town:
        restoring.begin(town.clock.now_ms(), restoring.RESTORED)
        gen = restoring.finish(town.clock.now_ms())
    with quimper.inside():
        partners.raise_fence(lorient.town.id, gen)
    whole = pack(world, "Quimper", "Lorient")
    items = [*codec.sequence(whole)]
    is_part = [frames.type_of(each) == "" for each in items]
    public = [each for each in items if frames.type_of(each) == "lavoir-record/1"]
    assert any(is_part) and public
    kept = [each for each, is_cut in zip(items, is_part, strict=True) if not is_cut]
    forged = b"".join([kept[0], *public * 20, *kept[1:]])
    with lorient.inside():
        assert gate.is_unheard(quimper.town.id)
    told = unpack(world, "Lorient", forged)
    with lorient.inside():
        assert gate.is_unheard(quimper.town.id), told
    unpack(world, "Lorient", whole)
    with lorient.inside():
        assert not gate.is_unheard(quimper.town.id) and marks.number(marks.RESTORED_S) == gen


def test_burials_of_one_transaction_cost_one_sync_and_one_checkpoint(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lorient = world.places["Lorient"]
    made = publish(lorient, *(f"Objet {number}" for number in range(12)))
    syncs: list[int] = []
    whole = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda file: (syncs.append(file), whole(file)))
    with lorient.inside() as town:
        arrival = records.last_arrival()
        with write_tx():
            for each in made:
                town.journal.withdraw(each.key)
        lines = [line for line in read(town.home, town.keyring.archive) if line.kind == "erasure"]
        assert {line.body[1] for line in lines} == {each.key for each in made}
        assert len(syncs) <= 2  # the file, and its folder where it was made
        assert records.last_arrival() <= arrival + len(made) + 1
        assert town.store.witness.checkpoint(town.id, 0) is None  # the job signs one


def test_a_burial_that_is_undone_is_noted_by_no_later_transaction(world: World) -> None:
    lorient = world.places["Lorient"]
    (made,) = publish(lorient, "Perceuse")
    with lorient.inside() as town:
        with pytest.raises(ZeroDivisionError), write_tx():
            town.journal.withdraw(made.key)
            raise ZeroDivisionError
        town.journal.publish("note.test/1", {})
        lines = [line.kind for line in read(town.home, town.keyring.archive)]
        assert "erasure" not in lines and titles(lorient) == {"Perceuse"}


def test_a_batch_of_refusals_is_noted_at_once_and_only_its_end_is_kept(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    raws = [codec.dumps(number) for number in range(refusals.KEPT_PER_PARTNER + 100)]
    said: list[str] = []
    with lorient.inside() as town:
        town.journal.ingest(raws[:50], quimper.town.id)
        connection = town.database.connection()
        connection.set_exec_trace(lambda cursor, sql, values: said.append(sql) or True)
        town.journal.ingest(raws, quimper.town.id)
        connection.set_exec_trace(None)
        assert sum("COUNT" in sql and "refusal" in sql for sql in said) == 1
        kept = refusals.latest(quimper.town.id, 10_000)
        assert len(kept) == refusals.KEPT_PER_PARTNER
        assert {each.code for each in kept} == {"bad_cose"}
