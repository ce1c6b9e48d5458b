"""30 of the 500 histories with whole towns: files, database, partners, engagements."""

import pytest

from tests.simulation.simulated import check_all_held, simulated


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_whole_towns_keep_their_rules_in_30_histories() -> None:
    told = simulated("whole", 0, 30)
    assert told["histories"] == {"whole": 30}
    check_all_held(told)
