"""Admission without pages: invitations used at once, answers, what an erased person leaves."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from node.domain.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from node.members import accounts, admission, told
from node.store import audit
from node.store.catalogue import listings
from node.store.database import using
from node.store.people import desk_words, invitations, members, reports
from tests.node.members.people import DAY, HERE, MAIL, NOW, SECRET, anna, enter, issue, refusal


def invite(member: int, uses: int = 1, days: int = 7) -> str:
    return admission.invite(member, uses=uses, days=days, note="", secret=SECRET, now_ms=NOW)


def look(code: str, now_ms: int = NOW) -> bytes:
    return admission.look(code, address=HERE, secret=SECRET, now_ms=now_ms)


def test_the_last_use_of_an_invitation_is_used_once_by_whoever_comes_first(town: Any) -> None:
    code_hash = look(invite(anna().id, uses=3))
    said: list[str] = []

    def come(number: int) -> None:
        with using(town):
            try:
                admission.join(code_hash, f"Ami {number}", mode="open", language="", now_ms=NOW)
                said.append("in")
            except DomainError as error:
                said.append(error.code)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["in"] * 3 + ["wrong_code"] * 5
    assert len(members.listed()) == 4


def test_only_a_keyed_hash_of_an_invitation_is_kept(home: Path) -> None:
    code = invite(anna().id).replace(" ", "")
    held = sqlite3.connect(f"file:{home / 'lavoir.db'}?mode=ro", uri=True)
    dump = "\n".join(held.iterdump())
    held.close()
    assert code not in dump and code.lower() not in dump.lower()
    assert refusal(NotAllowed, look, code, NOW + 7 * DAY) == "wrong_code"


def test_an_invitation_is_of_a_member_and_so_many_live_at_a_time() -> None:
    member = anna().id
    for _ in range(admission.LIVING_MAX):
        invite(member)
    assert refusal(Conflict, invite, member) == "too_many_living"
    waiting = accounts.create("Gwenn", now_ms=NOW, status="pending").id
    assert refusal(NotAllowed, invite, waiting) == "role"


def test_an_invitation_without_a_name_is_not_used_up() -> None:
    code_hash = look(invite(anna().id))
    for name in ("", "  ", "x" * 81):
        with pytest.raises(Invalid):
            admission.join(code_hash, name, mode="open", language="", now_ms=NOW)
    assert invitations.good(code_hash, NOW) is not None


def test_who_waits_is_answered_once() -> None:
    desk, waiting = anna(accounts.MODERATOR).id, accounts.create("G", now_ms=NOW, status="pending")
    admission.accept(waiting.id, by=desk, now_ms=NOW)
    for act in (admission.accept, admission.refuse):
        with pytest.raises(Conflict, match="not_waiting"):
            act(waiting.id, by=desk, words="Non.", now_ms=NOW)
    assert refusal(NotFound, admission.accept, 99, by=desk, now_ms=NOW) == "no_member"
    assert [each.action for each in audit.latest()].count("member.admit") == 1


def test_a_member_does_not_apply() -> None:
    with pytest.raises(Conflict):
        admission.apply(anna().id, name="Anna", words="Encore moi.", now_ms=NOW)


def test_an_unknown_kind_of_word_is_our_own_fault() -> None:
    with pytest.raises(KeyError):
        told.tell(anna().id, "praised", now_ms=NOW)


def test_a_code_for_a_new_address_lets_nobody_in() -> None:
    member = anna()
    code = issue("address", email="nouvelle@example.org", member=member.id)
    assert refusal(NotAllowed, enter, code, "nouvelle@example.org") == "wrong_code"


def test_an_erased_person_leaves_no_word_of_moderation_or_membership(home: Path) -> None:
    desk = accounts.create("Desk", roles=(accounts.MODERATOR,), now_ms=NOW).id
    person = accounts.create("CANARY-NAME", MAIL, now_ms=NOW, status="pending").id
    admission.apply(person, name="CANARY-NAME", words="CANARY-APPLIED", now_ms=NOW)
    admission.refuse(person, by=desk, words="CANARY-REASON", now_ms=NOW)
    admission.apply(person, name="CANARY-NAME", words="CANARY-AGAIN", now_ms=NOW)
    admission.accept(person, by=desk, now_ms=NOW)
    admission.prove(person, True, by=desk, now_ms=NOW)
    admission.invite(person, uses=1, days=1, note="CANARY-NOTE", secret=SECRET, now_ms=NOW)
    told.tell(person, "warned", "CANARY-WORD", now_ms=NOW)
    audit.note("moderation.warn", at_ms=NOW, actor="Desk", subject=f"member/{person}",
               detail="K7QM: CANARY-JUDGED")  # fmt: skip
    reports.keep(
        b"o" * 32, b"k" * 16, f"m{person}", member=person, reason="other", text="CANARY-TEXT",
        seen=b"s" * 8, at_ms=NOW,
    )  # fmt: skip
    accounts.erase(person, let_go=print, withdraw=print, by=person, now_ms=NOW)
    held = sqlite3.connect(f"file:{home / 'lavoir.db'}?mode=ro", uri=True)
    dump = "\n".join(line for line in held.iterdump() if "INSERT" in line)
    held.close()
    assert "canary" not in dump.lower()
    row = members.find(person)
    assert row is not None and (row.resident_ms, row.resident_by, row.invited_by) == (None,) * 3
    assert not desk_words.of_member(person)
    assert listings.find(b"o" * 32, b"k" * 16) is None
