"""What was erased stays so: played again, by a relay, after a restore, with whose it was."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.app import jobs_of
from node.domain.errors import Conflict
from node.erasure import cleaning, erase, replay
from node.erasure.people import erase_person
from node.journal import logbook
from node.journal.erasing import ERASURE
from node.members import accounts
from node.partners import pairing
from node.store.catalogue import holdings, listings
from node.store.catalogue.listings import Listing
from node.store.database import empty_wal, open_database, using
from node.store.erasures import burials
from node.store.schema import MIGRATIONS, migrate
from node.store.sets import records
from tests.node.erasing_towns import WORD, ack_records, answers, clean, two_towns
from tests.node.pages.acting import jpeg, upload
from tests.node.partner_wire import publish, titles, withdraw
from tests.stories.test_erased_everywhere import files, forms, holding, pieces, work
from tests.visitor import Visitor
from tests.world import Place, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient and Quimper, partners."""
    made = two_towns(tmp_path)
    yield made
    made.close()


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
        assert ack_records(place, place) == []  # it signs nothing
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


def test_tombstones_of_an_earlier_version_are_answered_after_the_migration(tmp_path: Path) -> None:
    first = tmp_path / "migrations"
    first.mkdir()
    for path in sorted(MIGRATIONS.glob("000[123]_*.py")):
        shutil.copy(path, first)
    database = open_database(tmp_path / "town.db")
    migrate(database, directory=first)
    with using(database):
        database.execute_sql(
            "INSERT INTO record (id, origin, scope, key, stamp, seconds, expires, kind, state,"
            " keyset, size_bytes, raw, received_ms, carrier)"
            " VALUES (?, ?, 1, ?, 1, 1, 9999, 'k/1', 1, 1, 9, x'', 77, x'')",
            (b"i" * 32, b"o" * 32, b"k" * 16),
        )
        migrate(database)
        (row,) = burials.pending()
        assert (row.origin, row.key, row.record, row.scope) == (b"o" * 32, b"k" * 16, b"i" * 32, 1)
        assert (row.at_ms, row.expires, row.kept, row.told_ms) == (77, 9999, "", None)
        assert burials.is_any_unlogged()
    database.close()
