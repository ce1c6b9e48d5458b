"""The absence of a thing: what is out of the house, what is late, and whom that keeps waiting.

Claims say what was promised; this says what is there. A practice names the states in which the
thing itself is away (`Engaging.out`). What is late counts as taken, beside what is claimed, from
today until the first day it can be brought back on; that breaks no promise: whoever comes next is
warned, and gets the thing once it is there (`Standing.out`, asked by the practice's guards).
"""

from collections.abc import Iterator

from node.domain.capacity import Pair, Span, midnight_ms
from node.domain.practice import Claim, Engaging, Terms
from node.engagements import telling
from node.engagements.ground import Ground, read
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.promises import claims
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

SEARCH_DAYS = 31  # what is closed for longer than a month is asked for anew when it opens


def units_out(ground: Ground, engaging: Engaging, key: bytes, but: bytes) -> int:
    """Return how many copies of a listing of ours are out, without those of the engagement `but`.

    Late or not: a thing that is out is not there.
    """
    return sum(_units(engaging, row) for row in _out(ground, engaging, key) if row.id != but)


def late(ground: Ground, listing: Listing, but: bytes | None = None) -> list[Pair]:
    """Return the (unit, day) pairs that late copies of a listing of ours take beside the claims.

    `but` is an engagement whose own lateness does not count.
    """
    engaging = ground.engaging(listing)
    if engaging is None or not engaging.out or not listing.body:
        return []
    found, window = [], window_of(ground, engaging, listing)
    for row in _out(ground, engaging, listing.key):
        if row.id != but and is_late(ground, engaging, row):
            held = set(claims.of_engagement(row.id))
            units = {unit for unit, _ in held} or set(range(_units(engaging, row)))
            pairs = {(unit, day) for unit in units for day in window.days}
            found += sorted(pairs - held)
    return found


def is_late(ground: Ground, engaging: Engaging, row: Engagement) -> bool:
    """Return whether what an engagement has out should be back by now."""
    if row.final or row.state not in engaging.out:
        return False
    occasion = engaging.occasion(read(row.terms), ground.zone)
    return occasion is not None and occasion[1] <= ground.now_ms()


def window_of(ground: Ground, engaging: Engaging, listing: Listing) -> Span:
    """Return the days a late copy takes: today, to the next day it can be brought back on."""
    today, body = ground.today(ground.now_ms()), ground.body(listing)
    days = range(today + 1, today + SEARCH_DAYS)
    back = next((day for day in days if engaging.open_on(body, day)), days[-1])
    return Span(today, back + 1)


def due_ms(ground: Ground, row: Engagement) -> int | None:
    """Return since when (UTC ms) a thing is awaited that an engagement of ours was promised soon.

    None when nothing is late, or enough of it is there all the same.
    """
    listing = listings.find(row.listing_origin, row.listing_key)
    engaging = ground.engaging(row)
    if listing is None or not listing.body or engaging is None or not engaging.out:
        return None
    if not ground.decides(row) or row.final or row.state in engaging.out:
        return None
    if not ground.lifecycle(row).is_agreed(row.state) or not _is_soon(ground, listing, row):
        return None
    out = units_out(ground, engaging, listing.key, row.id)
    if out + _units(engaging, row) <= engaging.copies(ground.body(listing)):
        return None
    return min(_awaited(ground, engaging, listing.key), default=None)


def warn(ground: Ground) -> int:
    """Tell both sides of what was promised soon and is not back yet; return of how many.

    Once a day (see `sweep`): what is still so tomorrow is said again.
    """
    warned = 0
    for practice in ground.registry.practices:
        engaging = practice.engaging
        if engaging is None or not engaging.out:
            continue
        away = rows.in_states(practice.name, ground.town, engaging.out, limit=None)
        for key in dict.fromkeys(row.listing_key for row in away if is_late(ground, engaging, row)):
            warned += sum(_warn(ground, row) for row in rows.open_of_listing(ground.town, key))
    return warned


def _warn(ground: Ground, row: Engagement) -> bool:
    if due_ms(ground, row) is None:
        return False
    with write_tx():
        for side in ("asker", "keeper"):
            telling.warn(ground, row, side, telling.LATE)
    return True


def _is_soon(ground: Ground, listing: Listing, row: Engagement) -> bool:
    window = window_of(ground, ground.rules(row), listing)
    wanted = _claims(ground.rules(row), read(row.terms))
    return any(each.span.first < window.after for each in wanted)


def _awaited(ground: Ground, engaging: Engaging, key: bytes) -> Iterator[int]:
    for row in _out(ground, engaging, key):
        occasion = engaging.occasion(read(row.terms), ground.zone)
        if occasion is not None and is_late(ground, engaging, row):
            yield occasion[1]


def _out(ground: Ground, engaging: Engaging, key: bytes) -> list[Engagement]:
    if not engaging.out:
        return []
    return rows.open_of_listing(ground.town, key, states=engaging.out)


def _units(engaging: Engaging, row: Engagement) -> int:
    return max((each.units for each in _claims(engaging, read(row.terms))), default=0)


def _claims(engaging: Engaging, terms: Terms) -> list[Claim]:
    wanted = engaging.claim(terms)
    several = wanted if isinstance(wanted, tuple) else (wanted,)
    return [each for each in several if isinstance(each, Claim)]


def end_ms(ground: Ground, listing: Listing, row: Engagement) -> int:
    """Return until when (UTC ms) a late thing counts as taken, 0 for what is not late."""
    engaging = ground.rules(listing)
    if not is_late(ground, engaging, row):
        return 0
    return midnight_ms(window_of(ground, engaging, listing).after, ground.zone)
