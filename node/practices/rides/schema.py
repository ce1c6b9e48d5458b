"""What a trip and a carpool place say: the body of a `rides.ride/1` record and its form."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from node.domain.errors import Invalid, Problem
from node.domain.listing import TITLE_MAX, Cents, DayNumber, Line, ListingBody, Place
from node.domain.schema import Field, Form, Meta, Schema, Struct, checked, said, tidy, typed
from node.domain.words import N_

KIND = "rides.ride/1"
STOPS_MAX = 12
MINUTES_A_DAY = 1_440

Minute = Annotated[int, Meta(ge=0, lt=MINUTES_A_DAY)]
Weekday = Annotated[int, Meta(ge=0, le=6)]
Count = Annotated[int, Meta(ge=0, le=100_000)]
Address = Annotated[str, Meta(max_length=300)]


class Stop(Place, kw_only=True, omit_defaults=True, frozen=True):
    """A place a trip passes through; `ref` names a carpool place of the national base."""

    ref: Line = ""


class CarpoolPlace(Struct, kw_only=True, omit_defaults=True, frozen=True):
    """What the national base says of a carpool place beyond its name and position.

    `commune` and `insee` are as the source wrote them; `place` holds them as they are today.
    """

    ref: Line = ""
    local_ref: Line = ""
    sort: Line = ""
    address: Address = ""
    commune: Line = ""
    insee: Line = ""
    updated: DayNumber | None = None
    open: bool = True
    siren: Line = ""
    spaces: Count | None = None
    accessible_spaces: Count | None = None
    stay_max_minutes: Count | None = None
    hours: Line = ""
    owner: Line = ""
    lit: bool | None = None


class Ride(ListingBody, kw_only=True, omit_defaults=True):
    """A trip offered or sought, or a carpool place; raises ValueError when it says too little.

    `leaves_minute` and `returns_minute` are local time, minutes since midnight; `share_cents` is
    what a passenger pays towards the costs of the whole trip.
    """

    verb: Literal["drive", "travel", "meet"] = "drive"
    departure: Place | None = None
    arrival: Place | None = None
    stops: Annotated[list[Stop], Meta(max_length=STOPS_MAX)] = []
    day: DayNumber | None = None
    weekdays: Annotated[list[Weekday], Meta(max_length=7)] = []
    leaves_minute: Minute | None = None
    returns_minute: Minute | None = None
    seats: Annotated[int, Meta(ge=1, le=8)] | None = None
    share_cents: Cents | None = None
    carpool_place: CarpoolPlace | None = None

    def __post_init__(self) -> None:
        for problem in _gaps({name: getattr(self, name) for name in _NEEDED}):
            raise ValueError(f"`{problem.field}`: {problem.message}")

    @property
    def is_trip(self) -> bool:
        """Return whether this is a trip, not a place."""
        return self.verb != "meet"


_NEEDED = ("verb", "place", "departure", "arrival", "day", "weekdays", "leaves_minute", "seats")


def _gaps(values: Mapping[str, Any]) -> Iterator[Problem]:
    if values.get("verb") == "meet":
        if values.get("place") is None:
            yield Problem("place", "required", N_("Please say where it is."))
        return
    if values.get("departure") is None:
        yield Problem("departure", "required", N_("Please say where the trip starts."))
    if values.get("arrival") is None:
        yield Problem("arrival", "required", N_("Please say where the trip ends."))
    if values.get("day") is None and not values.get("weekdays"):
        yield Problem("day", "required", N_("Please give a day, or days of the week."))
    if values.get("leaves_minute") is None:
        yield Problem("leaves_minute", "required", N_("Please say at what time you leave."))
    if values.get("verb") == "drive" and not values.get("seats"):
        yield Problem("seats", "required", N_("Please say how many seats are free."))


class RideSchema(Schema):
    """The schema of rides: stops are typed as names, and the towns make a title."""

    def clean(self, form: Form, **given: object) -> Struct:
        """Return the ride for what was typed; `given` holds the places, which pages look up.

        Raises Invalid naming every field that cannot be kept.
        """
        values = {**typed(self.fields, form), **given}
        values["stops"] = [{"name": name} for name in _names(said(form, "stops"))]
        problems = list(_form_gaps(values))
        if problems:
            raise Invalid(problems)
        if values["verb"] != "meet":
            values.setdefault("place", values["departure"])
            values.setdefault("title", _title(values))
        return checked(self.struct, values)


def _form_gaps(values: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _gaps(values)
    if len(values["stops"]) > STOPS_MAX:
        message = N_("At most %(max)d stops, please.")
        yield Problem("stops", "too_many", message, {"max": STOPS_MAX})
    if values["verb"] == "meet" and not values.get("title"):
        yield Problem("title", "required", N_("Please fill this in."))


def _names(text: str) -> list[str]:
    parts = tidy(text).replace(";", ",").replace("\n", ",").split(",")
    return [" ".join(part.split())[:200] for part in parts if part.strip()]


def _title(values: Mapping[str, Any]) -> str:
    return f"{values['departure'].name} – {values['arrival'].name}"[:TITLE_MAX]


FIELDS = (
    Field("verb", "choice", N_("Trip or place"), required=True, choices=(
        ("drive", N_("I drive and have seats")),
        ("travel", N_("I am looking for a seat")),
        ("meet", N_("A carpool place")),
    )),
    Field("departure", "place", N_("Leaving from")),
    Field("arrival", "place", N_("Arriving in")),
    Field("stops", "text", N_("Passing through"),
          N_("Towns or carpool places, with commas between."), max_length=1_000),
    Field("day", "day", N_("On that day"), N_("Leave empty for a trip you make every week.")),
    Field("weekdays", "days", N_("Every week on")),
    Field("leaves_minute", "time", N_("Leaves at")),
    Field("returns_minute", "time", N_("Comes back at"), N_("Leave empty for one way.")),
    Field("seats", "count", N_("Free seats"), minimum=1, maximum=8),
    Field("share_cents", "cents", N_("Share of the costs"),
          N_("What each passenger pays for the whole trip. Empty: nothing is asked."),
          maximum=10_000),
    Field("title", "text", N_("Title"), N_("Leave empty: the towns will do."), max_length=120),
    Field("text", "long", N_("What should people know?"),
          N_("Luggage, a meeting point, room for a bicycle. No name or telephone number here."),
          max_length=4_000),
    Field("place", "place", N_("Where is it?"), N_("For a carpool place only.")),
)  # fmt: skip

SCHEMA = RideSchema(KIND, Ride, FIELDS)
