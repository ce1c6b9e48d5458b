"""A date that a hostile town ties to the series of somebody else stays out of it."""

from pathlib import Path

from node.practices.spaces import series
from node.store.promises import engagements as rows
from tests.practices.spaces_towns import book, publish, two_towns

SERIES = "0123456789abcdef"


def test_a_date_with_the_series_of_somebody_else_is_not_among_theirs(tmp_path: Path) -> None:
    with two_towns(tmp_path) as (home, _):
        room = publish(home, repeat_max=5)
        first = book(home, room, "asker", 2, series=SERIES)
        home.clock.forward(minutes=1)
        second = book(home, room, "asker", 3, series=SERIES)
        slipped = book(home, room, "stranger", 1, series=SERIES)
        with home.inside():
            held = [rows.find(each.id) for each in (slipped, second, first)]
            found = [row.id for row in series.of(held, SERIES)]
    assert found == [first.id, second.id]
    assert series.of([], SERIES) == []
