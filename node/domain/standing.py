"""What home knows of whoever asks when a rule of a practice is asked: may they, now?

Guards (`Engaging.guards`) are pure: everything they may look at is in a `Standing`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Other:
    """Another engagement of the same asker with a listing of the same practice here.

    `listing` is the register it is about; `facets` the listing's {name: value}; `has_promise` says
    whether it holds something now.
    """

    id: bytes
    lifecycle: str
    state: str
    since_ms: int
    terms: Mapping[str, Any]
    listing: bytes
    has_promise: bool
    is_over: bool
    facets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """Who asks, as home knows them in the deciding transaction.

    now_ms         UTC ms; `today` the day number it is here
    at_ms          when the act was done, as its author dated it
    is_here        whether they are of this town; `is_staff`: the desk acts for them
    others         their other engagements of this practice, the open ones and those that ended in
                   the last 400 days, newest first; of another town's resident only those with the
                   same listing are known as theirs
    waiting        how many wait in line for this listing
    out            how many of its copies are out with others (`Engaging.out`)
    done           action -> how often it was done (verdict ok) in this engagement
    habilitations  {code: until when in UTC ms, None without end} of those in force they hold
    listing        the register they ask for
    """

    now_ms: int
    today: int
    at_ms: int
    is_here: bool = True
    is_staff: bool = False
    others: tuple[Other, ...] = ()
    waiting: int = 0
    out: int = 0
    done: Mapping[str, int] = field(default_factory=dict)
    habilitations: Mapping[str, int | None] = field(default_factory=dict)
    listing: bytes = b""


@dataclass(frozen=True)
class Hindrance:
    """Why not: `code` (stable, lower case) and its message id with its values.

    `verdict` is how it is told to another town, which reads `code` through `Engaging.reasons`.
    """

    code: str
    message: str
    params: Mapping[str, object] = field(default_factory=dict)
    verdict: str = "not_allowed"
