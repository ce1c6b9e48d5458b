"""What a practice declares about itself: the one object its folder hands to the node.

The node asks; it never knows which practice answers. Add a practice by copying `lending/`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from node.domain.capacity import Span, midnight_ms
from node.domain.lifecycle import Lifecycle
from node.domain.listing import Source
from node.domain.schema import Field, Form, Schema, Struct, said, tidy
from node.domain.standing import Hindrance, Standing

Terms = dict[str, Any]
Facets = tuple[tuple[str, str], ...]
ONCE = Span(0, 1)


@dataclass(frozen=True)
class Claim:
    """What promised terms hold of a listing: `units` of its copies in each slot of `span`.

    A slot is whatever the practice counts in: a day number (lending), a quarter of an hour since
    1970 in UTC (spaces), an occurrence. What is taken for good (a gift) holds the span ONCE.
    """

    span: Span
    units: int = 1


@dataclass(frozen=True)
class Stock:
    """What promised terms hold of a listing's stock: {line: how many}, lines named by the body."""

    lines: Mapping[str, int]


@dataclass(frozen=True)
class Amount:
    """How much promised terms add to one sum (cents, minutes): held up to `Engaging.most`."""

    units: int


@dataclass(frozen=True)
class Once:
    """One voice of one asker in one `slice` of a listing, whatever it says."""

    slice: str = ""


Wanted = Claim | Stock | Amount | Once
Occasion = tuple[int, int, bool]  # start and end in UTC ms, half-open; whether in whole days


def seats(slot: int, places: int = 1) -> Claim:
    """Return what holds `places` seats at one occurrence; `slot` is its day number or quarter."""
    return Claim(Span(slot, slot + 1), places)


def no_facets(body: Any) -> Facets:
    """Return no facets: for a practice with nothing to match on."""
    return ()


@dataclass(frozen=True)
class Engaging:
    """How a resident engages with a listing of this practice.

    lifecycles   by name; `which(body)` names the one a listing follows
    fields       what the asker fills in, for a listing's body
    terms        (body, form, today as day number) -> terms; raises Invalid
    claim        what terms hold: Claim, Stock, Amount or Once, or several of them in a tuple; None
                 when nothing is scarce
    copies       how many units the listing has (Claim)
    stock        how many of each line it has (Stock)
    most         up to what sum it is taken, None for any (Amount)
    moments      the named instants (UTC ms) that deadlines refer to
    material     the body's fields whose change needs a new yes
    effects      action -> (body, terms) -> the listing's new body; None withdraws the listing
    auto         whether home may approve by itself when capacity is free
    wish         (body, form) -> what is asked in the words of `fields`, as it travels to home
    open_on      (body, day number) -> whether a thing can be fetched or brought back on that day
    out          the states in which the thing itself is away until it is brought back; then what
                 is late counts as taken, and guards are told how many are out (slots are days)
    amends       action -> (body, terms, form, today) -> the new terms of a transition that amends,
                 reckoned alike in both towns; raises Invalid
    guards       action (`ask` and `queue` among them) -> (body, terms, Standing) -> what stands in
                 the way, None for nothing; asked at home, inside the deciding transaction
    reasons      code of a Hindrance -> its message id, for towns that only read the code
    limits       (body, Standing) -> what stands against asking at all, whatever is asked: said on
                 the page before anybody fills in a form
    is_milder    (old terms, new terms) -> whether home may change them alone: it only gives more
    shape        the type of each term that a page draws: terms of another town that name one with
                 another type are refused
    instant      (slot, zone) -> the instant, UTC ms, at which a slot of a Claim begins; left out,
                 slots are day numbers
    span         (terms, zone) -> when it takes place: (start, end) in UTC ms, and whether in whole
                 days (from midnight to midnight); None for no such time. Left out, it is read from
                 the moments: first_day to due in whole days, or start to end
    """

    lifecycles: Mapping[str, Lifecycle]
    which: Callable[[Any], str]
    fields: Callable[[Any], tuple[Field, ...]]
    terms: Callable[[Any, Form, int], Terms]
    claim: Callable[[Terms], Wanted | tuple[Wanted, ...] | None]
    copies: Callable[[Any], int]
    moments: Callable[[Terms, str], dict[str, int]]
    material: tuple[str, ...]
    effects: Mapping[str, Callable[[Any, Terms], Struct | None]] = field(default_factory=dict)
    auto: Callable[[Any], bool] = lambda body: False
    wish: Callable[[Any, Form], dict[str, str]] | None = None
    open_on: Callable[[Any, int], bool] = lambda body, day: True
    out: tuple[str, ...] = ()
    stock: Callable[[Any], Mapping[str, int]] = lambda body: {}
    most: Callable[[Any], int | None] = lambda body: None
    amends: Mapping[str, Callable[[Any, Terms, Form, int], Terms]] = field(default_factory=dict)
    guards: Mapping[str, Callable[[Any, Terms, Standing], Hindrance | None]] = field(
        default_factory=dict
    )
    reasons: Mapping[str, str] = field(default_factory=dict)
    limits: Callable[[Any, Standing], Hindrance | None] = lambda body, standing: None
    is_milder: Callable[[Terms, Terms], bool] = lambda old, new: False
    shape: Mapping[str, type] = field(default_factory=dict)
    span: Callable[[Terms, str], Occasion | None] | None = None
    instant: Callable[[int, str], int] = midnight_ms

    def lifecycle(self, body: Any) -> Lifecycle:
        """Return the table of transitions a listing with this body follows."""
        return self.lifecycles[self.which(body)]

    def occasion(self, terms: Terms, zone: str) -> Occasion | None:
        """Return (start ms, end ms, whether in whole days) of what terms promise, or None."""
        if self.span is not None:
            return self.span(terms, zone)
        moments = self.moments(terms, zone)
        for first, after, is_in_days in (("first_day", "due", True), ("start", "end", False)):
            if first in moments and moments.get(after, 0) > moments[first]:
                return moments[first], moments[after], is_in_days
        return None

    def asked(self, body: Any, form: Form) -> dict[str, str]:
        """Return what was asked: the answers to `fields`, tidied, without the empty ones."""
        if self.wish is not None:
            return self.wish(body, form)
        return answers(self.fields(body), form)


