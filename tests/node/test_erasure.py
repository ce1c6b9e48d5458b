"""Erasure: a town deletes what was withdrawn from every file, and says so to the town it was of."""

import hashlib
import random
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import RemoteProtocolError
from federation.record import Record
from node.app import jobs_of
from node.domain.errors import Conflict
from node.erasure import ack, cleaning, erase, letters, replay, standing, telling
from node.erasure.people import erase_person
from node.journal import logbook
from node.journal.erasing import ERASURE
from node.members import accounts
from node.partners import pairing
from node.store import marks
from node.store.catalogue import blobs, facets, holdings, listings
from node.store.catalogue.listings import Listing
from node.store.database import compact, db, empty_wal, open_database, using, write_tx
from node.store.erasures import acks, burials
from node.store.erasures.acks import Told
from node.store.network import refusals, towns
from node.store.schema import migrate
from node.store.sets import records
from node.upkeep import upkeep
from tests.node.pages.acting import jpeg, upload
from tests.node.partner_wire import desk_page, held_ids, publish, titles, withdraw
from tests.stories.test_erased_everywhere import files, forms, holding, pieces, work
from tests.visitor import Visitor
from tests.world import START_MS, Place, World

WORD = "hippogriffe"
DAY_MS = 86_400_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient and Quimper, partners."""
    made = World(tmp_path)
    for name in ("Lorient", "Quimper"):
        made.found(name)
    made.pair("Lorient", "Quimper")
    made.sync()
    yield made
    made.close()


def clean(place: Place, *, at_once: bool = True) -> bool:
    with place.inside() as town:
        return cleaning.clean(town, at_once=at_once)


def answers(place: Place, key: bytes) -> dict[str, Any]:
    with place.inside() as town:
        burial = burials.find(town.id, key)
        assert burial is not None
        return {each.name: each for each in standing.answers(burial, town.clock.now_ms())}


def ack_records(place: Place, author: Place) -> list[Any]:
    with place.inside():
        return list(records.walk(author.town.id, ack.KIND))


# ── the bytes ────────────────────────────────────────────────────────────────────────────────────


def test_no_page_of_the_database_keeps_a_copy_of_a_row_that_was_moved(
    tmp_path: Path, rng: random.Random
) -> None:
    """Rows of all sizes come, change and go; SQLite moves them between pages meanwhile."""
    path, origin = tmp_path / "town.db", b"o" * 32
    database = open_database(path)
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
        assert Path(f"{path}-wal").stat().st_size == 0
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
        assert not cleaning.has_work(town) and not cleaning.clean(town)
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


# ── what towns say ───────────────────────────────────────────────────────────────────────────────


def test_a_town_answers_only_once_the_bytes_are_gone(world: World) -> None:
    lorient, quimper = world.places.values()
    (record,) = publish(lorient, f"Selle {WORD}")
    world.sync()
    withdraw(lorient, record)
    world.sync()
    assert ack_records(lorient, quimper) == []
    assert answers(lorient, record.key)["Quimper"].gone_ms is None
    assert clean(quimper)
    world.sync()
    told = answers(lorient, record.key)["Quimper"]
    assert told.gone_ms == START_MS and told.kept == "" and not told.is_late
    assert len(ack_records(lorient, quimper)) == 1


def test_nobody_is_told_of_our_own_erasures_and_each_town_of_its_own(world: World) -> None:
    lorient, quimper = world.places.values()
    (mine,), (theirs,) = publish(lorient, "A"), publish(quimper, "B")
    world.sync()
    withdraw(lorient, mine)
    withdraw(quimper, theirs)
    world.sync()
    for place in (lorient, quimper):
        assert clean(place)
    world.sync()
    assert [each.to for each in ack_records(quimper, quimper)] == [lorient.town.id]
    assert answers(lorient, mine.key)["Quimper"].gone_ms
    assert answers(quimper, theirs.key)["Lorient"].gone_ms
    with lorient.inside():
        assert acks.of_key(theirs.key) == {}


def test_erasures_are_told_together_and_no_more_than_once_a_minute(world: World) -> None:
    lorient, quimper = world.places.values()
    held = publish(lorient, *(f"Objet {number}" for number in range(20)))
    world.sync()
    for record in held[:2]:
        withdraw(lorient, record)
        world.sync(1)
        assert clean(quimper)
    assert len({each.stamp for each in ack_records(quimper, quimper)}) == 1
    for record in held[2:]:
        withdraw(lorient, record)
    world.sync(1)
    world.clock.forward(minutes=2)
    assert clean(quimper)
    world.sync(1)
    assert len(ack_records(quimper, quimper)) == 1  # one register says it all
    assert all(answers(lorient, each.key)["Quimper"].gone_ms for each in held)


def test_an_answer_lost_on_the_way_is_in_the_next_one(world: World) -> None:
    lorient, quimper = world.places.values()
    first, second = publish(lorient, "A", "B")
    world.sync()
    for record in (first, second):
        withdraw(lorient, record)
        world.visit("Quimper", "Lorient")
        world.clock.forward(minutes=2)
        clean(quimper)  # tells; nobody hears the first
    world.sync()
    for record in (first, second):
        assert answers(lorient, record.key)["Quimper"].gone_ms


def test_a_part_that_is_full_is_followed_by_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(burials, "PART_MAX_KEYS", 3)
    lorient, quimper = world.places.values()
    held = publish(lorient, *(f"Objet {number}" for number in range(8)))
    world.sync()
    for record in held:
        withdraw(lorient, record)
    world.sync(1)
    assert clean(quimper)
    world.sync()
    assert len(ack_records(lorient, quimper)) == 3
    assert all(answers(lorient, each.key)["Quimper"].gone_ms for each in held)


def test_the_largest_part_fits_a_record(world: World) -> None:
    lorient, quimper = world.places.values()
    told = [
        Told(secrets.token_bytes(8), (START_MS + n * 1_000), "engagement" if n % 7 == 0 else "")
        for n in range(burials.PART_MAX_KEYS)
    ]
    key = ack.register_key(quimper.town.id, lorient.town.id, 63)
    inner = ack.written(key, 2**33, 63, told)
    with quimper.inside() as town:
        record = town.journal.publish_sealed(ack.KIND, inner, to=lorient.town.id, key=key)
        assert len(record.raw) <= 16_384
    part, read = ack.read({**inner, 1: key}, quimper.town.id, lorient.town.id, key)
    assert (part, sorted(read)) == (63, sorted(told))


def test_a_town_without_our_sealing_key_waits_and_tells_later(world: World) -> None:
    lorient, quimper = world.places.values()
    (record,) = publish(lorient, "A")
    world.sync()
    withdraw(lorient, record)
    world.visit("Quimper", "Lorient")
    with quimper.inside() as town:
        card = towns.find(lorient.town.id)
        towns.forget(lorient.town.id)
        assert cleaning.clean(town, at_once=True) and ack_records(quimper, quimper) == []
        assert not telling.has_work(town)  # not again at every tick
        world.clock.forward(minutes=2)
        towns.put(card.town, card.updated_ms, name=card.name, hpke=card.hpke)
        assert telling.has_work(town) and telling.tell(town) == 1


def test_a_silent_town_is_named_after_seven_days(world: World) -> None:
    lorient, quimper = world.places.values()
    anne = Visitor(lorient, lorient.member("Anne", "anne@example.org"))
    sent = anne.send("/publier/objets", title="Selle", object="autre")
    code = sent.location.rsplit("/", 1)[1]
    world.sync()
    anne.send(f"/a/{code}/retirer", f"/a/{code}/retirer")
    page = anne.read(f"/a/{code}", 410).text
    assert "en train d’être retirée" in page
    clean(lorient)
    page = anne.read(f"/a/{code}", 410).text
    assert "Supprimée de tous les fichiers de ce nœud" in page
    assert "Quimper n’a pas encore répondu (dernier contact" in page
    assert "Quimper" not in desk_page(lorient, "/admin").split("À faire")[-1].split("<h2>")[0]
    world.clock.forward(days=8)
    page = anne.read(f"/a/{code}", 410).text
    assert "Quimper n’a rien dit depuis plus de sept jours" in page
    assert "n’a pas confirmé ce qui a été effacé" in desk_page(lorient, "/admin")
    told = desk_page(lorient, "/admin/effacements")
    assert code in told and "Appelez son association" in told
    stranger = Visitor(lorient).read(f"/a/{code}", 410).text
    assert "Quimper" not in stranger  # who answered is for its keeper and the desk
    world.sync()
    clean(quimper)
    world.sync()
    assert "Effacée à Quimper" in anne.read(f"/a/{code}", 410).text
    assert "n’a pas confirmé" not in desk_page(lorient, "/admin")


def test_a_partner_of_later_days_is_not_expected_to_answer(world: World) -> None:
    lorient = world.places["Lorient"]
    (record,) = publish(lorient, "A")
    world.sync()
    withdraw(lorient, record)
    world.clock.forward(days=1)
    world.found("Vannes")
    world.pair("Lorient", "Vannes")
    assert set(answers(lorient, record.key)) == {"Quimper"}


def test_a_nameless_row_that_stays_is_told_and_told_again_when_it_goes(world: World) -> None:
    """The asker is erased while the thing is out: home keeps the row, without a name (SPEC 11)."""
    lorient, quimper = world.places.values()
    anne, yann = lorient.member("Anne", "a@example.org"), quimper.member("Yann", "y@example.org")
    keeper = Visitor(lorient, anne)
    sent = keeper.send("/publier/objets", title="Selle", object="autre")
    world.sync()
    with quimper.inside():
        there = Listing.get(Listing.title == "Selle").code
    days = {"first_day": "2026-11-25", "last_day": "2026-11-26"}
    asked = Visitor(quimper, yann).send(f"/a/{there}/demander", message="Merci", **days)
    assert asked.status_code == 303 and sent.status_code == 303
    world.sync()
    with lorient.inside() as town:
        row = town.engagements.for_listing(town.id, Listing.get(Listing.title == "Selle").key)[0]
    act(lorient, row, anne, "approve")
    act(lorient, row, anne, "hand_over")
    world.sync()
    with quimper.inside() as town:
        mine = town.engagements.find(row.id)
        town.journal.withdraw(mine.request_key)
    world.sync()
    assert clean(lorient)
    world.sync()
    assert answers(quimper, mine.request_key)["Lorient"].kept == "engagement"
    world.clock.forward(minutes=2)
    act(lorient, row, anne, "take_back")
    act(lorient, row, anne, "close")
    clean(lorient)
    world.sync()
    assert answers(quimper, mine.request_key)["Lorient"].kept == ""


def act(place: Place, row: Any, member: Any, action: str) -> None:
    with place.inside() as town:
        town.engagements.act(
            row.id, action, member_id=member.id, role="keeper", act_id=secrets.token_bytes(8)
        )


# ── hostile answers ──────────────────────────────────────────────────────────────────────────────

ORIGIN, OWN = b"\1" * 32, b"\2" * 32
KEY = ack.register_key(ORIGIN, OWN, 0)
GOOD = ack.written(KEY, 0, 0, [Told(b"k" * 8, 5_000), Told(b"l" * 8, 5_000, "engagement")])


def test_an_answer_is_read_as_it_was_written() -> None:
    part, told = ack.read(GOOD, ORIGIN, OWN, KEY)
    assert part == 0
    assert told == [Told(b"k" * 8, 5_000), Told(b"l" * 8, 5_000, "engagement")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (1, b"x" * 16),
        (6, 1), (6, 64), (6, -1), (6, "0"), (6, None), (6, True),
        (7, None), (7, {}), (7, [[5]]), (7, [[5, b""]]), (7, [[5, b"short"]]),
        (7, [["5", b"k" * 8]]), (7, [[True, b"k" * 8]]),
        (7, [[-1, b"k" * 8]]), (7, [[2**40, b"k" * 8]]), (7, [[5, b"k" * 16]]),
        (7, [[5, secrets.token_bytes(8 * 513)]]), (7, [[5, b"k" * 8]] * 2),
        (7, [5] * 513),
        (8, None), (8, [[b"k" * 8]]), (8, [[b"k", "engagement"]]), (8, [[b"k" * 8, "e" * 33]]),
        (8, [["k", "e"]]), (8, "engagement"),
    ],
)  # fmt: skip
def test_an_answer_of_another_form_is_refused(field: int, value: Any) -> None:
    with pytest.raises(RemoteProtocolError, match="bad_inner"):
        ack.read({**GOOD, field: value}, ORIGIN, OWN, KEY)


@given(st.dictionaries(st.integers(0, 9), st.recursive(
    st.none() | st.booleans() | st.integers(-2**63, 2**63) | st.binary(max_size=40) | st.text(),
    lambda inner: st.lists(inner, max_size=4), max_leaves=12)))  # fmt: skip
def test_any_answer_at_all_is_read_or_refused(said: dict[int, Any]) -> None:
    try:
        ack.read({**GOOD, **said}, ORIGIN, OWN, KEY)
    except RemoteProtocolError as error:
        assert error.code == "bad_inner"


def test_a_town_cannot_answer_in_the_register_of_another(world: World) -> None:
    """A hostile Quimper says, in its own record, that Vannes has deleted: nothing is kept."""
    lorient, quimper = world.places.values()
    (record,) = publish(lorient, "A")
    world.sync()
    withdraw(lorient, record)
    key = ack.register_key(b"v" * 32, lorient.town.id, 0)
    inner = ack.written(key, 0, 0, [Told(record.key[:8], START_MS)])
    with quimper.inside() as town:
        town.journal.publish_sealed(ack.KIND, inner, to=lorient.town.id, key=key)
    world.sync()
    assert answers(lorient, record.key)["Quimper"].gone_ms is None
    with lorient.inside():
        assert refusals.counts(quimper.town.id)["bad_inner"] == 1
    assert held_ids(lorient, quimper.town.id)  # the batch went on


# ── bringing back what was deleted: abuse cases 23, 34 ───────────────────────────────────────────


def test_abuse_034_neither_a_delete_nor_a_create_played_again_changes_anything(
    world: World,
) -> None:
    lorient, quimper = world.places.values()
    (record,) = publish(lorient, f"Selle {WORD}")
    world.sync()
    tombstone = withdraw(lorient, record)
    world.sync()
    assert clean(quimper)
    with quimper.inside() as town:
        for raws in ([record.raw], [tombstone.raw], [record.raw, tombstone.raw, record.raw]):
            codes = {each.code for each in town.journal.ingest(raws, lorient.town.id)}
            assert codes <= {"known", "older"}, codes
        assert burials.find(lorient.town.id, record.key).told_ms is not None
        world.clock.forward(days=400)
        codes = [each.code for each in town.journal.ingest([record.raw], lorient.town.id)]
        assert codes in (["older"], ["expired"], ["known"])
    assert holding(quimper, *forms(WORD)) == set() and titles(quimper, lorient) == set()


def test_abuse_034_a_tombstone_before_its_record_leaves_no_byte_of_it(world: World) -> None:
    lorient, quimper = world.places.values()
    (record,) = publish(lorient, f"Selle {WORD}")
    tombstone = withdraw(lorient, record)
    with quimper.inside() as town:
        told = town.journal.ingest([tombstone.raw, record.raw], lorient.town.id)
        assert [each.code for each in told] == ["stored", "older"]
    assert clean(quimper) and holding(quimper, *forms(WORD)) == set()
    world.sync()
    assert answers(lorient, record.key)["Quimper"].gone_ms


def test_abuse_023_the_key_of_a_removed_town_brings_nothing_back_by_a_relay(world: World) -> None:
    lorient, quimper = world.places.values()
    (record,) = publish(lorient, f"Selle {WORD}")
    world.sync()
    with quimper.inside() as town:
        pairing.remove(lorient.town.id, world.clock)
        assert cleaning.clean(town, at_once=True)
        (told,) = town.journal.ingest([record.raw], b"r" * 32)
        assert told.code == "refused:not_accepted"
        assert town.store.raws([record.id], None) == {}
        assert burials.find(lorient.town.id, record.key) is None
    assert holding(quimper, *forms(WORD)) == set()


# ── people: abuse cases 96, 97 ───────────────────────────────────────────────────────────────────


def test_abuse_096_who_is_no_longer_of_the_desk_reads_no_erasure(world: World) -> None:
    lorient = world.places["Lorient"]
    first = lorient.member("Une", "une@example.org", ("admin",))
    other = lorient.member("Autre", "autre@example.org", ("admin",))
    visitor = Visitor(lorient, other)
    assert visitor.get("/admin/effacements").status_code == 200
    with lorient.inside() as town:
        accounts.set_role(other.id, accounts.RESIDENT, by=first.id, now_ms=town.clock.now_ms())
    assert visitor.get("/admin/effacements").status_code == 403  # checked at each request
    assert Visitor(lorient).get("/admin/effacements").status_code in (302, 303, 401, 403)


def test_abuse_097_an_erased_person_s_listings_go_everywhere_and_her_name_too(
    world: World,
) -> None:
    lorient, quimper = world.places.values()
    anne = lorient.member(f"Anne {WORD}", f"anne-{WORD}@example.org")
    sent = Visitor(lorient, anne).send(
        "/publier/objets", title=f"Selle {WORD}", object="autre", photos=upload(jpeg("#445566"))
    )
    assert sent.status_code == 303
    yann = quimper.member(f"Yann {WORD}", "yann@example.org")
    world.sync()
    with quimper.inside():
        there = Listing.get(Listing.title.startswith("Selle")).code
        photo = pieces(quimper, Listing.get(Listing.code == there).photo)
        assert photo
    days = {"first_day": "2026-11-25", "last_day": "2026-11-26"}
    asked = Visitor(quimper, yann).send(
        f"/a/{there}/demander", message=f"Merci {WORD}", name=f"Yann {WORD}", **days
    )
    assert asked.status_code == 303
    work(world, 2)
    assert any(name.endswith(".eml") for name in holding(lorient, *forms(WORD)))
    with quimper.inside() as town:
        erase_person(town, yann.id, by=None)
    work(world, 2)
    with lorient.inside() as town:
        erase_person(town, anne.id, by=None)
    work(world, 4)
    for place in (lorient, quimper):
        assert holding(place, *photo) == set(), place.name
        left = holding(place, *forms(WORD))
        assert left == set(), (place.name, left)


def test_a_person_is_erased_wholly_or_not_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lorient = world.places["Lorient"]
    anne = lorient.member("Anne", "anne@example.org")
    Visitor(lorient, anne).send("/publier/objets", title="Selle", object="autre")
    with lorient.inside() as town:
        monkeypatch.setattr(listings, "close", refuse)
        with pytest.raises(Conflict):
            erase_person(town, anne.id, by=None)
        monkeypatch.undo()
        assert accounts.find(anne.id).name == "Anne" and holdings.of_member(anne.id)
        erase_person(town, anne.id, by=None)
        assert not holdings.of_member(anne.id) and titles(lorient, lorient) == set()


def refuse(*_: Any, **__: Any) -> None:
    raise Conflict("clock", "no")


# ── the logbook, and a database that forgot ──────────────────────────────────────────────────────


def logged(place: Place) -> set[bytes]:
    town = place.town
    return {
        line.body[1]
        for line in logbook.read(town.home, town.keyring.archive)
        if line.kind == ERASURE
    }


def test_every_tombstone_is_in_the_logbook_ours_before_the_page_says_it(world: World) -> None:
    lorient, quimper = world.places.values()
    (record,) = publish(lorient, "A")
    world.sync()
    withdraw(lorient, record)
    assert record.key in logged(lorient)
    world.sync()
    assert record.key not in logged(quimper)
    clean(quimper)
    assert record.key in logged(quimper)


def test_an_erasure_the_logbook_cannot_note_does_not_happen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lorient = world.places["Lorient"]
    (record,) = publish(lorient, "A")
    with lorient.inside() as town:
        monkeypatch.setattr(town.journal.logbook, "write_all", refuse)
        with pytest.raises(Conflict):
            erase(town, record.key)
    assert titles(lorient, lorient) == {"A"}


def test_a_database_put_back_to_an_earlier_day_is_purged_by_the_logbook(world: World) -> None:
    lorient, quimper = world.places.values()
    ours, theirs = publish(lorient, f"Selle {WORD}"), publish(quimper, f"Bride {WORD}")
    world.sync()
    before = {}
    for place in (lorient, quimper):
        with place.inside():
            empty_wal()
        before[place.name] = (place.town.home / "lavoir.db").read_bytes()
    withdraw(lorient, *ours)
    withdraw(quimper, *theirs)
    world.sync()
    for place in (lorient, quimper):
        clean(place)
    place = lorient
    place.town.close()
    for name in ("lavoir.db-wal", "lavoir.db-shm"):
        (place.town.home / name).unlink(missing_ok=True)
    (place.town.home / "lavoir.db").write_bytes(before[place.name])
    place = world.start("Lorient")
    assert holding(place, *forms(WORD))
    with place.inside() as town:
        assert replay(town) == 2
        assert titles(place) == set()
        assert records.find(town.id, ours[0].key).state == 1
        assert replay(town) == 2  # twice is as good as once
    assert holding(place, *forms(WORD)) == set()


def test_an_erasure_under_a_keyset_the_database_forgot_still_deletes(world: World) -> None:
    lorient = world.places["Lorient"]
    (record,) = publish(lorient, f"Selle {WORD}")
    with lorient.inside() as town:
        body = {0: town.id, 1: record.key, 2: b"t" * 32, 3: b"no record at all"}
        town.journal.logbook.write(ERASURE, body)
        town.journal.logbook.write(ERASURE, {0: b"torn"})
        assert replay(town) == 2
        assert records.find(town.id, record.key) is None
    assert holding(lorient, *forms(WORD)) == set() and titles(lorient, lorient) == set()


def test_the_job_stands_in_the_table_and_looks_without_writing(world: World) -> None:
    lorient = world.places["Lorient"]
    with lorient.inside() as town:
        (job,) = [each for each in jobs_of(town) if each.name == "erasures"]
        clean(lorient)
        before = town.database.execute_sql("PRAGMA data_version").fetchone()
        sizes = {path: len(raw) for path, raw in files(lorient).items()}
        assert job.every_s <= 5 and not job.has_work(town)
        assert town.database.execute_sql("PRAGMA data_version").fetchone() == before
        assert {path: len(raw) for path, raw in files(lorient).items()} == sizes


def test_the_register_of_an_answer_is_a_hash_of_both_towns_and_its_part() -> None:
    said = b"lavoir-erasure-ack/1" + ORIGIN + OWN + b"\0\3"
    assert ack.register_key(ORIGIN, OWN, 3) == hashlib.sha256(said).digest()[:16]
    assert ack.register_key(ORIGIN, OWN, 3).hex() == "21c5ada67227add7f6c874f8b0611a95"
    pairs = ((ORIGIN, OWN), (OWN, ORIGIN))
    keys = {ack.register_key(*two, part) for two in pairs for part in (0, 1)}
    assert len(keys) == 4
