"""The papers keep step with the code: settings, commands and every MUST of the protocol."""

from pathlib import Path

import click
import pytest

from tests.house.docs import (
    BEGIN,
    END,
    README,
    broken_links,
    built,
    commands,
    musts_without_proof,
    settings_table,
    written_table,
)
from tests.house.rule import Rule, tests_of
from tests.house.tree import plant

RULES: dict[Rule, dict[str, str]] = {
    musts_without_proof: {"federation/SPEC.md": "A record MUST be signed (`test_nothing`)."},
    broken_links: {"README.md": "See [the protocol](federation/LOST.md)."},
}

test_the_house_keeps_its_rule, test_a_rule_sees_the_tree_that_breaks_it = tests_of(RULES)


def test_a_must_is_proved_by_a_test_or_by_a_vector(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "federation/SPEC.md": "It MUST (`test_it`).\nIt MUST (`late-stamp`).\nIt may.\n",
            "tests/federation/test_record.py": "def test_it():\n    assert True\n",
            "tests/vectors/record.json": '[{"name": "late-stamp"}]',
        },
    )
    assert not list(musts_without_proof(tmp_path))


def test_the_readme_explains_every_setting() -> None:
    written = written_table(README.read_text("utf-8"))
    assert written == settings_table(built("node.config")), (
        "write it again: .venv/bin/python -m tests.house.docs"
    )


def test_a_table_of_settings_that_fell_behind_is_seen() -> None:
    table = settings_table(built("node.config"))
    assert "| `port` | `8000` |" in table
    assert written_table(f"# Lavoir\n{BEGIN}\n{table}\n{END}\n") == table
    assert written_table("# Lavoir\n") == ""


def test_the_readme_shows_every_command() -> None:
    text = README.read_text("utf-8")
    unsaid = [name for name in commands(built("node.cli").main) if f"`{name}" not in text]
    assert unsaid == []


def test_commands_are_found_below_their_groups() -> None:
    @click.group()
    def main() -> None:
        pytest.fail("never run")

    @main.group()
    def partner() -> None:
        pytest.fail("never run")

    @partner.command("invite")
    def _invite() -> None:
        pytest.fail("never run")

    assert list(commands(main)) == ["lavoir partner invite"]