def answers(fields: tuple[Field, ...], form: Form) -> dict[str, str]:
    """Return {field: what was typed}, tidied, without the empty ones."""
    typed = {field.name: tidy(said(form, field.name)) for field in fields}
    return {name: text for name, text in typed.items() if text}


@dataclass(frozen=True)
class Importer:
    """How a practice reads a format of open data; `node.imports` gives it the file row by row.

    reader   the shape of the file: csv, geojson or json
    body     (row) -> the listing's body as plain values; raises Invalid
    key      (row) -> what names the row in its source, the same at every import; asked after body
    columns  without these it is another file
    source   where such files come from, when whoever imports says nothing else
    """

    reader: str
    body: Callable[[Any], dict[str, Any]]
    key: Callable[[Any], str]
    columns: tuple[str, ...] = ()
    source: Source | None = None


@dataclass(frozen=True)
class Practice:
    """One practice: its names, its record kind, its rules and (optional) extra pages.

    `name` is the folder; `rubric` the word in addresses; `label`, `one` and the verbs are
    message ids; `icon` names a symbol of the sprite; `blueprint` is a Flask blueprint or None;
    `today` is the endpoint of its page for keepers, who comes today, "" if it has none;
    `importers` are the formats of open data it can read, by the name typed in `import --as`.
    """

    name: str
    rubric: str
    label: str
    one: str
    icon: str
    schema: Schema
    verbs: tuple[tuple[str, str], ...]
    engaging: Engaging | None = None
    facets: Callable[[Any], Facets] = no_facets
    blueprint: object | None = None
    today: str = ""
    importers: Mapping[str, Importer] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Return the record kind of the practice's listings."""
        return self.schema.kind


class Registry:
    """The practices of a node, by name, by record kind and by rubric."""

    def __init__(self, practices: tuple[Practice, ...]) -> None:
        self.practices = practices
        self.by_name = {each.name: each for each in practices}
        self.by_kind = {each.kind: each for each in practices}
        self.by_rubric = {each.rubric: each for each in practices}
        if not len(self.by_name) == len(self.by_kind) == len(self.by_rubric) == len(practices):
            raise ValueError("two practices share a name, a record kind or a rubric")
