"""The rules that look at who books: how early, twice the same, a habilitation, a quota.

Each is asked at home, inside the deciding transaction (`Engaging.guards`). A quota counts what is
asked for and what is booked, never what is only being chosen or waited for.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from node.domain.capacity import quarter_ms
from node.domain.lifecycle import HOUR_MS, MINUTE_MS
from node.domain.practice import Terms
from node.domain.standing import Hindrance, Other, Standing
from node.domain.words import N_
from node.practices.spaces.hours import minutes_by_day
from node.practices.spaces.schema import Space

COUNTED = ("requested", "countered", "confirmed", "checked_in", "done", "no_show")
HOLDS_MAX = 2  # of one person at a time
EARLY_MS = 30 * MINUTE_MS

REASONS = {
    "too_soon": N_("It has to be booked earlier than that."),
    "booked_twice": N_("You asked for a part of that time already."),
    "habilitation": N_("A habilitation is needed to use it, and none is known."),
    "habilitation_ends": N_("The habilitation ends before that day."),
    "quota": N_("That is more hours than one person may book in that time."),
    "not_yet": N_("That hour has not come yet."),
    "many_held": N_("You hold two of them already: book one, or let it go."),
    "moderated": N_("The keeper of this space answers each request."),
}


def may_ask(space: Space, terms: Terms, standing: Standing) -> Hindrance | None:
    """Return what stands in the way of a new booking."""
    return (
        _too_soon(space, terms, standing)
        or _twice(terms, standing)
        or may_have(space, terms, standing)
    )


def may_hold(space: Space, terms: Terms, standing: Standing) -> Hindrance | None:
    """Return what stands in the way of holding a moment: who decides must be nobody else."""
    return _moderated(space) or _many_held(standing) or may_ask(space, terms, standing)


def may_book(space: Space, terms: Terms, standing: Standing) -> Hindrance | None:
    """Return what stands in the way of booking what is held."""
    return _moderated(space) or may_have(space, terms, standing)


def may_have(space: Space, terms: Terms, standing: Standing) -> Hindrance | None:
    """Return what stands in the way of this person having that time, whoever decides."""
    return _unqualified(space, terms, standing) or _over_quota(space, terms, standing)


def may_check_in(space: Space, terms: Terms, standing: Standing) -> Hindrance | None:
    """Return what stands in the way of an arrival, which may be half an hour early."""
    return _not_yet(terms, standing, EARLY_MS)


def may_close(space: Space, terms: Terms, standing: Standing) -> Hindrance | None:
    """Return what stands in the way of saying how it went: it has to have begun."""
    return _not_yet(terms, standing, 0)


GUARDS = {
    "ask": may_ask,
    "queue": may_ask,
    "hold": may_hold,
    "book": may_book,
    "accept": may_have,
    "check_in": may_check_in,
    "close": may_close,
    "no_show": may_close,
}


def _not_yet(terms: Terms, standing: Standing, early_ms: int) -> Hindrance | None:
    has_come = quarter_ms(terms["first"]) - early_ms <= standing.now_ms
    return None if has_come else Hindrance("not_yet", REASONS["not_yet"])


def _moderated(space: Space) -> Hindrance | None:
    return None if space.auto else Hindrance("moderated", REASONS["moderated"])


def _many_held(standing: Standing) -> Hindrance | None:
    """Whoever only chooses must not empty the week (circulate#523: holds that freeze the stock)."""
    held = sum(other.state == "held" for other in standing.others)
    return Hindrance("many_held", REASONS["many_held"]) if held >= HOLDS_MAX else None


def _too_soon(space: Space, terms: Terms, standing: Standing) -> Hindrance | None:
    start_ms = quarter_ms(terms["first"])
    if standing.is_staff or start_ms >= standing.at_ms + space.advance_hours * HOUR_MS:
        return None
    if space.advance_hours == 0:
        return Hindrance("too_soon", N_("That hour has begun already."), verdict="late")
    message = N_("It is booked at least %(hours)d hours ahead.")
    return Hindrance("too_soon", message, {"hours": space.advance_hours}, verdict="late")


def _twice(terms: Terms, standing: Standing) -> Hindrance | None:
    """The same person, the same space, a part of the same time: a second request by mistake."""
    for other in _same_space(standing):
        is_both = other.terms["first"] < terms["after"] and terms["first"] < other.terms["after"]
        if not other.is_over and is_both:
            return Hindrance("booked_twice", REASONS["booked_twice"], verdict="dup")
    return None


def _unqualified(space: Space, terms: Terms, standing: Standing) -> Hindrance | None:
    code = space.habilitation
    if not code:
        return None
    if code not in standing.habilitations:
        message = N_("The habilitation %(code)s is needed to use it.")
        return Hindrance("habilitation", message, {"code": code})
    until_ms = standing.habilitations[code]
    if until_ms is not None and until_ms < quarter_ms(terms["after"]):
        message = N_("The habilitation %(code)s ends before that day.")
        return Hindrance("habilitation_ends", message, {"code": code})
    return None


def _over_quota(space: Space, terms: Terms, standing: Standing) -> Hindrance | None:
    if not space.quota_hours:
        return None
    booked = [each.terms for each in _same_space(standing) if each.state in COUNTED]
    if most_minutes(terms, booked, space.quota_days) <= space.quota_hours * 60:
        return None
    message = N_("One person may book at most %(hours)d hours in any %(days)d days in a row.")
    params = {"hours": space.quota_hours, "days": space.quota_days}
    return Hindrance("quota", message, params, verdict="over_limit")


def most_minutes(wanted: Mapping[str, Any], booked: Iterable[Mapping[str, Any]], days: int) -> int:
    """Return the most minutes that lie in any `days` days in a row that touch what is wanted.

    Days are those of the wall clock; a booking over midnight counts in both, each for its part.
    """
    minutes: Counter[int] = Counter()
    for each in (wanted, *booked):
        minutes.update(_minutes_of(each))
    asked = _minutes_of(wanted)
    starts = range(min(asked) - days + 1, max(asked) + 1)
    return max(sum(minutes[day] for day in range(start, start + days)) for start in starts)


def _minutes_of(terms: Mapping[str, Any]) -> dict[int, int]:
    found = minutes_by_day(terms["first"], terms["after"])
    return {day: minutes * terms["units"] for day, minutes in found.items()}


def _same_space(standing: Standing) -> list[Other]:
    return [each for each in standing.others if each.listing == standing.listing and each.terms]
