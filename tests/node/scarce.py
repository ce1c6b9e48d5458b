"""A practice of these tests alone: every kind of capacity, a waiting line, and nothing else.

What a listing has is typed into its body, what is asked for into the form, as small words:
`units`, `first`, `after` (claims), `lines` ("eggs=2,milk=1"), `sum`, `slice` (once).
"""

import secrets
from typing import Annotated, Any

from node.domain.capacity import Span
from node.domain.errors import Invalid, Problem
from node.domain.lifecycle import Deadline, Lifecycle, State, Transition
from node.domain.listing import ListingBody
from node.domain.practice import Amount, Claim, Engaging, Once, Practice, Stock, Terms, Wanted
from node.domain.schema import Field, Form, Meta, Schema, plain, said
from node.store.catalogue import holdings, listings
from node.store.database import write_tx

KIND = "scarce.thing/1"
OFFER_HOURS = 48


class Thing(ListingBody, kw_only=True, omit_defaults=True):
    """What there is of a thing, in each of the ways a thing can run out."""

    verb: str = "avoir"
    copies: Annotated[int, Meta(ge=0)] = 0
    stock: dict[str, int] = {}
    most: int = 0
    auto: bool = True


def lines(text: str) -> dict[str, int]:
    """Read "eggs=2,milk=1"."""
    return {
        name: int(units) for name, units in (each.split("=") for each in text.split(",") if each)
    }


def terms(thing: Thing, form: Form, today: int) -> Terms:
    """Return what was typed, numbers as numbers; raises Invalid."""
    found: Terms = {"today": today}
    try:
        for name in ("units", "first", "after", "sum"):
            if said(form, name):
                found[name] = int(said(form, name))
        if said(form, "lines"):
            found["lines"] = lines(said(form, "lines"))
    except ValueError:
        raise Invalid([Problem("lines", "bad", "bad")]) from None
    if "slice" in form:
        found["slice"] = said(form, "slice")
    return found


def claim(agreed: Terms) -> tuple[Wanted, ...]:
    """Return everything the terms name."""
    found: list[Wanted] = []
    if "first" in agreed:
        found.append(Claim(Span(agreed["first"], agreed["after"]), agreed.get("units", 1)))
    if "lines" in agreed:
        found.append(Stock(agreed["lines"]))
    if "sum" in agreed:
        found.append(Amount(agreed["sum"]))
    if "slice" in agreed:
        found.append(Once(agreed["slice"]))
    return tuple(found)


def moments(agreed: Terms, zone: str) -> dict[str, int]:
    """Return the end of the wait: ten days after the day it was asked on."""
    return {"last": (agreed["today"] + 10) * 86_400_000}


TABLE = Lifecycle(
    "scarce",
    start="requested",
    waiting="waiting",
    states=(
        State("requested", "Asked", turn="keeper", deadline=Deadline(days=5), lapses_to="lapsed"),
        State(
            "waiting", "In line", turn="clock", deadline=Deadline(after="last"), lapses_to="lapsed"
        ),
        State(
            "offered",
            "Offered",
            turn="asker",
            takes=True,
            deadline=Deadline(hours=OFFER_HOURS),
            lapses_to="passed",
        ),
        State(
            "promised",
            "Promised",
            turn="clock",
            takes=True,
            deadline=Deadline(days=30),
            lapses_to="over",
        ),
        State("over", "Over", final=True),
        State("passed", "Passed on", final=True),
        State("lapsed", "Came to nothing", final=True),
        State("declined", "Declined", final=True),
        State("cancelled", "Withdrawn", final=True),
        State("revoked", "Taken back", final=True),
    ),
    transitions=(
        Transition("approve", "requested", "promised", "keeper", "Accept"),
        Transition("decline", "requested", "declined", "keeper", "Decline"),
        Transition("offer", "waiting", "offered", "clock", "Offer"),
        Transition("accept", "offered", "promised", "asker", "Take it"),
    ),
)

PRACTICE = Practice(
    name="scarce",
    rubric="rare",
    label="Scarce things",
    one="A scarce thing",
    icon="lending",
    schema=Schema(KIND, Thing, (Field("title", "text", "Title"),)),
    verbs=(("avoir", "Have"),),
    engaging=Engaging(
        lifecycles={"scarce": TABLE},
        which=lambda thing: "scarce",
        fields=lambda thing: (),
        wish=lambda thing, form: {name: str(text) for name, text in form.items() if name in WORDS},
        terms=terms,
        claim=claim,
        copies=lambda thing: thing.copies,
        stock=lambda thing: thing.stock,
        most=lambda thing: None if thing.most < 0 else thing.most,
        moments=moments,
        material=("verb",),
        auto=lambda thing: thing.auto,
    ),
)
WORDS = ("units", "first", "after", "lines", "sum", "slice", "message")


def form(**said: Any) -> dict[str, str]:
    """Return what is typed to ask for something."""
    return {name: str(text) for name, text in said.items()}


def offer(town: Any, *, key: bytes | None = None, **body: Any) -> Any:
    """Publish (or revise, as the pages do) a scarce thing kept by `keeper`; return its row."""
    struct = PRACTICE.schema.read({"title": "Rareté", "verb": "avoir", **body})
    holder = town.member("keeper")
    with town.inside(), write_tx():
        record = town.journal.publish(KIND, plain(struct), key=key)
        holdings.keep(record.key, holder, town.clock.now_ms())
        town.engine.listing_changed(record.key)
        return listings.find(town.id, record.key)


def want(town: Any, listing: Any, who: str = "asker", **said: Any) -> Any:
    """Ask for some of it; `queue=1` waits in line when there is nothing left."""
    member = town.member(who)
    with town.inside():
        row = listings.find(listing.origin, listing.key)
        return town.engine.ask(row, member, form(**said), secrets.token_bytes(16))
