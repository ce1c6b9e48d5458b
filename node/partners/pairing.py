"""The pairing: an invitation, two cards exchanged under its code, six words compared by voice.

    invite ──▶ invitation text ──▶ accept (the other town) ──▶ both "words" ──▶ confirm ──▶ active
The link works when both admins have confirmed; until then neither visits the other,
and each answers the other with `unknown_peer` and keeps nothing of it.
"""

import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from federation import codec, pairing
from federation.errors import ProtocolError, RemoteProtocolError
from federation.keyset import parse_keyset
from federation.pairing import CODE_ALPHABET, CODE_LETTERS, CODE_LIFE_MS, Card
from federation.words import six_words
from node.domain.clock import Clock
from node.domain.errors import Conflict, NotFound
from node.domain.words import N_
from node.journal.keyring import Keyring
from node.store import audit, marks
from node.store.catalogue import listings
from node.store.database import write_tx
from node.store.network import (
    agreements,
    introductions,
    partners,
    quarantine,
    reaches,
    sightings,
    strikes,
    towns,
)
from node.store.network.partners import Partner
from node.store.promises import doubts
from node.store.sets import keysets, origins, record_store, rivals
from node.store.sets.record_store import SqlRecordStore

PATH = "/federation/v1/pair"
TRIES_MAX = 5
_MARK = "invitation"


@dataclass(frozen=True)
class Invitation:
    """An address and a one-use code, as text one person passes to another."""

    url: str
    code: str
    until_ms: int

    @property
    def text(self) -> str:
        """Return the invitation as it is sent: the address, then the code in two groups."""
        return f"{self.url}#{self.code[:5]}-{self.code[5:]}"


def read_invitation(text: str) -> tuple[str, str]:
    """Return (url, code) of an invitation as pasted or typed; raises Conflict("bad_invitation")."""
    found = re.fullmatch(r"\s*(https?://[^\s#]+)[#\s]+([0-9A-Za-z-]+)\s*", text)
    if not found:
        raise _bad()
    try:
        if not urlsplit(found[1]).hostname:
            raise _bad()
        return found[1].rstrip("/"), pairing.read_code(found[2])
    except (RemoteProtocolError, ValueError) as error:  # ValueError: an address such as http://[
        raise _bad() from error


def invite(url: str, clock: Clock, *, lan: bool = False) -> Invitation:
    """Make a new invitation to our town at `url`; an earlier one no longer counts.

    `lan`: who answers it may have an address of our own network.
    """
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LETTERS))
    invitation = Invitation(url.rstrip("/"), code, clock.now_ms() + CODE_LIFE_MS)
    kept = {"code": code, "until": invitation.until_ms, "tries": 0, "lan": lan}
    marks.write(_MARK, json.dumps(kept))
    return invitation


def card(keyring: Keyring, name: str, url: str) -> Card:
    """Return what our town says of itself when it is paired."""
    return Card(keyring.genesis, keyring.keyset, name, url)


def answer(raw: bytes, ours: Card, store: SqlRecordStore, clock: Clock) -> bytes:
    """Answer a town that knows our code: keep its card, use the code up, give it ours.

    Raises RemoteProtocolError("bad_invitation", 403) for a wrong, used or old code; the code is
    spent by TRIES_MAX wrong guesses.
    """
    with write_tx():  # one at a time: a code is used once, and every guess is counted
        kept = _open_invitation(clock.now_ms())
        code = str(kept["code"])
        try:
            theirs, nonce = pairing.decode("ask", raw, code)
            _not_ourselves(theirs, ours)
        except ProtocolError as error:
            refusal: ProtocolError = error
            marks.write(_MARK, json.dumps({**kept, "tries": kept["tries"] + 1}))
        else:
            marks.forget(_MARK)
            _keep(theirs, store, clock.now_ms())
            if kept.get("lan"):
                partners.save(theirs.town, lan=True)
            return pairing.encode("answer", ours, nonce, code)
    raise refusal


def ask(code: str, ours: Card) -> tuple[bytes, bytes]:
    """Return (message, nonce) with which our town answers an invitation."""
    nonce = secrets.token_bytes(pairing.NONCE_BYTES)
    return pairing.encode("ask", ours, nonce, code), nonce


def accepted(
    raw: bytes, nonce: bytes, code: str, ours: Card, store: SqlRecordStore, clock: Clock
) -> Partner:
    """Keep the card with which the inviting town answered us; raises RemoteProtocolError."""
    theirs, echoed = pairing.decode("answer", raw, code)
    if echoed != nonce:
        raise RemoteProtocolError("bad_invitation", "an answer to another question", 403)
    _not_ourselves(theirs, ours)
    with write_tx():
        return _keep(theirs, store, clock.now_ms())


def printable(said: str) -> str:
    """Return what a town said of itself without what would disturb a line or a terminal."""
    return "".join(each for each in said if each.isprintable()).strip()


def introduced_by(town: bytes) -> str:
    """Return the mark that keeps the digest of what a partner introduced last."""
    return f"introduced-by:{town.hex()}"


def words(one: bytes, other: bytes) -> list[str]:
    """Return the six words both admins must read the same, whichever town asks."""
    return six_words(one, other)


