"""What a listing of lending says: the body of a `lending.item/1` record, and its form."""

from typing import Annotated, Literal

from node.domain.listing import Cents, ListingBody
from node.domain.schema import WEEKDAYS, Field, Meta, Schema
from node.domain.words import N_

KIND = "lending.item/1"
LEND, GIVE = "preter", "donner"  # two of ADEME's public verbs of exchange
COPIES_MAX = 500
DAYS_MAX = 90

Weekday = Annotated[int, Meta(ge=0, le=6)]

VERBS = ((LEND, N_("Lend")), (GIVE, N_("Give")))
OBJECTS = (
    ("bricolage", N_("Tools and building")),
    ("jardin", N_("Garden")),
    ("velo", N_("Bicycles and transport")),
    ("cuisine", N_("Kitchen")),
    ("fete", N_("Parties and meetings")),
    ("sport", N_("Sport and camping")),
    ("enfants", N_("Children")),
    ("image_son", N_("Sound and picture")),
    ("numerique", N_("Computers")),
    ("maison", N_("House and furniture")),
    ("livres_jeux", N_("Books and games")),
    ("autre", N_("Something else")),
)
CONDITIONS = (
    ("neuf", N_("As new")),
    ("bon", N_("Good")),
    ("usage", N_("Worn, works well")),
    ("a_reparer", N_("Needs a repair")),
)
OWNERS = (("neighbour", N_("A neighbour")), ("library", N_("A library of things")))


class Item(ListingBody, kw_only=True, omit_defaults=True):
    """A thing to lend or to give: what it is, how many, for how long, and when to fetch it.

    `copies` alike things; `deposit` in cents, agreed on and never cashed by the node; `max_days` of
    one loan; `open_days` the weekdays (0 = Monday) on which it is fetched and brought back, none
    for every day; `auto`: accepted without asking the lender as long as one is free.
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
    open_days: Annotated[list[Weekday], Meta(max_length=7)] = []
    hours: Annotated[str, Meta(max_length=120)] = ""
    accessories: Annotated[str, Meta(max_length=500)] = ""
    owner: Literal["neighbour", "library"] = "neighbour"
    auto: bool = False

    @property
    def is_gift(self) -> bool:
        """Return whether it is given for good."""
        return self.verb == GIVE


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
    Field("accessories", "text", N_("What comes with it"), max_length=500),
    Field(
        "deposit",
        "cents",
        N_("Deposit"),
        N_("A sum you agree on with the borrower. Nothing is paid through this site."),
        maximum=10_000_000,
    ),
    Field("max_days", "count", N_("At most, in days"), minimum=1, maximum=DAYS_MAX),
    Field(
        "open_days",
        "days",
        N_("Days on which it is fetched and brought back"),
        N_("Tick none if every day suits you."),
        choices=WEEKDAYS,
    ),
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

SCHEMA = Schema(KIND, Item, FIELDS)
