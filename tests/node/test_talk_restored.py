"""Messages after a restore: none is forgotten, none doubled, and who was erased stays so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.store.people import members
from node.store.promises import messages
from tests.node.engagement_towns import Two, two_towns
from tests.node.restored_towns import back_up, restored, visit
from tests.node.test_talk import say, texts


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


@pytest.mark.parametrize("with_logbook", [True, False])
@pytest.mark.parametrize("which", ["home", "away"])
def test_a_restore_forgets_no_message_and_doubles_none(
    two: Two, tmp_path: Path, which: str, with_logbook: bool
) -> None:
    """With the logbook from its lines, without it from what the partner holds of both sides."""
    listing = two.home.publish()
    two.exchange()
    two.away.member("asker"), two.home.member("keeper")
    town, other = (two.home, two.away) if which == "home" else (two.away, two.home)
    backup = back_up(town, tmp_path / "backup.db")
    row = two.away.ask(listing)
    say(two.away, row, "Bonjour")
    two.exchange()
    two.clock.forward(minutes=1)
    say(two.home, row, "Bonsoir", "keeper")
    two.exchange()
    setattr(two, which, restored(town, backup, other, with_logbook=with_logbook))
    if not with_logbook:
        visit(getattr(two, which), other)
    two.exchange()
    assert texts(two.home, row, "keeper") == [(False, "Bonjour"), (True, "Bonsoir")]
    assert texts(two.away, row, "asker") == [(True, "Bonjour"), (False, "Bonsoir")]
    say(two.home, row, "Toujours là", "keeper")
    two.exchange()
    assert len(texts(two.away, row, "asker")) == 3 == len(texts(two.home, row, "keeper"))


def test_who_was_erased_since_the_backup_is_in_no_message_after_it(
    two: Two, tmp_path: Path
) -> None:
    row = two.asked()
    say(two.away, row, "CANARY")
    say(two.home, row, "CANARY aussi", "keeper")
    two.exchange()
    backup = back_up(two.away, tmp_path / "backup.db")
    with two.away.inside():
        two.away.engine.forget(two.away.members["asker"])
        members.erase(two.away.members["asker"])
    two.exchange()
    two.away = restored(two.away, backup, two.home, with_logbook=True)
    two.exchange()
    for town in (two.home, two.away):
        with town.inside():
            assert messages.of_engagement(row.id) == []
