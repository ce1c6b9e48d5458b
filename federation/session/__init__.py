"""A session: one visit of one town to another, as bytes and events (SPEC.md section 7).

The visitor (`Visit`) asks and the host (`Host`) answers. Neither holds a socket or a clock: bytes
and the time go in, bytes and events come out. Whoever carries the bytes may stop at any point;
what was admitted stays, and the next visit goes on from there.
"""

from federation.session.events import (
    Answer,
    Checkpoints,
    Differs,
    Done,
    Event,
    Gave,
    Hinted,
    Introduced,
    Keysets,
    Outcome,
    PeerSeen,
    Received,
    Request,
    Sent,
    Tally,
    Unasked,
    Undelivered,
)
from federation.session.hint import Hint
from federation.session.host import Host
from federation.session.rounds import Shelf
from federation.session.view import Admit, AdmitVouched, introductions_digest
from federation.session.visit import Visit, drive

__all__ = [
    "Admit",
    "AdmitVouched",
    "Answer",
    "Checkpoints",
    "Differs",
    "Done",
    "Event",
    "Gave",
    "Hint",
    "Hinted",
    "Host",
    "Introduced",
    "Keysets",
    "Outcome",
    "PeerSeen",
    "Received",
    "Request",
    "Sent",
    "Shelf",
    "Tally",
    "Unasked",
    "Undelivered",
    "Visit",
    "drive",
    "introductions_digest",
]
