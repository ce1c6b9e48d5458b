"""Whose word counts: who signed a file, who is named for what is wrong in it, who may read it."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation import bundle, receipt
from federation.record import SCOPE_PARTNERS
from node.courier.landing import RECEIPTS_MAX
from node.courier.survey import HEADERS_MAX, survey
from node.domain.errors import Conflict, Invalid
from node.partners import pairing
from node.store.network import carriages, refusals, strikes
from tests.node.pages.acting import upload
from tests.node.partner_wire import plant, publish, titles
from tests.node.sticks import carry, couple, header_of, moved_in, pack, unpack
from tests.visitor import Reader, Visitor
from tests.world import World


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return couple(tmp_path_factory.mktemp("couple"))


@pytest.fixture
def world(houses: Path, tmp_path: Path) -> Iterator[World]:
    made = moved_in(houses, tmp_path)
    yield made
    made.close()


def test_what_is_for_partners_comes_only_from_its_own_town(world: World) -> None:
    """A partner that holds it may not hand it on, nor may a finder who opened it."""
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    (made,) = publish(lorient, "Confidentiel", scope=SCOPE_PARTNERS)
    ring = quimper.town.keyring
    vannes = world.found("Vannes")
    world.pair("Lorient", "Vannes")
    world.pair("Quimper", "Vannes")
    raw = pack(world, "Quimper", "Vannes") + made.raw
    told = unpack(world, "Vannes", raw)
    assert told.verdicts["refused:not_shown"] == 1 and ring.town == told.town
    assert titles(vannes, lorient) == set()


def test_a_forged_record_is_named_on_the_makers_page_and_is_no_strike_against_it(
    world: World,
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    made = publish(lorient, *(f"Outil {number}" for number in range(30)))
    plant(lorient, made[3:28])
    told = carry(world, "Lorient", "Quimper")
    assert told.verdicts["refused:bad_signature"] == 25 and told.outcome == "ok"
    assert len(titles(quimper, lorient)) == 5
    with quimper.inside():
        assert refusals.counts(lorient.town.id) == {"bad_signature": 25}
        assert strikes.Strike.select().count() == 0


def test_a_file_whose_header_was_changed_is_read_and_nobody_is_blamed(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(lorient, "Échelle")
    publish(lorient, "Confidentiel", scope=SCOPE_PARTNERS)
    raw = bytearray(pack(world, "Lorient", "Quimper"))
    size = len(header_of(bytes(raw)).raw)
    for at in (size - 1, len(raw) - 1):
        raw[at] ^= 1
    told = unpack(world, "Quimper", bytes(raw))
    assert told.town == b"" and told.receipt is None and told.verdicts["stored"] == 1
    assert told.verdicts["refused:not_shown"] == 1
    raw[len(raw) - 1] ^= 1  # the second header tells what the first one lost
    told = unpack(world, "Quimper", bytes(raw))
    assert told.town == lorient.town.id and told.receipt is not None
    assert titles(quimper, lorient) == {"Échelle", "Confidentiel"}


@pytest.mark.parametrize("raw", [b"", b"\0" * 100_000, b"PK\x03\x04" * 5_000, b"d2844" * 999])
def test_what_is_no_courier_file_is_refused_in_a_sentence(world: World, raw: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        unpack(world, "Quimper", raw)
    assert caught.value.code == "not_a_bundle"
    with world.places["Quimper"].inside():
        assert carriages.latest() == []


def test_the_desk_says_in_words_what_it_could_not_read(world: World) -> None:
    anne = world.places["Lorient"].member("Anne", "anne@example.org", ("admin",))
    visitor = Visitor(world.places["Lorient"], anne)
    form = visitor.form("/admin/courrier", "/admin/courrier/lire")
    for file, words in ((upload(b"", ""), "Choisissez"), (upload(b"JFIF"), "pas un fichier")):
        sent = visitor.post("/admin/courrier/lire", {**form.fields, "file": file})
        assert sent.status_code == 422 and words in Reader(sent.text).text
    for path in ("/admin/courrier/99/recu.lavoir", "/admin/courrier/zz.lavoir"):
        assert visitor.get(path).status_code == 404
    resident = Visitor(world.places["Lorient"], world.places["Lorient"].member("Loïc"))
    for path in ("/admin/courrier", "/admin/courrier/tous.lavoir", "/admin/courrier/1/recu.lavoir"):
        assert resident.get(path).status_code == 403
        assert Visitor(world.places["Lorient"]).get(path).status_code in (302, 303)


def test_a_frozen_makers_word_does_not_count(world: World) -> None:
    publish(world.places["Lorient"], "Échelle")
    raw = pack(world, "Lorient", "Quimper")
    with world.places["Quimper"].inside() as town:
        town.store.freeze(world.places["Lorient"].town.id)
    told = unpack(world, "Quimper", raw)
    assert told.verdicts["refused:frozen"] >= 1 and told.receipt is None


def test_a_removed_partners_file_is_kept_out(world: World) -> None:
    publish(world.places["Lorient"], "Échelle")
    raw = pack(world, "Lorient", "Quimper")
    with world.places["Quimper"].inside() as town:
        pairing.remove(world.places["Lorient"].town.id, town.clock)
    told = unpack(world, "Quimper", raw)
    assert set(told.verdicts) <= {"refused:not_accepted", "known"} and told.receipt is None


def test_two_files_are_not_read_at_once(world: World) -> None:
    """Else one reading would take the other for a crash, and pass over good records."""
    publish(world.places["Lorient"], "Échelle")
    raw = pack(world, "Lorient", "Quimper")
    seen: list[str] = []

    def meanwhile(done: int, total: int) -> None:
        with pytest.raises(Conflict) as caught:
            unpack(world, "Quimper", raw)
        seen.append(caught.value.code)

    assert unpack(world, "Quimper", raw, meanwhile).verdicts["stored"] == 1
    assert set(seen) == {"courier_busy"}
    assert unpack(world, "Quimper", raw).verdicts["stored"] == 0


def test_a_maker_that_lives_in_an_impossible_year_breaks_no_page(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    ring = lorient.town.keyring
    for to in (None, quimper.town.id):
        header = bundle.sign_header(
            [ring.keyset],
            ring.signing,
            to=to,
            made_ms=2**49,
            as_of=2**39,
            gen=0,
            names=("Lorient", ""),
            counts=bundle.Counts(),
            rows=[],
        )
        told = unpack(world, "Quimper", header)
        assert carry(world, "Lorient", "Quimper").older_ms is None
        visitor = Visitor(quimper, quimper.member("Anne", roles=("admin",)))
        assert visitor.get(f"/admin/courrier?lu={told.carriage}").status_code == 200
    for odd in ("0", "-1", "zz", "9" * 15, "1&lu=2"):
        assert visitor.get(f"/admin/courrier?lu={odd}").status_code == 200


def test_headers_and_receipts_without_end_cost_little(world: World) -> None:
    ring = world.places["Lorient"].town.keyring
    to = world.places["Quimper"].town.id
    said = {"to": to, "as_of": 1, "gen": 0, "names": ("", ""), "counts": (0, 0, 0), "rows": []}
    headers = [
        bundle.sign_header([ring.keyset], ring.signing, made_ms=at, **said) for at in range(200)
    ]
    receipts = [
        receipt.sign_receipt(
            [ring.keyset], ring.signing, to=to, bundle=bytes(32), when_ms=at, verdicts={},
            arrived=[],
        )
        for at in range(200)
    ]  # fmt: skip
    told = unpack(world, "Quimper", b"".join(headers + receipts))
    assert told.outcome == "ok" and told.confirmed == RECEIPTS_MAX
    with world.places["Quimper"].inside() as town:
        found = survey(town, io.BytesIO(b"".join(headers)))
    assert len(found.headers) == HEADERS_MAX
