"""A hostile town's requests, well and badly formed, in any order: nothing but its own row moves."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from federation.errors import LocalProtocolError
from node.engagements.between.inner import MOMENT_MAX_MS
from node.store.promises import claims
from node.store.promises import engagements as rows
from tests.node.engagement_towns import START_MS, TODAY, exchange, iso
from tests.node.test_engagements_hostile import Three

NUMBERS = st.sampled_from([0, 1, 2, 7, 2**31, 2**53, 2**63, -1, MOMENT_MAX_MS, True, "1", None])
ACTIONS = "ask queue accept approve propose change keep retract withdraw counter renew offer"
ACTIONS += " confirm hold book home lapse"
TEXTS = st.sampled_from(["", "\u202e\x00", "x" * 40, *ACTIONS.split()])
BYTES = st.sampled_from([b"", b"w" * 16, b"12345678", b"z" * 32, b"y" * 33, "text", 3])
SIDES = st.sampled_from(["self", "aide", "staff", "clock", "erasure", "keeper", "desk", "home", ""])
WISHES = st.dictionaries(
    st.sampled_from(["first_day", "last_day", "units", "message", "series", "zz"]),
    st.sampled_from(
        [iso(TODAY + 3), iso(TODAY + 5), "9999-12-31", "-3", "99", "\x00", "é" * 400, 4]
    ),
    max_size=4,
)


@st.composite
def acts(draw: Any) -> Any:
    """Draw an act that is almost as it should be."""
    args = {0: draw(WISHES), 1: draw(BYTES)}
    ids = st.sampled_from([b"actonly1", b"actonly2", b"actonly3", b"short", b""])
    whole = {
        0: draw(ids),
        1: draw(TEXTS),
        2: draw(NUMBERS),
        3: draw(SIDES),
        4: draw(NUMBERS),
        5: args,
    }
    missing = draw(st.sets(st.sampled_from([2, 4, 5]), max_size=2))
    return {number: value for number, value in whole.items() if number not in missing}


@st.composite
def requests(draw: Any) -> dict[int, Any]:
    """Draw the inner message of a request; every field may be odd."""
    sound = {0: b"actonly0", 1: "ask", 2: START_MS, 3: "self"}
    days = {"first_day": iso(TODAY + 3), "last_day": iso(TODAY + 4)}
    first = draw(st.sampled_from([{**sound, 5: {0: days}}] * 3 + [{**sound, 5: {0: {}}}, {}]))
    inner = {9: [first, *draw(st.lists(acts(), max_size=4))]}
    inner |= draw(st.dictionaries(st.sampled_from([4, 5, 10, 11]), NUMBERS, max_size=2))
    inner |= draw(
        st.dictionaries(st.sampled_from([13, 14]), st.sampled_from(["a", "x" * 10_000, 3]))
    )
    message = {0: b"12345678", 1: START_MS, 2: "Bonjour"}
    said = st.sampled_from([[message], [message] * 2, [message] * 21, [{**message, 2: ""}], {}, 3])
    return inner | ({15: draw(said)} if draw(st.booleans()) else {})


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    made = Three(tmp_path_factory.mktemp("three"))
    yield made
    for town in (made.home, made.honest, made.hostile):
        town.database.close()


def test_no_sequence_of_requests_moves_what_is_somebody_elses(three: Three) -> None:
    theirs = three.honest.ask(three.listing)
    exchange(three.home, three.honest)
    three.home.act(theirs, "approve")
    exchange(three.home, three.honest)
    before = dict(three.row(theirs.id).__data__)

    @settings(
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None,
        phases=(Phase.generate,),
    )  # fmt: skip
    @given(
        st.lists(requests(), min_size=1, max_size=3),
        st.binary(min_size=16, max_size=16),
        st.sampled_from([False, False, False, True]),
    )
    def tried(sent: list[dict[int, Any]], own: bytes, is_anothers: bool) -> None:
        engagement = theirs.id if is_anothers else own
        common = {1: engagement, 6: three.listing.key, 7: three.listing.record, 8: b"w" * 16}
        for inner in sent:
            inner = {number: value for number, value in inner.items() if value is not None}
            with suppress(LocalProtocolError):  # what not even our own sealing lets out
                three.sign("request/1", engagement, {**common, **inner})
        assert dict(three.row(theirs.id).__data__) == before
        mine = three.row(own)
        assert mine is None or mine.asker_town == three.hostile.id
        assert mine is None or mine.state in (
            "requested",
            "waiting",
            "cancelled",
            "declined",
            "lapsed",
        )
        assert mine is None or mine.rank is None or mine.state == "waiting"
        with three.home.inside():
            assert mine is None or not claims.of_engagement(own)

    tried()
    with three.home.inside():
        assert len(claims.of_engagement(theirs.id)) == 2
        assert not [row for row in rows.open_of_listing(three.home.id, three.listing.key)
                    if row.asker_town == three.hostile.id and row.state == "approved"]  # fmt: skip
    assert three.codes()
