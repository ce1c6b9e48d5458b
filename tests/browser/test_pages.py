"""Every page as people see it: sound, nothing cut off, large targets, keys enough."""

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import DESK, PHONE, Furnished, Window

WHO = ("", "Nolwenn", "Maïwenn")
SIZES = {"phone": PHONE, "desk": DESK}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
SMALL = """[...document.querySelectorAll(
    'a, button, input:not([type=hidden]), select, textarea, summary')]
  .filter(e => !e.closest('.ti') && e.getClientRects().length && !e.matches('.vh, .saut, .fil a'))
  .map(e => [e, (e.matches('[type=checkbox],[type=radio]') && e.closest('label') || e)
                 .getBoundingClientRect()])
  .filter(([e, box]) => box.height < 43.5 && getComputedStyle(e).display !== 'inline')
  .map(([e, box]) => e.outerHTML.slice(0, 120) + ' ' + box.height)"""


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("size", SIZES)
def test_no_page_has_an_accessibility_fault_by_day_or_by_night(
    window: Window, furnished: Furnished, axe, size: str, who: str
) -> None:
    page = furnished.enter(window(**SIZES[size], color_scheme="light"), who)
    faults = []
    for name, address in furnished.pages(who):
        page.emulate_media(color_scheme="light")
        page.goto(address)
        faults += [f"{name}: {fault}" for fault in axe(page)]
        page.emulate_media(color_scheme="dark")  # only colours change
        faults += [f"{name} at night: {fault}" for fault in axe(page, CONTRAST)]
    assert faults == []


@pytest.mark.parametrize("who", WHO)
def test_nothing_scrolls_sideways_on_the_smallest_phone_or_in_large_letters(
    window: Window, furnished: Furnished, who: str
) -> None:
    page = furnished.enter(window(viewport={"width": 320, "height": 640}), who)
    wide = []
    for name, address in furnished.pages(who):
        page.set_viewport_size({"width": 320, "height": 640})
        page.goto(address)
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            wide.append(f"{name} at 320 px: {_widest(page, 320)}")
        page.set_viewport_size({"width": 640, "height": 900})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        if page.evaluate("document.documentElement.scrollWidth") > 640:
            wide.append(f"{name} with letters of 200 %: {_widest(page, 640)}")
    assert wide == []


@pytest.mark.parametrize("who", WHO)
def test_what_a_finger_touches_is_44_pixels_high(
    window: Window, furnished: Furnished, who: str
) -> None:
    page = furnished.enter(window(**PHONE), who)
    small = []
    for name, address in furnished.pages(who):
        page.goto(address)
        small += [f"{name}: {each}" for each in page.evaluate(SMALL)]
    assert small == []


def test_the_first_tab_of_every_page_goes_to_its_content(
    window: Window, furnished: Furnished
) -> None:
    page = furnished.enter(window(**DESK), "")
    for name, address in furnished.pages(""):
        page.goto(address)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "saut", name
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main", name


def test_a_listing_is_asked_for_with_the_keyboard_alone(
    window: Window, furnished: Furnished
) -> None:
    page = furnished.enter(window(**DESK), "Nolwenn")
    page.goto(dict(furnished.pages("Nolwenn"))["ask"])
    _tab_to(page, "input[name=days]")
    page.keyboard.press("Space")
    assert page.locator("input[name=days]:checked").count() == 1
    _tab_to(page, "textarea")
    page.keyboard.type("Pour le potager")
    _tab_to(page, "input[name=share_email]")
    page.keyboard.press("Space")
    assert page.is_checked("input[name=share_email]")
    _tab_to(page, "main button")
    assert page.evaluate("document.activeElement.textContent").strip() == "Envoyer la demande"


def test_pages_load_nothing_from_elsewhere_and_little(window: Window, furnished: Furnished) -> None:
    context = window(**PHONE)
    sizes: dict[str, int] = {}
    page = furnished.enter(context, "")
    page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))
    page.goto(furnished.address, wait_until="networkidle")
    assert {url for url in sizes if not url.startswith(furnished.address)} == set()
    without_photos = sum(size for url, size in sizes.items() if "/photos/" not in url)
    assert without_photos < 100_000  # bytes before compression; the goal on the wire is 40 kB
    assert all(size < 60_000 for url, size in sizes.items() if "/photos/" in url)


def test_without_script_the_pages_say_the_same(no_js: BrowserContext, furnished: Furnished) -> None:
    page = furnished.enter(no_js, "")
    page.goto(furnished.address)
    page.fill("#q", "remorque bachee")
    page.click("[role=search] button")
    assert page.locator(".ti").all_inner_texts() == ["Remorque à vélo bâchée"]
    page.click(".ti a")
    assert page.is_visible("text=Signature vérifiée")


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"no Tab leads to {selector}")


def _widest(page: Page, width: int) -> str:
    """Return the beginning of an element that stands out on the right."""
    return str(
        page.evaluate(
            """width => { const out = [...document.querySelectorAll('body *')].filter(
                e => e.getBoundingClientRect().right > width + 1 && !e.closest('.pu, .def'));
                return out.length ? out[out.length - 1].outerHTML.slice(0, 160) : '?' }""",
            width,
        )
    )
