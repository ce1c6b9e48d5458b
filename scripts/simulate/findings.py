"""The findings of a history: what happened how often, its trace, and the rule that broke."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field


class Broken(Exception):
    """A rule of the protocol does not hold: which one, and what was seen."""

    def __init__(self, rule: str, seen: str) -> None:
        super().__init__(f"{rule}: {seen}")
        self.rule, self.seen = rule, seen


@dataclass
class Trace:
    """What happened, as one hash that two runs of a seed share, and as counts."""

    reach: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    is_kept: bool = False
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def tell(self, *said: object) -> None:
        """Add a line to the trace; it is kept as text only where somebody will read it."""
        line = " ".join(each.hex()[:12] if isinstance(each, bytes) else str(each) for each in said)
        self._hash.update(line.encode() + b"\n")
        if self.is_kept:
            self.lines.append(line)

    def count(self, what: str, times: int = 1) -> None:
        """Count that something really happened."""
        if times:
            self.reach[what] += times

    @property
    def digest(self) -> str:
        """Return the hash of everything told so far."""
        return self._hash.hexdigest()[:16]


@dataclass
class Finding:
    """How one history ended."""

    seed: int
    tier: str
    rule: str = ""  # the rule that broke, "" if none did
    seen: str = ""
    digest: str = ""
    seconds: float = 0.0  # of CPU
    steps: int = 0
    reach: Counter[str] = field(default_factory=Counter)

    @property
    def is_good(self) -> bool:
        """Return whether every rule held."""
        return not self.rule
