"""Codes: who comes in, how often one may guess, and what is never written down."""

import re
from pathlib import Path
from typing import Any

import pytest

from node.domain.errors import NotAllowed, TooMany
from node.members import accounts, codes, rates
from node.store.database import write_tx
from node.store.people import members
from node.store.people.login_codes import LoginCode
from tests.node.members.people import (
    DAY,
    HERE,
    HOUR,
    MAIL,
    MINUTE,
    NOW,
    SECRET,
    anna,
    enter,
    issue,
    refusal,
)

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
