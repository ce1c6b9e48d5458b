"""A hostile town gets nothing: no row, no place, no act in another's name; its page says why."""

import secrets
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.domain.clock import FixedClock
from node.engagements import opening
from node.engagements.between.registers import (
    Deed,
    Reply,
    Request,
    Verdict,
    register_key,
    reply_inner,
    request_inner,
)
from node.engagements.verdicts import CODES
from node.store.network import refusals
from node.store.promises import acts, claims
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import START_MS, TODAY, TownHere, exchange, found, iso, pair

DAYS = {"first_day": iso(TODAY + 3), "last_day": iso(TODAY + 4)}


class Three:
    """Home, an honest town, and one that signs whatever it likes; one listing of home's."""

    def __init__(self, folder: Path) -> None:
        clock = FixedClock(START_MS)
        self.home, self.honest, self.hostile = (
            found(folder, name, clock) for name in ("Lorient", "Quimper", "Malville")
        )
        pair(self.home, self.honest)
        pair(self.home, self.hostile)
        self.listing = self.home.publish()
        exchange(self.home, self.honest)
        exchange(self.home, self.hostile)

    def forge(self, *deeds: Deed, key: bytes | None = None, **fields: Any) -> bytes:
        """Let the hostile town sign a request and home receive it; return the engagement's id."""
        engagement = fields.pop("engagement", secrets.token_bytes(16))
        request = Request(
            engagement=engagement,
            listing_key=fields.pop("listing_key", self.listing.key),
            saw=fields.pop("saw", self.listing.record),
            who=b"w" * 16,
            deeds=deeds or (ask(),),
            **fields,
        )
        return self.sign("request/1", engagement, request_inner(request), key)

    def reply(self, row: Engagement, signer: TownHere, **fields: Any) -> None:
        """Let a town sign a reply about an engagement of the honest town's resident."""
        reply = Reply(row.id, **{"version": 9, "state": "approved", "since_ms": START_MS, **fields})
        with signer.inside():
            record = signer.journal.publish_sealed(
                "reply/1",
                reply_inner(reply),
                to=self.honest.id,
                key=register_key("reply/1", row.id),
            )
        self.honest.hear([record.raw], signer)

    def sign(
        self, kind: str, engagement: bytes, inner: dict[int, Any], key: bytes | None = None
    ) -> bytes:
        """Let the hostile town sign an inner message to home and home receive it."""
        key = key or register_key(kind, engagement)
        with self.hostile.inside():
            record = self.hostile.journal.publish_sealed(kind, inner, to=self.home.id, key=key)
        self.home.hear([record.raw], self.hostile)
        return engagement

    def codes(self) -> dict[str, int]:
        """Return what the hostile town's page says at home."""
        with self.home.inside():
            return refusals.counts(self.hostile.id)

    def row(self, engagement: bytes) -> Engagement | None:
        """Return the row an engagement has at home."""
        with self.home.inside():
            return rows.find(engagement)


def ask(**wish: str) -> Deed:
    """Return an ask."""
    return Deed(secrets.token_bytes(8), "ask", START_MS, "self", None, {**DAYS, **wish})


def deed(action: str, on: int | None = 1, **wish: str) -> Deed:
    """Return another act."""
    return Deed(secrets.token_bytes(8), action, START_MS, "self", on, wish)


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Three]:
    made = Three(tmp_path)
    yield made
    for town in (made.home, made.honest, made.hostile):
        town.database.close()


def test_a_sound_request_of_the_same_town_is_taken(three: Three) -> None:
    assert three.row(three.forge()).state == "requested"
    assert three.codes() == {}


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"units": "-3"}, "not_a_number"),
        ({"units": "0"}, "out_of_range"),
        ({"units": "999999999"}, "out_of_range"),
        ({"units": "9" * 40}, "not_a_number"),
        ({"first_day": iso(TODAY - 3)}, "in_the_past"),
        ({"first_day": iso(TODAY + 4), "last_day": iso(TODAY + 3)}, "before_first"),
        ({"last_day": iso(TODAY + 300)}, "too_long"),
        ({"first_day": "9999-12-31", "last_day": "9999-12-31"}, "too_far"),
        ({"first_day": "x"}, "not_a_day"),
        ({"first_day": ""}, "required"),
        ({"message": "x" * 999}, "too_long"),
    ],
)
def test_terms_that_break_the_rules_store_nothing(
    three: Three, wish: dict[str, str], code: str
) -> None:
    engagement = three.forge(ask(**wish))
    assert three.row(engagement) is None
    assert three.codes() == {code: 1}


