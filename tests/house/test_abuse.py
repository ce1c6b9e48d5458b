"""Every abuse case has a test that bears its number, or a reason why not yet."""

from pathlib import Path

from tests.house.abuse import CASES, LATER, SUBJECTS, abuse_cases_are_tested_or_excused, table
from tests.house.rule import Rule, tests_of
from tests.house.tree import ROOT, plant

RULES: dict[Rule, dict[str, str]] = {
    abuse_cases_are_tested_or_excused: {
        "tests/test_one.py": '"""One."""\n\n\ndef test_abuse_001_it():\n    assert True\n'
    },
}

test_the_house_keeps_its_rule, test_a_rule_sees_the_tree_that_breaks_it = tests_of(RULES)


def test_an_idle_reason_and_a_number_that_does_not_exist_are_told(tmp_path: Path) -> None:
    number = next(iter(LATER))
    plant(
        tmp_path,
        {"tests/test_a.py": f"def test_abuse_{number:03}_x(): ...\ndef test_abuse_999_y(): ...\n"},
    )
    told = list(abuse_cases_are_tested_or_excused(tmp_path))
    assert any(f"case {number} is tested" in each for each in told)
    assert any("no abuse case 999" in each for each in told)


def test_the_table_has_a_line_for_every_case() -> None:
    lines = list(table(ROOT))
    assert len(lines) == CASES + len(SUBJECTS)
    assert not any(line.endswith("later: ?") for line in lines)
    assert all(len(reason.split()) <= 6 for reason in LATER.values())
