"""What lost, broken, forged and hostile sticks do to a town: nothing but a sentence on a page."""

import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation import bundle, codec, frames, receipt, record
from federation.errors import RemoteProtocolError
from federation.keyset import parse_keyset
from federation.seal import open_inner
from node.courier import Arrived, export_file, pictures, poison
from node.desk import courier as desk
from node.domain.errors import Conflict, DomainError
from node.store import marks
from node.store.network import carriages, quarantine, refusals
from node.store.promises.engagements import Engagement
from tests.node.identity_towns import KeyWorld
from tests.node.pages.acting import jpeg, upload
from tests.node.partner_wire import publish, titles
from tests.node.sticks import (
    carry,
    couple,
    header_of,
    moved_in,
    pack,
    state,
    unpack,
    without,
)
from tests.visitor import Visitor
from tests.world import World


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return couple(tmp_path_factory.mktemp("couple"))


@pytest.fixture
def world(houses: Path, tmp_path: Path) -> Iterator[World]:
    made = moved_in(houses, tmp_path)
    yield made
    made.close()


def sealed(world: World, maker: str, reader: str) -> record.Record:
    """Seal something odd for another town."""
    with world.places[maker].inside() as town:
        inner = {1: bytes(16), 4: 0, 5: 1, 6: "odd"}
        to = world.places[reader].town.id
        return town.journal.publish_sealed("odd.thing/1", inner, to=to)


def tried(world: World, name: str, raw: bytes) -> Arrived | str:
    """Read a file; return the report, or the code of the sentence that refused it."""
    try:
        return unpack(world, name, raw)
    except DomainError as error:
        assert error.message and error.status < 500
        return error.code


def test_abuse_001_a_file_cut_anywhere_is_read_so_far_and_says_how_far(
    world: World, rng: random.Random
) -> None:
    publish(world.places["Lorient"], *(f"Outil {number}" for number in range(38)))
    sealed(world, "Lorient", "Quimper")
    raw = pack(world, "Lorient", "Quimper")
    planned = sum(header_of(raw).counts[:2])
    header = len(header_of(raw).raw)
    for cut in sorted(rng.sample(range(len(raw)), 25)):
        told = tried(world, "Quimper", raw[:cut])
        if isinstance(told, str):
            assert told == "not_a_bundle" and cut < header
        else:
            is_whole = told.found == planned and not told.damaged
            assert told.outcome == ("ok" if is_whole else "torn")
            assert told.refusals == 0
            assert (told.planned, told.name) in ((planned, "Lorient"), (0, ""))
    assert unpack(world, "Quimper", raw).outcome == "ok"


def test_abuse_019_nothing_signed_for_one_place_passes_in_another(world: World) -> None:
    (made,) = publish(world.places["Lorient"], "Échelle")
    raw = pack(world, "Lorient", "Quimper")
    told = unpack(world, "Quimper", raw)
    ring = world.places["Lorient"].town.keyring
    signed = {
        "bundle": header_of(raw).raw,
        "receipt": told.receipt,
        "record": made.raw,
        "keyset": ring.keyset.raw,
    }
    readers = {
        "bundle": bundle.parse_header,
        "receipt": receipt.parse_receipt,
        "record": record.parse,
        "keyset": parse_keyset,
    }
    for name, reader in readers.items():
        for other, statement in signed.items():
            if other == name:
                reader(statement)
            else:
                with pytest.raises(RemoteProtocolError) as caught:
                    reader(statement)
                assert caught.value.code in ("bad_type", "bad_message", "bad_field", "too_big")
    with pytest.raises(RemoteProtocolError, match="bad_inner"):
        open_inner(signed["bundle"], ring.signing.public)


