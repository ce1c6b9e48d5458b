"""What an aide writes down for somebody without a device, and what they may not do then."""

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from node.domain.clock import FixedClock
from node.domain.errors import Conflict, DomainError, Invalid, NotAllowed
from node.store import audit
from node.store.catalogue.listings import Listing
from node.store.people import members
from node.store.promises import acts
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import (
    START_MS,
    TODAY,
    TownHere,
    Two,
    found,
    iso,
    two_towns,
)

HOUR_MS = 3_600_000


@pytest.fixture
def town(tmp_path: Path) -> TownHere:
    made = found(tmp_path, "Lorient", FixedClock(START_MS))
    for who in ("desk", "other desk"):
        made.member(who, "moderator")
    return made


@pytest.fixture
def two(tmp_path: Path) -> Any:
    with two_towns(tmp_path) as made:
        yield made


def note_down(
    town: TownHere, listing: Listing, aide: str = "desk", first: int = 3, last: int = 4, **form: str
) -> Engagement:
    """Write an ask down for somebody, days counted from TODAY."""
    typed = {"first_day": iso(TODAY + first), "last_day": iso(TODAY + last), "consent": "paper"}
    typed |= {"person_name": "Mme Le Goff"} if "person" not in form else {}
    aide_id = town.member(aide)
    with town.inside():
        row = town.listing(listing)
        return town.engine.staff.ask_for(row, aide_id, {**typed, **form}, secrets.token_bytes(16))


def refused(error: type[DomainError], code: str, call: Any, *args: Any, **named: Any) -> None:
    with pytest.raises(error) as raised:
        call(*args, **named)
    assert raised.value.code == code


def entries(town: TownHere) -> list[tuple[str, int | None, int | None, dict[str, Any]]]:
    with town.inside():
        found = [each for each in audit.latest(50) if each.action == "engagement.act"]
        return [(each.actor, each.member, each.other, json.loads(each.detail)) for each in found]


# ── for somebody without a device ────────────────────────────────────────────────────────────────


def test_an_aide_writes_a_request_down_for_a_name_and_both_stay_in_the_trace(
    town: TownHere,
) -> None:
    row = note_down(town, town.publish(), consent="spoken", person_name="  Mme   Le Goff ")
    assert (row.state, row.asker, json.loads(row.names)["asker"]) == (
        "requested", None, "Mme Le Goff",
    )  # fmt: skip
    with town.inside():
        first = acts.of_engagement(row.id)[0]
    assert (first.by, first.member) == ("aide", town.member("desk"))
    assert entries(town) == [
        ("desk", town.member("desk"), None, {"action": "ask", "by": "aide", "consent": "spoken"})
    ]


def test_an_aide_writes_a_request_down_for_an_account_without_address(town: TownHere) -> None:
    with town.inside():
        account = members.join("Yves", now_ms=START_MS)
    row = note_down(town, town.publish(), person=str(account.id))
    assert row.asker == account.id and json.loads(row.names)["asker"] == "Yves"
    with town.inside():
        assert [each.id for each in town.engine.of_member(account.id)[0]] == [row.id]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"consent": ""}, "no_consent"),
        ({"consent": "shouted"}, "no_consent"),
        ({"person_name": "   "}, "nobody"),
        ({"person_name": "x" * 81}, "nobody"),
        ({"person": "0"}, "no_member"),
        ({"person": "99999"}, "no_member"),
        ({"person": "-1"}, "no_member"),
        ({"person": "9" * 40}, "no_member"),
        ({"person": "١"}, "no_member"),
        ({"person": "' OR 1=1"}, "no_member"),
    ],
)
def test_nobody_is_written_down_without_a_name_or_their_consent(
    town: TownHere, form: dict[str, str], code: str
) -> None:
    refused(Invalid, code, note_down, town, town.publish(), **form)
    with town.inside():
        assert Engagement.select().count() == 0


def test_one_does_not_write_down_for_oneself_nor_for_who_is_shut_out(town: TownHere) -> None:
    listing, yves = town.publish(), town.member("yves")
    refused(Invalid, "oneself", note_down, town, listing, person=str(town.member("desk")))
    with town.inside():
        members.change(yves, status="suspended")
    refused(Invalid, "no_member", note_down, town, listing, person=str(yves))


def test_only_the_desk_and_who_keeps_it_write_down_for_others(town: TownHere) -> None:
    drill, van = town.publish("roue libre"), town.publish("nolwenn", title="Remorque")
    refused(NotAllowed, "not_yours", note_down, town, drill, "neighbour")
    refused(NotAllowed, "not_yours", note_down, town, van, "roue libre")
    assert note_down(town, drill, "roue libre").state == "requested"


