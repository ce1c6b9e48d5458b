"""What a partner, or who pretends to be one, sends to a town of a `World`: signed by hand."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from federation import codec, limits
from federation.keys import SigningKey
from federation.keyset import Keyset
from federation.messages import Hello, decode_error
from federation.pairing import Card
from federation.record import LIVE, SCOPE_PUBLIC, Draft, Record, live_until, new_key, sign
from federation.signature import HttpReply, HttpRequest, sign_request, verify_response
from federation.stamp import next_stamp
from node.domain.schema import plain
from node.journal.keyring import Keyring
from node.members import accounts, sessions
from node.pages.around import slug
from node.partners import pairing
from node.practices.lending.practice import PRACTICE
from node.store import marks
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.network import exchanges, partners, refusals
from node.store.sets import records, sums
from tests.world import Place, World

KIND = PRACTICE.kind
TOWNS = ("Lorient", "Quimper", "Vannes")


def item(title: str, **more: Any) -> dict[str, Any]:
    """Return the body of an object to lend."""
    return plain(PRACTICE.schema.read({"title": title, "object": "bricolage", **more}))


def three_towns(folder: Path, *pairs: tuple[str, str]) -> World:
    """Return Lorient, Quimper and Vannes, paired two by two (all of them unless told)."""
    world = World(folder)
    for name in TOWNS:
        world.found(name)
    for one, other in pairs or (TOWNS[:2], TOWNS[1:], TOWNS[::2]):
        world.pair(one, other)
    return world


def publish(place: Place, *titles: str, scope: int = SCOPE_PUBLIC, **more: Any) -> list[Record]:
    """Publish objects of a town, in one transaction."""
    with place.inside() as town, write_tx():
        return [town.journal.publish(KIND, item(each, **more), scope=scope) for each in titles]


def revise(place: Place, record: Record, title: str, **more: Any) -> Record:
    """Publish a revision of a town's own object."""
    with place.inside() as town:
        return town.journal.publish(KIND, item(title, **more), key=record.key)


def withdraw(place: Place, record: Record) -> Record | None:
    """Withdraw a town's own object."""
    with place.inside() as town:
        return town.journal.withdraw(record.key)


def titles(place: Place, origin: Place | None = None) -> set[str]:
    """Return the titles a town shows (of one origin)."""
    with place.inside():
        query = Listing.select().where(Listing.state == "published")
        if origin is not None:
            query = query.where(Listing.origin == origin.town.id)
        return {each.title for each in query}


def listing(place: Place, record: Record) -> Listing | None:
    """Return what a town has of the register of a record."""
    with place.inside():
        return listings.find(record.origin, record.key)


def held_ids(place: Place, origin: bytes) -> set[bytes]:
    """Return the ids of the records a town holds of an origin."""
    with place.inside():
        return {row.id for row in records.walk(origin)}


def partner(place: Place, other: Place) -> Any:
    """Return a town's row of another."""
    with place.inside():
        return partners.find(other.town.id)


def refused(place: Place, other: Place) -> dict[str, int]:
    """Return {code: records} that a town refused from another."""
    with place.inside():
        return refusals.counts(other.town.id)


def visits(place: Place, other: Place) -> list[Any]:
    """Return the log of visits between a town and another, newest first."""
    with place.inside():
        return exchanges.latest(other.town.id)


def foreign_record(ring: Keyring, now_ms: int, title: str = "Perceuse", **more: Any) -> Record:
    """Return a record signed with a keyring, published nowhere."""
    stamp = next_stamp(now_ms, 0)
    draft = Draft(
        origin=ring.town,
        keyset=ring.keyset.number,
        key=new_key(),
        stamp=stamp,
        expires=live_until(stamp, 300),
        scope=SCOPE_PUBLIC,
        kind=KIND,
        state=LIVE,
        body=codec.dumps(item(title)),
    )
    return sign(replace(draft, **more), ring.signing)


def falsified(record: Record) -> bytes:
    """Return the bytes of a record with one bit of its signature changed."""
    return record.raw[:-1] + bytes([record.raw[-1] ^ 1])