def test_abuse_024_what_is_for_another_town_is_carried_and_not_obeyed(world: World) -> None:
    with world.found("Vannes").inside() as town:
        town.publish_profile()
    world.pair("Lorient", "Vannes")
    world.visit("Lorient", "Vannes")
    for_vannes = sealed(world, "Lorient", "Vannes")
    told = carry(world, "Lorient", "Quimper")
    assert told.outcome == "ok" and for_vannes.id not in told.sealed
    assert for_vannes.id not in receipt.parse_receipt(told.receipt).arrived
    with world.places["Quimper"].inside():
        assert Engagement.select().count() == 0
    for file in (pack(world, "Lorient", "Vannes"), pack(world, "Lorient", "Vannes")[:2_000]):
        before = state(world, "Quimper")
        with pytest.raises(Conflict) as caught:
            unpack(world, "Quimper", file)
        assert caught.value.code == "not_for_us" and caught.value.params["town"] == "Vannes"
        assert state(world, "Quimper") == before


def test_abuse_032_the_same_file_again_and_again_counts_once(world: World) -> None:
    publish(world.places["Lorient"], "Échelle")
    sealed(world, "Lorient", "Quimper")
    raw = pack(world, "Lorient", "Quimper")
    first = unpack(world, "Quimper", raw)
    before = state(world, "Quimper")
    told = [unpack(world, "Quimper", raw) for _ in range(30)]
    assert state(world, "Quimper") == before
    assert {(each.outcome, each.verdicts["known"], each.refusals) for each in told} == {
        ("ok", first.found, 0)
    }
    for each in told[:3]:
        unpack(world, "Lorient", each.receipt)
    with world.places["Quimper"].inside():
        assert len(carriages.latest(1_000)) == 31


def test_abuse_035_what_comes_before_its_keys_waits_and_is_taken_later(tmp_path: Path) -> None:
    world = KeyWorld(tmp_path)
    lorient, quimper = world.found("Lorient"), world.found("Quimper")
    world.pair("Lorient", "Quimper")
    world.sync(1)
    publish(lorient, "Échelle", "Remorque")
    world.clock.forward(days=1)
    world.rotate("Lorient")
    raw = pack(world, "Lorient", "Quimper")
    keyless = without(raw, "lavoir-keyset/1")
    for _ in range(3):
        told = unpack(world, "Quimper", keyless)
        assert set(told.verdicts) == {"known", "refused:unknown_keyset"} and told.outcome == "ok"
    with quimper.inside():
        (waits,) = quarantine.waiting(lorient.town.id)
        assert (waits.code, waits.records) == ("unknown_keyset", told.refusals)
    assert unpack(world, "Quimper", raw).verdicts["stored"] == told.refusals
    assert titles(quimper, lorient) == {"Échelle", "Remorque"}
    with quimper.inside():
        assert quarantine.waiting(lorient.town.id) == []
    world.close()


def test_abuse_054_files_begun_and_never_finished_leave_nothing_behind(world: World) -> None:
    publish(world.places["Lorient"], *(f"Outil {number}" for number in range(30)))
    lorient, quimper = (world.places[name].town for name in ("Lorient", "Quimper"))
    raw = pack(world, "Lorient", "Quimper")

    def fail(done: int, total: int) -> None:
        raise OSError(28, "No space left on device")

    (quimper.home / "courier.lock").touch()
    files = sorted(path for path in world.folder.rglob("*") if path.is_file())
    for _ in range(20):
        with world.places["Lorient"].inside(), pytest.raises(OSError, match="No space"):
            export_file(lorient, quimper.id, world.folder / "a.lavoir", progress=fail)
        with pytest.raises(OSError, match="No space"):
            unpack(world, "Quimper", raw, fail)
    assert sorted(path for path in world.folder.rglob("*") if path.is_file()) == files
    with world.places["Quimper"].inside():
        assert carriages.latest() == [] and marks.read(poison.MARK) == ""
    assert unpack(world, "Quimper", raw).verdicts["stored"] == 30


class PowerCut(BaseException):
    """The machine stops: nothing that follows is run."""


