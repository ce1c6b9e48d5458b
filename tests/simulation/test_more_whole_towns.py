"""30 more of the 500 histories with whole towns, in a file of their own so that they run beside."""

import pytest

from tests.simulation.simulated import check_all_held, simulated


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_whole_towns_keep_their_rules_in_30_more_histories() -> None:
    told = simulated("whole", 30, 30)
    assert told["histories"] == {"whole": 30}
    check_all_held(told)
