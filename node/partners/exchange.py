"""One visit to one partner: what was said is kept, what failed is noted, the next is planned."""

import logging
import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from federation.adapters.http import HttpLink
from federation.adapters.http.address import read_origin
from federation.channel import Channel
from federation.checkpoint import Vouch
from federation.errors import ProtocolError, RemoteProtocolError
from federation.keyset import parse_keyset, verify_chain
from federation.limits import OCTETS
from federation.messages import Introduction
from federation.session import (
    Differs,
    Done,
    Event,
    Hinted,
    Introduced,
    PeerSeen,
    Received,
    Sent,
    Unasked,
    Undelivered,
    Visit,
    drive,
)
from federation.signature import HttpRequest
from node.domain.errors import Conflict, DomainError
from node.domain.words import N_
from node.journal.journal import Journal
from node.partners import hints, pairing, presence, strikes
from node.partners.purse import Purse
from node.partners.rounds import Rounds
from node.store import marks
from node.store.database import db, write_tx
from node.store.network import exchanges, introductions, partners
from node.store.network.partners import Partner
from node.store.sets import records

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]

TAKEN = ("stored", "known", "older")
PAIR_MAX_BYTES = 8_192
MINUTE_MS = 60_000
PHOTOS_MAX_MS = MINUTE_MS  # of one visit: then the other partners have their turn


@dataclass
class Outcome:
    """How one visit ended: `outcome` is ok or an error code; records and bytes counted.

    `has_more`: photos are left that a next visit should bring soon. `wait_ms`: how long the partner
    asked to be left alone.
    """

    outcome: str = "ok"
    received: int = 0
    sent: int = 0
    refused: int = 0
    round_trips: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    has_more: bool = False
    wait_ms: int = 0

    def told(self) -> dict[str, Any]:
        """Return the counts as plain values."""
        return asdict(self)


