"""Courier files between whole towns: what a partner may see goes, by the very door of a visit."""

import contextlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from federation import bundle, receipt
from federation.record import SCOPE_PARTNERS, parse
from node.cli import main
from node.courier import export_file
from node.courier.load import READ_AT_ONCE
from node.domain.errors import Conflict
from node.engagements import gate
from node.journal import restoring
from node.store.database import write_tx
from node.store.network import arrivals, carriages, partners, towns
from node.store.sets import records, waiting
from tests.node.pages.acting import jpeg
from tests.node.partner_wire import publish, revise, titles, withdraw
from tests.node.sticks import carry, couple, header_of, moved_in, opened, pack, state, unpack
from tests.world import World


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return couple(tmp_path_factory.mktemp("couple"))


@pytest.fixture
def world(houses: Path, tmp_path: Path) -> Iterator[World]:
    made = moved_in(houses, tmp_path)
    yield made
    made.close()


def test_what_two_towns_published_meets_by_stick_and_both_agree(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(lorient, "Échelle", "Remorque")
    publish(lorient, "Pour les partenaires", scope=SCOPE_PARTNERS)
    publish(quimper, "Tente")
    told = carry(world, "Lorient", "Quimper")
    assert told.outcome == "ok" and told.verdicts["stored"] == 3
    assert told.planned == told.found == 5 and told.name == "Lorient"
    assert carry(world, "Quimper", "Lorient").verdicts["stored"] == 1
    held = state(world, "Lorient", "Quimper")
    assert held["Lorient"] == held["Quimper"]
    everything = {"Échelle", "Remorque", "Pour les partenaires", "Tente"}
    assert titles(quimper) == titles(lorient) == everything


def test_a_withdrawal_goes_first_and_arrives(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    _, gone = publish(lorient, "Échelle", "Remorque")
    carry(world, "Lorient", "Quimper")
    withdraw(lorient, gone)
    publish(lorient, "Diable")
    raw = pack(world, "Lorient", "Quimper")
    states = [
        parse(each.raw).is_tombstone
        for each in opened(world, "Quimper", raw)
        if each.kind == bundle.RECORD
    ]
    assert states == sorted(states, reverse=True) and sum(states) == 1
    unpack(world, "Quimper", raw)
    assert titles(quimper, lorient) == {"Échelle", "Diable"}


def test_only_the_addressee_gets_what_is_for_partners_and_only_ours(world: World) -> None:
    lorient = world.places["Lorient"]
    publish(lorient, "Confidentiel", scope=SCOPE_PARTNERS)
    with world.found("Vannes").inside() as town:
        town.publish_profile()
    world.pair("Lorient", "Vannes")
    publish(world.places["Vannes"], "De Vannes seulement", scope=SCOPE_PARTNERS)
    world.visit("Lorient", "Vannes")
    raw = pack(world, "Lorient", "Quimper")
    found = [
        parse(each.raw) for each in opened(world, "Quimper", raw) if each.kind == bundle.RECORD
    ]
    for_partners = [each for each in found if each.scope == SCOPE_PARTNERS]
    assert {each.origin for each in for_partners} == {lorient.town.id}
    anyone = opened(world, "Quimper", pack(world, "Lorient", None))
    assert {parse(each.raw).scope for each in anyone if each.kind == bundle.RECORD} == {0}


def test_reading_a_file_twice_changes_nothing(world: World) -> None:
    publish(world.places["Lorient"], "Échelle", "Remorque")
    raw = pack(world, "Lorient", "Quimper")
    unpack(world, "Quimper", raw)
    before = state(world, "Quimper")
    again = unpack(world, "Quimper", raw)
    assert again.verdicts == {"known": again.found} and again.outcome == "ok"
    assert state(world, "Quimper") == before


def test_a_reading_that_was_stopped_goes_on_where_it_stopped(world: World) -> None:
    publish(world.places["Lorient"], *(f"Outil {number}" for number in range(1_200)))
    raw = pack(world, "Lorient", "Quimper")

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unpack(world, "Quimper", raw, stop)
    some = len(titles(world.places["Quimper"], world.places["Lorient"]))
    assert 0 < some < 1_200 and some % 500 < 500
    seen = []
    told = unpack(world, "Quimper", raw, lambda done, total: seen.append((done, total)))
    assert told.verdicts["known"] >= some and told.verdicts["stored"] == 1_200 - some
    assert seen[-1] == (len(raw), len(raw)) and sorted(seen) == seen
    held = state(world, "Lorient", "Quimper")
    assert held["Lorient"] == held["Quimper"]


def test_what_changes_while_the_file_is_written_is_taken_as_it_is_then(world: World) -> None:
    lorient = world.places["Lorient"]
    made = publish(lorient, *(f"Outil {number}" for number in range(3 * READ_AT_ONCE)))
    calls = []

    def meanwhile(done: int, total: int) -> None:
        calls.append(done)
        if len(calls) == 1:
            revise(lorient, made[-1], "Autre chose")
            withdraw(lorient, made[0])

    raw = pack(world, "Lorient", "Quimper", progress=meanwhile)
    told = unpack(world, "Quimper", raw)
    assert told.outcome == "ok" and told.planned == told.found
    held = state(world, "Lorient", "Quimper")
    assert held["Lorient"] == held["Quimper"]


def test_photos_come_along_once_and_only_those_a_listing_shows(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    with lorient.inside() as town:
        shown, private = (town.photos.keep(jpeg(color)) for color in ("#aa0000", "#00aa00"))
        unshown = town.photos.keep(jpeg("#0000aa"))
    publish(lorient, "Échelle", photos=[shown])
    publish(lorient, "Réservé", photos=[private], scope=SCOPE_PARTNERS)
    assert header_of(pack(world, "Lorient", "Quimper", with_photos=False)).counts.photos == 0
    raw = pack(world, "Lorient", "Quimper")
    with lorient.inside() as town:
        for hidden in (private, unshown):
            assert town.photos.path(hidden.hash).read_bytes() not in raw
    assert unpack(world, "Quimper", raw).photos == 1
    assert unpack(world, "Quimper", raw).photos == 0
    with quimper.inside() as town:
        assert town.photos.shelf.holds(shown.hash)
        assert not town.photos.shelf.holds(unshown.hash)


def test_a_town_whose_sealing_key_is_unknown_gets_what_is_public(world: World) -> None:
    publish(world.places["Lorient"], "Réservé", scope=SCOPE_PARTNERS)
    with world.places["Lorient"].inside() as town:
        towns.TownRow.update(hpke=b"").where(towns.TownRow.town == _id(world, "Quimper")).execute()
        made = export_file(town, _id(world, "Quimper"), world.folder / "a.lavoir")
    assert not made.is_sealed and made.private == 0 and made.public == 2


def test_a_town_whose_words_were_not_compared_gets_no_file(world: World) -> None:
    world.found("Vannes")
    with pytest.raises(Conflict):
        pack(world, "Lorient", "Vannes")


def test_what_only_a_checkpoint_vouches_for_does_not_go_along(world: World) -> None:
    quimper = world.places["Quimper"]
    made = publish(quimper, "Tente", "Banc")
    carry(world, "Quimper", "Lorient")
    with world.places["Lorient"].inside(), write_tx():
        waiting.note([(made[0].id, made[0].origin, 0)], b"somebody else")
    ids = {
        parse(each.raw).id
        for each in opened(world, "Quimper", pack(world, "Lorient", None))
        if each.kind == bundle.RECORD
    }
    assert made[1].id in ids and made[0].id not in ids


def test_a_town_in_restore_mode_carries_nothing_of_its_own(world: World) -> None:
    publish(world.places["Lorient"], "Échelle")
    with world.places["Lorient"].inside() as town:
        restoring.begin(town.clock.now_ms(), "test")
    raw = pack(world, "Lorient", "Quimper")
    found = [
        parse(each.raw) for each in opened(world, "Quimper", raw) if each.kind == bundle.RECORD
    ]
    assert {each.origin for each in found} == {_id(world, "Quimper")}


def test_a_town_in_restore_mode_gets_its_own_records_home_by_stick(world: World) -> None:
    lorient = world.places["Lorient"]
    publish(lorient, "Échelle", "Remorque")
    carry(world, "Lorient", "Quimper")
    raw = pack(world, "Quimper", "Lorient")
    with lorient.inside() as town, write_tx():
        restoring.begin(town.clock.now_ms(), "test")
        for row in list(records.walk(town.id)):
            records.delete([row.id])
    assert unpack(world, "Lorient", raw).verdicts["stored"] >= 3
    assert titles(lorient) == {"Échelle", "Remorque"}


def _id(world: World, name: str) -> bytes:
    return world.places[name].town.id


# ── receipts ─────────────────────────────────────────────────────────────────────────────────────


def sealed(world: World, maker: str, reader: str) -> bytes:
    """Seal something odd for another town; return the record's id."""
    with world.places[maker].inside() as town:
        inner = {1: bytes(16), 4: 0, 5: 1, 6: "odd"}
        return town.journal.publish_sealed("odd.thing/1", inner, to=_id(world, reader)).id


def when(world: World, name: str, record_id: bytes) -> tuple[int | None, int | None]:
    with world.places[name].inside():
        return records.by_id(record_id).sent_ms, arrivals.when(record_id)


def test_a_receipt_says_that_sealed_records_have_arrived(world: World) -> None:
    record_id = sealed(world, "Lorient", "Quimper")
    told = carry(world, "Lorient", "Quimper")
    assert when(world, "Lorient", record_id) == (None, None)
    world.clock.forward(hours=2)
    came = unpack(world, "Lorient", told.receipt)
    assert (came.outcome, came.confirmed) == ("receipt", 1)
    sent_ms, arrived_ms = when(world, "Lorient", record_id)
    assert sent_ms == world.clock.now_ms() and arrived_ms == sent_ms - 2 * 3_600_000
    with world.places["Lorient"].inside():
        (line,) = carriages.latest()
        assert line.confirmed_ms == sent_ms
    world.clock.forward(hours=2)
    unpack(world, "Lorient", told.receipt)
    assert when(world, "Lorient", record_id) == (sent_ms, arrived_ms)


def test_the_way_back_carries_the_receipts_sealed(world: World) -> None:
    record_id = sealed(world, "Lorient", "Quimper")
    told = carry(world, "Lorient", "Quimper")
    back = pack(world, "Quimper", "Lorient")
    assert told.receipt not in back
    assert unpack(world, "Lorient", back).confirmed == 1
    assert when(world, "Lorient", record_id)[1] is not None


def test_a_receipt_of_anyone_but_the_addressee_changes_nothing(world: World) -> None:
    record_id = sealed(world, "Lorient", "Quimper")
    raw = pack(world, "Lorient", "Quimper")
    world.found("Vannes")
    for signer, to in (("Vannes", "Lorient"), ("Quimper", "Vannes"), ("Lorient", "Lorient")):
        ring = world.places[signer].town.keyring
        forged = receipt.sign_receipt(
            [ring.keyset],
            ring.signing,
            to=_id(world, to),
            bundle=header_of(raw).id,
            when_ms=1,
            verdicts={},
            arrived=[record_id],
        )
        assert unpack(world, "Lorient", forged).confirmed == 0
        assert when(world, "Lorient", record_id) == (None, None)


def test_a_receipt_marks_only_what_was_sealed_for_its_town(world: World) -> None:
    (public,) = publish(world.places["Lorient"], "Échelle")
    ring = world.places["Quimper"].town.keyring
    said = receipt.sign_receipt(
        [ring.keyset],
        ring.signing,
        to=_id(world, "Lorient"),
        bundle=bytes(32),
        when_ms=world.clock.now_ms() + 10**9,
        verdicts={"stored": 1},
        arrived=[public.id, bytes(32)],
    )
    assert unpack(world, "Lorient", said).confirmed == 1
    assert when(world, "Lorient", public.id) == (None, None)


def test_a_restore_told_by_stick_raises_the_fence(world: World) -> None:
    with world.places["Lorient"].inside() as town:
        restoring.begin(town.clock.now_ms(), "test")
        restoring.finish(town.clock.now_ms())
    carry(world, "Lorient", "Quimper")
    with world.places["Quimper"].inside():
        fence_s = partners.find(_id(world, "Lorient")).generation_s
    assert fence_s == world.clock.now_ms() // 1000


def test_a_whole_file_made_after_our_restore_opens_the_gate_and_no_other_does(
    world: World,
) -> None:
    before = pack(world, "Quimper", "Lorient")
    with world.places["Lorient"].inside() as town:
        world.clock.forward(hours=1)
        restoring.begin(town.clock.now_ms(), "test")
        restoring.finish(town.clock.now_ms())
    early = pack(world, "Quimper", "Lorient")
    carry(world, "Lorient", "Quimper")
    late = pack(world, "Quimper", "Lorient")
    anyone = pack(world, "Quimper", None)
    for raw in (before, early, anyone, late[:-900]):
        unpack(world, "Lorient", raw)
        with world.places["Lorient"].inside():
            assert gate.is_unheard(_id(world, "Quimper"))
    assert unpack(world, "Lorient", late).outcome == "ok"
    with world.places["Lorient"].inside():
        assert not gate.is_unheard(_id(world, "Quimper"))


# ── the command ──────────────────────────────────────────────────────────────────────────────────


def lavoir(world: World, name: str, *words: str, code: int = 0) -> str:
    """Run a command at a town."""
    home = str(world.folder / name.lower())
    done = CliRunner().invoke(main, [*words, "--home", home])
    assert done.exit_code == code, done.output
    return done.output


def test_the_command_carries_and_says_what_it_did(world: World) -> None:
    publish(world.places["Lorient"], "Échelle")
    stick = world.folder / "stick"
    stick.mkdir()
    file = stick / "lorient.lavoir"
    said = lavoir(world, "Lorient", "bundle", "export", "--for", "quimper", str(file))
    assert "4 public" in said or "3 public" in said
    assert [path.name for path in stick.iterdir()] == ["lorient.lavoir"]
    told = json.loads(lavoir(world, "Quimper", "bundle", "import", str(file), "--json"))
    assert told["outcome"] == "ok" and told["verdicts"]["stored"] == 1
    assert Path(told["receipt"]).name == "lorient.lavoir.receipt.lavoir"
    back = lavoir(world, "Lorient", "bundle", "import", told["receipt"])
    assert "1 receipts" in back
    assert titles(world.places["Quimper"], world.places["Lorient"]) == {"Échelle"}


def test_the_command_exits_3_where_something_was_kept_out_or_torn_off(world: World) -> None:
    publish(world.places["Lorient"], "Échelle", "Remorque")
    file = world.folder / "a.lavoir"
    lavoir(world, "Lorient", "bundle", "export", "--for", "anyone", str(file))
    file.write_bytes(file.read_bytes()[:-900])
    said = lavoir(world, "Quimper", "bundle", "import", str(file), code=3)
    assert "Please copy the file again" in said
    assert not file.with_name("a.lavoir.receipt.lavoir").exists()


def test_the_command_says_what_it_cannot_do(world: World) -> None:
    (world.folder / "photo.jpg").write_bytes(jpeg())
    for words in (
        ("export", "--for", "Brest", str(world.folder / "a.lavoir")),
        ("export", "--for", "Quimper", str(world.folder / "no" / "such" / "a.lavoir")),
        ("import", str(world.folder / "photo.jpg")),
    ):
        said = lavoir(world, "Lorient", "bundle", *words, code=1)
        assert "Error: " in said and "Traceback" not in said
    assert not list(world.folder.glob("*.part"))


def test_a_reading_that_was_killed_anywhere_is_finished_by_the_next(
    world: World, rng: random.Random
) -> None:
    publish(world.places["Lorient"], *(f"Outil {number}" for number in range(900)))
    file = world.folder / "a.lavoir"
    file.write_bytes(pack(world, "Lorient", "Quimper"))
    home = world.places["Quimper"].town.home
    command = [sys.executable, "-m", "node.cli", "bundle", "import", str(file), "--home", str(home)]
    held = []
    for _ in range(4):
        reading = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with contextlib.suppress(subprocess.TimeoutExpired):
            reading.communicate(timeout=rng.uniform(0.8, 3))
        reading.kill()
        reading.communicate()
        held.append(len(titles(world.places["Quimper"], world.places["Lorient"])))
    assert held == sorted(held)
    unpack(world, "Quimper", file.read_bytes())  # may name what was being tried at two deaths
    told = unpack(world, "Quimper", file.read_bytes())
    assert told.outcome == "ok" and told.refusals == 0
    both = state(world, "Lorient", "Quimper")
    assert both["Lorient"] == both["Quimper"]
