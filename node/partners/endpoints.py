"""What a partner may ask of us over HTTP: bytes in, bytes out; the rules are federation's."""

import logging
import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, current_app, request

from federation.boot import HearingHost
from federation.errors import ProtocolError, RemoteProtocolError
from federation.gate import Gate, Passage, headers
from federation.limits import CBOR, OCTETS
from federation.messages import Introduction, encode_error
from federation.session import Gave, PeerSeen, Received, Shelf
from federation.signature import HttpReply, HttpRequest
from node.domain.errors import DomainError
from node.journal import twins
from node.partners import exchange, hints, lookup, pairing
from node.partners.doorway import BUSY_S, Doorway
from node.partners.purse import Nonces
from node.store import marks, rates
from node.store.network import exchanges, introductions, partners, sightings, towns
from node.store.sets import origins, records

log = logging.getLogger(__name__)

blueprint = Blueprint("federation", __name__)

PAIRINGS_PER_HOUR = 20
HOUR_MS = 3_600_000


@blueprint.route("/federation/v1/<path:rest>", methods=["GET", "POST"])
def serve(rest: str) -> Response:
    """Answer a partner's request: who may ask, and what it is shown, is the gate's affair."""
    with _doorway().entered() as has_room:
        if not has_room:  # nothing was read of it, so nothing can be signed
            return _plain(_later(503, BUSY_S))
        return _plain(_reply())


def _reply() -> HttpReply:
    if request.headers.get("content-encoding"):
        return HttpReply(415, encode_error("content_encoding"))
    town = current_app.extensions["lavoir"]
    now_ms = town.clock.now_ms()
    if not _says_it_is_a_partner() and (wait_s := _doorway().wait_s(request.remote_addr, now_ms)):
        return _later(429, wait_s)
    asked = _asked()
    if request.path == pairing.PATH:
        return _pair(asked)
    if request.path == lookup.PATH:
        return lookup.answer(asked, town)
    passage = _gate(town).answer(asked, now_ms)
    if passage.peer is None:
        _doorway().refused(request.remote_addr, now_ms)
    else:
        _doorway().answered(passage.peer, len(passage.reply.body), now_ms)
    _note(town, asked, passage)
    return passage.reply


def _doorway() -> Doorway:
    """Return the doorway of this application."""
    doorway: Doorway = current_app.extensions["lavoir doorway"]
    return doorway


@blueprint.record
def _build_doorway(state: Any) -> None:
    threads = state.app.extensions["lavoir"].config.threads
    state.app.extensions["lavoir doorway"] = Doorway(at_once=max(1, threads // 2))
    state.app.extensions["lavoir shelf"] = Shelf()


def _says_it_is_a_partner() -> bool:
    """Say whether a request claims to be signed by one: then only its signature is judged."""
    found = re.search(r'keyid="([0-9a-f]{64})"', request.headers.get("signature-input", ""))
    return found is not None and partners.is_linked(bytes.fromhex(found[1]))


def _later(status: int, wait_s: int) -> HttpReply:
    body = encode_error("rate_limited", wait_s=wait_s)
    return HttpReply(status, body, headers(wait_s=wait_s))


def _asked() -> HttpRequest:
    return HttpRequest(
        request.method,
        request.path,
        request.get_data(cache=False),
        request.query_string.decode("latin-1"),
        {name.lower(): value for name, value in request.headers.items()},
    )


def _plain(reply: HttpReply) -> Response:
    headers = {"content-type": CBOR, **reply.headers, "cache-control": "no-store"}
    return Response(reply.body, reply.status, headers)


def _gate(town: Any) -> Gate:
    host = HearingHost(
        town.store,
        lambda raws, carrier, now_ms: town.journal.ingest(raws, carrier),
        town.id,
        gen=marks.number(marks.RESTORED_S),
        introductions=told_to,
        blob=_photo,
        fence=partners.raise_fence,
        secret=hints.secret(town.keyring),
        shelf=current_app.extensions["lavoir shelf"],
    )
    host.swap = twins.visited_by
    return Gate(
        host, town.keyring.signing, town.id, town.store, Nonces(), is_partner, _doorway().admitted
    )


def _photo(digest: bytes, peer: bytes) -> bytes | None:
    """Return a photo we hold, unless only listings show it that this peer may not see."""
    town = current_app.extensions["lavoir"]
    if not town.photos.may_see(digest, peer, town.id):
        return None
    try:
        return bytes(town.photos.path(digest).read_bytes())
    except DomainError:
        return None


def is_partner(town: bytes) -> bool:
    """Return whether a town may ask us anything: our admin compared its words.

    Raises RemoteProtocolError("frozen") for one that signed two keysets with one number.
    """
    partner = partners.find(town)
    if partner is not None and origins.is_frozen(town):
        raise RemoteProtocolError("frozen", "two keysets carry one number", 403)
    return partner is not None and partner.status in partners.LINKED


def told_to(peer: bytes) -> Sequence[Introduction]:
    """Return the towns our admin introduces to a partner, as they travel."""
    town = current_app.extensions["lavoir"]
    told = []
    for known in introductions.given_to(peer):
        partner, card = partners.find(known), towns.find(known)
        keysets = town.store.keysets(known)
        if partner is not None and partner.status == "active" and keysets:
            name = pairing.printable(card.name if card else "") or partner.name
            url = pairing.printable(card.url if card else "") or partner.url
            first_and_last = dict.fromkeys((keysets[0].raw, keysets[-1].raw))
            told.append(Introduction(known, name, url, tuple(first_and_last)))
    return told


def _pair(asked: HttpRequest) -> HttpReply:
    """Answer a town that says it knows our invitation's code."""
    town = current_app.extensions["lavoir"]
    now_ms = town.clock.now_ms()
    if asked.method != "POST" or not rates.allow("pair", PAIRINGS_PER_HOUR, HOUR_MS, now_ms):
        return _later(429, HOUR_MS // PAIRINGS_PER_HOUR // 1000)
    ours = pairing.card(town.keyring, town.config.name, town.config.url)
    try:
        answer = pairing.answer(asked.body, ours, town.store, town.clock)
    except RemoteProtocolError as error:
        return HttpReply(error.status_hint, encode_error(error.code))
    except (ProtocolError, DomainError) as error:
        return HttpReply(400, encode_error(error.code))
    return HttpReply(200, answer, {"content-type": OCTETS})


def _note(town: Any, asked: HttpRequest, passage: Passage) -> None:
    """Keep what the visitor said of itself, what it brought, and what of ours it now holds."""
    if passage.peer is None:
        return
    now_ms = town.clock.now_ms()
    for event in passage.events:
        if isinstance(event, PeerSeen):
            exchange.seen(passage.peer, event, now_ms)
            exchange.try_again(passage.peer, now_ms)
            sightings.came(passage.peer, now_ms)
        elif isinstance(event, Received):
            stored = sum(each.code == "stored" for each in event.outcomes)
            refused = sum(each.code.startswith("refused") for each in event.outcomes)
            line = exchanges.start(passage.peer, "in", now_ms)
            exchanges.finish(line, "ok", now_ms, received=stored, refused=refused)
        elif isinstance(event, Gave):
            records.mark_sent(records.unsent_sealed(event.ids), now_ms)