class Exchanges:
    """Goes to the partners of one town; every call expects its database to be current."""

    def __init__(
        self,
        journal: Journal,
        config: Any,
        photos: Any,
        connect: Callable[..., Any] = HttpLink,
        heard: Callable[[bytes, int], object] = lambda town, gen: None,
    ) -> None:
        """`connect(url, lan=...)` opens a link: HTTP, or in tests another town of the process.

        `heard(town, gen)` is called after each visit that brought all a partner holds; `gen` is
        the mark of restore it began under.
        """
        self.heard = heard
        self.journal = journal
        self.config = config
        self.photos = photos
        self.connect = connect
        self.rounds = Rounds(self.visit, leave=lambda: db.close())

    def visit(self, town: bytes, progress: Progress | None = None) -> Outcome:
        """Bring our sets and a partner's to the same state; never raises for what the partner does.

        Raises NotFound, and Conflict("not_confirmed") for a town that is not our partner (yet).
        """
        partner = pairing.require(town)
        if partner.status not in partners.LINKED:
            raise Conflict("not_confirmed", N_("Compare the six words with this town first."))
        started_ms, gen = self.journal.clock.now_ms(), marks.number(marks.RESTORED_S)
        planned_ms = started_ms + self.config.sync_minutes * MINUTE_MS
        with write_tx():
            line = exchanges.start(town, "out", started_ms)
            partners.save(town, next_try_ms=planned_ms)  # what hastens it from now on is news
        told = Outcome()
        try:
            self._exchange(partner, told, progress)
        except ProtocolError as error:
            log.info("visit to %s: %s", partner.name, error)
            told.outcome = error.code
            told.wait_ms = getattr(error, "wait_s", 0) * 1_000
        except DomainError as error:
            log.warning("visit to %s stopped here: %s", partner.name, error.code)
            told.outcome = error.code
        except Exception:
            told.outcome = "internal"
            self._noted(partner, line, told, planned_ms)
            raise
        self._noted(partner, line, told, planned_ms)
        if told.outcome == "ok":
            self.heard(town, gen)
        return told

    def visit_due(self) -> int:
        """Visit every partner whose time has come; return how many are on their way.

        A fault of ours at one of them is logged, and the others are visited all the same.
        """
        return self.rounds.go(self.due())

    def due(self) -> list[bytes]:
        """Return the partners to visit now, but for those that are left alone for their strikes."""
        now_ms = self.journal.clock.now_ms()
        due = (each.town for each in partners.due(now_ms))
        return [town for town in due if not strikes.is_put_off(town, now_ms)]

    def accept(self, invitation: str, *, lan: bool = False) -> Partner:
        """Answer an invitation: cards are exchanged, the words are to be compared next.

        Raises Conflict("bad_invitation") and RemoteProtocolError.
        """
        url, code = pairing.read_invitation(invitation)
        ours = pairing.card(self.journal.keyring, self.config.name, self.config.url)
        message, nonce = pairing.ask(code, ours)
        request = HttpRequest("POST", pairing.PATH, message, headers={"content-type": OCTETS})
        lan = lan or self.config.lan
        with closing(self.connect(url, lan=lan)) as link:
            reply = link.send(request, PAIR_MAX_BYTES)
        if reply.status != 200:
            raise RemoteProtocolError("bad_invitation", f"HTTP {reply.status}", reply.status)
        clock = self.journal.clock
        row = pairing.accepted(reply.body, nonce, code, ours, self.journal.store, clock)
        return partners.save(row.town, url=url, lan=lan)

    # ── one visit ────────────────────────────────────────────────────────────────────────────

    def _exchange(self, partner: Partner, told: Outcome, progress: Progress | None) -> None:
        clock = self.journal.clock
        lan = partner.lan or self.config.lan
        with closing(self.connect(partner.url, lan=lan)) as link:
            channel = Channel(
                link.send,
                self.journal.keyring.signing,
                self.journal.town,
                partner.town,
                self.journal.store,
                Purse(),
                clock.now_ms,
            )
            visit = Visit(
                self.journal.store,
                self._admit,
                self.journal.town,
                partner.town,
                clock.now_ms(),
                gen=marks.number(marks.RESTORED_S),
                introductions=bytes.fromhex(marks.read(pairing.introduced_by(partner.town))),
                vouched=self._admit_vouched,
                hint=hints.of(partner.town),
            )
            expected = 0
            until_ms = clock.now_ms() + self.config.sync_timeout_seconds * 1_000
            try:
                for event in drive(visit, channel.post, clock.now_ms):
                    if isinstance(event, Differs):
                        expected += max(event.theirs - event.ours, 0)
                    self._heard(partner, event, told)
                    if clock.now_ms() > until_ms:
                        raise RemoteProtocolError("timeout", "the whole visit")
                    if progress and isinstance(event, Received):
                        progress(told.received, max(expected, told.received))
            finally:
                tally = visit.tally
                told.round_trips = tally.exchanges + channel.hellos
                told.bytes_up, told.bytes_down = tally.bytes_up, tally.bytes_down
            if told.outcome == "ok":
                presence.show(channel, self.journal, partner.town)
                told.has_more = self._fetch_photos(partner, channel)

    def _admit(self, raws: Any, carrier: bytes, now_ms: int) -> Any:
        return self.journal.ingest(raws, carrier)

    def _admit_vouched(self, raws: Any, vouch: Vouch, carrier: bytes, now_ms: int) -> Any:
        return self.journal.ingest(raws, carrier, vouch)

    def _heard(self, partner: Partner, event: Event, told: Outcome) -> None:
        if isinstance(event, Received):
            told.received += sum(each.code == "stored" for each in event.outcomes)
            told.refused += sum(each.code.startswith("refused") for each in event.outcomes)
        elif isinstance(event, Sent):
            taken = [each.id for each in event.outcomes if each.code in TAKEN]
            told.sent += sum(each.code == "stored" for each in event.outcomes)
            records.mark_sent(taken, self.journal.clock.now_ms())
        elif isinstance(event, Hinted):
            hints.keep(partner.town, event)
        elif isinstance(event, PeerSeen):
            seen(partner.town, event, self.journal.clock.now_ms())
        elif isinstance(event, Introduced):
            keep_introductions(partner.town, event, self.journal.clock.now_ms())
        elif isinstance(event, Unasked):
            now_ms = self.journal.clock.now_ms()
            strikes.against_carrier(partner.town, "unasked", now_ms, event.records)
        elif isinstance(event, Undelivered):
            now_ms = self.journal.clock.now_ms()
            strikes.against_carrier(partner.town, "undelivered", now_ms, len(event.ids))
        elif isinstance(event, Done) and event.code:
            told.outcome = event.code

    def _fetch_photos(self, partner: Partner, channel: Channel) -> bool:
        """Ask for the photos its listings show; return whether some are left for a next visit."""
        clock = self.journal.clock
        until_ms = clock.now_ms() + PHOTOS_MAX_MS
        while wanted := self.photos.missing(partner.town):
            for each in wanted:
                if clock.now_ms() > until_ms:
                    return True
                if not self._took_photo(each.hash, partner, channel):
                    return False
        return False

    def _took_photo(self, digest: bytes, partner: Partner, channel: Channel) -> bool:
        """Ask for one photo; return whether the next may be asked for. A failed one comes later."""
        try:
            self.photos.take_remote(digest, channel.photo(digest))
        except ProtocolError as error:
            self.photos.not_got(digest)
            log.info("photo %s of %s: %s", digest.hex(), partner.name, error)
            return error.code not in ("unreachable", "timeout")
        except DomainError as error:
            log.info("photo %s of %s: %s", digest.hex(), partner.name, error.code)
        return True

    def _noted(self, partner: Partner, line: Any, told: Outcome, planned_ms: int) -> None:
        now_ms = self.journal.clock.now_ms()
        with write_tx():
            if told.outcome == "ok":
                held = partners.find(partner.town)
                is_news = held is not None and held.next_try_ms < planned_ms
                is_soon = is_news or told.has_more or partner.failures
                next_ms = now_ms + (0 if is_soon else self.config.sync_minutes * MINUTE_MS)
                partners.succeeded(partner.town, now_ms, next_ms=next_ms)
            else:
                jitter = random.random()
                partners.failed(
                    partner.town, told.outcome, now_ms, jitter=jitter, wait_ms=told.wait_ms
                )
            if strikes.faults(told.outcome):
                strikes.against_carrier(partner.town, told.outcome, now_ms)
            exchanges.finish(
                line,
                told.outcome,
                now_ms,
                received=told.received,
                sent=told.sent,
                refused=told.refused,
                bytes_in=told.bytes_down,
                bytes_out=told.bytes_up,
                round_trips=told.round_trips,
            )


