"""500 histories from fixed seeds, here 440 of the protocol alone; the others are whole towns."""

import pytest

from tests.simulation.simulated import check_all_held, command, simulated

LIGHT = 440


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_protocol_keeps_its_rules_in_440_histories() -> None:
    told = simulated("light", 0, LIGHT)
    assert told["histories"] == {"light": LIGHT}
    check_all_held(told)
    assert told["never"] == [], "something that was to go wrong never did"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("tier", ["light", "whole"])
def test_one_seed_is_one_history(tier: str) -> None:
    """Byte for byte: the hash of the trace covers every verdict, code and key that was drawn."""
    first, again, other = (
        command("--tier", tier, "--seed", seed, "--histories", "1").stdout.split("trace ")[1][:16]
        for seed in ("7", "7", "8")
    )
    assert first == again != other
