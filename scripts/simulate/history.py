"""One history: a plan carried out, and what broke told as a finding that can be replayed."""

import time
import traceback
from collections.abc import Callable
from typing import Any

from scripts.simulate.chance import ruled
from scripts.simulate.findings import Broken, Finding, Trace
from scripts.simulate.light.world import ALSO as LIGHT_ALSO
from scripts.simulate.light.world import VERBS as LIGHT_VERBS
from scripts.simulate.light.world import LightWorld
from scripts.simulate.notary import remembering
from scripts.simulate.plan import Plan, plan_of
from scripts.simulate.whole.verbs import ALSO as WHOLE_ALSO
from scripts.simulate.whole.verbs import WEIGHTS as WHOLE_VERBS
from scripts.simulate.whole.world import WholeWorld
from scripts.simulate.wire import KINDS

VERBS = {"light": LIGHT_VERBS, "whole": WHOLE_VERBS}
WORLDS: dict[str, Callable[..., Any]] = {"light": LightWorld, "whole": WholeWorld}
TOWNS = {"light": (5, 9), "whole": (5, 6)}
STEPS = {"light": 80, "whole": 50}
RARE = {"admin_speaks"}  # a restore mostly ends by itself, partners once heard
WANTED = {  # what must happen at least once in a hundred histories
    "light": (*LIGHT_VERBS, *(f"fault: {kind}" for kind in KINDS), *LIGHT_ALSO),
    "whole": (*sorted(set(WHOLE_VERBS) - RARE), *(f"fault: {kind}" for kind in KINDS), *WHOLE_ALSO),
}


def drawn(seed: int, tier: str, towns: tuple[int, int] | None = None, steps: int = 0) -> Plan:
    """Draw the plan of a history."""
    return plan_of(seed, tier, VERBS[tier], towns=towns or TOWNS[tier], steps=steps or STEPS[tier])


def run(plan: Plan, is_told: bool = False) -> tuple[Finding, list[str]]:
    """Carry out a plan; return how it ended and, if asked for, what happened line by line."""
    began = time.process_time()
    trace = Trace(is_kept=is_told)
    finding = Finding(plan.seed, plan.tier, steps=len(plan.steps))
    with remembering(), ruled(plan.seed, plan.tier) as chance:
        world: Any = None
        try:
            world = WORLDS[plan.tier](plan, chance, trace)
            for step in plan.steps:
                world.take(step)
            world.rest()
        except Broken as broken:
            finding.rule, finding.seen = broken.rule, broken.seen
        except Exception as error:  # a bug of the product, or of the simulation: both must be seen
            finding.rule, finding.seen = "nothing raises", f"{type(error).__name__}: {error}"
            trace.lines += traceback.format_exc().splitlines() if is_told else []
        finally:
            close = getattr(world, "close", None)
            if close is not None:
                close()
    finding.digest, finding.reach = trace.digest, trace.reach
    finding.seconds = time.process_time() - began
    return finding, trace.lines
