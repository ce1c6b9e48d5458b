"""A real Chromium, started once per worker: windows of a phone and of a desk, light and dark.

The system's own browser is driven; `CHROMIUM=/path` names another. Without one, tests are skipped.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.scenery import Scenery, build, served
from tests.tour import pages_of

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
QUIET = [  # root needs the first; the others keep it from drawing on a GPU or calling home
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
WAIT_MS = 15_000

Window = Callable[..., BrowserContext]
Audit = Callable[..., list[str]]


def find_chromium() -> str | None:
    """Return the first Chromium that starts; a stub that only points to a snap does not."""
    for name in (os.environ.get("CHROMIUM", ""), *NAMES):
        path = shutil.which(name) if name else None
        if path and subprocess.run([path, "--version"], capture_output=True).returncode == 0:
            return path
    return None


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this worker."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium, or CHROMIUM=/path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Browser) -> Iterator[Window]:
    """Open a window of its own, as somebody else would: `window(**PHONE, color_scheme="dark")`.

    A page that breaks its content policy or raises in its script fails the test that opened it.
    """
    opened: list[BrowserContext] = []
    faults: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    def open_window(**options: Any) -> BrowserContext:
        context = chromium.new_context(locale="fr-FR", timezone_id="Europe/Paris", **options)
        context.set_default_timeout(WAIT_MS)
        context.on("console", heard)
        context.on("weberror", lambda error: faults.append(str(error.error)))
        opened.append(context)
        return context

    yield open_window
    for context in opened:
        context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def page_mobile(window: Window) -> Page:
    """A phone, 390 x 844, light."""
    return window(**PHONE).new_page()


@pytest.fixture
def page_mobile_dark(window: Window) -> Page:
    """The same phone at night."""
    return window(**PHONE, color_scheme="dark").new_page()


@pytest.fixture
def page_desktop(window: Window) -> Page:
    """A desk, 1280 x 900, light."""
    return window(**DESK).new_page()


@pytest.fixture
def page_desktop_dark(window: Window) -> Page:
    """The same desk at night."""
    return window(**DESK, color_scheme="dark").new_page()


@pytest.fixture
def no_js(window: Window) -> BrowserContext:
    """A phone whose browser runs no script: every flow works there too."""
    return window(**PHONE, java_script_enabled=False)


@pytest.fixture(scope="session")
def axe() -> Audit:
    """Return a page's accessibility faults, one line each; an empty list is what is wanted."""

    def audit(page: Page, options: dict[str, Any] | None = None) -> list[str]:
        found = Axe().run(page, options=options).response["violations"]
        return [
            f"{fault['id']} ({fault['impact']}): {fault['help']} at {place['target']}"
            for fault in found
            for place in fault["nodes"]
        ]

    return audit


@dataclass
class Furnished:
    """A furnished Quimper on the loopback, to be looked at only."""

    scenery: Scenery
    address: str

    def pages(self, who: str) -> list[tuple[str, str]]:
        """Return (name, address) of every page that somebody looks at."""
        found = pages_of(self.scenery)
        return [(name, self.address + path) for name, looks, path in found if looks == who]

    def enter(self, context: BrowserContext, who: str) -> Page:
        """Sign somebody in, "" for a visitor, and return a window of theirs."""
        if who:
            cookie = self.scenery.cookie("Quimper", who)
            context.add_cookies([{**cookie, "url": self.address}])
        return context.new_page()


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    """Quimper with its listings, requests, neighbours and troubles."""
    scenery = build(tmp_path_factory.mktemp("furnished"))
    with served(scenery.place("Quimper")) as address:
        yield Furnished(scenery, address)
    scenery.world.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as one that needs a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
