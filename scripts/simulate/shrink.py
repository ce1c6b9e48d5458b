"""Shrinking: a failing history with whatever it does not need left out."""

from collections.abc import Callable
from dataclasses import replace

from scripts.simulate.plan import Plan, Step

RUNS_MAX = 300


def shrunk(plan: Plan, rule: str, rule_of: Callable[[Plan], str]) -> tuple[Plan, int]:
    """Return a shorter plan that breaks the same rule, and how many runs that took.

    Delta debugging: ever smaller pieces are left out as long as the rule still breaks.
    """
    steps, runs, size = list(plan.steps), 0, max(len(plan.steps) // 2, 1)
    while size and runs < RUNS_MAX:
        at = 0
        while at < len(steps) and runs < RUNS_MAX:
            fewer: list[Step] = steps[:at] + steps[at + size :]
            runs += 1
            if rule_of(replace(plan, steps=tuple(fewer))) == rule:
                steps = fewer
            else:
                at += size
        size //= 2
    return replace(plan, steps=tuple(steps)), runs
