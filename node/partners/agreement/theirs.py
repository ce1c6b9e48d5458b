"""Their side of an agreement as it arrives, and our own as it comes home after a restore."""

from typing import Any

from federation.errors import RemoteProtocolError
from federation.record import Record
from federation.stamp import stamp_ms
from node.journal.journal import Journal
from node.partners.agreement import force, wire
from node.store import audit
from node.store.network import agreements, partners

ENDED = "agreement.ended"
DAY_MS = 86_400_000


def listen(journal: Journal) -> None:
    """Let the journal bring what partners say, and what we said before a restore."""

    def arrived(record: Record, message: dict[int, Any] | None) -> None:
        hear(journal.town, record, message, journal.clock.now_ms())

    def came_home(record: Record, message: dict[int, Any] | None) -> None:
        take_back(journal.town, record, message)

    journal.on(wire.KIND, arrived)
    journal.on_own(wire.KIND, came_home)


def hear(own: bytes, record: Record, message: dict[int, Any] | None, now_ms: int) -> None:
    """Keep a newer statement of a partner; raises RemoteProtocolError("bad_inner", "not_yours").

    An older one, or the same signed again, changes nothing; so does a tombstone: what both signed
    holds until both sign something else, or one ends the link.
    """
    if message is None or not partners.is_linked(record.origin):
        return
    said = _read(record, message)
    row = agreements.find(record.origin) or agreements.save(record.origin)
    if said.number <= row.heard:
        return
    agreements.save(record.origin, heard=said.number)
    if said.ended_ms is not None:
        _end(record.origin, said.ended_ms, now_ms)
        return
    agreements.save(record.origin, theirs=said.text, accepted=said.accepts, their_end_ms=None)
    told = (said.force[1], said.force[0]) if said.force else None
    if force.settle(own, record.origin, told):
        audit.note(
            "agreement.force", at_ms=now_ms, actor="node", subject=record.origin.hex(),
            detail=str(agreements.version(record.origin)),
        )  # fmt: skip


def take_back(own: bytes, record: Record, message: dict[int, Any] | None) -> None:
    """Take over a statement of ours that this node had forgotten."""
    if message is None or record.to is None:
        return
    said = _read(record, message)
    row = agreements.find(record.to) or agreements.save(record.to)
    if said.number <= row.number:
        return
    row = agreements.save(
        record.to, number=said.number, ours=said.text, accepts=said.accepts, ended_ms=said.ended_ms
    )
    if said.force is not None:
        pair = wire.pair_of(own, said.force[0], record.to, said.force[1]).hex()
        agreements.save(record.to, signed=f'["{pair}"]')
        force.settle(own, record.to, said.force)
    else:
        force.settle(own, record.to)
    held = partners.find(record.to)
    is_active = held is not None and held.status == "active"
    if said.ended_ms is not None and is_active and said.ended_ms >= held.since_ms:
        partners.save(record.to, status="ending")


def _read(record: Record, message: dict[int, Any]) -> wire.Statement:
    said = wire.read(message, record.key, record.origin, record.to or b"")
    if said.number > stamp_ms(record.stamp) + DAY_MS:  # it would silence every later one
        raise RemoteProtocolError("bad_inner", "field 9")
    return said


def _end(town: bytes, ended_ms: int, now_ms: int) -> None:
    """They ended the link: nothing new, what was promised is kept (the rest is the job's)."""
    held = partners.find(town)
    if held is None or ended_ms < held.since_ms:
        return  # the end of an earlier link
    agreements.save(town, their_end_ms=ended_ms)
    if held.status == "active":
        partners.save(town, status="ending")
        audit.note(ENDED, at_ms=now_ms, actor="node", subject=town.hex())
