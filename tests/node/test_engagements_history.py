"""What is over costs nothing: beside years of history only what is open is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.store.database import db, write_tx
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import TownHere, two_towns

OVER = 3_000
DUPLICATE = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    " INSERT INTO engagement ({names}) SELECT {values} FROM n, engagement WHERE engagement.id = ?"
)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[TownHere]:
    with two_towns(tmp_path) as made:
        yield made.home


def outlive(town: TownHere, over: Engagement, count: int = OVER) -> None:
    """Write down `count` more engagements that ended just as one did."""
    with town.inside(), write_tx():
        columns = [row[1] for row in db.execute_sql("PRAGMA table_info(engagement)").fetchall()]
        names = ", ".join(f'"{name}"' for name in columns)
        values = names.replace('"id"', "randomblob(16)")
        sql = DUPLICATE.format(count=count, names=names, values=values)
        db.execute_sql(sql, (over.id,))


def test_what_was_given_away_hides_nobody_from_the_list_of_today(town: TownHere) -> None:
    pots = town.publish(verb="donner", copies=9)
    given = town.act(town.act(town.ask(pots, "anne"), "approve"), "hand_over")
    outlive(town, given)
    waits = town.act(town.ask(pots, "yann"), "approve")
    with town.inside():
        found = rows.in_states("lending", town.id, ("approved", "handed_over"))
    assert [row.id for row in found] == [waits.id]


def daily_steps(town: TownHere, drill: Any) -> int:
    """How many hundreds of steps SQLite takes for a day's care and a listing's withdrawal."""
    row, taken = town.ask(drill, "yann"), []
    town.clock.forward(days=1)
    with town.inside():
        watched = db.connection()
    watched.set_progress_handler(lambda: bool(taken.append(1)), 100)
    town.sweep()
    town.withdraw(drill)
    watched.set_progress_handler(None)
    assert town.row(row).state == "declined"
    return len(taken)


def test_the_daily_care_and_a_withdrawal_read_only_what_is_open(town: TownHere) -> None:
    young, old = town.publish(), town.publish()
    over = town.act(town.ask(old), "decline")
    before = daily_steps(town, young)
    outlive(town, over)
    after = daily_steps(town, old)
    assert 0 < after < 2 * before, (before, after)
