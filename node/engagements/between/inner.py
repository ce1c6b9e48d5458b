"""How the inner messages of another town are read: every field checked, nothing believed.

Whatever breaks a rule raises RemoteProtocolError("bad_inner") and is not looked at further.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from federation.errors import RemoteProtocolError
from node.domain.schema import tidy
from node.engagements.between.registers import (
    ACTS_MAX,
    ASKER_SIDE,
    MESSAGE_MAX,
    MESSAGES_MAX,
    MESSAGES_MAX_BYTES,
    Deed,
    Proposed,
    Reply,
    Request,
    Said,
    Verdict,
)
from node.engagements.verdicts import CODES

PROPOSERS = ("asker", "keeper")
TEXT_MAX = 1_000
NAME_MAX = 200
WISH_FIELDS_MAX = 24
TERMS_MAX_BYTES = 8_192
MOMENT_MAX_MS = 253_402_128_000_000  # 30 December 9999: a later one has no day in every zone


def read_request(inner: Mapping[int, Any]) -> Request:
    """Return what another town asks; raises RemoteProtocolError("bad_inner")."""
    acts = _take(inner, 9, list)
    if not 1 <= len(acts) <= ACTS_MAX:
        raise _bad(9)
    deeds = tuple(_read_act(each) for each in acts)
    if len({deed.id for deed in deeds}) != len(deeds):
        raise _bad(9)
    return Request(
        engagement=_take(inner, 1, bytes),
        gen=_number(inner, 4),
        agreement=_number(inner, 5),
        listing_key=_bytes(inner, 6, 16),
        saw=_bytes(inner, 7, 32),
        who=_bytes(inner, 8, 16),
        deeds=deeds,
        ack=_number(inner, 10),
        answer_by_ms=_moment(inner, 11),
        contact=tidy(_text(inner, 13, TEXT_MAX)),
        name=tidy(_text(inner, 14, NAME_MAX)),
        messages=_messages(inner, 15),
    )


def read_reply(inner: Mapping[int, Any]) -> Reply:
    """Return what another town answers; raises RemoteProtocolError("bad_inner")."""
    reason = _take(inner, 16, dict, {})
    proposed = _proposed(inner[13]) if 13 in inner else None
    if proposed and proposed.version > _number(inner, 6):
        raise _bad(13)
    return Reply(
        engagement=_take(inner, 1, bytes),
        gen=_number(inner, 4),
        agreement=_number(inner, 5),
        version=_number(inner, 6),
        state=_text(inner, 7, 64),
        since_ms=_number(inner, 8),
        turn=_text(inner, 9, 32),
        deadline_ms=_moment(inner, 10),
        lapses_to=_text(inner, 11, 64),
        terms=_terms(_take(inner, 12, dict, {}), 12),
        verdicts=_each(inner, 14, _read_verdict),
        reason=_text(reason, 0, 64),
        reason_text=tidy(_text(reason, 1, TEXT_MAX)),
        place=_number(inner, 15) or None,
        contact=tidy(_text(inner, 17, TEXT_MAX)),
        ends_ms=_moment(inner, 18),
        listing_key=_bytes(inner, 19, 16) if 19 in inner else b"",
        who=_bytes(inner, 20, 16) if 20 in inner else b"",
        messages=_messages(inner, 21),
        proposal=proposed,
    )


def _read_act(act: Any) -> Deed:
    fields = _map(act, 9)
    args = _take(fields, 5, dict, {})
    deed = Deed(
        id=_bytes(fields, 0, 8),
        action=_text(fields, 1, 32),
        at_ms=_number(fields, 2),
        by=_text(fields, 3, 16),
        on=_number(fields, 4) if 4 in fields else None,
        wish=_wish(_take(args, 0, dict, {})),
        seen=_take(args, 1, bytes, b""),
    )
    if not deed.action or deed.by not in ASKER_SIDE or len(deed.seen) > 32:
        raise _bad(9)
    return deed


def _read_verdict(verdict: Any) -> Verdict:
    fields = _map(verdict, 14)
    read = Verdict(_bytes(fields, 0, 8), _text(fields, 1, 32), _text(fields, 2, 32))
    if read.code not in CODES:
        raise _bad(14)
    return read


def _messages(inner: Mapping[int, Any], number: int) -> tuple[Said, ...]:
    given = _take(inner, number, list, [])
    if len(given) > MESSAGES_MAX:
        raise _bad(number)
    read = tuple(_message(_map(each, number), number) for each in given)
    size = sum(len(each.text.encode()) for each in read)
    if len({each.id for each in read}) != len(read) or size > MESSAGES_MAX_BYTES:
        raise _bad(number)
    return read


def _message(fields: Mapping[int, Any], number: int) -> Said:
    text = tidy(_text(fields, 2, MESSAGE_MAX))
    if not text:
        raise _bad(number)
    return Said(_bytes(fields, 0, 8), _number(fields, 1), text)


def _each(
    inner: Mapping[int, Any], number: int, read: Callable[[Any], Verdict]
) -> tuple[Verdict, ...]:
    given = _take(inner, number, list, [])
    if len(given) > ACTS_MAX:
        raise _bad(number)
    return tuple(read(each) for each in given)


def _wish(args: dict[Any, Any]) -> dict[str, str]:
    sound = all(type(name) is str and type(text) is str for name, text in args.items())
    if not sound or len(args) > WISH_FIELDS_MAX or sum(map(len, args.values())) > 4 * TEXT_MAX:
        raise _bad(9)
    return args


def _proposed(proposal: Any) -> Proposed:
    fields = _map(proposal, 13)
    read = Proposed(
        version=_number(fields, 0),
        by=_text(fields, 1, 16),
        terms=_terms(_take(fields, 2, dict), 13),
        until_ms=_number(fields, 3),
        on_lapse=_text(fields, 4, 64),
        act=_bytes(fields, 5, 8) if 5 in fields else b"",
    )
    if not read.version or read.by not in PROPOSERS or not read.terms:
        raise _bad(13)
    if bool(read.act) != (read.by == "asker"):
        raise _bad(13)
    return read


def _terms(terms: dict[Any, Any], number: int) -> dict[str, Any]:
    try:
        written = json.dumps(terms)
    except (TypeError, ValueError):
        raise _bad(number) from None
    if json.loads(written) != terms or len(written) > TERMS_MAX_BYTES:
        raise _bad(number)
    return terms


def _map(value: Any, number: int) -> Mapping[int, Any]:
    if type(value) is not dict:
        raise _bad(number)
    return value


_NEEDED = object()


def _take(fields: Mapping[int, Any], number: int, kind: type, default: Any = _NEEDED) -> Any:
    value = fields.get(number, default)
    if type(value) is not kind:
        raise _bad(number)
    return value


def _bytes(fields: Mapping[int, Any], number: int, length: int) -> bytes:
    value: bytes = _take(fields, number, bytes)
    if len(value) != length:
        raise _bad(number)
    return value


def _text(fields: Mapping[int, Any], number: int, most: int) -> str:
    value: str = _take(fields, number, str, "")
    if len(value) > most:
        raise _bad(number)
    return value


def _number(fields: Mapping[int, Any], number: int) -> int:
    value: int = _take(fields, number, int, 0)
    if not 0 <= value <= MOMENT_MAX_MS:
        raise _bad(number)
    return value


def _moment(fields: Mapping[int, Any], number: int) -> int | None:
    return _number(fields, number) if number in fields else None


def _bad(number: int) -> RemoteProtocolError:
    return RemoteProtocolError("bad_inner", f"field {number}")
