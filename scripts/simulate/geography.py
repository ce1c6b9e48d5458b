"""The geography of a history: which towns are partners, drawn from its seed."""

import random

from scripts.simulate.plan import Plan


def edges(plan: Plan) -> list[tuple[int, int]]:
    """Return the pairs of partners: all towns hang together, many only through a third."""
    rng = random.Random(f"geography {plan.tier} {plan.seed}")
    pairs = [(rng.randrange(number), number) for number in range(1, plan.towns)]
    for _ in range(rng.randrange(plan.towns)):
        one, other = sorted(rng.sample(range(plan.towns), 2))
        if (one, other) not in pairs:
            pairs.append((one, other))
    return pairs
