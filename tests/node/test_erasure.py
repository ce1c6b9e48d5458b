"""Erasure: what was withdrawn, or expired, is gone from every file of a town."""

import random
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from federation.record import Record
from node.erasure import cleaning, erase, letters
from node.store import marks
from node.store.catalogue import blobs, facets, listings
from node.store.catalogue.listings import Listing
from node.store.database import DRIVERS, compact, db, empty_wal, open_database, using, write_tx
from node.store.erasures import burials
from node.store.schema import migrate
from node.store.sets import records
from node.upkeep import upkeep
from tests.node.erasing_towns import WORD, clean, two_towns
from tests.node.pages.acting import jpeg, upload
from tests.node.partner_wire import publish
from tests.stories.test_erased_everywhere import forms, holding, pieces
from tests.visitor import Visitor
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient and Quimper, partners."""
    made = two_towns(tmp_path)
    yield made
    made.close()


# ── the bytes ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("driver", DRIVERS)
def test_no_page_of_the_database_keeps_a_copy_of_a_row_that_was_moved(
    tmp_path: Path, rng: random.Random, driver: str
) -> None:
    """Rows of all sizes come, change and go; SQLite moves them between pages meanwhile."""
    path, origin = tmp_path / "town.db", b"o" * 32
    database = open_database(path, driver)
    migrate(database)
    live: dict[bytes, str] = {}
    dead: list[str] = []
    with using(database):
        for number in range(700):
            old = rng.choice(list(live)) if live and rng.random() < 0.3 else None
            key = old or secrets.token_bytes(16)
            word = f"qq{number:05d}qq"
            if old:
                dead.append(live[old])
            live[key] = word
            keep_row(origin, key, word, rng)
        for key in [each for each in live if rng.random() < 0.4]:
            dead.append(live.pop(key))
            with write_tx():
                listings.close(origin, key, "withdrawn", 5)
                database.execute_sql("DELETE FROM record WHERE key = ?", (key,))
        listings.scrub_search()
        assert compact() and empty_wal()
        raw = path.read_bytes()
        left = [word for word in dead if word.encode() in raw]
        assert left == [] and all(word.encode() in raw for word in live.values())
        assert database.execute_sql("PRAGMA integrity_check").fetchone() == ("ok",)
        assert driver != "apsw" or Path(f"{path}-wal").stat().st_size == 0
    database.close()


def keep_row(origin: bytes, key: bytes, word: str, rng: random.Random) -> None:
    """Write a listing and a record of that register as publishing does, long or short."""
    text = f"{word} {'x' * rng.randint(0, 300)}"
    with write_tx():
        row = listings.keep(
            origin, key, words=(text,), record=secrets.token_bytes(32), practice="lending",
            kind="k/1", code=key.hex(), title=text, text=text * rng.randint(1, 9), created_ms=1,
            updated_ms=1, expires=9**9, body=(text * rng.randint(1, 20)).encode(),
        )  # fmt: skip
        facets.put(row.id, [("word", word)])
        db.execute_sql("DELETE FROM record WHERE key = ?", (key,))
        raw = (text * rng.randint(1, 40)).encode()
        made = (raw, secrets.token_bytes(32), origin, 1, key, 1, 9999, 0, "k/1", 0, b"", b"", None)
        records.insert([Record(*made, (), b"")], b"", 1)


def test_a_reader_of_the_database_delays_an_erasure_and_does_not_spoil_it(world: World) -> None:
    quimper = world.places["Quimper"]
    (record,) = publish(quimper, f"Selle {WORD}")
    with quimper.inside() as town:
        erase(town, record.key)
    reader = open_database(quimper.town.home / "lavoir.db")
    try:
        reader.execute_sql("BEGIN")
        reader.execute_sql("SELECT count(*) FROM record").fetchall()
        assert not clean(quimper)
        with quimper.inside() as town:
            assert burials.find(town.id, record.key).gone_ms is None
            assert cleaning.has_work(town) or marks.number(cleaning.NEXT_MS)
    finally:
        reader.close()
    assert clean(quimper) and holding(quimper, *forms(WORD)) == set()


def test_the_whole_database_is_not_written_anew_at_every_erasure(world: World) -> None:
    quimper = world.places["Quimper"]
    first, second = publish(quimper, "Un", "Deux")
    with quimper.inside() as town:
        erase(town, first.key)
        assert cleaning.clean(town)
        marks.write_number(cleaning.NEXT_MS, town.clock.now_ms() + 60_000)
        erase(town, second.key)
        assert cleaning.has_work(town) and not cleaning.clean(town)  # the log and the index are
        assert not cleaning.has_work(town) and burials.find(town.id, second.key).gone_ms is None
        world.clock.forward(minutes=1)
        assert cleaning.has_work(town) and cleaning.clean(town)


def test_what_a_power_cut_interrupts_is_done_at_the_next_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    quimper = world.places["Quimper"]
    (record,) = publish(quimper, f"Selle {WORD}")
    with quimper.inside() as town:
        erase(town, record.key)
    for step in ("_drop_letters", "_scrub", "_note_gone"):
        with monkeypatch.context() as patch:
            patch.setattr(cleaning, step, cut)
            with pytest.raises(PowerCut):
                clean(quimper)
        quimper.town.close()
        quimper = world.start("Quimper")
        with quimper.inside() as town:
            assert burials.find(town.id, record.key).gone_ms is None, step
            assert burials.is_any_pending(), step
    assert clean(quimper) and holding(quimper, *forms(WORD)) == set()


class PowerCut(BaseException):
    """The lights go out."""


def cut(*_: Any) -> None:
    raise PowerCut


def test_an_expired_listing_is_deleted_physically_as_well(world: World) -> None:
    lorient, quimper = world.places.values()
    anne = Visitor(lorient, lorient.member("Anne", "anne@example.org"))
    sent = anne.send(
        "/publier/objets", title=f"Selle {WORD}", object="autre", photos=upload(jpeg("#123456"))
    )
    assert sent.status_code == 303
    world.sync()
    with lorient.inside():
        row = Listing.get(Listing.title.startswith("Selle"))
    photo = pieces(quimper, row.photo)
    for place in world.places.values():
        assert holding(place, *forms(WORD)), place.name
    world.clock.forward(days=430)
    for place in world.places.values():
        with place.inside() as town:
            upkeep(town)
            assert cleaning.clean(town, at_once=True)
        assert holding(place, *forms(WORD)) == set(), place.name
        assert holding(place, *photo) == set(), place.name


def test_letters_that_name_a_request_are_deleted_and_no_others(tmp_path: Path) -> None:
    one, other = secrets.token_bytes(16), secrets.token_bytes(16)
    for name, engagement in (("a", one), ("b", other)):
        (tmp_path / f"{name}.eml").write_bytes(
            b"Subject: x\nContent-Type: text/plain; charset=utf-8\n"
            b"Content-Transfer-Encoding: quoted-printable\n\nSee http://x.test/demandes/"
            + engagement.hex()[:20].encode()
            + b"=\n"
            + engagement.hex()[20:].encode()
        )
    (tmp_path / "torn.eml").write_bytes(b"\xff\x00Content-Type: text/plain; charset=nonsense\n\n?")
    (tmp_path / "empty.eml").write_bytes(b"")
    assert letters.drop(tmp_path, [one]) == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b.eml", "empty.eml", "torn.eml"]
    assert letters.drop(tmp_path / "nowhere", [one]) == 0 and letters.drop(tmp_path, []) == 0


# ── photos: abuse case 68 ────────────────────────────────────────────────────────────────────────


def test_abuse_068_a_photo_others_still_show_stays_until_the_last_lets_go(world: World) -> None:
    lorient, quimper = world.places.values()
    anne = Visitor(lorient, lorient.member("Anne", "anne@example.org"))
    codes = []
    for title in ("Une", "Deux"):
        sent = anne.send(
            "/publier/objets", title=title, object="autre", photos=upload(jpeg("#654321"))
        )
        codes.append(sent.location.rsplit("/", 1)[1])
    world.sync()
    with lorient.inside():
        rows = [Listing.get(Listing.code == code) for code in codes]
    assert rows[0].photo == rows[1].photo
    photo = pieces(quimper, rows[0].photo)
    for row, left in zip(rows, (True, False), strict=True):
        with lorient.inside() as town:
            erase(town, row.key)
        world.sync()
        for place in (lorient, quimper):
            assert clean(place)
            assert bool(holding(place, *photo)) is left, place.name
            with place.inside():
                assert not blobs.is_any_doomed()
                assert (blobs.find(row.photo) is not None) is left


def test_a_photo_sent_again_for_a_form_outlives_the_listing_that_showed_it(world: World) -> None:
    lorient = world.places["Lorient"]
    anne = Visitor(lorient, lorient.member("Anne", "anne@example.org"))
    sent = anne.send("/publier/objets", title="Une", object="autre", photos=upload(jpeg("#112233")))
    with lorient.inside() as town:
        row = Listing.get(Listing.code == sent.location.rsplit("/", 1)[1])
        world.clock.forward(minutes=5)
        town.photos.keep(jpeg("#112233"))  # somebody has it on a form that is being filled in
        erase(town, row.key)
        assert not cleaning.clean(town, at_once=True)
        assert town.photos.shelf.holds(row.photo)
        world.clock.forward(days=2)
        assert cleaning.clean(town, at_once=True)
        assert not town.photos.shelf.holds(row.photo)


def test_a_photo_of_an_earlier_revision_goes_too(world: World) -> None:
    lorient = world.places["Lorient"]
    anne = Visitor(lorient, lorient.member("Anne", "anne@example.org"))
    sent = anne.send("/publier/objets", title="Une", object="autre", photos=upload(jpeg("#112233")))
    code = sent.location.rsplit("/", 1)[1]
    with lorient.inside():
        first = Listing.get(Listing.code == code).photo
    form = anne.form(f"/a/{code}/modifier")
    world.clock.forward(minutes=1)
    anne.send(f"/a/{code}/modifier", photos_remove=form.value("photos_kept"))
    with lorient.inside() as town:
        assert Listing.get(Listing.code == code).photo is None
        burials.words_left()
        assert cleaning.clean(town, at_once=True)
        assert not town.photos.shelf.holds(first)


def test_a_photo_that_arrives_after_its_listing_was_erased_does_not_stay(world: World) -> None:
    lorient, quimper = world.places.values()
    with quimper.inside() as town:
        lone = lorient.town.photos
        with lorient.inside():
            kept = lone.keep(jpeg("#332211"))
            raw = lone.path(kept.hash).read_bytes()
        town.photos.take_remote(kept.hash, raw)
        assert town.photos.shelf.holds(kept.hash)
        burials.words_left()
        assert cleaning.clean(town, at_once=True)
        assert not town.photos.shelf.holds(kept.hash)
