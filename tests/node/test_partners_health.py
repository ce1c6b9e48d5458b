"""A partner that is down, slow or talks nonsense: the others go on, and its page says so."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from federation.adapters.http import HttpLink
from node.journal.keyring import Keyring
from node.partners import health
from node.store.network import partners
from node.store.network.partners import FIRST_RETRY_MS, LONGEST_RETRY_MS, Partner
from tests.node import misbehaving
from tests.node.misbehaving import saying, serving
from tests.node.partner_wire import desk_page, desk_page_of, partner, publish, titles
from tests.world import Place, World

HTML = b"<!doctype html><title>Bienvenue</title>" + b"<p>Cette page est en construction." * 50
CASES = {  # name: (behaviour, the codes it may be given)
    "silent": (misbehaving.silent, {"timeout"}),
    "dripping": (misbehaving.dripping, {"timeout", "too_large"}),
    "dripping headers": (misbehaving.dripping_headers, {"timeout", "garbage"}),
    "garbage": (misbehaving.garbage, {"garbage"}),
    "hanging up": (misbehaving.hanging_up, {"unreachable"}),
    "half": (misbehaving.half, {"unreachable", "garbage"}),
    "endless": (misbehaving.endless, {"too_large"}),
    "announcing": (misbehaving.announcing, {"too_large"}),
    "a page": (saying("200 OK", HTML), {"not_signed"}),
    "nothing": (saying("200 OK"), {"not_signed"}),
    "an error": (saying("500 Internal Server Error", HTML), {"http_status"}),
    "a gateway": (saying("502 Bad Gateway"), {"http_status"}),
    "moved": (saying("302 Found", b"", "location: http://127.0.0.1:1/"), {"redirect"}),
    "not found": (saying("404 Not Found", HTML), {"http_status"}),
    "packed": (saying("200 OK", b"x", "content-encoding: gzip"), {"content_encoding"}),
    "odd status": (saying("999 What"), {"http_status", "garbage"}),
    "continue": (saying("100 Continue"), {"garbage", "unreachable", "timeout", "not_signed"}),
}
ABSENT = "http://127.0.0.1:9"  # the port of the discard service: nobody listens


@dataclass
class HttpWorld(World):
    """A world whose towns also reach real addresses of loopback, with little patience."""

    patience_s: float = 1.0

    def _connector(self, name: str) -> Any:
        near = super()._connector(name)

        def connect(url: str, lan: bool = False) -> Any:
            if not url.startswith("http://127.0.0.1"):
                return near(url, lan)
            wait_s = self.patience_s
            return HttpLink(url, lan=True, read_timeout_s=wait_s / 2, total_timeout_s=wait_s)

        return connect


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HttpWorld]:
    """Lorient and Quimper, partners."""
    made = HttpWorld(tmp_path / "towns")
    made.found("Lorient")
    made.found("Quimper")
    made.pair("Lorient", "Quimper")
    yield made
    made.close()


def befriend(place: Place, name: str, url: str, folder: Path) -> bytes:
    """Make a town that answers at `url` (or does not) an old partner; return its id."""
    folder.mkdir(parents=True)
    ring, _ = Keyring.create(folder, place.town.clock.now_ms())
    with place.inside() as town:
        town.store.add_keyset(ring.genesis)
        partners.save(ring.town, name=name, url=url, status="active", words_here=True)
    return ring.town


def row_of(place: Place, town: bytes) -> Partner:
    with place.inside():
        found = partners.find(town)
    assert found is not None
    return found


def visit_due(place: Place) -> int:
    with place.inside() as town:
        count = int(town.exchanges.visit_due())
        assert town.exchanges.rounds.wait(60)
        return count


def test_whatever_partners_answer_the_others_sync_and_each_is_named(
    world: HttpWorld, tmp_path: Path
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(quimper, "Perceuse")
    with ExitStack() as stack:
        towns = {}
        for name, (behaviour, _) in CASES.items():
            url = stack.enter_context(serving(behaviour))
            towns[name] = befriend(lorient, name, url, tmp_path / name)
        towns["absent"] = befriend(lorient, "absent", ABSENT, tmp_path / "absent")
        assert visit_due(lorient) == len(CASES) + 2
    assert titles(lorient, quimper) == {"Perceuse"}
    assert partner(lorient, quimper).failures == 0
    told = {name: row_of(lorient, town).last_error for name, town in towns.items()}
    expected = {name: codes for name, (_, codes) in CASES.items()} | {"absent": {"unreachable"}}
    assert {name: code for name, code in told.items() if code not in expected[name]} == {}
    for name, town in towns.items():
        row = row_of(lorient, town)
        assert (row.failures, row.down_since_ms) == (1, world.clock.now_ms()), name
        assert row.next_try_ms >= world.clock.now_ms() + FIRST_RETRY_MS
    assert visit_due(lorient) == 0
    overview = desk_page(lorient, "/admin/villes")
    assert overview.count("Injoignable") == len(towns)


def test_healthy_partners_are_visited_before_ailing_ones(world: HttpWorld, tmp_path: Path) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    absent = befriend(lorient, "Absente", ABSENT, tmp_path / "absent")
    visit_due(lorient)
    world.clock.forward(hours=1)
    with lorient.inside():
        assert [each.town for each in partners.due(world.clock.now_ms())] == [
            quimper.town.id,
            absent,
        ]


def test_a_partner_that_keeps_silent_keeps_no_other_waiting(
    world: HttpWorld, tmp_path: Path
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    world.patience_s = 60.0
    heard = threading.Event()

    def behave(client: socket.socket, over: threading.Event) -> None:
        heard.set()
        over.wait()

    with serving(behave) as url:
        deaf = befriend(lorient, "Sourde", url, tmp_path / "deaf")
        with lorient.inside() as town:
            thread = threading.Thread(target=copy_context().run, args=(town.exchanges.visit_due,))
            thread.start()
            assert heard.wait(30)
            for turn in range(2):
                publish(lorient, f"Nouvelle {turn}")
                until = time.monotonic() + 30  # a visit under way leaves it to the next tick
                while f"Nouvelle {turn}" not in titles(quimper, lorient):
                    assert time.monotonic() < until
                    town.exchanges.visit_due()
            assert row_of(lorient, deaf).failures == 0  # it is still being waited for
    assert town.exchanges.rounds.wait(60)
    thread.join(60)
    assert row_of(lorient, deaf).failures == 1


def test_tries_back_off_from_half_a_minute_to_six_hours(world: HttpWorld, tmp_path: Path) -> None:
    lorient = world.places["Lorient"]
    absent = befriend(lorient, "Absente", ABSENT, tmp_path / "absent")
    began, waits = world.clock.now_ms(), []
    for tries in range(1, 14):
        visit_due(lorient)
        row = row_of(lorient, absent)
        assert (row.failures, row.down_since_ms) == (tries, began)
        waits.append(row.next_try_ms - world.clock.now_ms())
        world.clock.at_ms = row.next_try_ms - 1
        visit_due(lorient)
        assert row_of(lorient, absent).failures == tries  # not a moment earlier
        world.clock.at_ms = row.next_try_ms
    for tries, wait_ms in enumerate(waits, 1):
        assert FIRST_RETRY_MS <= wait_ms <= min(FIRST_RETRY_MS * 2**tries, LONGEST_RETRY_MS)
    assert len(set(waits)) > len(waits) // 2  # drawn, not counted


def test_a_try_that_a_wrong_clock_put_off_for_years_is_made_now(world: HttpWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    world.clock.forward(days=1_500)
    world.visit("Lorient", "Quimper")
    world.visit("Lorient", "Quimper")
    world.clock.forward(days=-1_500)
    assert partner(lorient, quimper).next_try_ms > world.clock.now_ms()
    assert visit_due(lorient) == 1
    assert visit_due(lorient) == 0


def test_the_page_says_since_when_why_and_when_the_next_try_is(
    world: HttpWorld, tmp_path: Path
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    quimper.is_up = False
    world.visit("Lorient", "Quimper")
    world.clock.forward(hours=2)
    world.visit("Lorient", "Quimper")
    page = desk_page_of(lorient, quimper)
    assert "Elle est injoignable. Son serveur ou son réseau est sans doute éteint." in page
    row = partner(lorient, quimper)
    for at_ms in (row.down_since_ms, row.next_try_ms):
        assert _moment(lorient, at_ms) in page, at_ms
    assert "unreachable" in page  # the log of exchanges names each outcome
    world.clock.forward(days=1)
    assert "appelez" in desk_page_of(lorient, quimper).lower()


def _moment(place: Place, at_ms: int) -> str:
    from node.pages import formats

    with place.inside(), place.app.test_request_context(headers={"Accept-Language": "fr"}):
        place.app.preprocess_request()
        return str(formats.moment(at_ms))


def test_a_partner_that_is_back_is_well_again(world: HttpWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    quimper.is_up = False
    for _ in range(3):
        world.visit("Lorient", "Quimper")
    quimper.is_up = True
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    row = partner(lorient, quimper)
    assert (row.failures, row.down_since_ms, row.last_error) == (0, None, "")
    assert health.of(row, world.clock.now_ms()).tone == "ok"
    assert "Injoignable" not in desk_page_of(lorient, quimper)


def test_a_partner_that_comes_by_itself_is_tried_again_at_once(world: HttpWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    world.sync(1)
    quimper.is_up = False
    for _ in range(8):
        world.visit("Lorient", "Quimper")
    assert partner(lorient, quimper).next_try_ms >= world.clock.now_ms() + FIRST_RETRY_MS
    quimper.is_up = True
    world.visit("Quimper", "Lorient")
    assert visit_due(lorient) == 1
    assert partner(lorient, quimper).failures == 0


def test_a_partner_that_has_not_confirmed_yet_is_told_from_one_that_forgot_us(
    world: HttpWorld,
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    with quimper.inside():
        partners.save(lorient.town.id, status="words")
    world.visit("Lorient", "Quimper")
    assert "pas encore confirmé les six mots" in desk_page_of(lorient, quimper)
    with lorient.inside():
        partners.save(quimper.town.id, last_ok_ms=world.clock.now_ms())
    assert "ne connaît pas (ou plus) notre ville" in desk_page_of(lorient, quimper)


def test_a_clock_that_is_wrong_by_an_hour_is_told(world: HttpWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    world.sync(1)
    with lorient.inside():
        partners.save(quimper.town.id, clock_skew_ms=3_600_000)
    assert "Vérifiez l’horloge des deux serveurs." in desk_page_of(lorient, quimper)


def test_what_is_no_node_of_ours_is_said_to_be_none(world: HttpWorld, tmp_path: Path) -> None:
    lorient = world.places["Lorient"]
    with serving(saying("200 OK", HTML)) as url:
        befriend(lorient, "Portail", url, tmp_path / "portal")
        visit_due(lorient)
    with lorient.inside():
        (row,) = [each for each in partners.listed() if each.name == "Portail"]
    assert health.of(row, 0).cause == "What it answers is not our protocol."


@pytest.mark.parametrize("code", ["a_code_of_a_later_version", "redirect", "private_address"])
def test_every_code_has_its_sentence(code: str) -> None:
    row = Partner(status="active", failures=1, last_error=code, down_since_ms=1, next_try_ms=2)
    told = health.of(row, 3)
    assert told.cause % (told.params or {})
    assert (told.since_ms, told.next_ms, told.tone) == (1, 2, "wait")
