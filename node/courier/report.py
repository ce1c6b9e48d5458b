"""The report of a courier file that was read: what it said of itself and what became of it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

REFUSED_TOLD = 100


@dataclass
class Arrived:
    """What became of a file. `outcome` is ok, torn (not all of it was
    there), locked (its private part is sealed to a key not held here) or receipt (it was one).

    planned   records the files' headers promise; found: whole ones
    verdicts  {stored, known, older, expired, quarantined, refused:<code>: how many}
    refused   [(record id, code, origin or None)], the first REFUSED_TOLD
    locked    why the private part could not be opened, ""
    sealed    ids of the sealed records of its maker, for us, that are held now
    landed    {is it public: ids of those that were taken, or had been, or need not be}
    confirmed how many receipts of ours to others came home in it
    older_ms  when the newest file of that town read before was made, if this one is older
    """

    town: bytes = b""
    name: str = ""
    is_for_anyone: bool = False
    made_ms: int = 0
    planned: int = 0
    found: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[bytes, str, bytes | None]] = field(default_factory=list)
    damaged: int = 0
    photos: int = 0
    locked: str = ""
    sealed: list[bytes] = field(default_factory=list)
    confirmed: int = 0
    older_ms: int | None = None
    outcome: str = "ok"
    landed: dict[bool, set[bytes]] = field(default_factory=lambda: {True: set(), False: set()})
    receipt: bytes | None = None
    carriage: int = 0

    @property
    def refusals(self) -> int:
        """Return how many records were kept out."""
        return sum(n for code, n in self.verdicts.items() if code.startswith("refused"))

    def holds(self, public: int, private: int) -> bool:
        """Return whether so many different records landed: who made a gap can fill it up with the
        same record twice, or with one that is refused.
        """
        return len(self.landed[True]) >= public and len(self.landed[False]) >= private

    @property
    def has_complaints(self) -> bool:
        """Return whether a person should look: something was kept out, or not all was there."""
        return bool(self.refusals) or self.outcome in ("torn", "locked")

    def refuse(self, record_id: bytes, code: str, origin: bytes | None) -> None:
        """Name a record that was kept out."""
        if len(self.refused) < REFUSED_TOLD:
            self.refused.append((record_id, code, origin))

    def told(self) -> dict[str, Any]:
        """Return it as plain values, ids in hex."""
        return {
            "outcome": self.outcome,
            "from": self.town.hex(),
            "name": self.name,
            "made_ms": self.made_ms,
            "planned": self.planned,
            "found": self.found,
            "verdicts": dict(sorted(self.verdicts.items())),
            "refused": [
                {"record": record.hex(), "code": code, "origin": (origin or b"").hex()}
                for record, code, origin in self.refused
            ],
            "damaged": self.damaged,
            "photos": self.photos,
            "locked": self.locked,
            "receipts": self.confirmed,
            "older_than_ms": self.older_ms,
        }
