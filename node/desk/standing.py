"""The standing of a partner at the desk: what waits, what was held against it, how much it takes.

Each part is given in words: what happened, what is safe, what to do.
"""

from dataclasses import dataclass, field
from typing import Any

from federation.stamp import stamp_ms
from node.desk import reasons
from node.desk.reasons import Reason
from node.domain.words import N_
from node.journal import checking, keptout, profile
from node.pages.here import names, now_ms, town
from node.partners import quota, strikes
from node.store.network import introductions, quarantine, sightings, unshown
from node.store.network import strikes as held_against
from node.store.network.partners import Partner
from node.store.network.strikes import ORIGIN
from node.store.sets import origins

DAY_MS = 86_400_000
SKEW_TOLD_MS = 10 * 60_000
HIDDEN_AFTER_DAYS = 30

LATE = Reason(
    N_("%(town)s reached its daily limit; the rest comes tomorrow."),
    N_("What it brought so far is here, and the other towns are not touched."),
    N_("Nothing to do."),
)
FULL = Reason(
    N_("%(town)s fills all the room one town has here: new listings of it are not taken."),
    N_("What we hold of it stays, and it may still revise and withdraw."),
    N_("Tell its volunteers to withdraw what is over."),
)
NEWER = Reason(
    N_("Some of its records come from a newer version of Lavoir."),
    N_("They are kept and passed on as they are."),
    N_("They are shown once this node is brought up to date."),
)
SILENT = Reason(
    N_("Nothing was heard from it since %(when)s, neither by itself nor through another town."),
    N_("Its listings stay readable, marked with their age, for 30 days."),
    N_("Nothing to do on our side: all comes by itself once it is back."),
)
HIDDEN = Reason(
    N_("Nothing was heard from it since %(when)s, neither by itself nor through another town."),
    N_("Its listings are kept, and no longer found by residents until it is heard again."),
    N_("Call its association; end the link if the town is gone for good."),
)
FROZEN = Reason(
    N_("%(town)s signed two sets of keys with one number."),
    N_("What we hold of it stays readable; nothing new of it is taken."),
    N_("Call its volunteers, then choose on the page of its keys."),
)
CLOCKS = Reason(
    N_("Its clock and ours differ by %(minutes)s minutes."),
    N_("Nothing is lost: no exchange depends on the hour."),
    N_("Check the clock of both servers."),
)
SIGNED_WRONG = Reason(
    N_("%(town)s signed records it should not have; whoever brought them is not to blame."),
    N_("All towns show the same one of them, or none."),
    N_("Tell its volunteers: two copies of its server may be running."),
)
CARRIED_WRONG = Reason(
    N_("What %(town)s brought was often damaged, or not what we asked for."),
    N_("Only what was right was taken."),
    N_("Tell its volunteers to look at its disk and its network."),
)


@dataclass(frozen=True)
class Note:
    """One thing worth knowing about a partner: three sentences, their values, how grave it is.

    href is the page where something about it is decided, "" when there is nothing to decide.
    """

    reason: Reason
    tone: str = "wait"
    params: dict[str, Any] = field(default_factory=dict)
    href: str = ""


@dataclass(frozen=True)
class Standing:
    """What the page of one partner shows beside its health."""

    notes: list[Note]
    waiting: list[Any]
    strikes: list[Any]
    quotas: list[quota.Quota]
    newer: dict[str, int]
    sets: list["SetState"]


@dataclass(frozen=True)
class SetState:
    """How complete one set of a town is here: a message id, its values, a scope and a tone."""

    scope: int
    word: str
    missing: int
    as_of_ms: int
    tone: str


COMPLETE = {
    "complete": (N_("complete as of %(when)s"), "ok"),
    "missing": (N_("%(missing)s missing as of %(when)s; another partner may have them"), "wait"),
    "unsure": (N_("perhaps %(missing)s missing as of %(when)s; the next exchange tells"), "wait"),
    "differs": (N_("more is here than it said it had on %(when)s; nothing to do"), "wait"),
}


