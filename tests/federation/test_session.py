"""A visit: both ends hold the same afterwards, at the price of the difference, whatever breaks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.errors import RemoteProtocolError
from federation.keyset import parse_keyset
from federation.messages import Introduction
from federation.record import SCOPE_PARTNERS, SCOPE_SEALED
from federation.session import (
    Host,
    Introduced,
    Keysets,
    PeerSeen,
    Request,
    Shelf,
    drive,
    introductions_digest,
)
from federation.stamp import DAY_MS
from tests.federation.towns import (
    NOW_MS,
    TODAY,
    Town,
    done,
    received,
    same_public_sets,
    sent,
    towns,
)

# ── the price ────────────────────────────────────────────────────────────────────────────────────


def test_identical_towns_take_one_signed_exchange_of_few_bytes():
    lorient, quimper, vannes = three = towns("Lorient", "Quimper", "Vannes")
    for town in three:
        town.publish(20)
        town.publish(5, scope=SCOPE_SEALED, to=lorient.id)
        town.publish(2, scope=SCOPE_PARTNERS)
    for visitor, host in ((lorient, quimper), (vannes, quimper), (lorient, quimper)):
        visitor.visit(host)
    link = lorient.link_to(quimper)
    last = done(lorient.visit(quimper, link))
    assert (last.code, last.tally.exchanges, link.exchanges) == ("", 1, 1)
    assert link.bytes_up <= 500 and link.bytes_down <= 500
    assert not last.tally.received and not last.tally.sent


def test_only_a_cold_start_says_hello():
    lorient, quimper = towns("Lorient", "Quimper")
    cold, warm = lorient.link_to(quimper), lorient.link_to(quimper)
    lorient.visit(quimper, cold)
    lorient.visit(quimper, warm)
    assert (cold.exchanges, warm.exchanges) == (2, 1)


def test_ten_new_records_take_four_exchanges_and_few_bytes():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(1_000)
    lorient.visit(quimper)
    new = quimper.publish(10)
    link = lorient.link_to(quimper)
    events = lorient.visit(quimper, link)
    assert received(events) == {record.id: "stored" for record in new}
    assert link.exchanges <= 4
    assert link.bytes_up < 2_000
    assert link.bytes_down < sum(len(record.raw) for record in new) + 4_000


def test_pages_are_not_larger_than_a_frame():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(90, body=bytes(15_000))
    lorient.publish(90, body=bytes(15_000))
    sizes: list[int] = []

    def post(request):
        answer = quimper.host.answer(request.path, request.body, lorient.id, NOW_MS).body
        sizes.extend((len(request.body), len(answer)))
        return answer

    visit = lorient.start(quimper)
    while (request := visit.next_request(NOW_MS)) is not None:
        events = visit.receive(post(request), NOW_MS)
    assert done(events).code == ""
    assert same_public_sets(lorient, quimper)
    assert 900_000 < max(sizes) <= limits.FRAME_MAX_BYTES


# ── both ends ────────────────────────────────────────────────────────────────────────────────────


def test_ten_thousand_records_converge_both_ways_in_one_visit():
    lorient, quimper = towns("Lorient", "Quimper")
    theirs = quimper.publish(7_000)
    ours = lorient.publish(3_000)
    events = lorient.visit(quimper)
    assert received(events) == {record.id: "stored" for record in theirs}
    assert sent(events) == {record.id: "stored" for record in ours}
    assert lorient.rows(quimper) == quimper.rows(lorient)
    assert [row.count for row in sorted(lorient.rows(quimper), key=lambda r: r.count)] == [
        3_000,
        7_000,
    ]


def test_two_towns_that_never_meet_converge_through_the_one_between():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    for town in (lorient, quimper, vannes):
        town.publish(50)
        town.publish(3, scope=SCOPE_SEALED, to=vannes.id)
    lorient.visit(quimper)
    vannes.visit(quimper)
    lorient.visit(quimper)
    assert same_public_sets(lorient, quimper, vannes)
    assert lorient.rows(vannes) == vannes.rows(lorient) == quimper.rows(lorient)


def test_what_is_for_partners_never_goes_through_a_third_town():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    (secret,) = lorient.publish(scope=SCOPE_PARTNERS)
    quimper.visit(lorient)
    assert quimper.store.known([secret.id])
    vannes.visit(quimper)
    quimper.visit(vannes)
    assert not vannes.store.known([secret.id])


def test_a_town_that_the_host_does_not_accept_is_not_pushed_to_it():
    lorient, quimper = towns("Lorient", "Quimper")
    stranger = Town("Vannes")
    lorient.know(stranger)
    lorient.store.put([stranger.sign()])
    events = lorient.visit(quimper)
    assert not sent(events)
    assert done(events).tally.exchanges == 1


@pytest.mark.parametrize("ahead", ["visitor", "host"])
def test_a_revision_reaches_the_end_that_holds_the_older_one(ahead):
    lorient, quimper = towns("Lorient", "Quimper")
    author = lorient if ahead == "visitor" else quimper
    (first,) = author.publish()
    lorient.visit(quimper)
    (second,) = author.publish(key=first.key)
    events = lorient.visit(quimper)
    for town in (lorient, quimper):
        assert set(town.store.raws([first.id, second.id], author.id)) == {second.id}
    assert first.id not in received(events) and first.id not in sent(events)
    assert done(lorient.visit(quimper)).tally.exchanges == 1


def test_a_town_that_lost_its_disk_gets_its_own_records_back():
    lorient, quimper = towns("Lorient", "Quimper")
    lorient.publish(30)
    quimper.visit(lorient)
    again = Town("Lorient")
    again.know(quimper)
    again.visit(quimper)
    assert same_public_sets(again, quimper)


def test_tombstones_are_the_first_to_arrive():
    lorient, quimper = towns("Lorient", "Quimper")
    old = lorient.publish(1_500)
    lorient.visit(quimper)
    buried = [lorient.bury(record).id for record in old[700:705]]
    lorient.publish(1_500)
    pages = 0

    def only_the_first_page(request: Request) -> bytes:
        nonlocal pages
        pages += request.path == limits.PUSH
        if pages > 1:
            raise RemoteProtocolError("unreachable")
        return quimper.host.answer(request.path, request.body, lorient.id, NOW_MS).body

    with pytest.raises(RemoteProtocolError):
        list(drive(lorient.start(quimper), only_the_first_page, lambda: NOW_MS))
    assert quimper.store.known(buried) == set(buried)
    assert not same_public_sets(lorient, quimper)


operations = st.lists(
    st.tuples(
        st.sampled_from(["publish", "revise", "bury", "visit"]),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    max_size=25,
)


@given(operations)
@settings(max_examples=25)
def test_whatever_happened_before_a_round_of_visits_makes_all_equal(story):
    three = towns("Lorient", "Quimper", "Vannes")
    own: dict[Town, list] = {town: [] for town in three}
    for verb, first, second in story:
        town, other = three[first], three[second]
        if verb == "publish":
            own[town] += town.publish(2)
        elif verb == "visit" and town is not other:
            assert done(town.call(other)).code == ""
        elif own[town] and verb != "visit":
            index = second % len(own[town])
            record = own[town][index]
            if verb == "bury":
                own[town][index] = town.bury(record)
            elif not record.is_tombstone:
                (own[town][index],) = town.publish(key=record.key)
    lorient, quimper, vannes = three
    for visitor, host in ((lorient, quimper), (vannes, quimper), (lorient, quimper)):
        visitor.call(host)
    assert same_public_sets(*three)
    assert done(vannes.call(lorient)).tally.exchanges == 1


def test_rounds_of_a_visit_find_their_sets_in_order_and_never_an_old_one():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(1_000)
    lorient.visit(quimper)
    quimper.publish(3)
    shelf, read = Shelf(most=2), []
    items = quimper.store.items

    def counted(*asked):
        read.append(asked[:2])
        return items(*asked)

    quimper.store.items = counted
    host = Host(quimper.store, quimper.admit, quimper.id, shelf=shelf)

    def post(request: Request) -> bytes:
        return host.answer(request.path, request.body, lorient.id, NOW_MS).body

    for visits in (1, 2):
        events = list(drive(lorient.start(quimper), post, lambda: NOW_MS))
        assert done(events).tally.rounds > 1
        assert len(read) == visits
        assert same_public_sets(lorient, quimper)
        quimper.publish(3)


# ── clocks, keys, introductions ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_clocks_a_day_apart_agree_on_the_visitors_day(days):
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(3)
    lorient.now_ms += days * DAY_MS
    events = lorient.visit(quimper)
    assert done(events).code == ""
    assert [e.as_of for e in events if isinstance(e, PeerSeen)] == [TODAY + days]


@pytest.mark.parametrize("days", [-400, 3])
def test_a_visitor_whose_clock_is_far_off_takes_the_hosts_day_and_says_so(days):
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(3)
    lorient.now_ms += days * DAY_MS
    events = lorient.visit(quimper)
    assert [e.as_of for e in events if isinstance(e, PeerSeen)] == [TODAY, TODAY]
    assert done(events).tally.exchanges > 2
    codes = set(received(events).values())
    assert codes == ({"quarantined"} if days < 0 else {"stored"})


def test_each_end_learns_the_others_clock_and_mark_of_restore():
    lorient, quimper = towns("Lorient", "Quimper")
    lorient.gen, quimper.gen = 11, 22
    assert PeerSeen(22, NOW_MS, TODAY) in lorient.visit(quimper)
    assert PeerSeen(11, NOW_MS, TODAY) in quimper.events


def test_a_new_keyset_arrives_before_the_records_it_signs():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    vannes.publish(3)
    vannes.rotate(1_789_000_000)
    new = vannes.publish(3)
    vannes.visit(quimper)
    events = lorient.visit(quimper)
    assert Keysets(("stored",)) in events
    assert {received(events)[record.id] for record in new} == {"stored"}
    assert lorient.store.keysets(vannes.id)[-1] == vannes.keyset
    assert same_public_sets(lorient, quimper, vannes)


@pytest.mark.parametrize("who", ["visitor", "host", "both"])
def test_a_town_with_a_new_key_is_believed_after_a_hello(who):
    lorient, quimper = towns("Lorient", "Quimper")
    lorient.visit(quimper)
    if who != "host":
        lorient.rotate(1_789_000_000)
    if who != "visitor":
        quimper.rotate(1_789_000_001)
    quimper.publish(2)
    link = lorient.link_to(quimper)
    events = lorient.visit(quimper, link)
    assert done(events).code == ""
    assert same_public_sets(lorient, quimper)
    assert quimper.store.keysets(lorient.id)[-1] == lorient.keyset


def test_introductions_are_told_once_and_again_when_they_change():
    lorient, quimper = towns("Lorient", "Quimper")
    vannes = Town("Vannes")
    told = (Introduction(vannes.id, "Vannes", "http://vannes.test", (vannes.keyset.raw,)),)
    quimper.introduces = told
    digest = introductions_digest(told)
    assert Introduced(told, digest) in lorient.visit(quimper)
    visit = lorient.start(quimper, digest)
    request = visit.next_request(NOW_MS)
    assert request is not None
    answer = quimper.host.answer(request.path, request.body, lorient.id, NOW_MS)
    assert not [e for e in visit.receive(answer.body, NOW_MS) if isinstance(e, Introduced)]
    quimper.introduces = ()
    assert Introduced((), b"") in list(visit_with(lorient, quimper, digest))


def visit_with(visitor: Town, host: Town, digest: bytes):
    visit = visitor.start(host, digest)
    while (request := visit.next_request(NOW_MS)) is not None:
        answer = host.host.answer(request.path, request.body, visitor.id, NOW_MS)
        yield from visit.receive(answer.body, NOW_MS)


def test_the_records_of_an_introduced_town_come_once_it_is_accepted():
    lorient, quimper = towns("Lorient", "Quimper")
    vannes = Town("Vannes")
    quimper.know(vannes)
    quimper.store.put([vannes.sign() for _ in range(5)])
    quimper.introduces = (Introduction(vannes.id, "Vannes", "", (vannes.keyset.raw,)),)
    told = [event for event in lorient.visit(quimper) if isinstance(event, Introduced)]
    assert not lorient.rows(quimper)
    (introduction,) = told[0].introductions
    lorient.store.accept(introduction.town)
    for raw in introduction.keysets:
        lorient.store.add_keyset(parse_keyset(raw))
    lorient.visit(quimper)
    assert lorient.rows(quimper) == quimper.rows(lorient) != []
