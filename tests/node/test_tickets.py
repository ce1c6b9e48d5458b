"""Tickets: what is broken closes its span, warns who holds it; mended, it goes to the next."""

import secrets
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.domain.capacity import Span, day_number, midnight_ms
from node.domain.clock import FixedClock
from node.domain.errors import Conflict, DomainError, Invalid, NotAllowed
from node.engagements import closures
from node.engagements.tickets import OPEN_MAX, Report
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.notices import Notice
from node.store.promises import claims, messages, tickets
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import (
    DAY_MS,
    START_MS,
    TODAY,
    TownHere,
    Two,
    found,
    two_towns,
)

WARNED = "engagement_warned"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[TownHere]:
    town = found(tmp_path, "Lorient", FixedClock(START_MS))
    yield town
    town.database.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


def morning(days: int) -> int:
    """Return the instant at which a day counted from TODAY begins."""
    return midnight_ms(TODAY + days, "Europe/Paris")


def note(
    town: TownHere, listing: Listing, what: str = "repair", who: str = "keeper",
    first: int | None = None, after: int | None = None, text: str = "Frein cassé",
) -> tickets.Ticket:  # fmt: skip
    """Open a ticket for days counted from TODAY."""
    member = town.member(who)
    said = Report(
        what,
        text,
        morning(first) if first is not None else None,
        morning(after) if after is not None else None,
    )
    with town.inside():
        return town.engine.tickets.open_(town.listing(listing), said, member)


def close(town: TownHere, ticket: tickets.Ticket, who: str = "keeper") -> bool:
    member = town.member(who)
    with town.inside():
        return town.engine.tickets.close(ticket.id, member)


def warned(town: TownHere, who: str) -> int:
    member = town.member(who)
    with town.inside():
        return int(Notice.select().where(Notice.member == member, Notice.kind == WARNED).count())


def seen(town: TownHere, row: Engagement) -> list[str]:
    with town.inside():
        return [each.text for each in town.engine.tickets.of_row(town.engine.find(row.id))]


def lend(town: TownHere, row: Engagement) -> Engagement:
    town.act(row, "approve")
    return town.act(row, "hand_over")


# ── what is closed ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("what", ["repair", "maintenance"])
def test_nothing_is_promised_while_it_is_mended(here: TownHere, what: str) -> None:
    listing = here.publish(copies=3)
    note(here, listing, what, first=4, after=6)
    for first, last in ((3, 4), (4, 5), (5, 9)):
        with pytest.raises(DomainError):
            here.ask(listing, first=first, last=last)
    assert here.ask(listing, first=2, last=3).state == "requested"
    assert here.ask(listing, "other", first=6, last=7).state == "requested"


def test_a_hint_closes_nothing(here: TownHere) -> None:
    listing = here.publish()
    note(here, listing, "hint", text="La sonnette grince")
    row = here.ask(listing)
    assert here.act(row, "approve").state == "approved"
    assert seen(here, row) == ["La sonnette grince"]


def test_the_days_of_the_calendar_are_closed_with_it(here: TownHere) -> None:
    listing = here.publish()
    note(here, listing, first=4, after=6)
    with here.inside():
        days = {each["day"] - TODAY: each["free"] for each in here.engine.days(listing)}
        shut = closures.closed(here.engine.ground, listing, Span(TODAY, TODAY + 42))
    assert [day for day in range(3, 8) if not days[day]] == [4, 5]
    assert {slot - TODAY for slot in shut} == {4, 5}


def test_without_an_end_it_is_closed_until_somebody_closes_the_ticket(here: TownHere) -> None:
    listing = here.publish()
    ticket = note(here, listing)
    with pytest.raises(DomainError):
        here.ask(listing, first=40, last=41)
    assert close(here, ticket) is True and close(here, ticket) is False
    assert here.ask(listing, first=40, last=41).state == "requested"


def test_what_was_promised_before_stands(here: TownHere) -> None:
    listing = here.publish()
    row = here.ask(listing)
    here.act(row, "approve")
    with here.inside():
        before = claims.of_engagement(row.id)
    note(here, listing)
    with here.inside():
        assert claims.of_engagement(row.id) == before
    assert here.act(row, "hand_over").state == "handed_over"


def test_what_was_only_asked_is_not_approved_into_a_repair(here: TownHere) -> None:
    listing = here.publish()
    row = here.ask(listing)
    note(here, listing)
    with pytest.raises(Conflict):
        here.act(row, "approve")


def test_a_day_of_twenty_three_hours_is_closed_whole(tmp_path: Path) -> None:
    for day in ("2027-03-28", "2027-10-31", "2028-02-29"):
        number = day_number(date.fromisoformat(day))
        clock = FixedClock(midnight_ms(number - 10, "Europe/Paris"))
        town = found(tmp_path / day, "Lorient", clock)
        listing, keeper = town.publish(), town.member("keeper")
        span = (midnight_ms(number, "Europe/Paris"), midnight_ms(number + 1, "Europe/Paris"))
        with town.inside():
            town.engine.tickets.open_(listing, Report("maintenance", "Graissage", *span), keeper)
            shut = closures.closed(town.engine.ground, listing, Span(number - 3, number + 4))
        assert shut == {number}
        town.database.close()


# ── who is told ──────────────────────────────────────────────────────────────────────────────────


