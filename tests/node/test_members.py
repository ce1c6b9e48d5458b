"""Members: who comes in, how, how often, and who cannot leave last."""

import re
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany
from node.members import accounts, codes, passwords, rates, sessions
from node.store import audit, notices
from node.store.catalogue import holdings
from node.store.database import open_database, using, write_tx
from node.store.people import members
from node.store.people.login_codes import LoginCode
from node.store.people.sessions import Session
from node.store.schema import migrate

NOW = 1_795_000_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SECRET = b"s" * 32
MAIL = "anna@example.org"
HERE = "192.0.2.7"


@pytest.fixture(autouse=True)
def town(home: Path) -> Iterator[Any]:
    database = open_database(home / "lavoir.db")
    migrate(database)
    with using(database):
        yield database
    database.close()


def anna(role: str = "", email: str | None = MAIL) -> members.Member:
    return accounts.create("Anna", email, roles=(role,) if role else (), now_ms=NOW)


def issue(purpose: str = "login", **who: Any) -> str:
    return codes.issue(purpose, secret=SECRET, now_ms=NOW, **who)


def enter(
    code: str, email: str | None = None, now_ms: int = NOW, address: str = HERE
) -> members.Member:
    tried = codes.attempt(code, email, address=address, secret=SECRET, now_ms=now_ms)
    return codes.redeem(tried)


def refusal(kind: type[Exception], act: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(kind) as refused:
        act(*args, **named)
    error: Any = refused.value
    assert error.message % error.params
    return str(error.code)


# ── codes ────────────────────────────────────────────────────────────────────────────────────────


def test_a_code_is_eight_letters_nobody_confuses() -> None:
    said = {issue("desk", name="x") for _ in range(40)}
    assert len(said) == 40
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{4} [0-9A-HJKMNP-TV-Z]{4}", code) for code in said)


def test_a_code_is_not_in_the_database(home: Path, town: Any) -> None:
    code = issue(email=MAIL, member=anna().id)
    said = code.replace(" ", "").encode()
    assert all(said not in file.read_bytes() for file in home.glob("lavoir.db*"))
    assert len(LoginCode.get().code_hash) == 32


def test_a_code_lets_in_once() -> None:
    member = anna()
    code = issue(email=MAIL, member=member.id)
    assert enter(code, MAIL).id == member.id
    assert refusal(NotAllowed, enter, code, MAIL) == "wrong_code"


def test_a_code_may_be_typed_badly() -> None:
    member = anna()
    code = issue("desk", member=member.id)
    typed = "  " + code.lower().replace(" ", "-").replace("0", "o").replace("1", "l") + " "
    assert enter(typed).id == member.id


def test_of_two_at_once_one_comes_in() -> None:
    code = issue(email=MAIL, member=anna().id)
    tried = [codes.attempt(code, MAIL, address=HERE, secret=SECRET, now_ms=NOW) for _ in "12"]
    codes.redeem(tried[0])
    assert refusal(NotAllowed, codes.redeem, tried[1]) == "wrong_code"


@pytest.mark.parametrize(
    ("purpose", "life"), [("login", 15 * MINUTE), ("join", 15 * MINUTE), ("desk", 7 * DAY)]
)
def test_a_code_ends(purpose: str, life: int) -> None:
    email = None if purpose == "desk" else MAIL
    code = issue(purpose, email=email)
    assert refusal(NotAllowed, enter, code, email, NOW + life) == "wrong_code"
    assert enter(code, email, NOW + life - 1).email == email


def test_a_newer_code_ends_the_older() -> None:
    older, newer = (issue("join", email=MAIL) for _ in "12")
    assert refusal(NotAllowed, enter, older, MAIL) == "wrong_code"
    assert enter(newer, MAIL).email == MAIL


def test_codes_handed_out_to_two_new_people_both_work() -> None:
    first, second = issue("desk", name="Yann"), issue("desk", name="Mona")
    assert (enter(first).name, enter(second).name) == ("Yann", "Mona")
    assert accounts.by_email("") is None


def test_a_mailed_code_works_with_its_address_only() -> None:
    anna()
    code = issue("join", email="other@example.org")
    assert refusal(NotAllowed, enter, code, MAIL) == "wrong_code"
    assert refusal(NotAllowed, enter, code) == "wrong_code"
    assert enter(code, " Other@Example.org ").email == "other@example.org"


def test_five_wrong_tries_end_a_mailed_code() -> None:
    code = issue(email=MAIL, member=anna().id)
    for _ in range(5):
        assert refusal(NotAllowed, enter, "0000 0000", MAIL) == "wrong_code"
    assert refusal(NotAllowed, enter, code, MAIL) == "wrong_code"


def test_four_wrong_tries_do_not() -> None:
    member = anna()
    code = issue(email=MAIL, member=member.id)
    for _ in range(4):
        refusal(NotAllowed, enter, "0000 0000", MAIL)
    assert enter(code, MAIL).id == member.id


def test_a_stranger_cannot_burn_a_code_handed_out_at_the_desk() -> None:
    member = anna()
    code = issue("desk", member=member.id)
    for number in range(10):
        refusal(NotAllowed, enter, "0000 0000", MAIL, address=f"192.0.2.{number}")
    assert enter(code, MAIL).id == member.id


def test_a_wrong_try_stays_counted_because_it_is_made_outside_a_transaction() -> None:
    with pytest.raises(RuntimeError), write_tx():
        codes.attempt("0000 0000", MAIL, address=HERE, secret=SECRET, now_ms=NOW)


def test_one_address_tries_so_often_only() -> None:
    for _ in range(rates.RATES["code_tried"].limit):
        refusal(NotAllowed, enter, "0000 0000")
    assert refusal(TooMany, enter, "0000 0000") == "too_many"
    assert refusal(NotAllowed, enter, "0000 0000", address="192.0.2.8") == "wrong_code"
    assert refusal(NotAllowed, enter, "0000 0000", now_ms=NOW + HOUR) == "wrong_code"


def test_a_code_for_an_address_nobody_has_makes_the_account() -> None:
    code = codes.by_mail(MAIL, secret=SECRET, now_ms=NOW)
    assert code is not None and members.by_email(MAIL) is None
    member = enter(code, MAIL)
    assert (member.email, member.role, member.status) == (MAIL, "resident", "active")
    again = codes.by_mail(MAIL, secret=SECRET, now_ms=NOW)
    assert again is not None and enter(again, MAIL).id == member.id


def test_a_member_who_joined_meanwhile_is_not_made_twice() -> None:
    code = issue("join", email=MAIL)
    member = anna()
    assert enter(code, MAIL).id == member.id


def test_a_suspended_member_gets_and_uses_no_code() -> None:
    member = anna()
    code = issue("desk", member=member.id)
    accounts.suspend(member.id, by=None, now_ms=NOW)
    assert codes.by_mail(MAIL, secret=SECRET, now_ms=NOW) is None
    assert refusal(NotAllowed, enter, code) == "wrong_code"


# ── rates ────────────────────────────────────────────────────────────────────────────────────────


def test_the_table_is_what_the_settings_say() -> None:
    class Settings:
        codes_per_hour = 2

    limits = rates.table(Settings())
    for _ in range(2):
        rates.take("code_asked", MAIL, secret=SECRET, now_ms=NOW, limits=limits)
    assert refusal(
        TooMany, rates.take, "code_asked", MAIL, secret=SECRET, now_ms=NOW, limits=limits
    )
    assert limits["code_tried"] == rates.RATES["code_tried"]


def test_nobody_s_address_is_written_down(home: Path) -> None:
    rates.take("post", HERE, secret=SECRET, now_ms=NOW)
    rates.take("code_asked", MAIL, secret=SECRET, now_ms=NOW)
    for file in home.glob("lavoir.db*"):
        assert HERE.encode() not in file.read_bytes() and MAIL.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("a; drop table", "unknown"),
    ],
)
def test_one_household_is_one_address(address: str | None, said: str) -> None:
    assert rates.network(address) == said


