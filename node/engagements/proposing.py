"""How other terms are put on the table of an engagement of ours, answered, or reckoned anew.

Everything here runs at home, inside the deciding transaction, after `home` found that nothing
stands against the act. Refused is raised before anything is changed.
"""

import secrets
from dataclasses import replace
from typing import Any

from node.domain.errors import Invalid, NotFound
from node.domain.lifecycle import ACCEPT, CHANGE, KEEP, PROPOSE, RETRACT, Transition
from node.domain.practice import Amount, Claim, Once, Stock, Terms, Wanted, answers
from node.domain.schema import Form
from node.engagements import verdicts
from node.engagements.between.registers import Deed
from node.engagements.capacity import Refused
from node.engagements.ground import Ground, because, read
from node.engagements.moves import enter, note, stay
from node.engagements.proposal import ANSWER_MS, UNSOUND, Proposal, digest, on_table
from node.store.catalogue import listings
from node.store.promises.engagements import Engagement

TEXT_MAX = 500
CHANGED = "changed"  # why home proposes: the listing is not what was shown any more
ANSWERED = {ACCEPT: verdicts.OK, KEEP: verdicts.NOT_ALLOWED, RETRACT: verdicts.ENDED}


def brings_terms(found: Transition) -> bool:
    """Return whether an act comes with a form of its own: other terms."""
    return found.proposes or found.action in (PROPOSE, CHANGE)


def as_typed(ground: Ground, row: Engagement, deed: Deed, form: Form) -> Deed:
    """Return an act of a person of this town with the terms it brings, amends or agrees to.

    Raises Invalid (what was typed cannot be), NotFound (the listing is gone).
    """
    found, hung = ground.lifecycle(row).find(row.state, deed.action), on_table(row)
    if found is not None and (brings_terms(found) or found.amends):
        return _with_terms(ground, row, deed, found, form)
    if deed.action == ACCEPT and hung is not None:
        return replace(deed, seen=digest(hung.terms))
    return deed


def _with_terms(ground: Ground, row: Engagement, deed: Deed, found: Transition, form: Form) -> Deed:
    rules, body = ground.rules(row), _body(ground, row)
    brings = brings_terms(found)
    asked = rules.asked(body, form) if brings else answers(rules.fields(body), form)
    asked = {name: text[:TEXT_MAX] for name, text in asked.items()}  # home refuses what is longer
    terms = _reckoned(ground, row, deed, found, asked)
    return replace(deed, wish={**asked, **deed.wish}, seen=digest(terms), terms=terms)


def put(
    ground: Ground, row: Engagement, deed: Deed, role: str, found: Transition, more: dict[str, Any]
) -> tuple[Engagement, str]:
    """Put other terms on the table, or take them at once where nobody loses by it.

    Returns the row and the verdict: `pending` for the asker's terms that wait for the keeper's
    word. The newest proposal is the one on the table.
    """
    terms, agreed = _terms(ground, row, deed, found), read(row.terms)
    if terms == agreed:
        return row, verdicts.DUP
    lifecycle = ground.lifecycle(row)
    if lifecycle.is_countered(found.after):
        return _counter(ground, row, found, terms, more), verdicts.OK
    rules = ground.rules(row)
    is_gift = role == "keeper" and rules.is_milder(agreed, terms)
    if is_gift or (role == "asker" and is_less(rules.claim(agreed), rules.claim(terms))):
        return stay(ground, row, terms=terms, answer=verdicts.STALE, **more), verdicts.OK
    until_ms = ground.now_ms() + ANSWER_MS
    hung = Proposal(
        version=row.version + 1,
        by=role,
        terms=terms,
        until_ms=min(until_ms, row.deadline_ms or until_ms),
        act=deed.id if role == "asker" else b"",
    )
    row = stay(ground, row, hung=hung, answer=verdicts.STALE, **more)
    return row, verdicts.PENDING if role == "asker" else verdicts.OK


def put_changed(ground: Ground, row: Engagement, terms: Terms) -> Engagement:
    """Answer an ask for a listing that has changed since: on these terms, if the asker says so.

    Nothing is held for it, and a yes to it is an ask: it is the keeper's turn again then.
    """
    hung = Proposal(row.version + 1, "keeper", terms, row.deadline_ms or 0, row.lapses_to)
    row = stay(ground, row, hung=hung, reason=because(CHANGED))
    note(row, secrets.token_bytes(8), PROPOSE, ground.now_ms(), "home")
    return row


