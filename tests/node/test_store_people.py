"""The members: one-use codes, sessions that end at once, forms that do their thing once."""

import multiprocessing

import peewee
import pytest

from node.domain.errors import Conflict
from node.store.database import DRIVERS, open_database, using, write_tx
from node.store.people import login_codes, members, sessions, tokens
from node.store.schema import migrate

NOW_MS = 1_795_000_000_000
HOUR_MS = 3_600_000
spawn = multiprocessing.get_context("spawn")


@pytest.fixture(autouse=True, params=DRIVERS)
def database(tmp_path, request):
    made = open_database(tmp_path / "town.db", request.param)
    migrate(made)
    with using(made):
        yield made
    made.close()


def test_an_address_has_one_member_however_it_is_written():
    anne = members.join("Anne", now_ms=NOW_MS, email=" Anne@Example.org ")
    assert members.by_email("ANNE@example.org") == anne
    with pytest.raises(peewee.IntegrityError):
        members.join("Autre Anne", now_ms=NOW_MS, email="anne@example.org")


def test_many_members_may_have_no_address():
    for name in ("Anne", "Yann"):
        members.join(name, now_ms=NOW_MS)
    assert [each.name for each in members.listed()] == ["Anne", "Yann"]
    assert members.by_email("") is None


def test_roles_and_statuses_are_the_known_ones():
    anne = members.join("Anne", now_ms=NOW_MS)
    members.change(anne.id, role="moderator", email="A@B.fr")
    assert [each.email for each in members.listed(role="moderator", status="active")] == ["a@b.fr"]
    for wrong in ({"role": "king"}, {"status": "gone"}):
        with pytest.raises(ValueError, match="unknown"):
            members.change(anne.id, **wrong)


def test_an_erased_member_leaves_a_number_and_nothing_else():
    anne = members.join("Anne", now_ms=NOW_MS, email="a@b.fr", phone="02", password="hash")
    members.erase(anne.id)
    row = members.find(anne.id)
    assert (row.name, row.email, row.phone, row.password, row.status) == (
        "",
        None,
        "",
        "",
        "erased",
    )
    assert row.ref != anne.ref
    assert members.join("Anne", now_ms=NOW_MS, email="a@b.fr").id != anne.id


def test_a_code_lets_in_once_and_only_in_time():
    give = {"now_ms": NOW_MS, "until_ms": NOW_MS + HOUR_MS}
    login_codes.give(b"h1", "login", member=1, **give)
    assert login_codes.spend(b"h1", NOW_MS + HOUR_MS) is None
    assert login_codes.spend(b"h1", NOW_MS).member == 1
    assert login_codes.spend(b"h1", NOW_MS) is None
    login_codes.give(b"h2", "login", member=1, **give)
    assert login_codes.sweep(NOW_MS + HOUR_MS) == 1


def test_a_newer_code_replaces_the_older_of_the_same_person_and_purpose():
    give = {"now_ms": NOW_MS, "until_ms": NOW_MS + HOUR_MS}
    login_codes.give(b"h1", "join", email="a@b.fr", **give)
    login_codes.give(b"h2", "join", email="c@d.fr", **give)
    login_codes.give(b"h3", "join", email="a@b.fr", name="Anne", **give)
    login_codes.give(b"h4", "login", member=1, **give)
    assert login_codes.spend(b"h1", NOW_MS) is None
    assert login_codes.spend(b"h2", NOW_MS).email == "c@d.fr"
    assert login_codes.spend(b"h3", NOW_MS).name == "Anne"
    assert login_codes.spend(b"h4", NOW_MS) is not None


def test_too_many_wrong_tries_end_a_code():
    login_codes.give(b"h1", "login", member=1, now_ms=NOW_MS, until_ms=NOW_MS + HOUR_MS)
    for _ in range(login_codes.TRIES):
        login_codes.missed(member=1)
    assert login_codes.spend(b"h1", NOW_MS) is None


def test_a_session_lasts_until_its_end_or_until_it_is_ended():
    anne = members.join("Anne", now_ms=NOW_MS)
    for token in (b"t1", b"t2", b"t3"):
        sessions.start(token, anne.id, now_ms=NOW_MS, until_ms=NOW_MS + HOUR_MS, device="Firefox")
    assert sessions.member_of(b"t1", NOW_MS + HOUR_MS - 1) == anne
    assert sessions.member_of(b"t1", NOW_MS + HOUR_MS) is None
    assert sessions.member_of(b"unknown", NOW_MS) is None
    sessions.end(b"t1")
    assert sessions.member_of(b"t1", NOW_MS) is None
    assert sessions.end_all(anne.id, but=b"t2") == 1
    assert [each.token_hash for each in sessions.of_member(anne.id)] == [b"t2"]
    assert sessions.sweep(NOW_MS + HOUR_MS) == 1


def test_a_suspended_member_is_out_at_once():
    anne = members.join("Anne", now_ms=NOW_MS)
    sessions.start(b"t", anne.id, now_ms=NOW_MS, until_ms=NOW_MS + HOUR_MS)
    members.change(anne.id, status="suspended")
    assert sessions.member_of(b"t", NOW_MS) is None


def test_reading_pages_hardly_ever_writes(database):
    anne = members.join("Anne", now_ms=NOW_MS)
    sessions.start(b"t", anne.id, now_ms=NOW_MS, until_ms=NOW_MS + 10 * HOUR_MS)
    written = []
    database.query_hooks.append(lambda event: written.append(event.sql))
    for minute in range(4):
        sessions.member_of(b"t", NOW_MS + minute * 60_000)
    assert not [sql for sql in written if sql.startswith("UPDATE")]
    sessions.member_of(b"t", NOW_MS + 5 * 60_000)
    assert len([sql for sql in written if sql.startswith("UPDATE")]) == 1


def test_a_form_does_its_thing_once_and_answers_the_same_ever_after():
    assert tokens.claim(b"t", 1, "/a/K7QM/demander", NOW_MS) is None
    tokens.answer(b"t", 303, "/demandes/1")
    again = tokens.claim(b"t", 1, "/a/K7QM/demander", NOW_MS + 1)
    assert (again.status, again.location) == (303, "/demandes/1")
    for member, path in ((2, "/a/K7QM/demander"), (None, "/a/K7QM/demander"), (1, "/publier")):
        with pytest.raises(Conflict):
            tokens.claim(b"t", member, path, NOW_MS)
    assert tokens.sweep(NOW_MS + 1) == 1


def test_a_form_whose_thing_failed_may_be_sent_again():
    with pytest.raises(KeyError), write_tx():
        assert tokens.claim(b"t", 1, "/publier", NOW_MS) is None
        raise KeyError
    assert tokens.claim(b"t", 1, "/publier", NOW_MS) is None


def test_of_four_processes_one_is_first(database):
    driver = "sqlite3" if type(database) is peewee.SqliteDatabase else "apsw"
    with spawn.Pool(4) as pool:
        firsts = pool.starmap(_claim_all, [(database.database, driver)] * 4)
    assert sorted(token for first in firsts for token in first) == list(range(50))


def _claim_all(path, driver):
    with using(open_database(path, driver)):
        return [n for n in range(50) if tokens.claim(bytes([n]), None, "/", NOW_MS) is None]
