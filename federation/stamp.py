"""The stamp: 48 bits of milliseconds and 16 bits of order, moved by our own writes only.

A partner's stamp never moves our clock (SPEC.md section 4), so no town can push another's into the
future. All times are UTC; a day is a number of days since 1970-01-01.
"""

from __future__ import annotations

from typing import Final

SECOND_MS: Final = 1_000
DAY_S: Final = 86_400
DAY_MS: Final = DAY_S * SECOND_MS
EPOCH_S: Final = 1_577_836_800  # 2020-01-01T00:00:00Z, the zero of a set's order
SECONDS_LIMIT: Final = 2**31  # a set's order must stay below: one Negentropy loops for ever above
MAX_FUTURE_MS: Final = 24 * 3_600 * SECOND_MS  # a stamp further ahead of our clock is quarantined
MAX_BEHIND_MS: Final = (
    24 * 3_600 * SECOND_MS
)  # a clock further behind our last stamp is not trusted
_ORDER_BITS: Final = 16


def next_stamp(now_ms: int, last: int) -> int:
    """The stamp of our next record: the clock's, or one more than our `last` if that is later."""
    return max(now_ms << _ORDER_BITS, last + 1)


def stamp_at(now_ms: int) -> int:
    """The first stamp of a millisecond."""
    return now_ms << _ORDER_BITS


def stamp_ms(stamp: int) -> int:
    """Milliseconds since 1970 of a stamp."""
    return stamp >> _ORDER_BITS


def stamp_unix_s(stamp: int) -> int:
    """Whole seconds since 1970 of a stamp: what `expires` is compared with."""
    return (stamp >> _ORDER_BITS) // SECOND_MS


def stamp_seconds(stamp: int) -> int:
    """Whole seconds since 2020 of a stamp: its place in a set's order (SPEC.md section 7)."""
    return stamp_unix_s(stamp) - EPOCH_S


def is_stamp(stamp: int) -> bool:
    """Whether a stamp names a moment from 2020 to 2088, the years a set can order."""
    return 0 <= stamp_seconds(stamp) < SECONDS_LIMIT


def clock_ms(system_ms: int, last: int) -> int:
    """The clock a node uses: the system's, or its last stamp if later (a box without battery)."""
    return max(system_ms, stamp_ms(last))


def is_trusted(system_ms: int, last: int, built_ms: int) -> bool:
    """Whether a node may sign and expire by its system clock, given when its software was built."""
    return system_ms >= built_ms and system_ms >= stamp_ms(last) - MAX_BEHIND_MS


def as_of_day(now_ms: int) -> int:
    """The UTC day of a moment; two nodes filter expired records by one agreed day."""
    return now_ms // DAY_MS


def day_start_s(day: int) -> int:
    """Unix seconds at which a UTC day begins."""
    return day * DAY_S


def end_day(expires_s: int) -> int:
    """The first day at whose start a record that expires then is out of its set."""
    return -(-expires_s // DAY_S)
