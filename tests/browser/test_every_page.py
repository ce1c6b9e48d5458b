"""Every page of a furnished town: no accessibility fault, no sideways scroll, nothing foreign."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import DESK, PHONE, Audit, Window
from tests.scenery import Scenery, build, pages_of, served

LOOKS = {"phone": PHONE, "desk": DESK}
NARROW: dict[str, Any] = {"viewport": {"width": 320, "height": 640}, "is_mobile": True}
SIDEWAYS = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scenery, str]]:
    """Quimper with its listings, photos, requests, partners and desk, served on the loopback."""
    scenery = build(tmp_path_factory.mktemp("scenery"))
    with served(scenery.place("Quimper")) as address:
        yield scenery, address
    scenery.world.close()


def _contexts(
    window: Window, furnished: tuple[Scenery, str], **options: Any
) -> dict[str, BrowserContext]:
    """Return a window for each person who looks at pages, the visitor being ""."""
    scenery, address = furnished
    people = {who for _, who, _ in pages_of(scenery)}
    contexts = {who: window(**options) for who in people}
    for who, context in contexts.items():
        if who:
            context.add_cookies([{**scenery.cookie("Quimper", who), "url": address}])
    return contexts


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.timeout(300)
def test_no_page_has_an_accessibility_fault(
    furnished: tuple[Scenery, str], window: Window, axe: Audit, look: str, theme: str
) -> None:
    scenery, address = furnished
    contexts = _contexts(window, furnished, **LOOKS[look], color_scheme=theme)
    pages = {who: context.new_page() for who, context in contexts.items()}
    faults = []
    for name, who, path in pages_of(scenery):
        pages[who].goto(address + path)
        faults += [f"{name}: {fault}" for fault in axe(pages[who])]
    assert not faults, "\n".join(faults)


@pytest.mark.timeout(300)
def test_no_page_scrolls_sideways_on_the_narrowest_phone_nor_with_large_text(
    furnished: tuple[Scenery, str], window: Window
) -> None:
    scenery, address = furnished
    contexts = _contexts(window, furnished, **NARROW)
    pages = {who: context.new_page() for who, context in contexts.items()}
    wide = []
    for name, who, path in pages_of(scenery):
        page = pages[who]
        page.set_viewport_size({"width": 320, "height": 640})
        page.goto(address + path)
        if page.evaluate(SIDEWAYS) > 0:
            wide.append(f"{name} at 320 px")
        page.set_viewport_size({"width": 640, "height": 800})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        if page.evaluate(SIDEWAYS) > 0:
            wide.append(f"{name} with text at 200 %")
    assert not wide, "\n".join(wide)


@pytest.mark.timeout(300)
def test_no_page_asks_another_machine_for_anything(
    furnished: tuple[Scenery, str], window: Window
) -> None:
    scenery, address = furnished
    foreign: list[str] = []
    contexts = _contexts(window, furnished, **DESK)
    for context in contexts.values():
        context.on(
            "request",
            lambda asked: None if asked.url.startswith(address) else foreign.append(asked.url),
        )
    pages = {who: context.new_page() for who, context in contexts.items()}
    for _, who, path in pages_of(scenery):
        pages[who].goto(address + path)
    assert not foreign, "\n".join(foreign)
