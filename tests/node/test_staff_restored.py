"""What staff wrote down comes back after a restore: the aide, the name, the day dated back."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.store.promises import acts, doubts
from tests.node.engagement_towns import DAY_MS, TODAY, Two, iso, two_towns
from tests.node.restored_towns import back_up, restored


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        made.home.member("keeper")
        for who in ("desk", "other desk"):
            made.home.member(who, "moderator")
        yield made


def test_what_an_aide_wrote_down_comes_back_without_a_doubt(two: Two, tmp_path: Path) -> None:
    listing = two.home.publish(None)
    backup = back_up(two.home, tmp_path / "backup.db")
    form = {
        "first_day": iso(TODAY), "last_day": iso(TODAY + 3),
        "person_name": "Mme Le Goff", "consent": "spoken",
    }  # fmt: skip
    with two.home.inside():
        row = two.home.engine.staff.ask_for(
            listing, two.home.member("desk"), form, secrets.token_bytes(16)
        )
    two.home.act(row, "approve", "other desk", "staff")
    two.clock.forward(days=1)
    at_ms = two.clock.now_ms() - DAY_MS // 2
    two.home.act(row, "hand_over", "desk", "staff", at_ms=at_ms)
    two.home = restored(two.home, backup, two.away, with_logbook=True)
    assert two.home.row(row).state == "handed_over" and two.home.row(row).since_ms == at_ms
    with two.home.inside():
        assert doubts.unsettled() == []
        done = [(act.by, act.member, act.at_ms) for act in acts.of_engagement(row.id)]
        assert done[0][:2] == ("aide", two.home.member("desk"))
        assert done[-1] == ("desk", two.home.member("desk"), at_ms)
        assert acts.aides(row.id) == [two.home.member("desk")]
