"""What every listing says, whatever its practice: the body of the record a town publishes.

Only public facts live here. Nobody's name, telephone or door number is a field, on purpose:
contact travels sealed (PROTOCOL, Record). Integers only, because signed bodies hold no floats:
positions are millionths of a degree, money is cents, days are day numbers.
"""

from typing import Annotated, Literal

from node.domain.schema import Meta, Struct, replace

PLACE_ROUNDING_E6 = 3_000  # about 300 m in latitude: where something is, not whose door it is
TITLE_MAX = 120
TEXT_MAX = 4_000
PHOTOS_MAX = 6
EXTRA_MAX = 60
LABEL_MAX = 80
VALUE_MAX = 1_000

Title = Annotated[str, Meta(min_length=1, max_length=TITLE_MAX)]
Text = Annotated[str, Meta(max_length=TEXT_MAX)]
Line = Annotated[str, Meta(max_length=200)]
Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
DayNumber = Annotated[int, Meta(ge=0, le=2_932_896)]
Cents = Annotated[int, Meta(ge=0, le=100_000_000)]
Pair = tuple[
    Annotated[str, Meta(min_length=1, max_length=LABEL_MAX)],
    Annotated[str, Meta(max_length=VALUE_MAX)],
]


class Place(Struct, kw_only=True, omit_defaults=True, frozen=True):
    """Where: a name, the commune, and a position in millionths of a degree."""

    name: Line = ""
    insee: Annotated[str, Meta(max_length=5)] = ""
    lat_e6: Annotated[int, Meta(ge=-90_000_000, le=90_000_000)] | None = None
    lon_e6: Annotated[int, Meta(ge=-180_000_000, le=180_000_000)] | None = None
    exact: bool = False

    @property
    def is_located(self) -> bool:
        """Return whether the place has a position."""
        return self.lat_e6 is not None and self.lon_e6 is not None


class Photo(Struct, kw_only=True, omit_defaults=True, frozen=True):
    """A picture by its SHA-256; fetched from the partner that serves the listing, never by URL."""

    hash: Hash
    width: Annotated[int, Meta(ge=1, le=10_000)]
    height: Annotated[int, Meta(ge=1, le=10_000)]
    size: Annotated[int, Meta(ge=1, le=2_000_000)]
    alt: Line = ""


class Source(Struct, kw_only=True, omit_defaults=True, frozen=True):
    """The open data a listing was taken from: who says it, under which licence, as what."""

    name: Line
    licence: Line = ""
    url: Line = ""
    ref: Line = ""


class ListingBody(Struct, kw_only=True, omit_defaults=True):
    """The fields all practices share; a practice's body inherits them and adds its own.

    `extra` are the (column, value) pairs of imported open data that no field took.
    """

    title: Title
    text: Text = ""
    verb: Annotated[str, Meta(max_length=32)] = ""
    place: Place | None = None
    quartier: Line = ""
    photos: Annotated[list[Photo], Meta(max_length=PHOTOS_MAX)] = []
    who: Literal["town", "partners"] = "partners"
    ends: DayNumber | None = None
    state: Literal["published", "paused"] = "published"
    lang: Annotated[str, Meta(max_length=8)] = "fr"
    source: Source | None = None
    extra: Annotated[list[Pair], Meta(max_length=EXTRA_MAX)] = []


def rounded(place: Place) -> Place:
    """Return `place` blurred to about 300 m unless it is a public (exact) place."""
    if place.exact or place.lat_e6 is None or place.lon_e6 is None:
        return place
    half = PLACE_ROUNDING_E6 // 2
    lat, lon = (
        (value + half) // PLACE_ROUNDING_E6 * PLACE_ROUNDING_E6
        for value in (place.lat_e6, place.lon_e6)
    )
    return replace(place, lat_e6=lat, lon_e6=lon)