# ── accounts ─────────────────────────────────────────────────────────────────────────────────────


def test_of_several_roles_the_highest_counts() -> None:
    assert (
        accounts.create("B", roles=(accounts.ADMIN, accounts.RESIDENT), now_ms=NOW).role
        == accounts.ADMIN
    )
    member = anna(accounts.MODERATOR)
    assert accounts.may(member, accounts.RESIDENT) and accounts.may(member, accounts.MODERATOR)
    assert not accounts.may(member, accounts.ADMIN) and not accounts.may(None, accounts.RESIDENT)


def test_one_address_has_one_account() -> None:
    anna()
    assert refusal(Conflict, accounts.create, "B", " ANNA@example.org", now_ms=NOW) == "email_taken"


@pytest.mark.parametrize(
    "email",
    ["anna", "anna@", "@example.org", "a b@example.org", "a@b", "a@b.c,d@e.f", "a@b.c\nBcc: d@e.f",
     "<a@b.org>", "a@" + "b" * 260 + ".org", 'a"@b.org'],
)  # fmt: skip
def test_what_is_no_address_is_refused(email: str) -> None:
    assert refusal(Invalid, accounts.create, "A", email, now_ms=NOW) == "not_an_address"


@given(st.text(max_size=60))
def test_no_typed_address_reaches_a_header_line(text: str) -> None:
    try:
        kept = accounts.clean_email(text)
    except Invalid:
        return
    assert kept.isprintable() and not set(kept) & set(" \r\n,;<>") and kept.count("@") == 1


