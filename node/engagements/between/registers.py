"""The two sealed registers of an engagement between towns, as they stand inside the seal.

Keys 0 to 5 are common (SPEC 5): type, engagement id, from, to, gen, agreement version. An act is
{0: id, 1: action, 2: at_ms, 3: by, 4: on, 5: args}; its args are {0: what was asked, field by
field; 1: digest of what was shown}. A verdict is {0: act id, 1: action, 2: code}. A proposal is {0:
version, 1: by, 2: terms, 3: until, 4: state it lapses to, 5: id of the asker's act}. Instants are
UTC ms. What is empty is absent. (ENGAGEMENTS, Records)
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REQUEST = "request/1"
REPLY = "reply/1"

ACTS_MAX = 32
MESSAGES_MAX = 20  # of each side
MESSAGE_MAX = 500
MESSAGES_MAX_BYTES = 4_096  # of each side, in all
ASKER_SIDE = ("self", "aide", "staff", "clock", "erasure")  # who acts for the asker


@dataclass(frozen=True)
class Deed:
    """One act of the asker's side or of home's, before it is judged.

    `seen` names what was shown: of an ask, the material fields of the listing; of an act that
    agrees to terms, those terms. `terms` are new terms as they were reckoned here; they never
    travel.
    """

    id: bytes
    action: str
    at_ms: int
    by: str
    on: int | None = None
    wish: Mapping[str, str] = field(default_factory=dict)
    seen: bytes = b""
    terms: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Proposed:
    """The proposal on the table, as home tells it: see `node.engagements.proposal.Proposal`."""

    version: int
    by: str
    terms: Mapping[str, Any]
    until_ms: int
    on_lapse: str = ""
    act: bytes = b""


@dataclass(frozen=True)
class Said:
    """One message of one side: its id (8 random bytes), when, and its words."""

    id: bytes
    at_ms: int
    text: str


@dataclass(frozen=True)
class Verdict:
    """What home said of one act."""

    id: bytes
    action: str
    code: str


@dataclass(frozen=True)
class Request:
    """All the asker's town says of one engagement: every act, each with its id."""

    engagement: bytes
    listing_key: bytes
    saw: bytes
    who: bytes
    deeds: tuple[Deed, ...]
    gen: int = 0
    agreement: int = 0
    ack: int = 0
    answer_by_ms: int | None = None
    contact: str = ""
    name: str = ""
    messages: tuple[Said, ...] = ()


@dataclass(frozen=True)
class Reply:
    """All home says of one engagement: the state, what is held, and a verdict for each act."""

    engagement: bytes
    version: int
    state: str
    since_ms: int
    gen: int = 0
    agreement: int = 0
    turn: str = ""
    deadline_ms: int | None = None
    lapses_to: str = ""
    terms: Mapping[str, Any] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    reason: str = ""
    reason_text: str = ""
    contact: str = ""
    ends_ms: int | None = None
    listing_key: bytes = b""
    who: bytes = b""
    messages: tuple[Said, ...] = ()
    proposal: Proposed | None = None
    place: int | None = None


def register_key(kind: str, engagement: bytes) -> bytes:
    """Return the key (16 bytes) of one of the two registers of an engagement.

    The id itself stays inside the seal: a relay that could read it could bind it first.
    """
    return hashlib.sha256(b"lavoir-" + kind.encode() + engagement).digest()[:16]


def request_inner(request: Request) -> dict[int, Any]:
    """Return the inner message of a request."""
    return _filled(
        {
            1: request.engagement,
            4: request.gen,
            5: request.agreement,
            6: request.listing_key,
            7: request.saw,
            8: request.who,
            9: [_act(deed) for deed in request.deeds],
            10: request.ack,
            11: request.answer_by_ms,
            13: request.contact,
            14: request.name,
            15: _written(request.messages),
        }
    )


def reply_inner(reply: Reply) -> dict[int, Any]:
    """Return the inner message of a reply."""
    reason = _filled({0: reply.reason, 1: reply.reason_text})
    return _filled(
        {
            1: reply.engagement,
            4: reply.gen,
            5: reply.agreement,
            6: reply.version,
            7: reply.state,
            8: reply.since_ms,
            9: reply.turn,
            10: reply.deadline_ms,
            11: reply.lapses_to,
            12: dict(reply.terms),
            13: _proposed(reply.proposal),
            14: [{0: each.id, 1: each.action, 2: each.code} for each in reply.verdicts],
            15: reply.place,
            16: reason or None,
            17: reply.contact,
            18: reply.ends_ms,
            19: reply.listing_key or None,
            20: reply.who or None,
            21: _written(reply.messages),
        }
    )


def _written(messages: tuple[Said, ...]) -> list[dict[int, Any]] | None:
    return [{0: each.id, 1: each.at_ms, 2: each.text} for each in messages] or None


def _proposed(each: Proposed | None) -> dict[int, Any] | None:
    if each is None:
        return None
    said = {0: each.version, 1: each.by, 2: dict(each.terms), 3: each.until_ms}
    return _filled({**said, 4: each.on_lapse, 5: each.act or None})


def _act(deed: Deed) -> dict[int, Any]:
    args = {0: dict(deed.wish), 1: deed.seen} if deed.wish or deed.seen else None
    return _filled({0: deed.id, 1: deed.action, 2: deed.at_ms, 3: deed.by, 4: deed.on, 5: args})


def _filled(fields: dict[int, Any]) -> dict[int, Any]:
    return {number: value for number, value in fields.items() if value not in (None, "")}
