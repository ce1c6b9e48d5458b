"""The desk on its bad days, as people see it: sound by day and night, nothing cut off, no code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PHONE, Audit, Window
from tests.browser.test_pages import CONTRAST, SMALL
from tests.scenery import served
from tests.troubles import Troubles, build

# words of the program that mean nothing to whoever sits at the desk
JARGON = re.compile(
    r"\b(?:hash|keysets?|checkpoints?|tombstones?|node|nœuds?|partenaires?|HPKE|MiB|None)\b", re.I
)


@pytest.fixture
def troubles(tmp_path: Path) -> Iterator[Troubles]:
    made = build(tmp_path)
    yield made
    made.world.close()


@pytest.mark.timeout(300)  # forty pages, each looked at in six ways
def test_no_bad_day_has_a_page_that_cannot_be_read(
    window: Window, axe: Audit, troubles: Troubles
) -> None:
    faults = []
    with served(troubles.quimper) as address:
        for _, pages in troubles.days():
            context = window(**PHONE)
            page = context.new_page()
            for name, who, path in pages:
                context.clear_cookies()
                if who:
                    context.add_cookies([{**troubles.cookie(who), "url": address}])
                faults += [f"{name}: {each}" for each in _faults(page, address + path, axe)]
            context.close()
    assert faults == []


def _faults(page: Page, address: str, axe: Audit) -> list[str]:
    page.set_viewport_size(PHONE["viewport"])
    page.emulate_media(color_scheme="light")
    answer = page.goto(address)
    if answer is None or answer.status != 200:
        return [f"answered {answer and answer.status}"]
    found = [*axe(page), *page.evaluate(SMALL), *JARGON.findall(_said(page))]
    page.emulate_media(color_scheme="dark")
    found += [f"at night: {fault}" for fault in axe(page, CONTRAST)]
    page.set_viewport_size({"width": 320, "height": 640})
    if page.evaluate("document.documentElement.scrollWidth") > 320:
        found.append("wider than a small phone")
    page.set_viewport_size({"width": 640, "height": 900})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    if page.evaluate("document.documentElement.scrollWidth") > 640:
        found.append("too wide in large letters")
    return found


def _said(page: Page) -> str:
    """Return what a page says, without commands to type and the program's own words."""
    return str(
        page.evaluate(
            """() => { const said = document.querySelector('main').cloneNode(true);
                said.querySelectorAll('code, kbd, [lang=en]').forEach(each => each.remove());
                return said.textContent }"""
        )
    )
