"""The story a newcomer is told: Quimper finds Lorient's trailer, asks for it, Lorient says yes.

Two real servers with their jobs inside, a real browser; once with Lorient stopped for the asking,
once without JavaScript.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from node.cli.admin import admin_code
from node.domain.schema import plain
from node.members import accounts
from node.practices.lending.practice import PRACTICE
from node.store.catalogue import holdings
from node.store.database import write_tx
from tests.browser.conftest import DESK, Window
from tests.nodes import Node, Nodes

TITLE = "Remorque à vélo, charge 80 kg"
KEEPER = "Atelier de Keryado"
ASKER = "Rozenn"
PATIENCE_S = 60.0


@pytest.fixture
def towns(tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    """Lorient with its trailer, and Quimper: paired, serving, visiting each other by themselves."""
    nodes = Nodes(tmp_path)
    for name in ("Lorient", "Quimper"):
        nodes.found(name, jobs="inside", tick_seconds=1)
    lorient, quimper = nodes.towns["Lorient"], nodes.towns["Quimper"]
    nodes.link("Lorient", "Quimper")
    _offer_trailer(lorient)
    try:
        nodes.serve()
        yield lorient, quimper
    finally:
        nodes.stop()


def test_a_resident_of_quimper_borrows_the_trailer_of_lorient(
    towns: tuple[Node, Node], window: Window
) -> None:
    lorient, quimper = towns
    asker = _signed_in(window(**DESK), quimper, ASKER)
    _ask_for_the_trailer(asker, quimper)
    keeper = _signed_in(window(**DESK), lorient, KEEPER)
    _accept(keeper, lorient)
    _see_it_signed(asker)


def test_what_is_asked_while_lorient_is_down_arrives_when_it_is_back(
    towns: tuple[Node, Node], window: Window
) -> None:
    lorient, quimper = towns
    asker = _signed_in(window(**DESK), quimper, ASKER)
    _find_the_trailer(asker, quimper)  # the listing is here; now its town goes silent
    lorient.stop()
    _ask_for_the_trailer(asker, quimper)
    expect(asker.locator("main")).to_contain_text("pas encore envoyée à Lorient")
    lorient.serve()
    lorient.wait_until_up()
    keeper = _signed_in(window(**DESK), lorient, KEEPER)
    _accept(keeper, lorient)
    _see_it_signed(asker)


def test_the_whole_story_needs_no_javascript(
    towns: tuple[Node, Node], no_js: BrowserContext, window: Window
) -> None:
    lorient, quimper = towns
    asker = _signed_in(no_js, quimper, ASKER)
    _ask_for_the_trailer(asker, quimper)
    keeper = _signed_in(window(**DESK, java_script_enabled=False), lorient, KEEPER)
    _accept(keeper, lorient)
    _see_it_signed(asker)


def _offer_trailer(node: Node) -> None:
    """Publish the trailer as a member's, fetched on any day."""
    said = {"title": TITLE, "text": "Deux roues, attache fournie.", "object": "velo", "max_days": 7}
    with node.inside() as town, write_tx():
        now_ms = town.clock.now_ms()
        keeper = accounts.create(KEEPER, None, roles=("admin",), now_ms=now_ms)
        record = town.journal.publish(PRACTICE.kind, plain(PRACTICE.schema.read(said)))
        holdings.keep(record.key, keeper.id, now_ms)


def _signed_in(context: BrowserContext, node: Node, name: str) -> Page:
    """Open a page and sign in with a code handed out at the desk."""
    with node.inside() as town:
        code = admin_code(town, name)
    page = context.new_page()
    page.goto(f"{node.url}/compte")
    page.locator("form[action='/compte/code'] input[name=code]").fill(code)
    page.locator("form[action='/compte/code'] button").click()
    page.goto(f"{node.url}/compte")
    expect(page.locator("main")).to_contain_text(name)
    return page


def _find_the_trailer(page: Page, node: Node) -> None:
    """Search until the listing of the other town has come, and open it."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        page.goto(f"{node.url}/")
        page.locator("#q").fill("remorque")
        page.locator("form[role=search] button").click()
        found = page.get_by_role("link", name=TITLE)
        if found.count():
            expect(page.locator("li.ca.am")).to_contain_text("Lorient")
            found.first.click()
            expect(page.locator("main")).to_contain_text("Signature vérifiée")
            return
        time.sleep(0.5)
    raise AssertionError("the trailer of Lorient never came to Quimper")


def _ask_for_the_trailer(page: Page, node: Node) -> None:
    """Ask for it from the listing's own page, for two days of the calendar."""
    _find_the_trailer(page, node)
    days = page.locator("table.jo td label")
    days.nth(3).click()
    days.nth(4).click()
    page.locator("textarea[name=message]").fill("Bonjour, pour un déménagement à Locmaria.")
    page.get_by_role("button", name="Envoyer la demande").click()
    expect(page).to_have_url(re.compile("/demandes/[0-9a-f]+$"))


def _accept(page: Page, node: Node) -> None:
    """Wait for the request at the keeper's, read it and say yes."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        page.goto(f"{node.url}/demandes")
        waiting = page.get_by_role("link", name=TITLE).first
        if page.locator("main").get_by_text("Quimper").count():
            waiting.click()
            break
        time.sleep(0.5)
    page.goto(page.url)
    expect(page.locator("main")).to_contain_text("Locmaria")
    page.locator("button[value=approve]").click()
    expect(page.locator("main")).to_contain_text("Acceptée")


def _see_it_signed(page: Page) -> None:
    """Wait until the asker's timeline says yes, with Lorient's signature."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        page.reload()
        accepted = page.locator("ol.ep li", has_text="Acceptée")
        if accepted.count() and "signé par Lorient" in accepted.first.inner_text():
            return
        time.sleep(0.5)
    raise AssertionError(f"no signed answer: {page.locator('main').inner_text()}")