def test_a_huge_number_of_copies_is_full_and_holds_nothing(three: Three) -> None:
    engagement = three.forge(ask(units="400"))
    with three.home.inside():
        assert rows.find(engagement).state == "declined"
        assert claims.of_engagement(engagement) == []


def test_a_listing_that_is_not_ours_stores_nothing(three: Three) -> None:
    theirs = three.hostile.publish(title="Leurre")
    exchange(three.home, three.hostile)
    for key in (theirs.key, secrets.token_bytes(16)):
        assert three.row(three.forge(listing_key=key)) is None
    assert three.codes() == {"unknown_listing": 2}


@pytest.mark.parametrize("action", ["approve", "hand_over", "vote", "collect", "revoke", "lapse"])
def test_an_action_that_is_not_the_asker_s_moves_nothing(three: Three, action: str) -> None:
    engagement = three.forge(ask(), deed(action))
    row = three.row(engagement)
    assert row.state == "requested"
    assert three.codes() == {"not_allowed": 1}
    with three.home.inside():
        verdicts = [act.verdict for act in acts.of_engagement(engagement)]
    assert verdicts == ["ok", "not_allowed"]


def test_a_first_act_that_asks_for_nothing_stores_nothing(three: Three) -> None:
    assert three.row(three.forge(deed("withdraw"))) is None
    assert three.codes() == {"bad_inner": 1}


def test_a_second_ask_in_one_engagement_is_a_double(three: Three) -> None:
    engagement = three.forge(ask(), ask(first_day=iso(TODAY + 1)))
    with three.home.inside():
        assert [act.verdict for act in acts.of_engagement(engagement)] == ["ok", "dup"]


def test_an_engagement_belongs_to_the_town_and_listing_it_was_first_seen_with(three: Three) -> None:
    row = three.honest.ask(three.listing)
    exchange(three.home, three.honest)
    three.forge(ask(), deed("withdraw"), engagement=row.id)
    assert three.home.row(row).state == "requested"
    other = three.home.publish(title="Tente")
    mine = three.forge()
    three.forge(ask(), deed("withdraw"), engagement=mine, listing_key=other.key)
    assert three.row(mine).state == "requested"
    assert three.codes() == {"not_yours": 2}


def test_an_act_once_judged_is_never_judged_again_whatever_it_says_now(three: Three) -> None:
    first = ask()
    engagement = three.forge(first)
    again = Deed(first.id, "withdraw", START_MS, "self", 1)
    three.forge(again, engagement=engagement)
    assert three.row(engagement).state == "requested"
    three.forge(deed("withdraw"), engagement=engagement)
    assert three.row(engagement).state == "cancelled"


def test_no_more_than_so_many_are_open_for_one_listing(
    three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "OPEN_MAX", 3)
    made = [three.forge() for _ in range(5)]
    assert [three.row(each) is not None for each in made] == [True, True, True, False, False]
    assert three.codes() == {"over_limit": 2}
    assert three.honest.ask(three.listing).version == 0
    exchange(three.home, three.honest)


def test_another_kind_of_message_in_a_request_is_refused(three: Three) -> None:
    engagement = secrets.token_bytes(16)
    reply = reply_inner(Reply(engagement, 1, "approved", START_MS))
    three.sign("request/1", engagement, reply)
    assert three.row(engagement) is None and three.codes() == {"bad_inner": 1}


def test_a_bad_request_never_stops_the_good_one_after_it(three: Three) -> None:
    with three.hostile.inside():
        bad = three.hostile.journal.publish_sealed(
            "request/1", {1: b"e" * 16, 4: 0, 5: 0, 9: "acts"}, to=three.home.id
        )
    row = three.honest.ask(three.listing)
    verdicts = three.home.hear([bad.raw, *three.honest.raws("request/1")], three.hostile)
    assert verdicts == ["stored", "stored"]
    assert three.home.row(row).state == "requested"