def of(row: Partner) -> Standing:
    """Return the standing of a partner now."""
    now = now_ms()
    newer = _newer(row.town)
    quotas = quota.of((row.town, *_brought_by(row.town)), now)
    counts = held_against.counts(row.town, now)
    found = [*_silence(row, now), *_clock(row), *_frozen(row), *_room(quotas)]
    found += [*_blame(row, now), *([Note(NEWER)] if newer else [])]
    sets = [_set_state(each) for each in checking.completeness(row.town)]
    return Standing(found, quarantine.waiting(row.town), counts, quotas, newer, sets)


def _set_state(row: Any) -> SetState:
    word, tone = COMPLETE[row.state]
    return SetState(row.scope, word, row.missing, stamp_ms(row.stamp), tone)


def told(row: Partner) -> list[Note]:
    """Return what the first page of the desk should say of a partner."""
    notes = [*_frozen(row), *_blame(row, now_ms())]
    return [each for each in notes if each.tone == "stop"]


def consequence(row: Partner) -> str:
    """Return the message id of what follows from what was held against a partner."""
    return strikes.consequence(row.town, now_ms()).word


def _brought_by(partner: bytes) -> list[bytes]:
    """Return the towns a partner introduced and we accepted."""
    return [each.town for each in introductions.received("accepted") if each.partner == partner]


def _silence(row: Partner, now: int) -> list[Note]:
    if row.status not in ("active", "introduced"):
        return []
    heard = sightings.heard_ms([row.town], now).get(row.town)
    if heard is None or now - heard < DAY_MS:
        return []
    is_hidden = now - heard > HIDDEN_AFTER_DAYS * DAY_MS
    if row.failures and not is_hidden:  # its health says since when
        return []
    return [Note(HIDDEN if is_hidden else SILENT, "wait", {"when": heard})]


def _clock(row: Partner) -> list[Note]:
    if abs(row.clock_skew_ms) <= SKEW_TOLD_MS or not row.failures:  # else its health says so
        return []
    return [Note(CLOCKS, "wait", {"minutes": round(abs(row.clock_skew_ms) / 60_000)})]


def _frozen(row: Partner) -> list[Note]:
    is_frozen = row.town in origins.frozen_towns()
    name = {"town": names()[row.town]}
    return [Note(FROZEN, "stop", name, "/admin/identite")] if is_frozen else []


def _room(quotas: list[quota.Quota]) -> list[Note]:
    notes = [(FULL, each) for each in quotas if each.is_full]
    notes += [(LATE, each) for each in quotas if each.is_late and not each.is_full]
    return [Note(reason, "wait", {"town": names()[each.origin]}) for reason, each in notes]


def _blame(row: Partner, now: int) -> list[Note]:
    name = {"town": names()[row.town]}
    notes = []
    if strikes.ill_days(row.town, ORIGIN, now):
        notes.append(Note(SIGNED_WRONG, "stop", name))
    if strikes.consequence(row.town, now).ill_days:
        is_told = strikes.consequence(row.town, now).is_told
        notes.append(Note(CARRIED_WRONG, "stop" if is_told else "wait", name))
    return notes


def _newer(origin: bytes) -> dict[str, int]:
    """Return {kind: records} of an origin that this version keeps and cannot show."""
    here = town()
    kinds = tuple(here.registry.by_kind)
    known = {*kinds, profile.KIND, *here.journal.handled}
    found = unshown.of_kinds_but(origin, tuple(known))
    unread = unshown.listings_of(origin, kinds)
    return found | ({"": unread} if unread else {})


def word_of(code: str, role: str) -> str:
    """Return the message id of what was held against a town in one of its roles."""
    is_of_record = role == ORIGIN or code in keptout.CARRIERS_FAULT
    return reasons.refused(code) if is_of_record else reasons.outcome(code)
