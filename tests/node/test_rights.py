"""Rights for each listing: who keeps what, who may answer, and what nobody may."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from node.domain.clock import FixedClock
from node.domain.errors import Conflict, DomainError, NotAllowed, NotFound
from node.engagements import keeping
from node.store import audit, notices
from node.store.catalogue import holdings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.people import members
from node.store.promises import acts, keepers
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import START_MS, TownHere, Two, found, two_towns


@pytest.fixture
def town(tmp_path: Path) -> TownHere:
    return found(tmp_path, "Lorient", FixedClock(START_MS))


def name(town: TownHere, listing: Listing, who: str, by: str = "desk") -> bool:
    """Let somebody keep a listing, in the name of a moderator unless told otherwise."""
    by_id = town.member(by, "moderator" if by == "desk" else "resident")
    member = town.member(who)
    with town.inside():
        return keeping.name(town.id, listing.key, member, by=by_id, now_ms=town.clock.now_ms())


def end(town: TownHere, listing: Listing, who: str, by: str = "desk") -> bool:
    by_id = town.member(by, "moderator" if by == "desk" else "resident")
    with town.inside():
        return keeping.end(listing.key, town.member(who), by=by_id, now_ms=town.clock.now_ms())


def roles(town: TownHere, row: Engagement, who: str) -> tuple[str, ...]:
    with town.inside():
        return town.engine.roles(town.engine.find(row.id), town.member(who))


def buttons(town: TownHere, row: Engagement, who: str) -> list[str]:
    with town.inside():
        found = town.engine.buttons(town.engine.find(row.id), town.member(who))
        return [each.action for each in found]


def refused(error: type[DomainError], code: str, call: Any, *args: Any, **named: Any) -> None:
    with pytest.raises(error) as raised:
        call(*args, **named)
    assert raised.value.code == code


# ── who keeps what ───────────────────────────────────────────────────────────────────────────────


def test_grr_366_who_keeps_one_listing_can_do_nothing_on_another(town: TownHere) -> None:
    drill, van = town.publish(None, title="Perceuse"), town.publish(None, title="Remorque")
    name(town, drill, "klervi")
    name(town, van, "denez")
    row = town.ask(van, "klervi")  # keeps the drill, asks for the van
    assert roles(town, row, "klervi") == ("asker",)
    for role in ("keeper", "staff", "aide"):
        refused(NotAllowed, "not_allowed", town.act, row, "approve", "klervi", role)
    other = town.ask(van, "bernez", first=10, last=11)
    assert roles(town, other, "klervi") == () and buttons(town, other, "klervi") == []
    for role in ("asker", "keeper", "staff", "aide"):
        refused(NotAllowed, "not_allowed", town.act, other, "approve", "klervi", role)
    assert town.act(other, "approve", "denez").state == "approved"


def test_every_keeper_answers_and_the_trace_says_which(town: TownHere) -> None:
    listing = town.publish("roue libre")
    name(town, listing, "klervi", by="roue libre")
    row = town.ask(listing)
    assert roles(town, row, "klervi") == roles(town, row, "roue libre") == ("keeper",)
    town.act(row, "approve", "klervi")
    town.act(row, "hand_over", "roue libre")
    with town.inside():
        done = [(act.action, act.member) for act in acts.of_engagement(row.id)][1:]
    wanted = [("approve", town.member("klervi")), ("hand_over", town.member("roue libre"))]
    assert done == wanted


def test_a_keeper_sees_what_is_asked_before_and_after_being_named(town: TownHere) -> None:
    listing = town.publish(None)
    before = town.ask(listing)
    name(town, listing, "klervi")
    after = town.ask(listing, "bernez", first=10, last=11)
    with town.inside():
        asked, received = town.engine.of_member(town.member("klervi"))
    assert asked == [] and {each.id for each in received} == {before.id, after.id}


def test_an_ex_keeper_can_do_nothing_any_more(town: TownHere) -> None:
    listing = town.publish(None)
    name(town, listing, "klervi")
    row = town.ask(listing)
    assert end(town, listing, "klervi")
    assert roles(town, row, "klervi") == () and buttons(town, row, "klervi") == []
    refused(NotAllowed, "not_allowed", town.act, row, "approve", "klervi")
    assert not end(town, listing, "klervi")  # twice is once
    with town.inside():
        assert town.engine.of_member(town.member("klervi")) == ([], [])


@pytest.mark.parametrize("status", ["suspended", "erased", "pending"])
def test_who_is_shut_out_keeps_nothing_and_the_desk_steps_in(town: TownHere, status: str) -> None:
    listing = town.publish(None)
    name(town, listing, "klervi")
    row = town.ask(listing)
    with town.inside(), write_tx():
        members.change(town.member("klervi"), status=status)
    assert roles(town, row, "klervi") == ()
    refused(NotAllowed, "not_allowed", town.act, row, "approve", "klervi")
    assert roles(town, row, "desk") == ("keeper", "staff")
    assert town.act(row, "approve", "desk", "staff").state == "approved"


def test_a_suspended_asker_and_a_suspended_moderator_act_no_more(town: TownHere) -> None:
    row = town.ask(town.publish())
    town.member("desk", "moderator")
    for who in ("asker", "desk"):
        with town.inside(), write_tx():
            members.change(town.member(who), status="suspended")
        assert roles(town, row, who) == ()
    refused(NotAllowed, "not_allowed", town.withdraw_ask, row)
    refused(NotAllowed, "suspended", town.ask, town.publish(title="Scie"))


def test_only_a_keeper_or_the_desk_names_keepers_and_anybody_resigns(town: TownHere) -> None:
    listing = town.publish("roue libre")
    refused(NotAllowed, "not_yours", name, town, listing, "klervi", "klervi")
    assert name(town, listing, "klervi", "roue libre") and name(town, listing, "denez", "klervi")
    assert not name(town, listing, "denez")  # a double click
    refused(NotAllowed, "not_yours", end, town, listing, "klervi", "bernez")
    assert end(town, listing, "klervi", "klervi")
    with town.inside():
        assert keepers.of_listing(listing.key) == [town.member("denez")]
        told = [(each.action, each.member, each.other) for each in audit.latest(4)]
    assert [action for action, _by, _who in told] == ["keeper.end", "keeper.name", "keeper.name"]


def test_nobody_unknown_and_no_listing_of_elsewhere_is_named(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    desk, now_ms = two.away.member("desk", "moderator"), two.clock.now_ms()
    with two.away.inside():
        named = {"by": desk, "now_ms": now_ms}
        refused(NotFound, "no_listing", keeping.name, two.away.id, listing.key, desk, **named)
        key = secrets.token_bytes(16)
        refused(NotFound, "no_listing", keeping.name, two.away.id, key, desk, **named)
    desk = two.home.member("desk", "moderator")
    with two.home.inside():
        for nobody in (0, -1, 99_999, 2**62):
            refused(
                NotFound, "no_member", keeping.name, two.home.id, listing.key, nobody,
                by=desk, now_ms=now_ms,
            )  # fmt: skip


@pytest.fixture
def two(tmp_path: Path) -> Any:
    with two_towns(tmp_path) as made:
        yield made


def test_a_recovered_listing_has_no_keeper_and_the_desk_names_one(town: TownHere) -> None:
    listing = town.publish("roue libre")
    with town.inside():
        holdings.forget(listing.key)  # as after a recovery from the town's words
    row = town.ask(listing)
    town.member("desk", "moderator")
    assert roles(town, row, "desk") == ("keeper", "staff")
    assert roles(town, row, "roue libre") == ()
    assert name(town, listing, "roue libre")
    assert roles(town, row, "roue libre") == ("keeper",) and roles(town, row, "desk") == ("staff",)


# ── nobody decides their own ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", ["resident", "moderator", "admin"])
def test_nobody_answers_their_own_request_not_even_an_administrator(
    town: TownHere, role: str
) -> None:
    listing = town.publish(None)
    town.member("soizic", role)
    name(town, listing, "soizic")
    row = town.ask(listing, "soizic")
    assert roles(town, row, "soizic") == ("asker",)
    assert buttons(town, row, "soizic") == ["withdraw"]
    for as_role in ("keeper", "staff", "aide"):
        for action in ("approve", "decline", "counter", "propose", "hand_over"):
            refused(NotAllowed, "not_allowed", town.act, row, action, "soizic", as_role)
    assert town.row(row).state == "requested"


def test_a_moderators_own_request_at_a_listing_nobody_keeps_waits_for_another(
    town: TownHere,
) -> None:
    town.member("desk", "moderator")
    row = town.ask(town.publish(None), "desk")
    refused(NotAllowed, "not_allowed", town.act, row, "approve", "desk", "staff")
    town.member("admin", "admin")
    assert town.act(row, "approve", "admin", "staff").state == "approved"


# ── validated is frozen ──────────────────────────────────────────────────────────────────────────


def test_grr_77_446_what_was_accepted_changes_only_when_both_say_so(town: TownHere) -> None:
    listing = town.publish()
    row = town.ask(listing)
    accepted = town.act(row, "approve")
    changed = town.publish(key=listing.key, max_days=14, deposit=5_000)
    assert town.row(row).terms == accepted.terms
    form = {"first_day": "2026-11-28", "last_day": "2026-11-28"}
    proposed = town.act(row, "propose", args=form)
    assert proposed.terms == accepted.terms and proposed.proposal  # on the table, no more
    refused(DomainError, "not_allowed", town.act, proposed, "accept")  # not by who proposed
    wished = town.act(row, "keep", "asker", "asker")
    assert wished.terms == accepted.terms and not wished.proposal
    assert town.listing(changed).record != accepted.saw


# ── notices ──────────────────────────────────────────────────────────────────────────────────────


def told(town: TownHere) -> list[str]:
    """Return who has a notice waiting, by name."""
    names = {number: who for who, number in town.members.items()}
    with town.inside():
        return sorted(names[each.member] for each in notices.due(town.clock.now_ms() + 1, 99))


def test_what_concerns_keepers_goes_to_each_of_them_once(town: TownHere) -> None:
    listing = town.publish("roue libre")
    name(town, listing, "klervi", by="roue libre")
    name(town, listing, "roue libre")  # the publisher, named as well: still told once
    town.ask(listing)
    assert told(town) == ["klervi", "roue libre"]


def test_what_nobody_keeps_goes_to_the_desk_but_not_to_who_asked(town: TownHere) -> None:
    town.member("desk", "moderator")
    town.member("admin", "admin")
    town.member("neighbour")
    town.ask(town.publish(None), "desk")
    assert told(town) == ["admin"]


def test_a_keeper_who_asks_is_not_told_of_their_own_request(town: TownHere) -> None:
    listing = town.publish("roue libre")
    name(town, listing, "klervi", by="roue libre")
    town.ask(listing, "klervi")
    assert told(town) == ["roue libre"]


def test_a_keeper_who_let_go_is_not_told_of_what_was_asked_before(town: TownHere) -> None:
    listing = town.publish("roue libre")
    name(town, listing, "klervi", by="roue libre")
    row = town.ask(listing)
    end(town, listing, "klervi", "klervi")
    with town.inside():
        news = {
            each.member: town.engine.is_news(row, each.kind, each.params, each.member)
            for each in notices.due(town.clock.now_ms() + 1, 99)
        }
    assert news == {town.member("roue libre"): True, town.member("klervi"): False}


# ── leaving ──────────────────────────────────────────────────────────────────────────────────────


def test_a_keeper_who_is_erased_leaves_the_listing_its_promises_and_no_name(town: TownHere) -> None:
    listing = town.publish(None)
    name(town, listing, "klervi")
    row = town.ask(listing)
    town.act(row, "approve", "klervi")
    with town.inside():
        number = town.member("klervi")
        town.engine.forget(number)
        audit.forget_member(number)
        members.erase(number)
        assert keepers.of_member(number) == []
        entries = audit.latest(50)
        assert number not in {each.other for each in entries} | {each.member for each in entries}
        assert "klervi" not in "".join(each.actor + each.detail for each in entries)
    assert town.row(row).state == "approved"  # the listing is the association's
    town.member("desk", "moderator")
    assert roles(town, row, "desk") == ("keeper", "staff")


def test_keepers_follow_a_listing_published_anew_and_keep_what_is_out_of_the_old(
    town: TownHere,
) -> None:
    old, new = town.publish(None), town.publish(None)
    name(town, old, "klervi")
    row = town.ask(old)
    with town.inside():
        for _ in range(2):
            keepers.follow(old.key, new.key)
        assert keepers.of_listing(new.key) == [town.member("klervi")]
    assert roles(town, row, "klervi") == roles(town, town.ask(new), "klervi") == ("keeper",)


def test_too_many_keepers_are_refused(town: TownHere) -> None:
    listing = town.publish(None)
    for number in range(keeping.KEEPERS_MAX):
        name(town, listing, f"keeper {number}")
    refused(Conflict, "too_many", name, town, listing, "one more")