def seen(town: bytes, event: PeerSeen, now_ms: int) -> None:
    """Keep what the other end said of its clock and of its last restore."""
    partner = partners.find(town)
    if partner is None:
        return
    skew_ms = event.clock_ms - now_ms
    if event.gen > partner.generation_s or abs(skew_ms - partner.clock_skew_ms) > MINUTE_MS:
        generation_s = max(event.gen, partner.generation_s)
        partners.save(town, generation_s=generation_s, clock_skew_ms=skew_ms)


def try_again(town: bytes, now_ms: int) -> None:
    """Visit a partner now that could not be reached until it came here by itself."""
    partner = partners.find(town)
    if partner is not None and partner.failures and partner.next_try_ms > now_ms:
        partners.save(town, next_try_ms=now_ms)


def keep_introductions(town: bytes, event: Introduced, now_ms: int) -> None:
    """Keep the towns a partner introduces, in place of those it introduced before."""
    sound = [each for each in event.introductions if _is_sound(each)]
    with write_tx():
        introductions.drop_open(town, [each.town for each in sound])
        for each in sound:
            introductions.receive(
                town,
                each.town,
                name=each.name,
                url=each.url,
                keysets=b"".join(each.keysets),
                now_ms=now_ms,
            )
        marks.write(pairing.introduced_by(town), event.digest.hex())


def _is_sound(told: Introduction) -> bool:
    """Say whether the address is one and the keysets are that town's: a partner may err, or lie."""
    try:
        first, *others = map(parse_keyset, told.keysets)
        for each in others:
            verify_chain(first, each)
        return first.town == told.town and bool(read_origin(told.url))
    except (RemoteProtocolError, ValueError) as error:
        log.info("introduction of %s: %s", told.town.hex(), error)
        return False
