"""The look-up, both ends: a town that has only its words asks a partner what it once was."""

from contextlib import closing
from typing import Any

from federation import lookup
from federation.errors import RemoteProtocolError
from federation.lookup import LOOKUP_MAX_BYTES, PATH, Found, Lookup
from federation.messages import encode_error
from federation.signature import HttpReply, HttpRequest
from node.partners import pairing
from node.store import rates
from node.store.sets import keysets

ASKED_PER_HOUR = 60
HOUR_MS = 3_600_000

__all__ = ["PATH", "answer", "ask"]


def answer(asked: HttpRequest, town: Any) -> HttpReply:
    """Answer whoever asks with the keysets of a town accepted here; nothing else is told."""
    if not rates.allow("lookup", ASKED_PER_HOUR, HOUR_MS, town.clock.now_ms()):
        return HttpReply(429, encode_error("rate_limited"))
    try:
        if asked.method != "GET":
            raise RemoteProtocolError("not_found", asked.method, 404)
        root = lookup.read_query(asked.query)
    except RemoteProtocolError as error:
        return HttpReply(error.status_hint, encode_error(error.code))
    accepted = town.store.accepted()
    of_root = (
        held for one, held in keysets.by_town().items() if one in accepted and held[0].root == root
    )
    held = next(of_root, None)
    if held is None:
        return HttpReply(404, encode_error("not_found"))
    ours = keysets.of_town(town.id)
    name = pairing.printable(town.config.name)[:80]
    told = Lookup(lookup.first_and_last(held), lookup.first_and_last(ours), name)
    return HttpReply(200, told.encode())


def ask(connect: Any, url: str, root: bytes, *, lan: bool) -> Found:
    """Ask the node at `url` for the town of a root public key; raises RemoteProtocolError."""
    request = HttpRequest("GET", PATH, query=lookup.query(root))
    with closing(connect(url, lan=lan)) as link:
        reply = link.send(request, LOOKUP_MAX_BYTES)
    if reply.status == 404:
        raise RemoteProtocolError("not_found", f"{url} knows no town of these words")
    if reply.status != 200:
        raise RemoteProtocolError("http_status", f"HTTP {reply.status}", reply.status)
    return lookup.found(reply.body, root)