def answer(
    ground: Ground, row: Engagement, deed: Deed, found: Transition, more: dict[str, Any]
) -> Engagement:
    """Take up what is on the table, or take it off; raises Refused."""
    hung, verdict = on_table(row), ANSWERED[deed.action]
    if hung is None or deed.action != ACCEPT:
        return stay(ground, row, answer=verdict, **more)
    if not hung.on_lapse:
        return stay(ground, row, terms=hung.terms, answer=verdict, **more)
    return enter(ground, row, found.after, ground.now_ms(), terms=hung.terms, **more)


def amended(ground: Ground, row: Engagement, deed: Deed) -> Terms:
    """Return the terms after an act that amends them; raises Refused (not_allowed, stale)."""
    found = ground.lifecycle(row).find(row.state, deed.action)
    return _terms(ground, row, deed, found)


Claimed = Wanted | tuple[Wanted, ...] | None


def is_less(held: Claimed, wanted: Claimed) -> bool:
    """Return whether what is wanted is a part of what is held: nobody else can lose by it."""
    some, others = _each(held), _each(wanted)
    return bool(others) and all(any(_is_within(each, one) for one in some) for each in others)


def _each(claimed: Claimed) -> tuple[Wanted, ...]:
    if claimed is None:
        return ()
    return claimed if isinstance(claimed, tuple) else (claimed,)


def _is_within(wanted: Wanted, held: Wanted) -> bool:
    if isinstance(held, Claim) and isinstance(wanted, Claim):
        is_inside = held.span.first <= wanted.span.first and wanted.span.after <= held.span.after
        return is_inside and wanted.units <= held.units
    if isinstance(held, Stock) and isinstance(wanted, Stock):
        return all(count <= held.lines.get(line, 0) for line, count in wanted.lines.items())
    if isinstance(held, Amount) and isinstance(wanted, Amount):
        return wanted.units <= held.units
    return isinstance(held, Once) and held == wanted


def _counter(
    ground: Ground, row: Engagement, found: Transition, terms: Terms, more: dict[str, Any]
) -> Engagement:
    """Enter the state in which the asker answers other terms, which are held for them."""
    now_ms, state = ground.now_ms(), ground.lifecycle(row).state(found.after)
    moments = ground.moments(ground.rules(row), terms, now_ms)
    until_ms = state.deadline.at_ms(moments) if state.deadline else now_ms + ANSWER_MS
    hung = Proposal(row.version + 1, "keeper", terms, until_ms, state.lapses_to)
    return enter(ground, row, found.after, now_ms, hung=hung, answer=verdicts.STALE, **more)


def _terms(ground: Ground, row: Engagement, deed: Deed, found: Transition) -> Terms:
    """The new terms of an act: reckoned here before, or now from what another town asks.

    Both towns reckon them; where the figures differ nobody is bound (SPEC 13.2).
    """
    if deed.terms is not None:
        return dict(deed.terms)
    try:
        terms = _reckoned(ground, row, deed, found, deed.wish)
    except (Invalid, *UNSOUND):
        raise Refused(verdicts.NOT_ALLOWED) from None
    except NotFound:
        raise Refused(verdicts.UNKNOWN_LISTING) from None
    if deed.seen != digest(terms):
        raise Refused(verdicts.STALE)
    return terms


def _reckoned(ground: Ground, row: Engagement, deed: Deed, found: Transition, form: Form) -> Terms:
    rules, body = ground.rules(row), _body(ground, row)
    today = ground.today(min(deed.at_ms, ground.now_ms()))
    if not brings_terms(found):
        return rules.amends[found.action](body, read(row.terms), form, today)
    if not ground.state(row).leavable:  # under way: its first day may be over
        today = min(today, ground.today(row.created_ms))
    return rules.terms(body, form, today)


def _body(ground: Ground, row: Engagement) -> Any:
    """The body of the listing an engagement is about; raises NotFound once it is gone."""
    listing = listings.find(row.listing_origin, row.listing_key)
    if listing is None or not listing.body:
        raise NotFound(verdicts.UNKNOWN_LISTING, verdicts.SENTENCES[verdicts.UNKNOWN_LISTING])
    return ground.body(listing)
