"""Messages in any order, late, twice, between acts: both towns end with one talk, each once."""

import secrets
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from node.domain.errors import DomainError
from node.store.promises import messages
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import TownHere, Two, two_towns

OPS = ("say_home", "say_away", "to_home", "to_away", "old_home", "old_away", "act", "tick", "back")


class Play:
    """One engagement, two people who write, and a careless post."""

    def __init__(self, two: Two) -> None:
        self.two, self.row = two, two.asked()
        self.said: dict[str, list[str]] = {"home": [], "away": []}
        self.old: list[tuple[TownHere, TownHere, list[bytes]]] = []
        self.acts = ["approve", "hand_over", "take_back"]

    def do(self, op: str) -> None:
        two = self.two
        if op.startswith("say_"):
            self.say(op[4:])
        elif op.startswith("to_"):
            to, by = (two.home, two.away) if op == "to_home" else (two.away, two.home)
            self.old.append((to, by, by.raws()))
            to.hear(by.raws(), by)
        elif op.startswith("old_"):
            wanted = two.home if op == "old_home" else two.away
            for to, by, raws in self.old[:2]:
                if to is wanted:
                    to.hear(raws, by)
        elif op == "act" and self.acts:
            two.home.act(self.row, self.acts.pop(0))
        else:
            two.clock.at_ms += {"tick": 60_000, "back": -30_000}.get(op, 0)

    def say(self, name: str) -> None:
        town, who = (self.two.home, "keeper") if name == "home" else (self.two.away, "asker")
        text, member = f"{name} {len(self.said[name])}", town.member(who)
        try:
            with town.inside():
                town.engine.talk.say(
                    self.row.id, text, member_id=member, message_id=secrets.token_bytes(8)
                )
        except DomainError as refused:
            assert refused.code == "talk_full" and len(self.said[name]) == 20
        else:
            self.said[name].append(text)

    def held(self, town: TownHere, side: str) -> list[str]:
        with town.inside():
            return [each.text for each in messages.of_engagement(self.row.id, side)]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(st.lists(st.sampled_from(OPS), max_size=40))
def test_any_order_of_messages_posts_and_acts_ends_in_one_talk(ops: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, two_towns(Path(folder)) as two:
        play = Play(two)
        for op in ops:
            play.do(op)
        two.exchange()
        note(str(play.said))
        for town in (two.home, two.away):
            assert play.held(town, "keeper") == play.said["home"]
            assert play.held(town, "asker") == play.said["away"]
        state = _state(two, play.row)
        assert state[0] == state[1]


def _state(two: Two, row: Engagement) -> tuple[tuple[str, int], tuple[str, int]]:
    home, away = two.home.row(row), two.away.row(row)
    return (home.state, home.version), (away.state, away.version)
