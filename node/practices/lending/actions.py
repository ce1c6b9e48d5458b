"""The rules of lending: on which days, how many, how much longer, what a gift leaves behind.

Terms of a loan are {first_day, after_day, free_from, units, answer_until, pickup_until, deposit}:
day numbers; the loan is half-open, the copies are held until free_from begins, the lender's yes is
due before answer_until begins; the deposit in cents, absent for none. Terms of a gift are {units}.
Once asked they are frozen, whatever the listing says later.
"""

import dataclasses
from collections.abc import Iterator

from node.domain.capacity import Span, midnight_ms
from node.domain.errors import Invalid, Problem
from node.domain.practice import ONCE, Claim, Terms, answers
from node.domain.schema import Field, Form, replace, said, tidy, typed
from node.domain.words import N_
from node.practices.lending.calendar import next_open, open_on
from node.practices.lending.schema import COPIES_MAX, TURNROUND_DAYS, Item

MESSAGE_MAX = 300
AHEAD_DAYS_MAX = 365

FIRST_DAY = Field("first_day", "day", N_("First day"), required=True)
LAST_DAY = Field("last_day", "day", N_("Last day"), N_("The day you bring it back."), required=True)
UNTIL = dataclasses.replace(
    LAST_DAY,
    label=N_("Until when"),
    help=N_("Left empty: for as long again as it is lent at most."),
    required=False,
)
UNITS = Field("units", "count", N_("How many"), minimum=1, maximum=COPIES_MAX)
MESSAGE = Field(
    "message",
    "long",
    N_("Your message"),
    N_("Say what it is for. At most 300 characters."),
    max_length=MESSAGE_MAX,
)

DAYS = ("first_day", "after_day", "free_from", "answer_until", "pickup_until")
SHAPE = dict.fromkeys((*DAYS, "units", "deposit"), int)


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
    pickup = next_open(item, first + 1)
    return {
        "first_day": first,
        **_until(item, last),
        "units": values.get("units", 1),
        "answer_until": max(first, today + 1),
        "pickup_until": first if pickup is None else pickup,
        **({"deposit": item.deposit} if item.deposit else {}),
    }


def renewed(item: Item, agreed: Terms, form: Form, today: int) -> Terms:
    """Return the terms of a loan that goes on until `last_day` of the form; raises Invalid.

    No day named: for as long again as a loan lasts at most. Whether it may be is for the guards.
    """
    before = int(agreed["after_day"]) - 1
    last = typed((UNTIL,), form).get("last_day", before + item.max_days)
    if last <= before:
        raise _wrong("not_longer", N_("It is yours until then already."))
    if last - before > item.max_days:
        message = N_("It is lent for at most %(days)d days more.")
        raise _wrong("too_long", message, days=item.max_days)
    return {**agreed, **_until(item, last)}


def _until(item: Item, last: int) -> Terms:
    """The end of a loan: brought back on the first opening day from `last` on, then free again."""
    due = next_open(item, last)
    if due is None:
        raise _wrong("closed", N_("It cannot be brought back for more than a year from then."))
    turnround = TURNROUND_DAYS[item.turnround]
    return {"after_day": due + 1, "free_from": due + turnround}


def _wrong(code: str, message: str, **params: object) -> Invalid:
    return Invalid([Problem("last_day", code, message, params)])


def is_milder(old: Terms, new: Terms) -> bool:
    """Return whether new terms only give more: the same loan, brought back later."""
    ends = ("after_day", "free_from")
    rest = [{name: each[name] for name in each if name not in ends} for each in (old, new)]
    if "after_day" not in old or "after_day" not in new or rest[0] != rest[1]:
        return False
    return int(new["after_day"]) >= int(old["after_day"])


def _wrong_days(item: Item, first: int, last: int, today: int) -> Iterator[Problem]:
    if first < today:
        yield Problem("first_day", "in_the_past", N_("That day is over."))
    elif last - today > AHEAD_DAYS_MAX:
        yield Problem("last_day", "too_far", N_("At most a year ahead, please."))
    elif not open_on(item, first):
        message = N_("It is not fetched or brought back on that day.")
        yield Problem("first_day", "closed", message)
    if last < first:
        yield Problem("last_day", "before_first", N_("The last day comes before the first."))
    elif last - first + 1 > item.max_days:
        message = N_("It is lent for at most %(days)d days.")
        yield Problem("last_day", "too_long", message, {"days": item.max_days})


def claim(agreed: Terms) -> Claim:
    """Return what terms hold: units on each day of a loan, units for good of a gift.

    A thing lent again the day it comes back is held for one day at least.
    """
    if "first_day" not in agreed:
        return Claim(ONCE, agreed["units"])
    first, free_from = agreed["first_day"], agreed.get("free_from", agreed["after_day"])
    return Claim(Span(first, max(free_from, first + 1)), agreed["units"])


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