@pytest.mark.parametrize("listed", ["somebody", None])
def test_who_wrote_it_down_does_not_answer_it(town: TownHere, listed: str | None) -> None:
    row = note_down(town, town.publish(listed))
    with town.inside():
        offered = town.engine.buttons(town.engine.find(row.id), town.member("desk"))
    assert "approve" not in [each.action for each in offered]
    for role in town_roles(town, row, "desk"):
        if role != "aide":
            refused(NotAllowed, "own_request", town.act, row, "approve", "desk", role)
            refused(NotAllowed, "own_request", town.act, row, "decline", "desk", role)
    assert town.act(row, "approve", "other desk", "staff").state == "approved"
    assert town.act(row, "hand_over", "desk", "staff").state == "handed_over"


def town_roles(town: TownHere, row: Engagement, who: str) -> tuple[str, ...]:
    with town.inside():
        return town.engine.roles(town.engine.find(row.id), town.member(who))


def test_who_wrote_it_down_does_not_make_a_proposal_and_take_it_for_the_other(
    town: TownHere,
) -> None:
    row = note_down(town, town.publish())
    town.act(row, "approve", "other desk", "staff")
    form = {"first_day": iso(TODAY + 5), "last_day": iso(TODAY + 5)}
    refused(NotAllowed, "own_request", town.act, row, "propose", "desk", "staff", args=form)


def test_an_aide_acts_for_them_later_and_says_again_how_they_agreed(town: TownHere) -> None:
    row = note_down(town, town.publish())
    refused(Invalid, "no_consent", town.act, row, "withdraw", "other desk", "aide")
    done = town.act(row, "withdraw", "other desk", "aide", args={"consent": "spoken"})
    assert done.state == "cancelled"
    assert [(who, told["action"]) for who, _n, _o, told in entries(town)] == [
        ("other desk", "withdraw"), ("desk", "ask"),
    ]  # fmt: skip


def test_nobody_is_aide_where_somebody_asked_themselves(town: TownHere) -> None:
    row = town.ask(town.publish())
    assert town_roles(town, row, "desk") == ("staff",)
    more = {"args": {"consent": "paper"}}
    refused(NotAllowed, "not_allowed", town.act, row, "withdraw", "desk", "aide", **more)


def test_the_same_form_sent_twice_is_one_request_and_one_entry(town: TownHere) -> None:
    listing, token = town.publish(), secrets.token_bytes(16)
    form = {
        "first_day": iso(TODAY + 3), "last_day": iso(TODAY + 4),
        "person_name": "Mme Le Goff", "consent": "paper",
    }  # fmt: skip
    with town.inside():
        rows = [
            town.engine.staff.ask_for(listing, town.member("desk"), form, token) for _ in range(2)
        ]
    assert rows[0].id == rows[1].id and len(entries(town)) == 1


def test_an_aides_request_reaches_another_town_and_is_withdrawn_from_there(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    two.away.member("desk", "moderator")
    row = note_down(two.away, listing)
    two.exchange()
    assert json.loads(two.home.row(row).names)["asker"] == "Mme Le Goff"
    two.home.act(row, "approve")
    two.exchange()
    two.away.act(row, "withdraw", "desk", "aide", args={"consent": "spoken"})
    two.exchange()
    assert two.both(row) == ("cancelled", "cancelled")
    assert "desk" not in str(two.home.row(row).__data__)  # the aide's name never travels


def test_the_same_name_is_the_same_person_for_one_listing_only(town: TownHere) -> None:
    drill, van = town.publish(), town.publish(title="Remorque")
    one = note_down(town, drill, person_name="Mme Le Goff")
    same = note_down(town, drill, first=8, last=9, person_name="mme le goff")
    other = note_down(town, van, person_name="Mme Le Goff")
    assert one.who == same.who and one.who != other.who


def test_a_name_without_an_account_is_taken_away_once_it_is_over(town: TownHere) -> None:
    row = note_down(town, town.publish())
    with town.inside():
        desk, keeper = town.member("desk"), town.member("keeper")
        with pytest.raises(Conflict):
            town.engine.staff.forget_name(row, member_id=desk)
    town.act(row, "withdraw", "desk", "aide", args={"consent": "spoken"})
    with town.inside():
        with pytest.raises(NotAllowed):
            town.engine.staff.forget_name(row, member_id=keeper)
        town.engine.staff.forget_name(row, member_id=desk)
    assert "Le Goff" not in str(town.row(row).__data__)


# ── erased ───────────────────────────────────────────────────────────────────────────────────────


def test_names_are_not_kept_beyond_erasure(town: TownHere) -> None:
    yves = town.member("yves")
    row = note_down(town, town.publish(None), person=str(yves))
    town.act(row, "approve", "other desk", "staff")
    with town.inside():
        for number in (yves, town.member("other desk")):
            town.engine.forget(number)
            audit.forget_member(number)
            members.erase(number)
        text = " ".join(str(each.__data__) for each in audit.latest(50))
    assert "yves" not in text and "other desk" not in text
    assert "yves" not in str(town.row(row).__data__)
