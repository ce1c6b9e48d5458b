"""A statement: what a town signs that is no record, with the keysets that prove it was that town.

So it can be read by whoever finds it, long after, without asking anyone (SPEC.md 10.2).
Its payload begins with 0 type, 1 town, 2 number of the keyset that signs, 3 the keysets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from federation import codec, keys
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.forms import Reader, fields, many, octets, octets_up_to, plain, text, whole
from federation.keys import SigningKey
from federation.keyset import KEYSET_MAX_BYTES, NUMBER_MAX, Keyset, parse_keyset, verify_chain
from federation.record import KIND_MAX_BYTES, TOWN_BYTES

FIRST_FIELD: Final = 4  # of what the statement itself says
_TWO: Final = 2  # the genesis and the one that signs

_HEAD: Final[dict[int, Reader]] = {
    0: text(KIND_MAX_BYTES),
    1: octets(TOWN_BYTES),
    2: whole(NUMBER_MAX),
    3: many(octets_up_to(KEYSET_MAX_BYTES), _TWO),
}


class Author(NamedTuple):
    """The town that signed, and under which of its keysets."""

    town: bytes
    keyset: int


def state(type_: str, keysets: Sequence[Keyset], key: SigningKey, said: Mapping[int, Any]) -> bytes:
    """Sign a statement of the town whose `keysets` these are, the last one in force.

    Raises LocalProtocolError for a key that is not that keyset's.
    """
    first, last = keysets[0], keysets[-1]
    if last.signing != key.public:
        raise LocalProtocolError("bad_signature", "not the key of the keyset in force")
    raws = [each.raw for each in dict.fromkeys((first, last))]
    head = {0: type_, 1: first.town, 2: last.number, 3: raws}
    payload = codec.dumps(head | {number: plain(value) for number, value in said.items()})
    return codec.sign1_join(payload, key.sign(codec.sign1_message(payload)))


def read_statement(
    raw: bytes,
    type_: str,
    required: Mapping[int, Reader],
    optional: Mapping[int, tuple[Reader, Any]] | None = None,
) -> tuple[Author, list[Any]]:
    """Read a statement and prove its author; the values are those of `required`, then `optional`.

    Raises RemoteProtocolError: bad_cose, bad_cbor, bad_type, bad_message, broken_chain,
    bad_signature, and those of `parse_keyset`.
    """
    payload, signature = codec.sign1_split(raw)
    said, town, number, raws, *values = fields(payload, {**_HEAD, **required}, optional)
    if said != type_:
        raise RemoteProtocolError("bad_type", said)
    signing = _signing(town, number, raws)
    if not keys.verify(signing, signature, codec.sign1_message(payload)):
        raise RemoteProtocolError("bad_signature", "of a statement")
    return Author(town, number), values


def _signing(town: bytes, number: int, raws: Sequence[bytes]) -> bytes:
    """The key of the keyset with that number, the chain from the town's genesis to it checked."""
    chain = [parse_keyset(raw) for raw in raws]
    if not chain or chain[0].id != town or chain[-1].number != number:
        raise RemoteProtocolError("broken_chain", "not the keysets of its author")
    verify_chain(chain[0], chain[-1])
    return chain[-1].signing
