"""What a listing of lending says: the body of a `lending.item/1` record, and its form."""

from typing import Annotated, Literal

from node.domain.listing import Cents, DayNumber, ListingBody
from node.domain.schema import DATES_MAX, WEEKDAYS, Field, Meta, Schema
from node.domain.words import N_
from node.practices.lending.kinds import OBJECTS, usual

KIND = "lending.item/1"
LEND, GIVE = "preter", "donner"  # two of ADEME's public verbs of exchange
COPIES_MAX = 500
DAYS_MAX = 90
RENEWALS_MAX = 10
AT_ONCE_MAX = 50
PARTS_MAX = 40

Weekday = Annotated[int, Meta(ge=0, le=6)]
Dates = tuple[DayNumber, DayNumber]  # the first and the last

VERBS = ((LEND, N_("Lend")), (GIVE, N_("Give")))
CONDITIONS = (
    ("neuf", N_("As new")),
    ("bon", N_("Good")),
    ("usage", N_("Worn, works well")),
    ("a_reparer", N_("Needs a repair")),
)
OWNERS = (("neighbour", N_("A neighbour")), ("library", N_("A library of things")))
TURNROUNDS = (
    ("same_day", N_("The very day it comes back")),
    ("next_day", N_("The day after")),
    ("day_between", N_("After a day in between, to clean or check it")),
)
TURNROUND_DAYS = {"same_day": 0, "next_day": 1, "day_between": 2}


class Item(ListingBody, kw_only=True, omit_defaults=True):
    """A thing to lend or to give: what it is, how many, for how long, and when to fetch it.

    `copies` alike things; `accessories` one a line, or separated by commas; `deposit` in cents,
    agreed on and never cashed by the node; `max_days` of one loan, and as many at each of the
    `renewals`; `at_once` things of this kind one person may have, 0 for any; `turnround` says when
    it can be lent again. It is fetched and brought back on `open_days`, the weekdays (0 = Monday,
    none for every day), but not on `closed` days nor, if `holidays`, on public holidays. `auto`:
    accepted without asking the lender as long as one is free.
    """

    verb: Literal["preter", "donner"] = LEND
    object: Literal[
        "bricolage",
        "jardin",
        "velo",
        "cuisine",
        "fete",
        "sport",
        "enfants",
        "image_son",
        "numerique",
        "maison",
        "livres_jeux",
        "autre",
    ] = "autre"
    condition: Literal["neuf", "bon", "usage", "a_reparer"] = "bon"
    copies: Annotated[int, Meta(ge=1, le=COPIES_MAX)] = 1
    deposit: Cents = 0
    max_days: Annotated[int, Meta(ge=1, le=DAYS_MAX)] = 7
    renewals: Annotated[int, Meta(ge=0, le=RENEWALS_MAX)] = 1
    at_once: Annotated[int, Meta(ge=0, le=AT_ONCE_MAX)] = 0
    turnround: Literal["same_day", "next_day", "day_between"] = "next_day"
    open_days: Annotated[list[Weekday], Meta(max_length=7)] = []
    closed: Annotated[list[Dates], Meta(max_length=DATES_MAX)] = []
    holidays: bool = False
    hours: Annotated[str, Meta(max_length=120)] = ""
    accessories: Annotated[str, Meta(max_length=1_000)] = ""
    owner: Literal["neighbour", "library"] = "neighbour"
    auto: bool = False

    @property
    def is_gift(self) -> bool:
        """Return whether it is given for good."""
        return self.verb == GIVE

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the accessories one by one, as they are ticked out and in; at most PARTS_MAX."""
        mark = "\n" if "\n" in self.accessories else ","
        named = (" ".join(each.split()) for each in self.accessories.split(mark))
        return tuple(dict.fromkeys(each for each in named if each))[:PARTS_MAX]


FIELDS = (
    Field("title", "text", N_("What is it?"), required=True, max_length=120),
    Field("object", "choice", N_("Kind of thing"), required=True, choices=OBJECTS),
    Field(
        "verb",
        "choice",
        N_("You wish to"),
        N_("What you lend comes back to you; what you give does not."),
        required=True,
        choices=VERBS,
    ),
    Field(
        "text",
        "long",
        N_("Describe it"),
        N_("Size, brand, what it can do. No name, no telephone number here."),
        max_length=4_000,
    ),
    Field("condition", "choice", N_("Condition"), required=True, choices=CONDITIONS),
    Field(
        "copies",
        "count",
        N_("How many"),
        N_("Several if they are alike: chairs, glasses, tables."),
        minimum=1,
        maximum=COPIES_MAX,
    ),
    Field(
        "accessories",
        "long",
        N_("What comes with it"),
        N_("One thing a line: they are ticked when it is fetched and when it comes back."),
        max_length=1_000,
    ),
    Field(
        "deposit",
        "cents",
        N_("Deposit"),
        N_("A sum you agree on with the borrower. Nothing is paid through this site."),
        maximum=10_000_000,
    ),
    Field(
        "max_days",
        "count",
        N_("At most, in days"),
        N_("Left empty: as is usual for that kind of thing."),
        minimum=1,
        maximum=DAYS_MAX,
    ),
    Field(
        "renewals",
        "count",
        N_("How often it can be renewed"),
        N_("As long as nobody waits for it. Left empty: as is usual for that kind of thing."),
        maximum=RENEWALS_MAX,
    ),
    Field(
        "at_once",
        "count",
        N_("Things of this kind for one person at once"),
        N_("0 for any number. Left empty: as is usual for that kind of thing."),
        maximum=AT_ONCE_MAX,
    ),
    Field("turnround", "choice", N_("Lent again"), choices=TURNROUNDS),
    Field(
        "open_days",
        "days",
        N_("Days on which it is fetched and brought back"),
        N_("Tick none if every day suits you."),
        choices=WEEKDAYS,
    ),
    Field(
        "closed",
        "dates",
        N_("Closed on"),
        N_("One day or span of days a line, for example 24/12/2026 - 02/01/2027."),
    ),
    Field("holidays", "check", N_("Closed on public holidays")),
    Field("hours", "text", N_("At what hours"), N_("For example: 2 pm to 6 pm"), max_length=120),
    Field("owner", "choice", N_("Whose is it?"), required=True, choices=OWNERS),
    Field(
        "auto",
        "check",
        N_("Accept requests by itself"),
        N_("As long as one is free on the days asked for. Otherwise you answer each time."),
    ),
    Field("quartier", "text", N_("Neighbourhood"), max_length=80),
    Field("place", "place", N_("Where it is fetched")),
    Field("photos", "photos", N_("Photos")),
)

SCHEMA = Schema(KIND, Item, FIELDS, usual)
