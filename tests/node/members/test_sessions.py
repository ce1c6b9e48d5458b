"""Sessions and passwords: how long they last and how they end."""

from pathlib import Path
from typing import Any

import pytest

from node.domain.errors import Invalid, NotAllowed, TooMany
from node.members import accounts, codes, passwords, sessions
from node.store.people import members
from node.store.people.sessions import Session
from tests.node.members.people import DAY, HERE, HOUR, MAIL, NOW, SECRET, anna, enter, refusal

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
