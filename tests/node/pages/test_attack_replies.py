"""A hostile home signs whatever it likes: what is admitted can be drawn, what is not is told."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from node.domain.schema import plain
from node.engagements.between.inner import MOMENT_MAX_MS
from node.engagements.between.registers import register_key
from node.engagements.verdicts import CODES
from node.store.catalogue import holdings, listings
from node.store.database import write_tx
from node.store.network import refusals
from node.store.promises import acts
from node.store.promises import engagements as rows
from tests.visitor import Visitor
from tests.world import START_MS, World

THINGS = {
    "lending": {"title": "Remorque", "copies": 2},
    "spaces": {"title": "Salle", "opening": [], "units": 2, "repeat_max": 5},
}
WISHES = {
    "lending": {"first_day": "2026-11-25", "last_day": "2026-11-26"},
    "spaces": {"day": "2026-11-26", "start": "10:00", "minutes": "60"},
}
ODD = st.one_of(
    st.sampled_from([0, 1, -1, 2, 2**31, 2**53, 2**53 + 1, 2**63, -(2**53), 10**7, MOMENT_MAX_MS]),
    st.sampled_from(["", "x", "é" * 90, "<b>", "\u202eabc", "../..", "0" * 16, "a\nb", "%s {0}"]),
    st.sampled_from([True, False, None, [], {}, [1], {"a": 1}, b"x"]),
)
MOMENTS = st.sampled_from([0, 1, START_MS, START_MS + 9 * 86_400_000, MOMENT_MAX_MS])
QUICKLY = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=(Phase.generate,),  # each example opens a dozen pages: a failure is not made smaller
)
NAMES = (
    "first_day", "after_day", "free_from", "units", "answer_until", "pickup_until", "deposit",
    "first", "after", "gap", "cents", "rate", "group", "people", "series", "twice", "zz",
)  # fmt: skip


class Hostile:
    """Quimper, where Nolwenn asked, and Lorient, which answers with anything."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.lorient, self.quimper = (self.world.found(each) for each in ("Lorient", "Quimper"))
        self.world.pair("Lorient", "Quimper")
        self.nolwenn = self.quimper.member("Nolwenn", "nolwenn@example.org")
        self.admin = self.quimper.member("Maïwenn", "maiwenn@example.org", ("admin",))
        keeper = self.lorient.member("Roue libre", "roue@example.org")
        self.keys: dict[str, bytes] = {}
        for name, body in THINGS.items():
            with self.lorient.inside() as town, write_tx():
                practice = town.registry.by_name[name]
                record = town.journal.publish(practice.kind, plain(practice.schema.read(body)))
                holdings.keep(record.key, keeper.id, START_MS)
                self.keys[name] = record.key
        self.world.sync()

    def asked(self, practice: str) -> Any:
        """Let Nolwenn ask anew; what she asked before no longer counts for her limits."""
        with self.quimper.inside() as town:
            row = listings.find(self.lorient.town.id, self.keys[practice])
            form = {**WISHES[practice], "saw": town.engagements.saw(row)}
            return town.engagements.ask(row, self.nolwenn.id, form, secrets.token_bytes(16))

    def says(self, row: Any, inner: dict[int, Any]) -> str:
        """Let Lorient sign a reply and Quimper take it in; return the verdict."""
        with self.lorient.inside() as town:
            raw = town.journal.publish_sealed(
                "reply/1", inner, to=self.quimper.town.id, key=register_key("reply/1", row.id)
            ).raw
        with self.quimper.inside() as town:
            (verdict,) = town.journal.ingest([raw], self.lorient.town.id)
            return str(verdict.code)

    def forget(self, row: Any) -> None:
        """Let a request count no more among those Nolwenn has."""
        with self.quimper.inside():
            rows.change(row.id, final=True)

    def draw(self, row: Any) -> None:
        """Draw every page that shows this request."""
        looking = Visitor(self.quimper, self.nolwenn)
        which = row.id.hex()
        for path in (
            "/demandes",
            f"/demandes/{which}",
            f"/demandes/{which}/proposer",
            f"/demandes/{which}/calendrier.ics",
            "/compte/donnees.json",
        ):
            status = looking.get(path).status_code
            fits = (200,) if path in ("/demandes", f"/demandes/{which}") else (200, 403, 404, 409)
            assert status in fits, (path, status)
        desk = Visitor(self.quimper, self.admin)
        for path in ("/admin/promesses", "/admin/demandes"):
            assert desk.get(path).status_code in (200, 404), path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    made = Hostile(tmp_path_factory.mktemp("hostile"))
    yield made
    made.world.close()


