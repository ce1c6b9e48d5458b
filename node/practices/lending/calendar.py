"""The days on which a thing is fetched and brought back: opening days, closed days, holidays."""

from node.domain.capacity import weekday
from node.domain.holidays import holiday
from node.domain.words import N_
from node.practices.lending.schema import Item

SEARCH_DAYS = 400  # beyond that a library has closed for good


def open_on(item: Item, day: int) -> bool:
    """Return whether the thing can be fetched or brought back on a day number."""
    return not closed_why(item, day)


def closed_why(item: Item, day: int) -> str:
    """Return why it cannot, as a message id; "" on an opening day."""
    if item.open_days and weekday(day) not in item.open_days:
        return N_("closed")
    if any(first <= day <= last for first, last in item.closed):
        return N_("closed")
    return holiday(day) if item.holidays else ""


def next_open(item: Item, day: int) -> int | None:
    """Return the first opening day from `day` on, None if there is none in SEARCH_DAYS."""
    days = range(day, day + SEARCH_DAYS)
    return next((each for each in days if open_on(item, each)), None)
