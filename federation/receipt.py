"""A receipt: a town's word on what of a courier file reached it (SPEC.md 10.2 and 10.4).

It names the sealed records that were for that town, so that their author can say where they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from federation.errors import RemoteProtocolError
from federation.forms import Reader, identities, many, octets, row, text, whole
from federation.keys import SigningKey
from federation.keyset import NUMBER_MAX, Keyset
from federation.record import ID_BYTES, TOWN_BYTES
from federation.statement import FIRST_FIELD, read_statement, state

TYPE: Final = "lavoir-receipt/1"
RECEIPT_MAX_BYTES: Final = 128 * 1024
RECEIPT_IDS_MAX: Final = 2_000
VERDICTS_MAX: Final = 100
_MANY: Final = 2**32
_LATE: Final = NUMBER_MAX * 1_000


class Receipt(NamedTuple):
    """What `town` says of the file `bundle` (id of its header) that the town `to` made."""

    raw: bytes
    town: bytes
    keyset: int
    to: bytes
    bundle: bytes
    when_ms: int
    verdicts: dict[str, int]  # what became of how many records
    arrived: tuple[bytes, ...]  # ids of the sealed records of `to` for `town` that reached it


_FORMS: Final[dict[int, Reader]] = {
    FIRST_FIELD: octets(TOWN_BYTES),
    FIRST_FIELD + 1: octets(ID_BYTES),
    FIRST_FIELD + 2: whole(_LATE),
    FIRST_FIELD + 3: many(row(text(64), whole(_MANY), make=lambda *pair: pair), VERDICTS_MAX),
    FIRST_FIELD + 4: identities(RECEIPT_IDS_MAX),
}


def sign_receipt(
    keysets: Sequence[Keyset],
    key: SigningKey,
    *,
    to: bytes,
    bundle: bytes,
    when_ms: int,
    verdicts: Mapping[str, int],
    arrived: Sequence[bytes],
) -> bytes:
    """Sign a receipt for the town `to`; of `arrived` the first RECEIPT_IDS_MAX are named."""
    counts = sorted(verdicts.items())[:VERDICTS_MAX]
    ids = b"".join(arrived[:RECEIPT_IDS_MAX])
    said = dict(enumerate((to, bundle, when_ms, counts, ids), FIRST_FIELD))
    return state(TYPE, keysets, key, said)


def parse_receipt(raw: bytes) -> Receipt:
    """Read a receipt and prove who signed it. Raises RemoteProtocolError as `read_statement`."""
    if len(raw) > RECEIPT_MAX_BYTES:
        raise RemoteProtocolError("too_big", f"{len(raw)} bytes")
    author, (to, bundle, when_ms, counts, arrived) = read_statement(raw, TYPE, _FORMS)
    return Receipt(raw, author.town, author.keyset, to, bundle, when_ms, dict(counts), arrived)
