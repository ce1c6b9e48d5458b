"""Who may borrow, how often and how many: the guards of lending, and the calendar they stand on."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.capacity import calendar_day, day_number, midnight_ms
from node.domain.errors import Invalid
from node.domain.holidays import holidays
from node.domain.standing import Other, Standing
from node.practices.lending import actions, calendar, policy
from node.practices.lending.kinds import OBJECTS, USUAL
from node.practices.lending.lifecycle import LOAN
from node.practices.lending.practice import PRACTICE
from node.practices.lending.schema import SCHEMA, Item

PARIS = "Europe/Paris"
TODAY = day_number(date(2026, 11, 23))  # a Monday
HERE = Standing(now_ms=0, today=TODAY, at_ms=0, listing=b"drill")


def item(**fields: Any) -> Item:
    """Return a listing."""
    read = SCHEMA.read({"title": "Perceuse", "object": "bricolage", **fields})
    assert isinstance(read, Item)
    return read


def agreed(thing: Item, first: int, last: int, today: int = TODAY) -> dict[str, Any]:
    """Return the terms of an ask for days counted from `today`."""
    days = {"first_day": today + first, "last_day": today + last}
    form = {name: calendar_day(day).isoformat() for name, day in days.items()}
    return actions.terms(thing, form, today)


def other(state: str, due: int = 1, **fields: Any) -> Other:
    """Return another loan of the same person, due `due` days from today."""
    made = Other(
        id=b"x",
        lifecycle="loan",
        state=state,
        since_ms=0,
        terms={"first_day": TODAY + due - 2, "after_day": TODAY + due + 1, "units": 1},
        listing=b"other",
        has_promise=LOAN.state(state).takes,
        is_over=LOAN.state(state).final,
        facets={"object": "bricolage"},
    )
    return replace(made, **fields)


def why(action: str, thing: Item | None = None, **standing: Any) -> str:
    """Return the code of what stands in the way of an act, "" if nothing does."""
    found = policy.GUARDS[action](thing or item(), {}, replace(HERE, **standing))
    return found.code if found else ""


# ── what peers got wrong ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("action", ["ask", "queue", "approve", "accept", "counter", "hand_over"])
def test_circulate_20_no_new_loan_while_one_is_overdue(action: str) -> None:
    assert why(action, others=(other("overdue", -3),)) == "overdue"
    assert why(action, others=(other("handed_over", -1),)) == "overdue"  # the job is late
    assert why(action, others=(other("handed_over", 0),)) == ""  # due today, until midnight
    assert why(action, others=(other("returned", -3), other("lost", -9))) == ""


def test_circulate_523_one_person_stands_in_few_lines_and_once_in_each() -> None:
    waiting = tuple(other("waiting", listing=bytes([n])) for n in range(policy.LINES_MAX))
    assert why("queue", others=waiting[:-1]) == ""
    assert why("queue", others=waiting) == "too_many_lines"
    assert why("queue", others=(other("offered", listing=b"drill"),)) == "in_line_already"
    assert why("ask", others=waiting) == ""


def test_circulate_523_the_line_of_a_thing_has_an_end() -> None:
    assert why("queue", waiting=policy.LINE_MAX - 1) == ""
    assert why("queue", waiting=policy.LINE_MAX) == "line_full"
    assert why("queue", item(copies=3), waiting=policy.LINE_MAX) == ""


def test_renewal_is_refused_while_somebody_waits_for_it() -> None:
    assert why("renew") == ""
    assert why("renew", waiting=1) == "somebody_waits"
    assert why("renew", waiting=1, is_staff=True) == "somebody_waits"


def test_a_loan_is_renewed_as_often_as_its_listing_says() -> None:
    assert why("renew", item(renewals=2), done={"renew": 1}) == ""
    assert why("renew", item(renewals=2), done={"renew": 2}) == "no_renewal_left"
    assert why("renew", item(renewals=0)) == "no_renewal_left"
    assert why("renew", others=(other("overdue"),)) == "overdue"


def test_commonsbooking_603_the_desk_may_extend_what_nobody_waits_for() -> None:
    assert why("renew", item(renewals=0), is_staff=True) == ""


def test_circulate_1986_a_person_has_so_many_things_of_a_kind_and_the_listing_says_how_many() -> (
    None
):
    drill = item(at_once=2)
    two = (other("handed_over"), other("approved"))
    assert why("ask", drill, others=two[:1]) == ""
    assert why("ask", drill, others=two) == why("queue", drill, others=two) == "at_once"
    assert why("ask", drill, others=(other("requested"), two[0])) == "at_once"
    assert why("ask", item(), others=two) == ""
    elsewhere = tuple(replace(each, facets={"object": "jardin"}) for each in two)
    assert why("ask", drill, others=elsewhere) == ""
    assert why("ask", drill, others=(other("returned"), other("closed"), other("waiting"))) == ""


def test_no_limit_of_lending_keeps_anybody_from_a_gift_but_what_is_overdue() -> None:
    sofa = item(verb="donner", at_once=1)
    assert why("ask", sofa, others=(other("approved"), other("handed_over"))) == ""
    assert why("ask", sofa, others=(other("overdue"),)) == "overdue"


def test_the_desk_may_hand_over_to_somebody_late_but_not_ask_for_them() -> None:
    late = (other("overdue"),)
    assert why("hand_over", others=late, is_staff=True) == ""
    assert why("ask", others=late, is_staff=True) == "overdue"


def test_circulate_1258_same_day_turnround_or_a_day_between_is_the_lender_s_to_say() -> None:
    spans = {}
    for turnround in ("same_day", "next_day", "day_between"):
        claim = actions.claim(agreed(item(turnround=turnround), 2, 4))
        spans[turnround] = (claim.span.first - TODAY, claim.span.after - TODAY)
    assert spans == {"same_day": (2, 4), "next_day": (2, 5), "day_between": (2, 6)}
    one = actions.claim(agreed(item(turnround="same_day"), 2, 2)).span
    assert len(one.days) == 1  # two people cannot have it for the same one day


def test_terms_agreed_on_before_there_was_a_choice_hold_what_they_held() -> None:
    old = {"first_day": 5, "after_day": 8, "units": 1, "answer_until": 5, "pickup_until": 6}
    assert list(actions.claim(old).span.days) == [5, 6, 7]


# ── opening days, closed days, holidays ──────────────────────────────────────────────────────────


def span(first: date, last: date) -> list[int]:
    """Return a closed span as the listing keeps it."""
    return [day_number(first), day_number(last)]


@pytest.mark.parametrize(
    ("fields", "first", "last", "due"),
    [
        ({"holidays": True}, date(2027, 5, 3), date(2027, 5, 6), date(2027, 5, 7)),  # Ascension
        ({"holidays": True}, date(2027, 3, 25), date(2027, 3, 29), date(2027, 3, 30)),  # Easter
        ({}, date(2027, 3, 25), date(2027, 3, 29), date(2027, 3, 29)),
        ({"holidays": True}, date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 26)),
        (
            {"open_days": [2, 5], "holidays": True},
            date(2027, 4, 28),
            date(2027, 5, 1),
            date(2027, 5, 5),
        ),
        (
            {"closed": [span(date(2026, 12, 24), date(2027, 1, 2))]},
            date(2026, 12, 21),
            date(2026, 12, 27),
            date(2027, 1, 3),
        ),
        (
            {"open_days": [2], "closed": [span(date(2028, 2, 29), date(2028, 3, 7))]},
            date(2028, 2, 23),
            date(2028, 2, 29),
            date(2028, 3, 8),
        ),
        ({}, date(2028, 2, 28), date(2028, 2, 29), date(2028, 2, 29)),
    ],
)
def test_closed_days_and_holidays_move_due_dates(
    fields: dict[str, Any], first: date, last: date, due: date
) -> None:
    today = day_number(first) - 5
    terms = agreed(item(**fields), 5, 5 + (last - first).days, today)
    assert calendar_day(terms["after_day"] - 1) == due
    assert actions.moments(terms, PARIS)["due"] == midnight_ms(day_number(due) + 1, PARIS)


def test_opening_days_move_the_end_of_what_is_set_aside() -> None:
    library = item(
        open_days=[2, 5], holidays=True, closed=[span(date(2026, 11, 28), date(2026, 11, 28))]
    )
    terms = agreed(library, 2, 4)  # fetched on Wednesday 25; Saturday 28 is closed
    assert calendar_day(terms["pickup_until"]) == date(2026, 12, 2)
    over = midnight_ms(day_number(date(2026, 12, 3)), PARIS)
    assert actions.moments(terms, PARIS)["pickup_over"] == over
    approved = LOAN.state("approved").deadline
    assert approved is not None
    assert approved.at_ms({**actions.moments(terms, PARIS), "since": 0}) == over


def test_nobody_waits_in_line_for_what_could_no_longer_be_fetched() -> None:
    moments = {**actions.moments(agreed(item(), 2, 6), PARIS), "since": 0}
    for name in ("waiting", "offered"):
        deadline = LOAN.state(name).deadline
        assert deadline is not None
        late = {**moments, "since": moments["pickup_over"] - 3_600_000}
        assert deadline.at_ms(late) == moments["pickup_over"]


def test_it_is_not_fetched_on_a_closed_day_and_the_page_can_say_why() -> None:
    library = item(
        holidays=True, open_days=[0, 4], closed=[span(date(2026, 12, 21), date(2027, 1, 3))]
    )
    christmas, ascension = date(2026, 12, 25), date(2027, 5, 6)
    assert calendar.closed_why(library, day_number(christmas)) == "closed"
    assert calendar.closed_why(item(holidays=True), day_number(christmas)) == "Christmas Day"
    assert calendar.closed_why(library, day_number(ascension)) == "closed"
    assert calendar.closed_why(library, TODAY) == ""
    with pytest.raises(Invalid) as refused:
        agreed(item(holidays=True), 5, 6, day_number(christmas) - 5)
    assert (refused.value.field, refused.value.code) == ("first_day", "closed")


def test_a_library_that_closed_for_good_lends_nothing_more_and_says_so() -> None:
    gone = item(closed=[[TODAY + 3, TODAY + 3_000]])
    with pytest.raises(Invalid) as refused:
        agreed(gone, 1, 4)
    assert refused.value.code == "closed"
    assert agreed(gone, 1, 2)["after_day"] == TODAY + 3


@given(
    st.lists(st.integers(0, 6), unique=True),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 30)), max_size=10),
    st.booleans(),
    st.integers(0, 400),
)
def test_the_next_opening_day_is_open_and_none_before_it_is(
    open_days: list[int], closures: list[tuple[int, int]], with_holidays: bool, start: int
) -> None:
    closed = [(TODAY + first, TODAY + first + length) for first, length in closures]
    thing = item(open_days=open_days, closed=closed, holidays=with_holidays)
    day = calendar.next_open(thing, TODAY + start)
    assert day is not None
    assert calendar.open_on(thing, day)
    assert not any(calendar.open_on(thing, each) for each in range(TODAY + start, day))
    assert not with_holidays or day not in holidays(calendar_day(day).year)


# ── renewals ─────────────────────────────────────────────────────────────────────────────────────


def renewed(thing: Item, terms: dict[str, Any], last: int | None = None) -> dict[str, Any]:
    """Return the terms after a renewal until `last` (counted from TODAY), or as long again."""
    form = {} if last is None else {"last_day": calendar_day(TODAY + last).isoformat()}
    return actions.renewed(thing, terms, form, TODAY)


def test_a_renewal_goes_on_for_as_long_again_or_until_the_day_asked_for() -> None:
    thing = item(max_days=4, open_days=[2, 5])
    terms = agreed(thing, 2, 5)  # Wednesday to Saturday
    again = renewed(thing, terms)
    assert again["after_day"] - 1 - TODAY == 9  # Wednesday of the next week
    assert {**again, "after_day": 0, "free_from": 0} == {**terms, "after_day": 0, "free_from": 0}
    assert renewed(thing, terms, 7)["after_day"] - 1 - TODAY == 9
    assert actions.is_milder(terms, again) and not actions.is_milder(again, terms)


@pytest.mark.parametrize(("last", "code"), [(5, "not_longer"), (2, "not_longer"), (10, "too_long")])
def test_a_renewal_cannot_be_shorter_nor_longer_than_a_loan(last: int, code: str) -> None:
    thing = item(max_days=4)
    with pytest.raises(Invalid) as refused:
        renewed(thing, agreed(thing, 2, 5), last)
    assert (refused.value.field, refused.value.code) == ("last_day", code)


@pytest.mark.parametrize(
    ("first", "last", "due"),
    [
        (date(2027, 3, 25), date(2027, 3, 27), date(2027, 3, 31)),  # over the change to summer
        (date(2027, 10, 28), date(2027, 10, 30), date(2027, 11, 3)),  # and to winter
        (date(2028, 2, 25), date(2028, 2, 27), date(2028, 3, 2)),  # over a leap day
        (date(2027, 1, 29), date(2027, 1, 31), date(2027, 2, 4)),
        (date(2026, 12, 29), date(2026, 12, 31), date(2027, 1, 4)),
    ],
)
def test_a_renewal_counts_days_whatever_the_clocks_and_months_do(
    first: date, last: date, due: date
) -> None:
    thing, today = item(max_days=4), day_number(first) - 2
    terms = agreed(thing, 2, 2 + (last - first).days, today)
    again = actions.renewed(thing, terms, {}, today)
    assert calendar_day(again["after_day"] - 1) == due
    assert actions.moments(again, PARIS)["due"] == midnight_ms(day_number(due) + 1, PARIS)


def test_only_a_loan_given_for_longer_is_milder() -> None:
    terms = agreed(item(copies=3), 2, 4)
    assert actions.is_milder(terms, terms)
    assert not actions.is_milder(terms, {**terms, "units": 2})
    assert not actions.is_milder(terms, {**terms, "first_day": terms["first_day"] + 1})
    assert not actions.is_milder({"units": 1}, {"units": 1})
    assert not actions.is_milder(terms, {"units": 1})


# ── the policy of a kind, the accessories ────────────────────────────────────────────────────────

TYPED = {"title": "Chose", "verb": "preter", "condition": "bon", "owner": "neighbour"}


@pytest.mark.parametrize("kind", [name for name, _label in OBJECTS])
def test_what_is_left_empty_is_as_usual_for_the_kind(kind: str) -> None:
    read = SCHEMA.clean({**TYPED, "object": kind})
    assert isinstance(read, Item)
    assert (read.max_days, read.renewals, read.at_once) == USUAL[kind]
    again = SCHEMA.clean(
        {**TYPED, "object": kind, "max_days": "9", "renewals": "0", "at_once": "7"}
    )
    assert isinstance(again, Item)
    assert (again.max_days, again.renewals, again.at_once) == (9, 0, 7)


def test_a_listing_of_an_older_node_has_no_limit_it_did_not_say() -> None:
    old = item()
    assert (old.at_once, old.turnround, old.closed, old.holidays) == (0, "next_day", [], False)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("Attache de selle, deux sangles, pompe", ("Attache de selle", "deux sangles", "pompe")),
        (
            "Coffret de forets bois, métal\nRallonge de 10 m\n",
            ("Coffret de forets bois, métal", "Rallonge de 10 m"),
        ),
        ("Lunettes, gants,, Lunettes ,", ("Lunettes", "gants")),
    ],
)
def test_accessories_are_a_list_however_they_were_typed(text: str, parts: tuple[str, ...]) -> None:
    assert item(accessories=text).parts == parts


def test_every_guard_is_of_an_act_and_every_reason_is_a_sentence() -> None:
    engaging = PRACTICE.engaging
    assert engaging is not None
    acts = {each.action for table in engaging.lifecycles.values() for each in table.transitions}
    assert set(engaging.guards) <= acts | {"ask", "queue"}
    assert all(text.endswith(".") for text in engaging.reasons.values())


def test_the_deposit_is_the_one_that_was_agreed_whatever_the_listing_says_later() -> None:
    terms = agreed(item(deposit=5_000), 2, 4)
    assert terms["deposit"] == 5_000
    assert actions.renewed(item(deposit=9_000), terms, {}, TODAY)["deposit"] == 5_000
    assert not actions.is_milder(terms, {**terms, "deposit": 4_000})
    assert "deposit" not in agreed(item(), 2, 4)
