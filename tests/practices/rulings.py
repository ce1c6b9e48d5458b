"""What the rules of a practice owe the engine: each finding is a sentence a copier can act on."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from federation import codec
from node.domain.errors import DomainError
from node.domain.lifecycle import (
    ACCEPT,
    ASK,
    HOLD,
    HOUR_MS,
    MINUTE_MS,
    PROPOSING,
    QUEUE,
    UNIVERSAL,
    Lifecycle,
)
from node.domain.practice import Amount, Claim, Engaging, Once, Stock, Terms
from node.domain.standing import Hindrance, Standing
from node.engagements import verdicts

KINDS = (Claim, Stock, Amount, Once)
OPENINGS = (ASK, QUEUE, HOLD)
HELD_MS = HOUR_MS  # what is held while somebody chooses is held for less than that
YEARS_MS = 10 * 366 * 24 * HOUR_MS


def of_table(lifecycle: Lifecycle) -> Iterator[str]:
    """Yield what a table leaves open that only shows when people use it."""
    for state in lifecycle.states.values():
        deadline, where = state.deadline, f"{lifecycle.name}: {state.name}"
        if state.reminders and deadline is None:
            yield f"{where} reminds of a deadline it has not"
        for hours in state.reminders if deadline and deadline.after == "since" else ():
            if hours * HOUR_MS >= deadline.at_ms({"since": 0}):
                yield f"{where} reminds {hours} h before a shorter deadline"
        if deadline is not None and min(deadline.days, deadline.hours, deadline.minutes) < 0:
            yield f"{where} has a deadline before it begins"
    good = lifecycle.path(lifecycle.start)
    if not good or not good[-1].final:
        yield f"{lifecycle.name}: the first ways written lead to no end"
    if lifecycle.waiting:
        offered = lifecycle.way_forward(lifecycle.waiting)
        answer = lifecycle.find(offered.after, ACCEPT) if offered else None
        if answer is None or answer.by != "asker":
            yield f"{lifecycle.name}: who waited cannot accept what is offered"
    if lifecycle.holding:
        held = lifecycle.states[lifecycle.holding]
        if held.deadline is None or held.deadline.at_ms({"since": 0}) > HELD_MS:
            yield f"{lifecycle.name}: {held.name} holds more than an hour for who is only choosing"


def of_names(engaging: Engaging) -> Iterator[str]:
    """Yield what guards, amends and reasons name that is not there."""
    ways = [way for table in engaging.lifecycles.values() for way in table.transitions]
    actions = {way.action for way in ways} | set(PROPOSING)
    opens = {ASK}
    for name, table in engaging.lifecycles.items():
        opens |= {QUEUE} if table.waiting else set()
        opens |= {HOLD} if table.holding else set()
        if table.name != name:
            yield f"the lifecycle {table.name} is called {name} in the practice"
    for action in sorted(set(engaging.guards) - actions - opens):
        yield f"the guard of {action} is never asked: no table has that action"
    for action in sorted(set(engaging.guards) & set(UNIVERSAL)):
        yield f"the guard of {action} is never asked: everybody may {action}"
    if ASK in engaging.guards:
        for action in sorted(opens - set(engaging.guards)):
            yield f"{action} opens without the guard that {ASK} has"
    holding = {name for table in engaging.lifecycles.values() for name in table.taking()}
    for state in sorted(set(engaging.out) - holding):
        yield f"a thing is out in {state}, and no table has that state or it holds nothing"
    amending = {way.action for way in ways if way.amends}
    for action in sorted(amending ^ set(engaging.amends)):
        yield f"{action} amends in the table or in `amends`, not in both"


def of_claims(engaging: Engaging, body: Any, terms: Terms) -> Iterator[str]:
    """Yield what a listing could never promise, though somebody may ask for it."""
    wanted = engaging.claim(terms)
    several = wanted if isinstance(wanted, tuple) else (wanted,)
    for each in several:
        if each is not None and not isinstance(each, KINDS):
            yield f"the claim {each!r} is no Claim, Stock, Amount or Once"
        if isinstance(each, Claim) and not 1 <= each.units <= engaging.copies(body):
            yield f"the claim {each} does not fit {engaging.copies(body)} copies"
        if isinstance(each, Stock):
            yield from _of_stock(each, dict(engaging.stock(body)))
        most = engaging.most(body)
        if isinstance(each, Amount) and (
            each.units < 1 or (most is not None and each.units > most)
        ):
            yield f"the amount {each.units} does not fit {most}"
    waits = engaging.lifecycle(body).waiting
    if waits and wanted is None:
        yield f"{waits} waits in line for what is never scarce"


def _of_stock(wanted: Stock, stock: dict[str, int]) -> Iterator[str]:
    for line, units in wanted.lines.items():
        if line not in stock:
            yield f"the line {line} is not in the stock"
        elif not 1 <= units <= stock[line]:
            yield f"{units} of the line {line} do not fit {stock[line]}"


def of_guards(engaging: Engaging, body: Any, terms: Terms, today: int) -> Iterator[str]:
    """Yield what a guard answers that no page could say, here or in another town."""
    now_ms = today * 24 * HOUR_MS
    for at_ms in (now_ms - YEARS_MS, now_ms, now_ms + YEARS_MS):
        for is_here in (True, False):
            who = Standing(at_ms, today, at_ms, is_here=is_here)
            for action, guard in _asked(engaging.guards, engaging.lifecycle(body)):
                before = json.dumps(terms, sort_keys=True)
                why = guard(body, terms, who)
                if why != guard(body, terms, who) or json.dumps(terms, sort_keys=True) != before:
                    yield f"the guard of {action} answers differently when asked again"
                if why is not None:
                    yield from _of_hindrance(engaging, action, why)


def _asked(rules: Mapping[str, Any], table: Lifecycle) -> Iterator[tuple[str, Any]]:
    """Yield the rules that can be asked of a listing that follows a table."""
    actions = {ASK, *PROPOSING, *(way.action for way in table.transitions)}
    actions |= ({QUEUE} if table.waiting else set()) | ({HOLD} if table.holding else set())
    yield from ((action, rule) for action, rule in rules.items() if action in actions)


def _of_hindrance(engaging: Engaging, action: str, why: Hindrance) -> Iterator[str]:
    if why.code not in engaging.reasons:
        yield f"{why.code} (guard of {action}) is not in `reasons`: another town could not say it"
    if why.verdict not in verdicts.CODES or why.verdict in (verdicts.OK, verdicts.PENDING):
        yield f"{why.code} (guard of {action}) is told as {why.verdict}, which is no refusal"
    try:
        why.message % dict(why.params)
    except (KeyError, TypeError, ValueError):
        yield f"{why.code} (guard of {action}) lacks a value of {why.message!r}"


def of_amendments(
    engaging: Engaging, body: Any, terms: Terms, form: Any, today: int
) -> Iterator[str]:
    """Yield where an amendment is not the same sum in both towns."""
    for action, amend in _asked(engaging.amends, engaging.lifecycle(body)):
        before = json.dumps(terms, sort_keys=True)
        try:
            once, twice = (amend(body, terms, dict(form), today) for _ in range(2))
        except DomainError:
            continue
        if once != twice:
            yield f"{action} is reckoned differently from one town to the other"
        if json.dumps(terms, sort_keys=True) != before:
            yield f"{action} changes the terms it was given"
        if json.loads(json.dumps(once)) != once or codec.loads(codec.dumps(once)) != once:
            yield f"the terms {once} of {action} do not keep"


def of_times(engaging: Engaging, terms: Terms, zone: str) -> Iterator[str]:
    """Yield what of the times could not be shown, or closed by a ticket."""
    moments = engaging.moments(terms, zone)
    if not all(isinstance(each, int) for each in moments.values()):
        yield f"a moment of {moments} is no whole number of milliseconds"
    occasion = engaging.occasion(terms, zone)
    if occasion is not None and occasion[0] >= occasion[1]:
        yield f"it takes place from {occasion[0]} to {occasion[1]}"
    wanted = engaging.claim(terms)
    several = wanted if isinstance(wanted, tuple) else (wanted,)
    spans = [each.span for each in several if isinstance(each, Claim)]
    for span in spans if occasion is not None else ():
        begins, ends = (engaging.instant(each, zone) for each in (span.first, span.after))
        if not begins <= occasion[0] < occasion[1] <= ends + MINUTE_MS:
            yield f"the claim {span} does not hold the time it is for: is `instant` set?"
    if not isinstance(engaging.is_milder(terms, terms), bool):
        yield "is_milder answers yes or no"
