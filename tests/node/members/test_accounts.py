"""Accounts: names, roles, and who cannot leave last."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.errors import Conflict, Invalid, NotFound
from node.members import accounts, sessions
from node.store import audit, notices
from node.store.catalogue import holdings
from node.store.database import using
from tests.node.members.people import NOW, anna, issue, refusal

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
    for act, args, named in (
        (accounts.set_role, (first.id, accounts.RESIDENT), {}),
        (accounts.suspend, (first.id,), {}),
        (accounts.erase, (first.id,), {"let_go": print, "withdraw": print}),
    ):
        assert refusal(Conflict, act, *args, **named, by=first.id, now_ms=NOW) == "last_admin"
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
    told: list[object] = []
    accounts.erase(member.id, let_go=told.append, withdraw=told.append, by=member.id, now_ms=NOW)
    assert told == [member.id, b"k" * 16]  # the engagements first: they must know whose they are
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
        accounts.erase(member.id, let_go=print, withdraw=broken, by=None, now_ms=NOW)
    assert accounts.find(member.id).name == "Anna" and holdings.of_member(member.id)