@st.composite
def replies(draw: Any, practice: str) -> dict[int, Any]:
    """Draw a reply that is almost as it should be: every field may be odd."""
    states = ["requested", "approved", "confirmed", "waiting", "offered", "countered", "held"]
    states += ["handed_over", "overdue", "returned", "lost", "closed", "cancelled", "revoked"]
    states += ["checked_in", "done", "no_show", "declined", "refused", "passed", "lapsed", "x"]
    inner: dict[int, Any] = {
        4: draw(st.sampled_from([0, 0, 0, 1])),
        5: 0,
        7: draw(st.sampled_from(states)),
        8: draw(MOMENTS),
        9: draw(st.sampled_from(["asker", "keeper", "clock", "both", "", "zz", "staff"])),
    }
    if draw(st.booleans()):
        inner[10] = draw(MOMENTS)
    if draw(st.booleans()):
        inner[11] = draw(st.sampled_from([*states, ""]))
    if draw(st.booleans()):
        inner[13] = {
            0: draw(st.sampled_from([0, 1, 1, 1, 2**40])),
            1: draw(st.sampled_from(["keeper", "keeper", "keeper", "asker", "zz"])),
            2: draw(st.dictionaries(st.sampled_from(NAMES), ODD, max_size=4)),
            3: draw(MOMENTS),
            4: draw(st.sampled_from(["", "lapsed", "zz"])),
        }
        if inner[13][1] == "asker":
            inner[13][5] = b"12345678"
    verdict = {0: b"12345678", 1: draw(st.sampled_from(["ask", "change", "zz"]))}
    inner[14] = [{**verdict, 2: draw(st.sampled_from(sorted(CODES)))}] * draw(st.integers(0, 1))
    inner[15] = draw(st.sampled_from([0, 1, 2**40, 2**63]))
    inner[16] = {0: draw(st.sampled_from(["stale", "zz", "%(x)s"])), 1: "%(y)s \u202e"}
    inner[17] = draw(st.sampled_from(["", "a@example.org\nb", "x" * 1_000]))
    if draw(st.booleans()):
        inner[18] = draw(MOMENTS)
    if draw(st.booleans()):
        inner[21] = [{0: b"87654321", 1: draw(MOMENTS), 2: "\u202e%s <b>"}]
    return inner


@pytest.mark.parametrize("practice", sorted(THINGS))
def test_whatever_a_hostile_home_says_the_page_of_the_asker_is_drawn(
    hostile: Hostile, practice: str
) -> None:
    @QUICKLY
    @given(st.lists(replies(practice), min_size=2, max_size=2))
    def tried(said: list[dict[int, Any]]) -> None:
        row = hostile.asked(practice)
        with hostile.quimper.inside():
            terms = dict(json.loads(rows.find(row.id).terms))
            before = len(acts.of_engagement(row.id))
        assert before == 1
        for version, inner in enumerate(said, 1):
            inner = {**inner, 1: row.id, 6: version, 12: terms}
            if 13 in inner:
                inner[13] = {**inner[13], 2: {**terms, **inner[13][2]}}
            hostile.says(row, inner)
            hostile.draw(row)
        hostile.forget(row)

    tried()
    with hostile.quimper.inside():
        assert refusals.counts(hostile.lorient.town.id)


@pytest.mark.parametrize(
    ("practice", "odd"),
    [
        ("lending", {"deposit": "fifty"}),
        ("lending", {"deposit": [1]}),
        ("lending", {"deposit": -(2**53)}),
        ("lending", {"units": 0}),
        ("lending", {"units": -4}),
        ("lending", {"after_day": 2_932_900, "free_from": 2_932_900}),
        ("spaces", {"first": 2**40, "after": 2**40 + 4}),
        ("spaces", {"first": -(2**40)}),
        ("spaces", {"after": 281_558_000}),
        ("spaces", {"cents": 500}),
        ("spaces", {"cents": 500, "rate": "x", "group": {}}),
        ("spaces", {"gap": -3}),
        ("spaces", {"series": {"a": 1}}),
        ("spaces", {"series": "../../x"}),
        ("spaces", {"people": "many", "twice": []}),
    ],
)
def test_odd_terms_of_a_counter_proposal_never_break_the_page(
    hostile: Hostile, practice: str, odd: dict[str, Any]
) -> None:
    row = hostile.asked(practice)
    with hostile.quimper.inside():
        terms = {**json.loads(rows.find(row.id).terms), **odd}
    hung = {0: 1, 1: "keeper", 2: terms, 3: START_MS + 86_400_000, 4: "lapsed"}
    inner = {1: row.id, 4: 0, 5: 0, 6: 1, 7: "countered", 8: START_MS, 9: "asker", 13: hung}
    hostile.says(row, inner)
    hostile.draw(row)
    hostile.forget(row)
