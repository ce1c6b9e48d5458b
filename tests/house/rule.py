"""What a house rule is, and the two tests each one gets: the house keeps it, and it can fail."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house.tree import ROOT, plant

Rule = Callable[[Path], Iterator[str]]  # a tree in, one sentence for each place that breaks it out


def tests_of(rules: dict[Rule, dict[str, str]]) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return both tests for a table that gives each rule a small tree breaking it."""

    @pytest.mark.parametrize("rule", rules, ids=_name)
    def test_the_house_keeps_its_rule(rule: Rule) -> None:
        broken = list(rule(ROOT))
        if broken:
            pytest.fail("\n".join(broken), pytrace=False)

    @pytest.mark.parametrize(("rule", "planted"), rules.items(), ids=_name)
    def test_a_rule_sees_the_tree_that_breaks_it(
        rule: Rule, planted: dict[str, str], tmp_path: Path
    ) -> None:
        assert not list(rule(tmp_path)), "the rule complains of nothing"
        assert list(rule(plant(tmp_path, planted))), "the rule sees nothing"

    return test_the_house_keeps_its_rule, test_a_rule_sees_the_tree_that_breaks_it


def _name(value: object) -> str:
    return getattr(value, "__name__", "")