def plant(place: Place, good: Sequence[Record]) -> list[Record]:
    """Make a town hold, and offer, false copies instead of these records of its own, as a hostile
    or a broken node would; return them.
    """
    false = [
        each._replace(raw=falsified(each), id=hashlib.sha256(falsified(each)).digest())
        for each in good
    ]
    with place.inside(), write_tx():
        records.delete(each.id for each in good)
        records.insert(false, b"", 0)
        sums.change(false, good)
    return false


# ── requests ─────────────────────────────────────────────────────────────────────────────────────


class Caller:
    """Somebody who signs requests as the town `near` and sends them to the town `far`."""

    def __init__(self, near: Place, far: Place, key: SigningKey | None = None) -> None:
        self.far, self.me, self.to = far, near.town.id, far.town.id
        self.key = key or near.town.keyring.signing
        self.keyset: Keyset = near.town.keyring.keyset
        self.nonce = b""

    def signed(self, path: str, body: bytes, method: str = "POST", **change: Any) -> HttpRequest:
        """Return a request with the headers that sign it; `change` any part of the signature."""
        said = {"me": self.me, "to": self.to, "nonce": self.nonce, "created_s": 1, **change}
        key = said.pop("key", self.key)
        query = said.pop("query", "")
        return sign_request(HttpRequest(method, path, body, query), key, **said)

    def send(self, request: HttpRequest) -> HttpReply:
        """Send a request as it is; return the answer as it is."""
        answer = self.far.app.test_client().open(
            request.path,
            method=request.method,
            data=request.body,
            headers=dict(request.headers),
            query_string=request.query,
        )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return HttpReply(answer.status_code, answer.get_data(), headers)

    def hello(self) -> HttpReply:
        """Say hello and keep the nonce of the answer."""
        body = Hello(limits.VERSION, (self.keyset.raw,)).encode()
        request = self.signed(limits.HELLO, body, nonce=secrets.token_bytes(16))
        reply = self.send(request)
        self._keep_nonce(reply, request)
        return reply

    def ask(self, path: str, body: bytes, method: str = "POST", **change: Any) -> HttpReply:
        """Send a signed request with the last nonce; keep the next one."""
        if not self.nonce:
            self.hello()
        request = self.signed(path, body, method, **change)
        reply = self.send(request)
        self._keep_nonce(reply, request)
        return reply

    def _keep_nonce(self, reply: HttpReply, request: HttpRequest) -> None:
        if "signature" in reply.headers:
            public = self.far.town.keyring.signing.public
            self.nonce = verify_response(reply, request, peer=self.to, public=public).nonce


def code_of(reply: HttpReply) -> str:
    """Return the code of a refusal."""
    return decode_error(reply.body)[0]


def card_of(place: Place) -> Card:
    """Return what a town says of itself when it is paired."""
    return pairing.card(place.town.keyring, place.town.config.name, place.town.config.url)


def pair_with(place: Place, message: bytes) -> HttpReply:
    """Send a pairing message to a town as anyone could."""
    answer = place.app.test_client().post(pairing.PATH, data=message)
    return HttpReply(answer.status_code, answer.get_data(), dict(answer.headers))


def open_invitation(place: Place) -> dict[str, Any]:
    """Return what the town keeps of its open invitation; empty when there is none."""
    with place.inside():
        return dict(json.loads(marks.read("invitation", "{}")))


# ── the desk ─────────────────────────────────────────────────────────────────────────────────────


def desk_page(place: Place, path: str, **headers: str) -> str:
    """Return a page of the desk as its administrator reads it, in French."""
    with place.inside() as town:
        admin = accounts.named("Accueil") or accounts.create(
            "Accueil", None, roles=("admin",), now_ms=town.clock.now_ms()
        )
        token = sessions.open(admin.id, now_ms=town.clock.now_ms())
    client = place.app.test_client()
    client.set_cookie(f"lavoir-{place.town.id.hex()[:8]}", token, domain="localhost")
    page = client.get(path, headers={"Accept-Language": "fr", **headers})
    assert page.status_code == 200, (page.status_code, page.text[-2_000:])
    return page.text


def desk_page_of(place: Place, other: Place) -> str:
    """Return a town's page of one of its partners."""
    return desk_page(place, f"/admin/villes/{slug(other.town.id)}")
