"""Where the rules get the time from: a port, the system's clock and a clock for tests."""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Anything that can say what time it is."""

    def now_ms(self) -> int:
        """Return UTC milliseconds since 1970."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now_ms(self) -> int:
        """Return UTC milliseconds since 1970."""
        return time.time_ns() // 1_000_000


@dataclass
class FixedClock:
    """A clock that stands still until it is told to move."""

    at_ms: int

    def now_ms(self) -> int:
        """Return the instant it was set to, UTC milliseconds."""
        return self.at_ms

    def forward(self, *, days: int = 0, hours: int = 0, minutes: int = 0, ms: int = 0) -> None:
        """Move on by the given span."""
        self.at_ms += ((days * 24 + hours) * 60 + minutes) * 60_000 + ms