def test_abuse_057_a_record_that_breaks_the_program_is_named_and_the_rest_is_taken(
    world: World,
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    made = publish(lorient, "Échelle", "Poison", "Remorque")

    def swallow(held: record.Record, body: object) -> None:
        if held.id == made[1].id:
            raise MemoryError

    quimper.town.journal.on(made[1].kind, swallow)
    told = carry(world, "Lorient", "Quimper")
    assert told.verdicts["refused:internal"] == 1 and told.verdicts["stored"] == 2
    assert [each[:2] for each in told.refused] == [(made[1].id, "internal")]
    assert titles(quimper, lorient) == {"Échelle", "Remorque"}
    with quimper.inside():
        assert refusals.counts(lorient.town.id) == {"internal": 1}


def test_abuse_057_a_record_that_ends_the_process_is_passed_over_the_third_time(
    world: World,
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    made = publish(lorient, "Échelle", "Poison", "Remorque")

    def crash(held: record.Record, body: object) -> None:
        if held.id == made[1].id:
            raise PowerCut

    quimper.town.journal.on(made[1].kind, crash)
    raw = pack(world, "Lorient", "Quimper")
    for _ in range(2):
        with pytest.raises(PowerCut):
            unpack(world, "Quimper", raw)
    told = unpack(world, "Quimper", raw)
    assert told.verdicts["refused:internal"] == 1
    assert titles(quimper, lorient) == {"Échelle", "Remorque"}
    with quimper.inside():
        assert marks.read(poison.MARK) == ""


@pytest.mark.parametrize(
    "name",
    [
        "E\u0301",
        "../../etc/passwd",
        "/etc/shadow",
        "C:\\CON",
        "a\0b",
        "-rf *",
        "‮gnp.exe",
        "é" * 500,
    ],
)
def test_abuse_059_a_file_names_no_path_and_a_towns_name_makes_none(
    world: World, name: str
) -> None:
    """There are no paths inside: photos are named by their hash, everything else by its own id."""
    publish(world.places["Lorient"], "Échelle")
    anne = world.places["Lorient"].member("Anne", "anne@example.org", ("admin",))
    with world.places["Lorient"].inside() as town:
        object.__setattr__(town.config, "name", name)
    slug = world.places["Quimper"].town.id.hex()[:12]
    sent = Visitor(world.places["Lorient"], anne).get(f"/admin/courrier/{slug}.lavoir")
    said = sent.headers["Content-Disposition"].removeprefix("attachment; filename=")
    assert sent.status_code == 200 and len(said) < 120
    assert not set(said) - set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert ".." not in said and header_of(sent.data).names[0].isprintable()
    (world.places["Quimper"].town.home / "courier.lock").touch()
    before = set(world.folder.rglob("*"))
    maiwenn = world.places["Quimper"].member("Maïwenn", "m@example.org", ("admin",))
    visitor = Visitor(world.places["Quimper"], maiwenn)
    form = visitor.form("/admin/courrier", "/admin/courrier/lire")
    fields = {**form.fields, "file": (io.BytesIO(sent.data), name)}
    assert visitor.post("/admin/courrier/lire", fields).status_code in (303, 422)
    assert set(world.folder.rglob("*")) == before


def test_abuse_060_what_claims_to_be_huge_takes_no_room(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lorient = world.places["Lorient"]
    (made,) = publish(lorient, "Échelle")
    ring = lorient.town.keyring
    boast = bundle.sign_header(
        [ring.keyset],
        ring.signing,
        to=None,
        made_ms=1,
        as_of=1,
        gen=0,
        names=("x", "y"),
        counts=bundle.Counts(2**32, 2**32, 2**32),
        rows=[],
    )
    photo = frames.photo(random.Random(1).randbytes(1_000_000))
    bomb = photo[:20] + b"\x5a\xff\xff\xff\xff" + bytes(100_000)
    told = unpack(world, "Quimper", boast + photo * 20 + bomb + made.raw)
    assert (told.outcome, told.photos, told.verdicts["stored"]) == ("torn", 0, 1)
    assert told.planned == 2**33 and told.found == 1
    monkeypatch.setattr(desk, "UPLOAD_MAX_BYTES", 10_000)
    anne = lorient.member("Anne", "anne@example.org", ("admin",))
    visitor = Visitor(lorient, anne)
    form = visitor.form("/admin/courrier", "/admin/courrier/lire")
    fields = {**form.fields, "file": upload(bytes(20_000))}
    assert visitor.post("/admin/courrier/lire", fields).status_code == 413
    stranger = {"token": "x", "file": upload(bytes(20_000))}
    assert Visitor(lorient).post("/admin/courrier/lire", stranger).status_code in (303, 401, 403)


def test_abuse_061_half_copied_rotten_and_mixed_up_files_keep_what_is_whole(
    world: World, rng: random.Random
) -> None:
    lorient = world.places["Lorient"]
    publish(lorient, *(f"Outil {number}" for number in range(39)))
    old = pack(world, "Lorient", "Quimper", with_photos=False)
    publish(lorient, "Nouveau")
    new = pack(world, "Lorient", "Quimper", with_photos=False)
    ends = [len(old) - len(rest) for rest in _rests(old)]
    half = old[: ends[15] + 7]
    told = unpack(world, "Quimper", half)
    assert told.outcome == "torn" and 0 < told.found < told.planned
    rotten = bytearray(old)
    for at in rng.sample(range(len(old)), 12):
        rotten[at] ^= 1 << rng.randrange(8)
    told = unpack(world, "Quimper", bytes(rotten))
    assert told.outcome == "torn" or told.refusals
    assert told.found >= told.planned - 12
    zeroed = old[:3_000] + bytes(4_096) + old[7_096:]
    assert unpack(world, "Quimper", zeroed).outcome == "torn"
    mixed = unpack(world, "Quimper", new[: len(new) // 2] + old[len(old) // 2 :])
    assert mixed.outcome == "torn"
    both = unpack(world, "Quimper", old + new)
    assert both.outcome == "ok" and both.planned == both.found
    held = state(world, "Lorient", "Quimper")
    assert held["Lorient"] == held["Quimper"]


def _rests(raw: bytes) -> Iterator[bytes]:
    at = 0
    for item in codec.sequence(raw):
        at += len(item)
        yield raw[at:]


def test_abuse_061_photos_stop_before_a_stick_is_full(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.places["Lorient"].inside() as town:
        one, other = (town.photos.keep(jpeg(color)) for color in ("#aa0000", "#00aa00"))
    publish(world.places["Lorient"], "Échelle", photos=[one])
    world.clock.forward(minutes=5)
    publish(world.places["Lorient"], "Remorque", photos=[other])
    assert header_of(pack(world, "Lorient", "Quimper")).counts.photos == 2
    monkeypatch.setattr(pictures, "TOTAL_MAX_BYTES", one.size + other.size - 1)
    raw = pack(world, "Lorient", "Quimper")
    with world.places["Lorient"].inside() as town:
        held = [town.photos.path(each.hash).read_bytes() in raw for each in (one, other)]
    assert held == [False, True]


def test_abuse_062_a_file_for_others_is_refused_by_name_and_an_older_one_undoes_nothing(
    world: World,
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    (made,) = publish(lorient, "Échelle")
    old = pack(world, "Lorient", "Quimper")
    world.clock.forward(days=3)
    with lorient.inside() as town:
        town.journal.withdraw(made.key)
    unpack(world, "Quimper", pack(world, "Lorient", "Quimper"))
    told = unpack(world, "Quimper", old)
    assert told.older_ms == world.clock.now_ms() and told.verdicts["stored"] == 0
    assert titles(quimper, lorient) == set()
    with pytest.raises(Conflict) as caught:
        unpack(world, "Lorient", old)
    assert caught.value.params == {"town": "Quimper", "maker": "Lorient", "day": "2026-11-23"}
