"""The yearly look: somebody saw that both copies of the recovery sheet are where they should be."""

from federation.keyset import Keyset
from node.store import marks

MARK = "sheet_seen_ms"
FIRST_AFTER_DAYS = 30
AGAIN_AFTER_DAYS = 365
DAY_MS = 86_400_000


def seen_ms() -> int | None:
    """Return when somebody last looked (UTC ms), None if nobody ever did."""
    return marks.number(MARK) or None


def note_seen(now_ms: int) -> None:
    """Write down that somebody looked."""
    marks.write_number(MARK, now_ms)


def is_due(genesis: Keyset, now_ms: int) -> bool:
    """Return whether it is time to look: a month after the founding, then every year."""
    last = seen_ms()
    if last is None:
        return now_ms > genesis.number * 1000 + FIRST_AFTER_DAYS * DAY_MS
    return now_ms > last + AGAIN_AFTER_DAYS * DAY_MS
