"""A plan: a history before it happens, drawn from one seed and made of steps that can be dropped.

A step names a verb and carries numbers; what they stand for (which town, which record) is decided
when it is taken, by what is there. So any step can be left out and the rest still means something.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NUMBERS = 6  # drawn for each step
SWARM = (0.0, 0.3, 1.0, 1.0, 3.0)  # one history does much of this and nothing of that


class Step(NamedTuple):
    """One thing that happens: its place in the plan, what it is, numbers to choose with."""

    index: int
    verb: str
    numbers: tuple[int, ...]

    def pick(self, at: int, among: Sequence[object]) -> int:
        """Return an index into `among`, which is not empty, chosen by number `at`."""
        return self.numbers[at] % len(among)


@dataclass(frozen=True)
class Plan:
    """A whole history: how many towns, and what happens to them."""

    seed: int
    tier: str
    towns: int
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """Return how this history is asked for again."""
        return f"--tier {self.tier} --seed {self.seed} --histories 1"


def plan_of(
    seed: int, tier: str, verbs: Mapping[str, float], *, towns: tuple[int, int], steps: int
) -> Plan:
    """Draw a history; `verbs` are what can happen, with how often, `towns` least and most."""
    rng = random.Random(f"{tier} {seed}")
    weights = {verb: weight * rng.choice(SWARM) for verb, weight in verbs.items()}
    weights = weights if any(weights.values()) else dict(verbs)
    taken = rng.choices(list(weights), list(weights.values()), k=steps)
    return Plan(
        seed,
        tier,
        rng.randint(*towns),
        tuple(
            Step(index, verb, tuple(rng.getrandbits(32) for _ in range(NUMBERS)))
            for index, verb in enumerate(taken)
        ),
    )
