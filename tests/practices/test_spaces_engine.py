"""Spaces through the engine: holds, answers, check-in, the line, rights, and two towns."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.domain.errors import DomainError, NotAllowed
from node.engagements.ground import read
from node.engagements.telling import WARNED
from node.engagements.tickets import Report
from node.practices.spaces import actions
from node.store import notices
from node.store.promises import claims, habilitations
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import TownHere, exchange
from tests.practices.spaces_towns import book, publish, two_towns

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
Towns = tuple[TownHere, TownHere]


@pytest.fixture
def towns(tmp_path: Path) -> Iterator[Towns]:
    with two_towns(tmp_path) as both:
        yield both


@pytest.fixture
def here(towns: Towns) -> TownHere:
    return towns[0]


def held(town: TownHere, row: Engagement) -> int:
    """Return how many (unit, quarter) pairs an engagement holds."""
    with town.inside():
        return len(claims.of_engagement(row.id))


def code(act: Any) -> str:
    """Return the code of what is refused, "" for nothing."""
    try:
        act()
    except DomainError as error:
        return error.code
    return ""


def test_a_moderated_space_is_asked_for_and_confirmed(here: TownHere) -> None:
    room = publish(here)
    row = book(here, room, minutes="120")
    assert (row.state, row.turn, held(here, row)) == ("requested", "keeper", 0)
    row = here.act(row, "confirm")
    assert (row.state, row.turn, held(here, row)) == ("confirmed", "clock", 8)
    here.clock.forward(days=1, hours=3)
    here.sweep()
    assert (here.row(row).state, held(here, row)) == ("done", 0)


def test_an_immediate_space_is_booked_at_once(here: TownHere) -> None:
    row = book(here, publish(here, auto=True))
    assert (row.state, held(here, row)) == ("confirmed", 4)


def test_two_bookings_of_one_hour_never_both_stand(here: TownHere) -> None:
    room = publish(here, auto=True)
    book(here, room, "anna", start="9:00", minutes="120")
    for start in ("8:00", "9:00", "10:00"):
        length = "120" if start == "8:00" else "60"
        assert (
            code(lambda s=start, n=length: book(here, room, "yann", start=s, minutes=n)) == "full"
        )
    assert book(here, room, "yann", start="11:00").state == "confirmed"


def test_grr_96_the_next_booking_waits_for_the_gap(here: TownHere) -> None:
    room = publish(here, auto=True, step=15, gap_minutes=30)
    book(here, room, "anna", start="9:00", minutes="60")
    assert code(lambda: book(here, room, "yann", start="10:00", minutes="60")) == "full"
    assert code(lambda: book(here, room, "yann", start="8:00", minutes="60")) == "full"
    assert book(here, room, "yann", start="10:30", minutes="60").state == "confirmed"
    assert book(here, room, "yann", start="8:00", minutes="30").state == "confirmed"


def test_several_units_are_several_bookings_of_one_hour(here: TownHere) -> None:
    desks = publish(here, auto=True, units=3)
    book(here, desks, "anna", units="2")
    assert code(lambda: book(here, desks, "yann", units="2")) == "full"
    assert book(here, desks, "yann").state == "confirmed"
    assert code(lambda: book(here, desks, "loig")) == "full"


def test_a_hold_is_booked_within_ten_minutes_or_free_again(here: TownHere) -> None:
    room = publish(here, auto=True)
    row = book(here, room, "anna", hold="1")
    assert (row.state, row.turn, held(here, row)) == ("held", "asker", 4)
    assert code(lambda: book(here, room, "yann")) == "full"
    here.clock.forward(minutes=9)
    assert here.act(row, "book", "anna", "asker").state == "confirmed"
    other = book(here, room, "anna", start="14:00", hold="1")
    here.clock.forward(minutes=10)
    assert book(here, room, "yann", start="14:00").state == "confirmed"
    assert here.row(other).state == "lapsed"


def test_circulate_523_holds_do_not_freeze_the_week(here: TownHere) -> None:
    room = publish(here, auto=True)
    for day in (1, 2):
        book(here, room, day=day, hold="1")
    assert code(lambda: book(here, room, day=3, hold="1")) == "many_held"
    assert book(here, room, day=3).state == "confirmed"
    here.clock.forward(minutes=10)
    here.sweep()
    assert book(here, room, day=4, hold="1").state == "held"


def test_nobody_books_a_moderated_space_by_holding_it(here: TownHere) -> None:
    assert code(lambda: book(here, publish(here), hold="1")) == "moderated"


def test_who_arrives_is_checked_in_and_who_does_not_loses_the_place(here: TownHere) -> None:
    room = publish(here, auto=True, check_in=True)
    anna, yann = book(here, room, "anna", start="9:00"), book(here, room, "yann", start="10:00")
    here.clock.forward(days=1, hours=1, minutes=10)  # 9:10
    assert here.act(anna, "check_in").state == "checked_in"
    assert code(lambda: here.act(anna, "withdraw", "anna", "asker")) == "too_late"
    here.clock.forward(minutes=80)  # 10:30
    here.sweep()
    assert (here.row(anna).state, here.row(yann).state) == ("done", "no_show")
    assert held(here, yann) == 0
    assert book(here, room, "loig", day=1, start="11:00").state == "confirmed"


def test_nobody_arrives_or_stays_away_before_the_hour_has_come(here: TownHere) -> None:
    row = book(here, publish(here, auto=True, check_in=True))  # tomorrow at nine
    other = book(here, publish(here, auto=True, title="Atelier"))
    for each, action in ((row, "check_in"), (row, "no_show"), (other, "close"), (other, "no_show")):
        assert code(lambda e=each, a=action: here.act(e, a)) == "not_yet"
    here.clock.forward(days=1, minutes=30)  # half an hour before
    assert code(lambda: here.act(other, "close")) == "not_yet"
    assert here.act(row, "check_in").state == "checked_in"
    here.clock.forward(minutes=40)
    assert here.act(other, "close").state == "done"


def test_what_a_no_show_frees_is_offered_to_who_waits(here: TownHere) -> None:
    room = publish(here, auto=True, check_in=True)
    first = book(here, room, "anna", start="14:00", minutes="120")
    waits = book(here, room, "yann", start="15:00", queue="1")
    assert (waits.state, held(here, waits)) == ("waiting", 0)
    here.clock.forward(days=1, hours=6, minutes=31)
    here.sweep()
    assert here.row(first).state == "no_show"
    row = here.row(waits)
    assert (row.state, held(here, row)) == ("offered", 4)
    assert here.act(row, "accept", "yann", "asker").state == "confirmed"


def test_an_offer_nobody_takes_passes_to_the_next_in_line(here: TownHere) -> None:
    room = publish(here, auto=True)
    first = book(here, room, "anna", day=9)
    second, third = (book(here, room, who, day=9, queue="1") for who in ("yann", "loig"))
    here.withdraw_ask(first, "anna")
    assert here.row(second).state == "offered"
    here.clock.forward(hours=25)
    here.sweep()
    assert (here.row(second).state, here.row(third).state) == ("passed", "offered")


def test_grr_366_the_keeper_of_another_space_confirms_nothing_here(here: TownHere) -> None:
    publish(here, "other", title="Atelier")
    row = book(here, publish(here))
    for who, role in (("other", "keeper"), ("asker", "keeper"), ("asker", "asker")):
        with pytest.raises(NotAllowed):
            here.act(row, "confirm", who, role)
    assert here.row(row).state == "requested"


def test_grr_77_446_a_listing_that_changes_changes_no_booking(here: TownHere) -> None:
    prices = [{"group": "Tous", "cents": 1_000}]
    room = publish(here, prices=prices)
    row = here.act(book(here, room, minutes="120"), "confirm")
    before = read(here.row(row).terms)
    publish(
        here, key=room.key, prices=[{"group": "Tous", "cents": 9_900}], step=240, gap_minutes=240,
        opening=[{"day": 6, "opens": 0, "closes": 60}],
    )  # fmt: skip
    after = read(here.row(row).terms)
    assert after == before and (after["cents"], after["rate"]) == (2_000, 1_000)
    assert held(here, row) == 8


def test_grr_508_the_same_hour_asked_for_twice_is_one_booking(here: TownHere) -> None:
    room = publish(here, units=5)
    book(here, room)
    assert code(lambda: book(here, room)) == "booked_twice"
    assert book(here, room, "yann").state == "requested"


def test_a_double_click_is_one_booking(here: TownHere) -> None:
    room, twice = publish(here, auto=True), secrets.token_bytes(16)
    form = {"day": "2026-11-26", "start": "9:00"}
    member = here.member("anna")
    with here.inside():
        rows = [here.engine.ask(room, member, form, twice) for _ in range(2)]
    assert rows[0].id == rows[1].id


def grant(town: TownHere, who: str, code: str, until_ms: int | None) -> None:
    """Grant a habilitation by hand."""
    member, desk = town.member(who), town.member("desk", "admin")
    with town.inside():
        now_ms = town.clock.now_ms()
        habilitations.grant(
            member, code, code, since_ms=now_ms, until_ms=until_ms, by=desk, now_ms=now_ms
        )


def test_a_habilitation_that_ends_before_the_hour_opens_no_machine(here: TownHere) -> None:
    laser = publish(here, auto=True, habilitation="laser")
    assert code(lambda: book(here, laser)) == "habilitation"
    grant(here, "anna", "laser", here.clock.now_ms() + 24 * HOUR_MS)  # until tomorrow at eight
    assert book(here, laser, "anna", day=0, start="10:00").state == "confirmed"
    assert code(lambda: book(here, laser, "anna", day=1, start="9:00")) == "habilitation_ends"
    grant(here, "yann", "laser", None)
    assert book(here, laser, "yann", day=1, start="9:00").state == "confirmed"


def test_a_quota_is_shared_with_what_was_asked_for_before(here: TownHere) -> None:
    room = publish(here, auto=True, quota_hours=4, quota_days=7)
    for start in ("9:00", "11:00"):
        book(here, room, start=start, minutes="120")
    assert code(lambda: book(here, room, day=2)) == "quota"
    assert code(lambda: book(here, room, day=7)) == "quota"
    assert book(here, room, day=8).state == "confirmed"
    assert book(here, room, "yann", day=2).state == "confirmed"


def test_an_hour_that_has_begun_is_refused(here: TownHere) -> None:
    assert code(lambda: book(here, publish(here, auto=True), day=0, start="7:00")) != ""
    early = publish(here, auto=True, advance_hours=48)
    assert code(lambda: book(here, early, day=1, start="9:00")) == "too_soon"
    assert book(here, early, day=2, start="9:00").state == "confirmed"


def test_maintenance_closes_its_hours_and_tells_who_booked_them(here: TownHere) -> None:
    """Hours, not days: a slot of spaces is a quarter, and a ticket is told in instants."""
    laser = publish(here, auto=True)
    touched, before = book(here, laser, "anna", start="10:00"), book(here, laser, start="8:00")
    noon_ms = here.clock.now_ms() + 28 * HOUR_MS  # tomorrow at twelve
    keeper = here.member("keeper")
    said = Report("maintenance", "Miroirs à nettoyer", noon_ms - 3 * HOUR_MS, noon_ms)
    with here.inside():
        here.engine.tickets.open_(laser, said, keeper)
        anna, other = here.member("anna"), here.member("asker")
        told = [notices.is_waiting(anna, touched.id, kind=WARNED)]
        told += [notices.is_waiting(other, before.id, kind=WARNED)]
        assert [len(here.engine.tickets.of_row(row)) for row in (touched, before)] == [1, 0]
    assert told == [True, False]
    for start in ("9:00", "11:00"):
        assert code(lambda start=start: book(here, laser, "yann", start=start)) == "full"
    assert book(here, laser, "yann", start="12:00").state == "confirmed"
    assert here.row(touched).state == "confirmed"  # what was promised is only warned


def test_another_town_books_and_hears_what_became_of_it(towns: Towns) -> None:
    home, away = towns
    room = publish(home, auto=True, prices=[{"group": "Tous", "cents": 500}])
    exchange(home, away)
    row = book(away, room, minutes="120")
    assert (row.state, row.version) == ("requested", 0)
    exchange(home, away)
    assert (away.row(row).state, home.row(row).state) == ("confirmed", "confirmed")
    assert read(away.row(row).terms) == read(home.row(row).terms)
    assert held(home, row) == 8
    away.withdraw_ask(away.row(row))
    assert held(home, row) == 8  # home has not heard
    exchange(home, away)
    assert (away.row(row).state, held(home, row)) == ("cancelled", 0)


def test_another_town_is_told_which_habilitation_or_quota_stands_in_the_way(towns: Towns) -> None:
    home, away = towns
    laser = publish(home, auto=True, habilitation="laser")
    hall = publish(home, title="Halle", auto=True, quota_hours=1, quota_days=7)
    exchange(home, away)
    one, two, three = book(away, laser), book(away, hall), book(away, hall, day=2)
    exchange(home, away)
    assert [away.row(each).state for each in (one, two, three)] == [
        "refused",
        "confirmed",
        "refused",
    ]
    reasons = [read(away.row(each).reason).get("code") for each in (one, three)]
    assert reasons == ["habilitation", "quota"]


def test_a_hold_does_not_travel(towns: Towns) -> None:
    """Ten minutes mean nothing between two towns: what is asked from afar is an ask."""
    home, away = towns
    room = publish(home, auto=True)
    exchange(home, away)
    row = book(away, room, hold="1")
    exchange(home, away)
    assert (away.row(row).state, home.row(row).state) == ("confirmed", "confirmed")


@pytest.mark.parametrize(
    "form",
    [
        {"units": "-1"},
        {"units": "1000000000000"},
        {"minutes": "-60"},
        {"minutes": "99999999"},
        {"day": "0001-01-01"},
        {"day": "9999-12-31"},
        {"day": "2026-13-45"},
        {"start": "25:00"},
        {"start": ""},
        {"until": "9:00"},
        {"group": "Moi"},
        {"people": "0"},
        {"minutes": "9" * 4_000},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_and_leaves_no_trace(
    here: TownHere, form: dict[str, str]
) -> None:
    room = publish(here, auto=True, units=2, seats=4, prices=[{"group": "Tous", "cents": 1}])
    with pytest.raises(DomainError):
        row = book(here, room, **{"minutes": "60", **form})  # type: ignore[arg-type]
        assert row is None, read(row.terms)
    with here.inside():
        assert here.engine.for_listing(room.origin, room.key) == []


def test_a_booking_holds_what_its_terms_say(here: TownHere) -> None:
    room = publish(here, auto=True, step=1_440, max_days=31, units=20)
    member = here.member("anna")
    form = {"day": "2026-12-01", "last_day": "2026-12-31", "units": "20"}
    with here.inside():
        row = here.engine.ask(room, member, form, secrets.token_bytes(16))
    wanted = actions.claim(read(row.terms))
    assert held(here, row) == len(wanted.span.days) * 20
    assert code(lambda: book(here, room, "yann", day=20)) == "full"