def test_only_what_a_person_says_of_herself_can_be_changed_by_a_form() -> None:
    member = anna()
    accounts.change(member.id, name="  Anna  Le Goff ", language="br")
    assert (accounts.find(member.id).name, accounts.find(member.id).language) == (
        "Anna Le Goff",
        "br",
    )
    with pytest.raises(ValueError):
        accounts.change(member.id, role="admin")
    assert refusal(Invalid, accounts.change, member.id, name="x" * 81) == "too_long"
    assert refusal(Invalid, accounts.change, member.id, language="xx") == "unknown_choice"


def test_the_last_admin_stays() -> None:
    first = anna(accounts.ADMIN)
    for act, args in (
        (accounts.set_role, (first.id, accounts.RESIDENT)),
        (accounts.suspend, (first.id,)),
        (accounts.erase, (first.id, lambda key: None)),
    ):
        assert refusal(Conflict, act, *args, by=first.id, now_ms=NOW) == "last_admin"
    assert accounts.find(first.id).role == accounts.ADMIN
    second = accounts.create("B", roles=(accounts.ADMIN,), now_ms=NOW)
    accounts.suspend(second.id, by=first.id, now_ms=NOW)
    assert refusal(Conflict, accounts.suspend, first.id, by=None, now_ms=NOW) == "last_admin"
    accounts.restore(second.id, by=first.id, now_ms=NOW)
    accounts.set_role(first.id, accounts.RESIDENT, by=second.id, now_ms=NOW)
    assert refusal(Conflict, accounts.suspend, second.id, by=None, now_ms=NOW) == "last_admin"


def test_two_admins_who_remove_each_other_do_not_both_succeed(town: Any) -> None:
    two = [accounts.create(name, roles=(accounts.ADMIN,), now_ms=NOW).id for name in "AB"]
    told: list[str] = []

    def remove(other: int) -> None:
        with using(town):
            try:
                accounts.set_role(other, accounts.RESIDENT, by=None, now_ms=NOW)
                told.append("done")
            except Conflict as refused:
                told.append(refused.code)
            town.close()

    threads = [threading.Thread(target=remove, args=(number,)) for number in two]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["done", "last_admin"]


def test_an_erased_member_leaves_a_number_and_nothing_else(home: Path) -> None:
    member = accounts.create("CANARY-NAME", "canary@example.org", now_ms=NOW)
    accounts.change(member.id, phone="CANARY-PHONE")
    token = sessions.open(member.id, now_ms=NOW, device="CANARY-DEVICE")
    issue(email="canary@example.org", member=member.id)
    notices.queue("x", now_ms=NOW, member=member.id, params="CANARY-PARAMS")
    holdings.keep(b"k" * 16, member.id, NOW)
    audit.note("x", at_ms=NOW, actor="CANARY-ACTOR", member=member.id)
    withdrawn: list[bytes] = []
    accounts.erase(member.id, withdrawn.append, by=member.id, now_ms=NOW)
    assert withdrawn == [b"k" * 16]
    assert sessions.find(token, now_ms=NOW) is None
    assert refusal(NotFound, accounts.find, member.id) == "no_member"
    held = sqlite3.connect(f"file:{home / 'lavoir.db'}?mode=ro", uri=True)
    dump = "\n".join(line for line in held.iterdump() if "INSERT" in line)
    held.close()
    assert "canary" not in dump.lower()


def test_a_failed_erasure_changes_nothing() -> None:
    member = anna()
    holdings.keep(b"k" * 16, member.id, NOW)

    def broken(key: bytes) -> None:
        raise Conflict("clock", "no")

    with pytest.raises(Conflict):
        accounts.erase(member.id, broken, by=None, now_ms=NOW)
    assert accounts.find(member.id).name == "Anna" and holdings.of_member(member.id)


# ── sessions ─────────────────────────────────────────────────────────────────────────────────────


def test_only_the_hash_of_a_session_is_kept(home: Path) -> None:
    member = anna()
    token = sessions.open(member.id, now_ms=NOW, device="Firefox")
    found = sessions.find(token, now_ms=NOW)
    assert found is not None and found.id == member.id and len(token) == 43
    assert all(token.encode() not in file.read_bytes() for file in home.glob("lavoir.db*"))


def test_a_session_lasts_thirty_days_from_the_last_visit() -> None:
    token = sessions.open(anna().id, now_ms=NOW)
    for day in range(0, 80, 20):
        assert sessions.find(token, now_ms=NOW + day * DAY) is not None
    assert sessions.find(token, now_ms=NOW + 60 * DAY + 30 * DAY) is None


def test_reading_pages_hardly_writes() -> None:
    token = sessions.open(anna().id, now_ms=NOW)
    before = Session.get().until_ms
    sessions.find(token, now_ms=NOW + DAY - 1)
    assert Session.get().until_ms == before


