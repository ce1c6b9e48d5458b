"""What may be listed twice: the same spot, or the same name in a commune. Told, never merged."""

from collections.abc import Mapping
from typing import Any

from node.domain.errors import Problem
from node.domain.words import N_
from node.places.communes import folded
from node.store.catalogue.listings import LIVE_STATES, Listing

Name = tuple[str, str]  # folded title, INSEE code


class Doubles:
    """The spots and names met so far in a file, and the names our town lists from elsewhere."""

    def __init__(self, listed: Mapping[Name, str] | None = None) -> None:
        self.listed = listed or {}
        self._spots: dict[tuple[int, int], int] = {}
        self._names: dict[Name, int] = {}

    def of(self, line: int, body: Mapping[str, Any]) -> list[Problem]:
        """Return what makes the body of a line look like one met before, and remember it."""
        place = body.get("place", {})
        problems = []
        if "lat_e6" in place:
            first = self._spots.setdefault((place["lat_e6"], place["lon_e6"]), line)
            if first != line:
                message = N_("At the same position as %(line)d.")
                problems.append(Problem("", "same_position", message, {"line": first}))
        name = (folded(body["title"]), place.get("insee", ""))
        first = self._names.setdefault(name, line)
        if first != line:
            message = N_("The same name in the same commune as %(line)d: is it listed twice?")
            problems.append(Problem("", "same_name", message, {"line": first}))
        if name in self.listed:
            message = N_("Our listing %(code)s has this name in this commune: is it the same?")
            problems.append(Problem("", "listed_already", message, {"code": self.listed[name]}))
        return problems


def listed_elsewhere(town: bytes, practice: str, source: str) -> dict[Name, str]:
    """Return {name: code} of our town's live listings that do not come from `source`."""
    query = Listing.select(Listing.title, Listing.insee, Listing.code).where(
        Listing.origin == town,
        Listing.practice == practice,
        Listing.source != source,
        Listing.state.in_(LIVE_STATES),
    )
    return {(folded(title), insee): code for title, insee, code in query.tuples()}