def confirm(town: bytes, clock: Clock, by: str = "") -> Partner:
    """Note that our admin compared the words: the link is open from our side.

    Raises NotFound, Conflict("not_paired").
    """
    with write_tx():
        partner = require(town)
        if partner.status not in ("words", "active", "introduced"):
            raise Conflict("not_paired", N_("This town is not waiting for its words."))
        audit.note("partner.confirm", at_ms=clock.now_ms(), actor=by, subject=town.hex())
        return partners.save(town, status="active", words_here=True, next_try_ms=0)


def introduce(town: bytes, to: bytes, clock: Clock) -> None:
    """Tell the partner `to` about `town`, whose words we compared; raises NotFound, Conflict."""
    partner, reader = require(town), require(to)
    if partner.status != "active" or reader.status != "active" or town == to:
        raise Conflict("not_paired", N_("Only a confirmed partner can be introduced to another."))
    introductions.give(to, town, clock.now_ms())


def introduced(text: str) -> bytes:
    """Return the id of the town a person means among those partners introduced.

    By its name or the beginning of its id. Raises NotFound, Conflict("ambiguous").
    """
    offered = [(each.town, each.name) for each in introductions.received()]
    return _meant(text, offered, _not_introduced())


def accept_introduced(town: bytes, store: SqlRecordStore, clock: Clock) -> Partner:
    """Hold a town a partner introduced: readable, no requests until its words are compared.

    A town that is a partner already stays one. Raises NotFound where nobody introduced it,
    Conflict("bad_keysets").
    """
    offered = next((each for each in introductions.received() if each.town == town), None)
    if offered is None or town == store.own:
        raise _not_introduced()
    with write_tx():
        _learn(town, offered.keysets, store)
        introductions.answer(town, "accepted")
        partners.hasten(clock.now_ms())
        held = partners.find(town)
        if held is not None and held.status in partners.HELD:
            return held
        return partners.save(
            town, name=offered.name, url=offered.url, status="introduced", since_ms=clock.now_ms()
        )


def _learn(town: bytes, keysets: bytes, store: SqlRecordStore) -> None:
    try:
        for raw in codec.sequence(keysets):
            keyset = parse_keyset(raw)
            if keyset.town == town:
                store.add_keyset(keyset)
    except RemoteProtocolError as error:
        raise Conflict("bad_keysets", N_("What was told of that town's keys is wrong.")) from error


def _not_introduced() -> NotFound:
    return NotFound("not_introduced", N_("No partner introduced that town."))


def remove(town: bytes, clock: Clock, by: str = "", detail: str = "") -> None:
    """End the link at once: nothing more is exchanged, what we held of the town is deleted.

    Where something was promised, `removal.begin` first (it comes here in the end).
    """
    with write_tx():
        require(town)
        partners.save(
            town, status="removed", words_here=False, words_there=False, peer_nonce=None,
            failures=0, down_since_ms=None, last_error="",
        )  # fmt: skip
        introductions.forget_partner(town)
        introductions.answer(town, "")
        marks.forget(introduced_by(town))
        listings.drop_origin(town)
        record_store.forget_origin(town)
        keysets.forget_town(town)
        rivals.forget_town(town)
        origins.freeze(town, False)
        towns.forget(town)
        quarantine.forget_partner(town)
        sightings.forget(town)
        strikes.forget(town)
        reaches.forget(town)
        doubts.forget_town(town)
        agreements.forget(town)
        now_ms = clock.now_ms()
        audit.note("partner.remove", at_ms=now_ms, actor=by, subject=town.hex(), detail=detail)


def require(town: bytes) -> Partner:
    """Return the partner with this town id; raises NotFound."""
    partner = partners.find(town)
    if partner is None:
        raise _unknown()
    return partner


def named(text: str) -> Partner:
    """Return the partner a person means by its name or the beginning of its id.

    Raises NotFound, Conflict("ambiguous").
    """
    held = {each.town: each for each in partners.listed()}
    return held[_meant(text, [(town, each.name) for town, each in held.items()], _unknown())]


def _meant(text: str, towns: Iterable[tuple[bytes, str]], absent: NotFound) -> bytes:
    wanted = text.strip().casefold()
    found = {
        town
        for town, name in towns
        if wanted and (name.casefold() == wanted or town.hex().startswith(wanted))
    }
    if not found:
        raise absent
    if len(found) > 1:
        raise Conflict("ambiguous", N_("Several towns answer to that; give more of the id."))
    return found.pop()


def _unknown() -> NotFound:
    return NotFound("unknown_town", N_("There is no such partner town."))


def _bad() -> Conflict:
    return Conflict(
        "bad_invitation",
        N_("An invitation is an address and a code, such as https://town.example#ABCDE-12345."),
    )


def _open_invitation(now_ms: int) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(marks.read(_MARK, "{}"))
    if not kept or kept["until"] < now_ms or kept["tries"] >= TRIES_MAX:
        raise RemoteProtocolError("bad_invitation", "no invitation is open", 403)
    return kept


def _not_ourselves(theirs: Card, ours: Card) -> None:
    if theirs.town == ours.town:
        raise RemoteProtocolError("bad_invitation", "a town cannot be its own partner", 409)


def _keep(theirs: Card, store: SqlRecordStore, now_ms: int) -> Partner:
    held = partners.find(theirs.town)
    for keyset in {theirs.genesis.id: theirs.genesis, theirs.keyset.id: theirs.keyset}.values():
        store.add_keyset(keyset)
    status = held.status if held is not None and held.status in partners.HELD else "words"
    return partners.save(
        theirs.town, name=theirs.name, url=theirs.url, status=status, since_ms=now_ms
    )
