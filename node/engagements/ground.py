"""The ground the engine stands on: the door, the practices, the clock, and how a row is read."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from federation import codec
from node.domain.capacity import day_of
from node.domain.clock import Clock
from node.domain.errors import NotFound
from node.domain.lifecycle import Lifecycle, State
from node.domain.practice import Engaging, Registry, Terms
from node.domain.schema import Struct, plain
from node.domain.words import N_
from node.journal.journal import Journal
from node.store.catalogue.listings import Listing
from node.store.network import reaches
from node.store.promises.engagements import Engagement

SEEN_BYTES = 8


@dataclass(frozen=True)
class Ground:
    """What every part of the engine is given."""

    journal: Journal
    registry: Registry
    clock: Clock
    zone: str

    @property
    def town(self) -> bytes:
        """Return our town id."""
        return self.journal.town

    def now_ms(self) -> int:
        """Return UTC milliseconds."""
        return self.clock.now_ms()

    def today(self, at_ms: int) -> int:
        """Return the day number it is here at an instant."""
        return day_of(at_ms, self.zone)

    def engaging(self, row: Engagement | Listing) -> Engaging | None:
        """Return how one engages with what this row is about, None if nobody can."""
        practice = self.registry.by_name.get(row.practice)
        return practice.engaging if practice else None

    def rules(self, row: Engagement | Listing) -> Engaging:
        """Return the rules an engagement follows; raises NotFound without its practice."""
        engaging = self.engaging(row)
        if engaging is None:
            raise NotFound("unknown_practice", N_("This town does not do that any more."))
        return engaging

    def lifecycle(self, row: Engagement) -> Lifecycle:
        """Return the table an engagement follows; raises NotFound."""
        return self.rules(row).lifecycles[row.lifecycle]

    def state(self, row: Engagement) -> State:
        """Return the state an engagement is in."""
        return self.lifecycle(row).state(row.state)

    def body(self, listing: Listing) -> Any:
        """Return the body of a listing that is shown; raises ProtocolError, Invalid."""
        schema = self.registry.by_kind[listing.kind].schema
        return schema.read(codec.loads(listing.body))

    def moments(self, engaging: Engaging, terms: Terms, since_ms: int) -> dict[str, int]:
        """Return the instants that deadlines refer to."""
        return {**engaging.moments(terms, self.zone), "since": since_ms}

    def is_here(self, row: Engagement) -> bool:
        """Return whether both sides are of this town: then nothing needs to travel."""
        return row.home == row.asker_town

    def decides(self, row: Engagement) -> bool:
        """Return whether this town is home: it alone decides."""
        return row.home == self.town

    def reach_ms(self, row: Engagement) -> int:
        """Return how much longer home waits because words travel, 0 inside one town."""
        other = row.asker_town if self.decides(row) else row.home
        return self.reach_of(other)

    def reach_of(self, town: bytes) -> int:
        """Return how long the words of a town take to come (ms), 0 for our own."""
        return 0 if town == self.town else reaches.of(town)


def seen_of(engaging: Engaging, body: Struct) -> bytes:
    """Return a digest of the fields of a listing whose change needs a new yes."""
    said = plain(body)
    material = {name: said[name] for name in engaging.material if name in said}
    return hashlib.sha256(codec.dumps(material)).digest()[:SEEN_BYTES]


def entered(lifecycle: Lifecycle, state: State, moments: dict[str, int]) -> dict[str, Any]:
    """Return the columns of a row that enters a state at `moments["since"]`."""
    return {
        "state": state.name,
        "since_ms": moments["since"],
        "turn": state.turn,
        "final": state.final,
        "deadline_ms": state.deadline.at_ms(moments) if state.deadline else None,
        "lapses_to": state.lapses_to,
        "ends_ms": lifecycle.ends_ms(state.name, moments),
    }


def written(value: Any) -> str:
    """Return the JSON text a column keeps."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def because(code: str, text: str = "") -> str:
    """Return the reason home gives, as a column keeps it: a code, a keeper's own words."""
    return written({"code": code, "text": text}) if code or text else ""


def read(text: str) -> Any:
    """Return what a JSON column holds; an empty one holds nothing."""
    return json.loads(text) if text else {}


def is_on_offer(listing: Listing | None, now_ms: int) -> bool:
    """Return whether a listing can be asked for: shown, published, and not at its end."""
    if listing is None or listing.hidden or listing.state != "published":
        return False
    ends_ms = listing.ends_ms or now_ms + 1
    return now_ms < min(ends_ms, listing.expires * 1000)