def test_a_login_ends_the_session_the_browser_had() -> None:
    member = anna()
    old = sessions.open(member.id, now_ms=NOW)
    new = sessions.open(member.id, now_ms=NOW, old=old)
    assert sessions.find(old, now_ms=NOW) is None and sessions.find(new, now_ms=NOW) is not None


def test_a_member_ends_one_session_or_all() -> None:
    member, other = anna(), accounts.create("B", now_ms=NOW)
    one, two, three = (sessions.open(member.id, now_ms=NOW + each) for each in range(3))
    theirs = sessions.open(other.id, now_ms=NOW)
    names = [sessions.name_of(each) for each in sessions.listed(member.id)]
    sessions.close_one(other.id, names[0])  # not hers to end
    assert len(sessions.listed(member.id)) == 3
    sessions.close_one(member.id, names[0])  # the last one seen
    assert sessions.find(three, now_ms=NOW) is None
    assert sessions.close_all(member.id, but=one) == 1
    assert sessions.find(two, now_ms=NOW) is None and sessions.find(one, now_ms=NOW) is not None
    assert sessions.find(theirs, now_ms=NOW) is not None


def test_a_suspended_member_is_out_at_once() -> None:
    member = anna()
    token = sessions.open(member.id, now_ms=NOW)
    accounts.suspend(member.id, by=None, now_ms=NOW)
    assert sessions.find(token, now_ms=NOW) is None


@pytest.mark.parametrize("token", ["", "x", "é" * 50, "\ud800", "\0" * 43])
def test_a_made_up_token_is_nobody(token: str) -> None:
    anna()
    assert sessions.find(token, now_ms=NOW) is None


# ── passwords ────────────────────────────────────────────────────────────────────────────────────

GOOD = "le lavoir est plein"


def knock(
    email: str = MAIL, password: str = GOOD, address: str = HERE, now_ms: int = NOW
) -> members.Member:
    return passwords.attempt(email, password, address=address, secret=SECRET, now_ms=now_ms)


def test_a_password_lets_in_and_a_change_ends_the_other_sessions() -> None:
    member = anna()
    here, there = sessions.open(member.id, now_ms=NOW), sessions.open(member.id, now_ms=NOW)
    passwords.choose(member.id, GOOD, keep=sessions.token_hash(here))
    assert sessions.find(here, now_ms=NOW) is not None and sessions.find(there, now_ms=NOW) is None
    assert accounts.find(member.id).password.startswith("$argon2id$")
    assert knock(" Anna@Example.ORG ").id == member.id
    passwords.choose(member.id, "")
    assert refusal(NotAllowed, knock) == "wrong_password"


def test_a_wrong_password_and_an_unknown_address_are_answered_alike() -> None:
    passwords.choose(anna().id, GOOD)
    answers = []
    for email, password in ((MAIL, "something else"), ("nobody@example.org", GOOD), ("", GOOD)):
        with pytest.raises(NotAllowed) as refused:
            knock(email, password)
        answers.append((refused.value.code, refused.value.message, refused.value.params))
    assert len(set(map(str, answers))) == 1


def test_a_suspended_member_s_password_is_wrong() -> None:
    member = anna()
    passwords.choose(member.id, GOOD)
    accounts.suspend(member.id, by=None, now_ms=NOW)
    assert refusal(NotAllowed, knock) == "wrong_password"


@pytest.mark.parametrize(
    ("password", "code"),
    [("short", "length"), ("x" * 201, "length"), ("abababababababab", "too_easy"),
     ("my name is ANNA ok", "too_easy")],
)  # fmt: skip
def test_a_weak_password_is_refused(password: str, code: str) -> None:
    assert refusal(Invalid, passwords.choose, anna().id, password) == code


def test_guessing_makes_the_guesser_wait_but_never_shuts_the_member_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    member = anna()
    monkeypatch.setattr(passwords, "_verified", lambda hashed, password: False)  # its time only
    for number in range(10):
        assert refusal(NotAllowed, knock, address=f"192.0.2.{number}") == "wrong_password"
    assert refusal(TooMany, knock, address="192.0.2.99") == "too_many"
    code = codes.by_mail(MAIL, secret=SECRET, now_ms=NOW)
    assert code is not None and enter(code, MAIL).id == member.id
    assert refusal(NotAllowed, knock, now_ms=NOW + HOUR) == "wrong_password"


def test_no_more_than_two_passwords_are_tried_at_a_time(
    town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords.choose(anna().id, GOOD)
    monkeypatch.setattr(passwords, "WAIT_S", 0.05)
    with passwords._slot(), passwords._slot():
        assert refusal(TooMany, knock) == "busy"
    assert knock().email == MAIL
