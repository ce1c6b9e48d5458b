"""What follows from strikes, as one table: how much is borne, how long is waited, when to tell.

A day is *ill* when one code went past what is tolerated in a day. The number of ill days among the
last seven decides; as they pass, all is forgotten. Within one visit federation.limits has the word:
twenty bad signatures or a thousand records not brought end it.
"""

from dataclasses import dataclass
from typing import Final

from node.domain.words import N_
from node.store.network import exchanges, strikes
from node.store.network.strikes import CARRIER, ORIGIN

HOUR_MS: Final = 3_600_000
_MESSAGES: Final = (
    "bad_message", "bad_range", "bad_digest", "garbage", "not_shown", "no_progress",
    "too_many_bad_signatures", "too_large", "content_encoding",
)  # fmt: skip
TOLERATED: Final = {  # a day, before the day counts as ill
    CARRIER: {
        "bad_signature": 5,
        "bad_cbor": 5,
        "bad_cose": 5,
        "undelivered": 500,  # records replaced between being listed and being fetched are no fault
        "unasked": 5,
        **dict.fromkeys(_MESSAGES, 3),
    },
    ORIGIN: {},  # what it signed stands for itself: nothing is tolerated
}
BEARABLE: Final = 0  # of a code that is not in the table


@dataclass(frozen=True)
class Consequence:
    """What follows from so many ill days: the least time between visits, whether to tell."""

    ill_days: int
    wait_ms: int
    is_told: bool
    word: str


CONSEQUENCES: Final = (
    Consequence(0, 0, False, N_("Nothing follows from it.")),
    Consequence(1, HOUR_MS, False, N_("It is visited once an hour until it is well again.")),
    Consequence(2, 3 * HOUR_MS, False, N_("It is visited every three hours for some days.")),
    Consequence(3, 6 * HOUR_MS, True, N_("It is visited every six hours until it is repaired.")),
)


def faults(code: str) -> bool:
    """Return whether a visit that ended with this code is held against the partner."""
    return code in _MESSAGES


def against_carrier(town: bytes, code: str, now_ms: int, count: int = 1) -> None:
    """Hold against a partner how it spoke, or what it brought."""
    strikes.note(town, code, now_ms, role=CARRIER, count=count)


def ill_days(town: bytes, role: str, now_ms: int) -> int:
    """Return on how many of the last seven days more was held against a town than is tolerated."""
    tolerated = TOLERATED[role]
    return sum(
        any(count > tolerated.get(code, BEARABLE) for code, count in codes.items())
        for codes in strikes.by_day(town, role, now_ms).values()
    )


def consequence(town: bytes, now_ms: int) -> Consequence:
    """Return what follows for a partner from what was held against it as a carrier."""
    days = ill_days(town, CARRIER, now_ms)
    return next(each for each in reversed(CONSEQUENCES) if each.ill_days <= days)


def is_put_off(town: bytes, now_ms: int) -> bool:
    """Return whether a partner is left alone for now: its last visit is not long enough ago."""
    wait_ms = consequence(town, now_ms).wait_ms
    if not wait_ms:
        return False
    last = next((each for each in exchanges.latest(town) if each.direction == "out"), None)
    return last is not None and 0 <= now_ms - last.started_ms < wait_ms
