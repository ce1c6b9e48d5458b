"""60 of the 500 histories with whole towns: files, database, partners, engagements."""

from collections import Counter

import pytest

from scripts.simulate.command import blind
from scripts.simulate.crowd import Sum
from scripts.simulate.history import WANTED
from tests.simulation.simulated import check_all_held, simulated

WHOLE = 60
VITAL = (
    "ask: another town's thing",
    "act between towns: approve",
    "act between towns: hand_over",
    "act between towns: withdraw",
    "both know: approved",
    "crash",
    "put back: database",
    "put back: whole machine",
)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_whole_towns_keep_their_rules_in_60_histories() -> None:
    """All 60 in one crowd: what never happened in any of them is a blind spot, and fails too."""
    told = simulated("whole", 0, WHOLE, jobs=2)
    assert told["histories"] == {"whole": WHOLE}
    print("\n".join(f"{name:40} {times}" for name, times in told["reach"]["whole"].items()))
    print(f"seconds of CPU: {told['seconds']['whole']}")
    check_all_held(told)
    assert told["never"] == [], "something that was to happen never did"


@pytest.mark.parametrize("missing", VITAL)
def test_what_never_happened_in_60_histories_is_named(missing: str) -> None:
    reach = Counter({name: 1 for name in WANTED["whole"] if name != missing})
    total = Sum(Counter(whole=WHOLE), reach={"whole": reach})
    assert blind(total) == [f"whole: {missing}"]
