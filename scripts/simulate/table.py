"""What a crowd of histories reached, as tables for people."""

from collections import Counter
from collections.abc import Sequence

from rich.table import Table

from scripts.simulate.crowd import Sum


def reached(total: Sum) -> Table:
    """Return how often each thing really happened, tier by tier."""
    tiers = sorted(total.reach)
    table = Table(title="What really happened", title_justify="left")
    table.add_column("what")
    for tier in tiers:
        table.add_column(f"{tier} ({total.histories[tier]})", justify="right")
    for name in sorted(set().union(*total.reach.values())):
        table.add_row(name, *(f"{total.reach[tier][name]:,}" for tier in tiers))
    return table


def paces(total: Sum) -> str:
    """Return how many histories a second one core makes, tier by tier."""
    told = (
        f"{tier}: {count} histories, {count / max(total.seconds[tier], 1e-9):.1f} a second and core"
        for tier, count in sorted(total.histories.items())
    )
    return " · ".join(told)


def never(reach: Counter[str], wanted: Sequence[str]) -> list[str]:
    """Return what was to happen and never did: a blind spot."""
    return [name for name in wanted if not reach[name]]
