"""The forms of message fields: small readers that take a decoded value or refuse it.

A reader returns the value it was given, lists as tuples, or raises RemoteProtocolError with
"bad_message". Every length has its limit where the message is described.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from federation import codec
from federation.errors import RemoteProtocolError

ROW_MAX_PLACES: Final = 16  # of any version

Reader = Callable[[Any], Any]


def whole(maximum: int) -> Reader:
    """An integer from 0 to `maximum`."""

    def read(value: Any) -> int:
        if type(value) is not int or not 0 <= value <= maximum:
            raise _bad(f"not an integer of 0..{maximum}")
        return value

    return read


def octets(length: int) -> Reader:
    """A byte string of exactly `length` bytes."""
    return octets_up_to(length, length)


def octets_up_to(maximum: int, minimum: int = 0) -> Reader:
    """A byte string of `minimum` to `maximum` bytes."""

    def read(value: Any) -> bytes:
        if type(value) is not bytes or not minimum <= len(value) <= maximum:
            raise _bad(f"not {minimum}..{maximum} bytes")
        return value

    return read


def text(maximum: int) -> Reader:
    """A text of at most `maximum` characters, none of which controls a terminal or a line."""

    def read(value: Any) -> str:
        if type(value) is not str or len(value) > maximum or not value.isprintable():
            raise _bad(f"not a text of at most {maximum} characters")
        return value

    return read


def many(each: Reader, maximum: int) -> Reader:
    """A list of at most `maximum` values of one form."""

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list or len(value) > maximum:
            raise _bad(f"not a list of at most {maximum}")
        return tuple(map(each, value))

    return read


def row(*readers: Reader, make: Callable[..., Any]) -> Reader:
    """A list, one form a place; `make` is called with its values.

    It may be longer: what a later version puts at its end is passed over.
    """

    def read(value: Any) -> Any:
        if type(value) is not list or not len(readers) <= len(value) <= ROW_MAX_PLACES:
            raise _bad(f"not a list of {len(readers)}")
        return make(*(reader(each) for reader, each in zip(readers, value, strict=False)))

    return read


def identities(maximum: int) -> Reader:
    """A byte string that is at most `maximum` ids of 32 bytes, one after the other."""
    read_bytes = octets_up_to(32 * maximum)

    def read(value: Any) -> tuple[bytes, ...]:
        joined = read_bytes(value)
        if len(joined) % 32:
            raise _bad("not whole ids")
        return tuple(joined[at : at + 32] for at in range(0, len(joined), 32))

    return read


def fields(
    raw: bytes,
    required: Mapping[int, Reader],
    optional: Mapping[int, tuple[Reader, Any]] | None = None,
) -> list[Any]:
    """Read a message: the values of `required`, then of `optional` {key: (reader, if absent)}.

    Keys this version does not know are passed over, so that a later one may add some. Raises
    RemoteProtocolError("bad_cbor" | "bad_message").
    """
    value = codec.loads(raw)
    if type(value) is not dict:
        raise _bad("not a map")
    missing = [str(key) for key in required if key not in value]
    if missing:
        raise _bad(f"without its field {', '.join(missing)}")
    read = [reader(value[key]) for key, reader in required.items()]
    for key, (reader, absent) in (optional or {}).items():
        read.append(reader(value[key]) if key in value else absent)
    return read


def plain(value: Any) -> Any:
    """The same value with every tuple, named or not, as a list: what the codec writes."""
    return [plain(each) for each in value] if isinstance(value, (tuple, list)) else value


def message(values: Mapping[int, Any]) -> bytes:
    """Write a message from its fields."""
    return codec.dumps({key: plain(value) for key, value in values.items()})


def filled(values: Sequence[Any], first: int) -> dict[int, Any]:
    """Number optional fields from `first` on, and leave out those that are empty."""
    return {number: value for number, value in enumerate(values, first) if value}


def _bad(detail: str) -> RemoteProtocolError:
    return RemoteProtocolError("bad_message", detail)