def test_commons_booking_2_48_later_borrowers_are_warned_of_what_is_broken(here: TownHere) -> None:
    """The next one reads it on their request before fetching, and by mail; the present one not."""
    listing = here.publish()
    now = here.ask(listing, "asker", first=1, last=2)
    later = here.ask(listing, "later", first=5, last=6)
    lend(here, now)
    here.act(later, "approve")
    member = here.member("asker")
    with here.inside():
        here.engine.tickets.report(here.engine.find(now.id), Report("hint", "Roue voilée"), member)
    assert warned(here, "later") == 1 and warned(here, "keeper") == 1 and warned(here, "asker") == 0
    assert seen(here, later) == ["Roue voilée"]
    note(here, listing, text="Roue voilée, pièce commandée")
    assert warned(here, "later") == 1  # the first mail has not left: one is enough


def test_only_who_holds_something_in_the_span_is_warned(here: TownHere) -> None:
    listing = here.publish(copies=2)
    inside = here.ask(listing, "inside", first=4, last=5)
    outside = here.ask(listing, "outside", first=8, last=9)
    over = here.ask(listing, "over", first=4, last=5)
    here.withdraw_ask(over, "over")
    note(here, listing, first=5, after=7)
    assert [warned(here, who) for who in ("inside", "outside", "over")] == [1, 0, 0]
    assert seen(here, inside) and not seen(here, outside) and not seen(here, over)


def test_another_town_s_borrower_is_warned_in_the_keeper_s_words(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    with two.home.inside():
        listing = two.home.engine.find(row.id).listing_key
        held = listings.find(two.home.id, listing)
    note(two.home, held, text="Pneu crevé, réparé pour samedi")
    two.exchange()
    with two.away.inside():
        assert [each.text for each in messages.of_engagement(row.id)] == [
            "Pneu crevé, réparé pour samedi"
        ]


# ── who may ──────────────────────────────────────────────────────────────────────────────────────


def test_only_keepers_and_the_desk_open_and_close(here: TownHere) -> None:
    listing = here.publish()
    here.member("desk", "moderator")
    with pytest.raises(NotAllowed):
        note(here, listing, who="neighbour")
    ticket = note(here, listing, who="desk")
    with pytest.raises(NotAllowed):
        close(here, ticket, "neighbour")
    assert ticket.by == "desk" and close(here, ticket) is True


def test_a_borrower_s_report_is_a_hint_whatever_they_tick_and_only_while_they_have_it(
    here: TownHere,
) -> None:
    row = here.ask(here.publish())
    asker, stranger = here.member("asker"), here.member("stranger")
    said = Report("repair", "Cassé")
    with here.inside(), pytest.raises(NotAllowed):
        here.engine.tickets.report(here.engine.find(row.id), said, asker)
    lend(here, row)
    with here.inside():
        with pytest.raises(NotAllowed):
            here.engine.tickets.report(here.engine.find(row.id), said, stranger)
        ticket = here.engine.tickets.report(here.engine.find(row.id), said, asker)
        assert (ticket.what, ticket.by) == ("hint", "asker")
        held = listings.find(row.listing_origin, row.listing_key)
        shown = here.engine.tickets.of_listing
        assert shown(held, None) == [] == shown(held, stranger)
        assert len(shown(held, here.members["keeper"])) == 1


@pytest.mark.parametrize(
    ("what", "text", "first", "after"),
    [
        ("explosion", "x", None, None),
        ("repair", "", None, None),
        ("repair", "\u202e", None, None),
        ("repair", "x" * 5_000, None, None),
        ("repair", "x", 5, 5),
        ("repair", "x", 5, 3),
        ("repair", "x", None, -2),
        ("repair", "x", None, 5_000),
    ],
)
def test_a_ticket_that_says_nothing_or_never_ends_is_refused(
    here: TownHere, what: str, text: str, first: int | None, after: int | None
) -> None:
    listing = here.publish()
    with pytest.raises(Invalid):
        note(here, listing, what, first=first, after=after, text=text)
    with here.inside():
        assert tickets.all_open() == []


def test_so_many_are_open_at_once_and_no_more(here: TownHere) -> None:
    listing = here.publish()
    for number in range(OPEN_MAX):
        note(here, listing, "hint", text=f"{number}")
    with pytest.raises(Conflict):
        note(here, listing, "hint")


# ── when it is over ──────────────────────────────────────────────────────────────────────────────


def test_closing_it_passes_the_line_on(here: TownHere) -> None:
    listing = here.publish()
    ticket = note(here, listing)
    member = here.member("asker")
    with here.inside():
        days = {"first_day": "2026-11-26", "last_day": "2026-11-27", "queue": "1"}
        row = here.engine.ask(listing, member, days, secrets.token_bytes(16))
    assert row.state == "waiting"
    assert here.sweep() == 0 and here.row(row).state == "waiting"
    close(here, ticket)
    assert here.row(row).state == "offered"


def test_a_span_that_ended_by_itself_closes_nothing_more(here: TownHere) -> None:
    listing = here.publish()
    note(here, listing, first=0, after=2)
    here.clock.forward(days=2)
    with here.inside():
        assert here.engine.tickets.of_listing(here.listing(listing), None) == []
    assert here.ask(listing, first=4, last=5).state == "requested"


def test_who_was_erased_is_in_no_ticket(here: TownHere) -> None:
    row = here.ask(here.publish())
    lend(here, row)
    asker = here.member("asker")
    with here.inside():
        said = Report("hint", "CANARY")
        here.engine.tickets.report(here.engine.find(row.id), said, asker)
        here.engine.forget(asker)
        (ticket,) = tickets.Ticket.select()
        assert (ticket.text, ticket.opened_by, ticket.engagement) == ("", None, None)


def test_old_tickets_are_put_away(here: TownHere) -> None:
    listing = here.publish()
    close(here, note(here, listing))
    with here.inside():
        assert tickets.sweep(here.clock.now_ms() + DAY_MS) == 1