def nfc(text: str) -> str:
    """Return text in the one form that can be signed."""
    return unicodedata.normalize("NFC", text)


@given(
    st.lists(
        st.builds(
            Deed,
            id=st.integers(0, 5).map(lambda number: bytes([number]) * 8),
            action=st.sampled_from(("ask", "withdraw", "approve", "accept", "hand_over", "pay")),
            at_ms=st.integers(0, 2**42),
            by=st.sampled_from(("self", "aide", "staff", "clock", "erasure")),
            on=st.none() | st.integers(0, 9),
            wish=st.dictionaries(
                st.sampled_from(("first_day", "units", "x")), st.text(max_size=9).map(nfc)
            ),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda each: each.id,
    ),
    st.integers(0, 3),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_sequence_of_well_formed_requests_takes_a_place_or_moves_another(
    three: Three, deeds: list[Deed], which: int
) -> None:
    row = three.honest.ask(three.listing) if which == 0 else None
    if row is not None:
        exchange(three.home, three.honest, rounds=1)
    three.forge(ask(), *deeds, engagement=bytes([which]) * 16)
    with three.home.inside():
        assert claims.taken(three.home.id, three.listing.key, 0, 10**6) == []
        if row is not None:
            assert rows.find(row.id).state == "requested"
        allowed = {"requested", "cancelled", "declined", "lapsed"}
        assert {each.state for each in rows.with_town(three.hostile.id, only_open=False)} <= allowed


def honest_row(three: Three) -> Engagement:
    """Return an ask of the honest town that home has received."""
    row = three.honest.ask(three.listing)
    exchange(three.home, three.honest)
    return row


def test_no_other_town_answers_for_home(three: Three) -> None:
    row = honest_row(three)
    pair(three.honest, three.hostile)
    three.reply(row, three.hostile)
    assert three.honest.row(row).state == "requested"
    with three.honest.inside():
        assert refusals.counts(three.hostile.id) == {"not_yours": 1}


def test_home_cannot_promise_what_was_not_asked_for(three: Three) -> None:
    row = honest_row(three)
    three.reply(
        row, three.home, terms={"first_day": TODAY + 9, "after_day": TODAY + 10, "units": 1}
    )
    assert three.honest.row(row).state == "requested"
    with three.honest.inside():
        assert refusals.counts(three.home.id) == {"other_terms": 1}


def test_home_cannot_invent_an_act_of_our_resident(three: Three) -> None:
    row = honest_row(three)
    invented = tuple(
        Verdict(bytes([at]) * 8, "withdraw", code) for at, code in enumerate(sorted(CODES))
    )
    three.reply(row, three.home, state="cancelled", verdicts=invented)
    away = three.honest.row(row)
    assert (away.state, three.honest.words(row)) == ("cancelled", "%(town)s says it was withdrawn.")
    with three.honest.inside():
        mine = [act.by for act in acts.of_engagement(row.id) if act.action == "withdraw"]
        assert set(mine) == {"claimed"}
    exchange(three.home, three.honest)
    with three.home.inside():
        heard = [act.action for act in acts.of_engagement(row.id) if act.by == "self"]
        assert heard == ["ask"]


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_word_signed_anew_changes_nothing(three: Three, version: int) -> None:
    row = honest_row(three)
    three.home.act(row, "approve")
    exchange(three.home, three.honest)
    before = dict(three.honest.row(row).__data__)
    three.reply(row, three.home, version=version, state="declined")
    assert dict(three.honest.row(row).__data__) == before
    three.reply(row, three.home, version=3, state="declined")
    assert three.honest.row(row).state == "declined"


def test_a_state_that_does_not_exist_is_refused(three: Three) -> None:
    row = honest_row(three)
    three.reply(row, three.home, state="married")
    assert three.honest.row(row).state == "requested"


def test_a_reply_to_a_request_nobody_knows_is_shown_and_not_dropped(three: Three) -> None:
    row = honest_row(three)
    unknown = Engagement(id=b"u" * 16)
    three.reply(unknown, three.home)
    with three.honest.inside():
        assert refusals.counts(three.home.id) == {"unknown_engagement": 1}
        assert rows.find(row.id).state == "requested"
