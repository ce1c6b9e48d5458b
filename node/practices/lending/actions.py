"""The rules of lending: on which days, how many, and what a gift leaves behind.

Terms of a loan are {first_day, after_day, units, answer_until, pickup_until}: day numbers, the loan
half-open, the lender's yes due before answer_until begins. Terms of a gift are {units}. Once asked
they are frozen, whatever the listing says later.
"""

import dataclasses
from collections.abc import Iterator

from node.domain.capacity import Span, midnight_ms, weekday
from node.domain.errors import Invalid, Problem
from node.domain.practice import ONCE, Claim, Terms, answers
from node.domain.schema import Field, Form, replace, said, tidy, typed
from node.domain.words import N_
from node.practices.lending.schema import COPIES_MAX, Item

MESSAGE_MAX = 300
AHEAD_DAYS_MAX = 365

FIRST_DAY = Field("first_day", "day", N_("First day"), required=True)
LAST_DAY = Field("last_day", "day", N_("Last day"), N_("The day you bring it back."), required=True)
UNITS = Field("units", "count", N_("How many"), minimum=1, maximum=COPIES_MAX)
MESSAGE = Field(
    "message",
    "long",
    N_("Your message"),
    N_("Say what it is for. At most 300 characters."),
    max_length=MESSAGE_MAX,
)


def fields(item: Item) -> tuple[Field, ...]:
    """Return what somebody who asks for `item` fills in."""
    days = () if item.is_gift else (FIRST_DAY, LAST_DAY)
    units = (dataclasses.replace(UNITS, maximum=item.copies),) if item.copies > 1 else ()
    return (*days, *units, MESSAGE)


def wish(item: Item, form: Form) -> dict[str, str]:
    """Return what was asked; days ticked in the calendar stand for the first and the last of them.

    The form may tick some days (`days`, ISO dates) or name two (`first_day`, `last_day`).
    """
    asked = answers(fields(item), form)
    ticked = sorted(filter(None, tidy(said(form, "days")).split(",")))
    if ticked and not item.is_gift:
        asked |= {"first_day": ticked[0], "last_day": ticked[-1]}
    return asked


def terms(item: Item, form: Form, today: int) -> Terms:
    """Return the terms for what was asked on the day number `today`; raises Invalid.

    A return that would fall on a closed day moves to the next opening day, and the thing is taken
    until then; a pick-up on a closed day is refused. How many are free is not asked here.
    """
    if item.is_gift:
        return {"units": typed((UNITS, MESSAGE), form).get("units", 1)}
    values = typed((FIRST_DAY, LAST_DAY, UNITS, MESSAGE), form)
    first, last = values["first_day"], values["last_day"]
    problems = list(_wrong_days(item, first, last, today))
    if problems:
        raise Invalid(problems)
    return {
        "first_day": first,
        "after_day": next_open(item, last) + 1,
        "units": values.get("units", 1),
        "answer_until": max(first, today + 1),
        "pickup_until": next_open(item, first + 1),
    }


def _wrong_days(item: Item, first: int, last: int, today: int) -> Iterator[Problem]:
    if first < today:
        yield Problem("first_day", "in_the_past", N_("That day is over."))
    elif last - today > AHEAD_DAYS_MAX:
        yield Problem("last_day", "too_far", N_("At most a year ahead, please."))
    elif not open_on(item, first):
        message = N_("It is not fetched or brought back on that day of the week.")
        yield Problem("first_day", "closed", message)
    if last < first:
        yield Problem("last_day", "before_first", N_("The last day comes before the first."))
    elif last - first + 1 > item.max_days:
        message = N_("It is lent for at most %(days)d days.")
        yield Problem("last_day", "too_long", message, {"days": item.max_days})


def open_on(item: Item, day: int) -> bool:
    """Return whether the thing can be fetched or brought back on a day number."""
    return not item.open_days or weekday(day) in item.open_days


def next_open(item: Item, day: int) -> int:
    """Return the first opening day from `day` on."""
    return next(each for each in range(day, day + 7) if open_on(item, each))


def claim(agreed: Terms) -> Claim:
    """Return what terms hold: units on each day of a loan, units for good of a gift."""
    span = Span(agreed["first_day"], agreed["after_day"]) if "first_day" in agreed else ONCE
    return Claim(span, agreed["units"])


def moments(agreed: Terms, zone: str) -> dict[str, int]:
    """Return the instants (UTC ms) the deadlines of a loan refer to; a gift has none."""
    if "first_day" not in agreed:
        return {}
    days = {
        "first_day": agreed["first_day"],
        "start": agreed["answer_until"],
        "pickup_over": agreed["pickup_until"] + 1,
        "last_day": agreed["after_day"] - 1,
        "due": agreed["after_day"],
    }
    return {name: midnight_ms(day, zone) for name, day in days.items()}


def handed_over(item: Item, agreed: Terms) -> Item | None:
    """Return the listing after a hand-over: a loan leaves it as it is, a gift leaves fewer.

    None when nothing is left to give.
    """
    if "first_day" in agreed:
        return item
    left = item.copies - int(agreed["units"])
    return replace(item, copies=left) if left > 0 else None


def which(item: Item) -> str:
    """Return the name of the lifecycle a listing follows."""
    return "gift" if item.is_gift else "loan"


def copies(item: Item) -> int:
    """Return how many there are."""
    return item.copies


def auto(item: Item) -> bool:
    """Return whether requests are accepted without asking the lender."""
    return item.auto


def facets(item: Item) -> tuple[tuple[str, str], ...]:
    """Return what a listing can be found and filtered by."""
    return (("object", item.object), ("owner", item.owner), ("condition", item.condition))
