"""What two desks say to one another, from a town that means ill: nothing raised, nothing kept."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from federation import codec
from federation.errors import LocalProtocolError
from node.engagements.between.registers import ACTS_MAX
from node.partners import report_form, reports
from node.partners.agreement import theirs, wire
from node.store.network import agreements, partners
from node.store.people import reports as kept
from node.store.promises import claims
from tests.node.agreeing import text
from tests.node.engagement_towns import START_MS
from tests.node.test_engagements_hostile import Three, ask, deed

MUTE = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
NUMBERS = st.sampled_from([0, 1, -1, True, 2**40, 2**63, 2**64 - 1, -(2**63), START_MS])
SIMPLE = st.one_of(
    NUMBERS,
    st.sampled_from(["", "x", "\x00", "\u202e", "é" * 600, "acted", "rejected", "danger"]),
    st.sampled_from([b"", b"k" * 16, b"\xff" * 7, b"\xbf" * 900, None, False]),
)
ANY = st.recursive(
    SIMPLE,
    lambda more: st.lists(more, max_size=4) | st.dictionaries(st.integers(0, 5), more, max_size=3),
    max_leaves=8,
)
WAYS = st.lists(
    st.one_of(
        ANY,
        st.just(["lending", 2, 2]),
        st.tuples(st.sampled_from(["lending", "a b", "Ω", "x" * 40]), NUMBERS, NUMBERS).map(list),
    ),
    max_size=3,
) | st.just([["lending", 1, 1]] * 40)
TEXTS = st.fixed_dictionaries(
    {},
    optional={0: NUMBERS, 1: WAYS, 2: SIMPLE, 3: NUMBERS, 4: SIMPLE, 5: SIMPLE},
)
REASONS = st.lists(
    ANY | st.tuples(st.sampled_from(["danger", "wrong", "a b", "x" * 30]), NUMBERS).map(list),
    max_size=3,
) | st.just([["danger", 1]] * 2)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    made = Three(tmp_path_factory.mktemp("three"))
    theirs.listen(made.home.journal)
    reports.listen(made.home.journal, lambda *given, **more: None)
    yield made
    for town in (made.home, made.honest, made.hostile):
        town.database.close()


def said(three: Three, kind: str, key: bytes, inner: dict[int, Any]) -> bool:
    """Sign and bring a message; return whether our own sealing let it out."""
    three.home.clock.forward(ms=1)
    try:
        three.sign(kind, key, {1: key, 4: 0, **inner}, key)
    except LocalProtocolError:
        return False
    return True


def sealable(raw: Any) -> bytes:
    """Return anything as the bytes of a text, as far as it can be written."""
    with suppress(LocalProtocolError):
        return codec.dumps(raw)
    return b"\xff"


def agreement(three: Three) -> Any:
    with three.home.inside():
        row = agreements.find(three.hostile.id)
        return None if row is None else dict(row.__data__)


@settings(max_examples=150, phases=(Phase.generate, Phase.shrink), **MUTE)
@given(st.dictionaries(st.sampled_from([5, 6, 7, 8, 9, 10, 11]), ANY | TEXTS, max_size=5))
def test_no_statement_of_an_agreement_breaks_admission_or_puts_it_in_force(
    three: Three, odd: dict[int, Any]
) -> None:
    key = wire.register_key(three.hostile.id, three.home.id)
    sound = {5: 0, 6: wire.written(text(), 5), 9: 5}
    for number in (6, 8):
        if isinstance(odd.get(number), dict):
            odd[number] = sealable(odd[number])
    before, codes = agreement(three), sum(three.codes().values())
    if not said(three, "agreement/1", key, {**sound, **odd}):
        return
    after = agreement(three)
    if sum(three.codes().values()) > codes:
        assert after == before
    else:
        assert after["agreed"] == "" and after["version"] == 0
        assert after["theirs"] is None or wire.read_text(after["theirs"])
    with three.home.inside():
        if after is not None and after["their_end_ms"] is not None:
            partners.save(three.hostile.id, status="active")  # it ended the link: its right


@settings(max_examples=150, phases=(Phase.generate, Phase.shrink), **MUTE)
@given(
    st.dictionaries(st.sampled_from([5, 7, 8, 9, 10]), REASONS | ANY, max_size=4),
    st.sampled_from([report_form.report_key, report_form.answer_key]),
    st.booleans(),
    ANY,
)
def test_no_report_breaks_admission_and_a_bad_one_is_not_kept(
    three: Three, odd: dict[int, Any], made_key: Any, is_ours: bool, other: Any
) -> None:
    listing = three.listing.key if is_ours else secrets.token_bytes(16)
    towns = (three.hostile.id, three.home.id)
    sound = {5: 0, 6: listing, 7: [["danger", 1]], 8: ["x"], 9: "acted", 10: ""}
    if other is not None and not is_ours:
        sound[6] = other
    codes = sum(three.codes().values())
    before = waiting(three)
    if said(three, "report/1", made_key(*towns, listing), {**sound, **odd}):
        is_refused = sum(three.codes().values()) > codes
        assert waiting(three) == before or not is_refused
        assert len(waiting(three)) <= 1


def waiting(three: Three) -> list[dict[str, Any]]:
    with three.home.inside():
        return list(kept.Report.select().dicts())


def test_no_more_reports_of_one_town_wait_than_so_many(
    three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "OPEN_MAX", len(waiting(three)) + 2)
    for _ in range(4):
        listing = three.home.publish(title="Tente").key
        key = report_form.report_key(three.hostile.id, three.home.id, listing)
        assert said(three, "report/1", key, {5: 0, 6: listing, 7: [["danger", 1]], 8: ["x"]})
    assert len(waiting(three)) == reports.OPEN_MAX
    assert three.codes()["over_quota"] == 2 and three.codes()["bad_inner"] > 0


def test_an_older_statement_signed_anew_changes_nothing(three: Three) -> None:
    key = wire.register_key(three.hostile.id, three.home.id)
    now_ms = three.home.clock.now_ms()
    for number, note in ((now_ms, "new"), (now_ms - 1, "old")):
        inner = {5: 0, 6: wire.written(text(note=note), number), 9: number}
        assert said(three, "agreement/1", key, inner)
    assert wire.read_text(agreement(three)["theirs"])[0].note == "new"


def test_a_far_number_does_not_silence_the_next_statement(three: Three) -> None:
    key = wire.register_key(three.hostile.id, three.home.id)
    before = agreement(three)
    said(three, "agreement/1", key, {5: 0, 6: wire.written(text(), 5), 9: 2**47})
    assert agreement(three) == before


def test_more_acts_than_fit_are_refused_and_judge_none(three: Three) -> None:
    engagement = three.forge(ask(), *(deed("withdraw") for _ in range(ACTS_MAX)))
    assert three.row(engagement) is None
    sound = three.forge()
    three.forge(ask(), *(deed("withdraw", on=9) for _ in range(ACTS_MAX - 1)), engagement=sound)
    assert three.row(sound).state == "requested"  # with the ask known there they are one too many


def test_whoever_asked_stays_who_asked(three: Three) -> None:
    engagement, first = secrets.token_bytes(16), ask()
    three.forge(first, engagement=engagement)
    inner = {
        1: engagement,
        4: 0,
        5: 0,
        6: three.listing.key,
        7: three.listing.record,
        8: b"z" * 16,
        9: [{0: first.id, 1: "ask", 2: START_MS, 3: "self", 5: {0: dict(first.wish)}}],
    }
    three.sign("request/1", engagement, inner)
    row = three.row(engagement)
    assert (row.who, row.state) == (b"w" * 16, "requested")
    with three.home.inside():
        assert claims.of_engagement(engagement) == []
