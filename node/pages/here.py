"""What a page may ask of the place it runs in: town, person, the practice behind a listing."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import current_app, g, url_for

from federation import codec
from node.domain.practice import Practice
from node.store.catalogue.listings import Listing
from node.store.network import partners, sightings, towns


def town() -> Any:
    """Return the town this application serves (node.app.Town)."""
    return current_app.extensions["lavoir"]


def now_ms() -> int:
    """Return the town's clock, UTC milliseconds."""
    return int(town().clock.now_ms())


def whole(text: str | None) -> int | None:
    """Return a whole number from an address or a form, None for what is none or is too long."""
    said = text or ""
    return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else None


def member() -> Any:
    """Return the member signed in, None for a visitor."""
    return getattr(g, "member", None)


@dataclass(frozen=True)
class Shown:
    """One listing as pages show it; `body` is read from the record only when asked for."""

    row: Listing
    practice: Practice

    @property
    def origin(self) -> bytes:
        """Return the id of the town that published it."""
        return self.row.origin

    @property
    def key(self) -> bytes:
        """Return the register it lives in."""
        return self.row.key

    @property
    def code(self) -> str:
        """Return the short code it is spoken by."""
        return self.row.code

    @property
    def is_local(self) -> bool:
        """Return whether our town published it."""
        return bool(self.row.origin == town().id)

    @property
    def town(self) -> str:
        """Return the name of the town that published it."""
        return names()[self.row.origin]

    @property
    def href(self) -> str:
        """Return the address of its page."""
        return url_for("listing.show", code=self.row.code)

    @cached_property
    def body(self) -> Any:
        """Return the body of its record; raises Invalid where it no longer fits the schema."""
        return self.practice.schema.read(codec.loads(self.row.body))


def shown(row: Listing) -> Shown | None:
    """Return a row with its practice, None for a practice this node does not have."""
    practice = town().registry.by_name.get(row.practice)
    return Shown(row, practice) if practice else None


class _Names(dict[bytes, str]):
    def __missing__(self, origin: bytes) -> str:
        return origin.hex()[:8]


def names() -> dict[bytes, str]:
    """Return {town id: name} of every town known here, once a request; others by their id."""
    if "names" not in g:
        found = _Names({row.town: row.name for row in partners.listed() if row.name})
        found.update({row.town: row.name for row in towns.listed()})
        found[town().id] = town().config.name
        g.names = found
    return g.names  # type: ignore[no-any-return]


def seen_ms() -> dict[bytes, int | None]:
    """Return {town id: until when we know what it said}, ours being now; once a request."""
    if "seen" not in g:
        held = partners.held_towns()
        g.seen = dict.fromkeys(held) | sightings.heard_ms(held, now_ms())
        g.seen[town().id] = now_ms()
    return dict(g.seen)
