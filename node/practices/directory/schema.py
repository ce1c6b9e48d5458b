"""What an entry of the directory says: the body of a `directory.organisation/1` record."""

import re
from typing import Annotated, Any, Literal

from node.domain.errors import Invalid, Problem
from node.domain.listing import DayNumber, ListingBody
from node.domain.schema import Field, Form, Meta, Schema, Struct, checked, said, tidy, typed
from node.domain.words import N_
from node.practices.directory.sorts import FAMILIES, SORTS, family_of, label_of

KIND = "directory.organisation/1"
LINKS_MAX = 12
LINK_LENGTH_MAX = 500
STALE_AFTER_DAYS = 365

LINK = rf"^https?://[^\s<>\"]{{1,{LINK_LENGTH_MAX - 8}}}\Z"  # nothing that runs when it is clicked
Link = Annotated[str, Meta(pattern=LINK)]


class Organisation(ListingBody, kw_only=True, omit_defaults=True):
    """An organisation: its family and kind, its public address, hours and pages on the web.

    `confirmed` is the day its people, or the source it was taken from, last said all this is true.
    """

    verb: Annotated[str, Meta(max_length=32)] = "visit"
    category: Literal[
        "consommation_collaborative",
        "production_distribuee",
        "financement_participatif",
        "gouvernance_partagee",
    ]
    sort: Annotated[str, Meta(max_length=40)] = ""
    address: Annotated[str, Meta(max_length=300)] = ""
    hours: Annotated[str, Meta(max_length=500)] = ""
    links: Annotated[list[Link], Meta(max_length=LINKS_MAX)] = []
    confirmed: DayNumber | None = None

    @property
    def label(self) -> str:
        """Return the message id that names what kind of organisation this is."""
        return label_of(self.sort, self.category)

    @property
    def family(self) -> str:
        """Return the message id that names the family of the organisation."""
        return dict(FAMILIES)[self.category]

    def is_stale(self, today: int) -> bool:
        """Return whether nobody confirmed the entry for a year before the day number `today`."""
        return self.confirmed is None or today - self.confirmed > STALE_AFTER_DAYS


class OrganisationSchema(Schema):
    """The schema of entries: one link a line, and the kind says the family."""

    def clean(self, form: Form, **given: object) -> Struct:
        """Return the entry for what was typed; raises Invalid naming every field refused."""
        values: dict[str, Any] = {**typed(self.fields, form), **given}
        values.setdefault("category", family_of(values.get("sort", "")))
        values["links"] = tidy(said(form, "links")).split()
        problems = list(_gaps(values))
        if problems:
            raise Invalid(problems)
        return checked(self.struct, values)


def _gaps(values: dict[str, Any]) -> list[Problem]:
    problems = []
    if not values["category"]:
        message = N_("Please say what kind of organisation it is.")
        problems.append(Problem("sort", "required", message))
    if not all(is_link(link) for link in values["links"]) or len(values["links"]) > LINKS_MAX:
        message = N_("Addresses of pages, one a line, each beginning with https:// or http://.")
        problems.append(Problem("links", "not_links", message))
    return problems


def is_link(text: str) -> bool:
    """Return whether `text` is an address of the web that may be kept and shown as a link."""
    return re.search(LINK, text) is not None


FIELDS = (
    Field("title", "text", N_("Name of the organisation"), required=True, max_length=120),
    Field("sort", "choice", N_("Kind"),
          choices=tuple((code, label) for code, label, _family in SORTS)),
    Field("category", "choice", N_("Family"), N_("Only when no kind fits."), choices=FAMILIES),
    Field("text", "long", N_("What it does"),
          N_("For whom, how to take part. No name or telephone number of a person here."),
          max_length=4_000),
    Field("place", "place", N_("Where")),
    Field("address", "text", N_("Address open to the public"), max_length=300),
    Field("hours", "text", N_("Opening hours"), max_length=500),
    Field("links", "long", N_("Pages on the web"), N_("One a line, beginning with https://."),
          max_length=4_000),
    Field("confirmed", "day", N_("True as of"), N_("The day you last made sure of it.")),
    Field("photos", "photos", N_("Photos")),
)  # fmt: skip

SCHEMA = OrganisationSchema(KIND, Organisation, FIELDS)
