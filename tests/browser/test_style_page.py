"""The style page as people see it: no accessibility fault, no sideways scroll, large targets."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from scripts.style_page import served

SMALL = """[...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea')]
  .filter(e => !e.closest('.ti') && e.getClientRects().length && !e.matches('.vh, .saut'))
  .map(e => [e, (e.matches('[type=checkbox],[type=radio]') && e.closest('label') || e)
                 .getBoundingClientRect()])
  .filter(([e, box]) => box.height < least && getComputedStyle(e).display !== 'inline')
  .map(([e, box]) => e.outerHTML.slice(0, 90) + ' ' + box.height)"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as url:
        yield url


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("window_name", ["page_mobile", "page_desktop"])
def test_no_accessibility_fault(
    request: pytest.FixtureRequest, address: str, axe, window_name: str, theme: str
) -> None:
    page: Page = request.getfixturevalue(window_name)
    page.goto(f"{address}?lang=fr&theme={theme}")
    assert axe(page) == []


def test_the_night_of_the_device_is_dark_and_sound(
    page_mobile_dark: Page, address: str, axe
) -> None:
    page_mobile_dark.goto(address)
    ground = page_mobile_dark.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(18, 25, 29)"
    assert axe(page_mobile_dark) == []


@pytest.mark.parametrize("lang", ["fr", "br", "en"])
@pytest.mark.parametrize(("width", "zoom"), [(320, 1), (390, 1), (640, 2)])
def test_nothing_scrolls_sideways(window, address: str, lang: str, width: int, zoom: int) -> None:
    page = window(viewport={"width": width, "height": 800}).new_page()
    page.goto(f"{address}?lang={lang}")
    page.evaluate(f"document.documentElement.style.fontSize = '{100 * zoom}%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_a_finger_touches_is_44_pixels_high(page_mobile: Page, address: str) -> None:
    page_mobile.goto(f"{address}?lang=fr")
    assert page_mobile.evaluate(SMALL.replace("least", "43.5")) == []


def test_the_first_tab_goes_to_the_content(page_desktop: Page, address: str) -> None:
    page_desktop.goto(f"{address}?lang=fr")
    page_desktop.keyboard.press("Tab")
    assert page_desktop.evaluate("document.activeElement.textContent") == "Aller au contenu"
    page_desktop.keyboard.press("Enter")
    assert page_desktop.evaluate("document.activeElement.id") == "main"


def test_the_theme_changes_on_the_spot_and_is_remembered(page_mobile: Page, address: str) -> None:
    page_mobile.goto(f"{address}?lang=fr")
    page_mobile.click(".th button[value=dark]")
    assert page_mobile.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page_mobile.get_attribute(".th button[value=dark]", "aria-pressed") == "true"
    assert "theme=dark" in page_mobile.evaluate("document.cookie")
    page_mobile.click(".th button[value=auto]")
    assert page_mobile.evaluate("document.documentElement.dataset.theme ?? 'none'") == "none"


def test_without_script_the_theme_is_a_form(no_js: BrowserContext, address: str) -> None:
    page = no_js.new_page()
    page.goto(f"{address}?lang=fr")
    with page.expect_request("**/apparence") as sent:
        page.click(".th button[value=dark]")
    assert sent.value.method == "POST"
    assert "theme=dark" in (sent.value.post_data or "")


def test_the_page_prints_without_its_machinery(page_desktop: Page, address: str) -> None:
    page_desktop.goto(f"{address}?lang=fr")
    page_desktop.emulate_media(media="print")
    for hidden in (".nav", ".pied", ".bandeau", ".th"):
        assert not page_desktop.is_visible(hidden)
    assert page_desktop.is_visible("h1")


def test_the_stylesheet_and_the_drawings_are_light(page_mobile: Page, address: str) -> None:
    sizes: dict[str, int] = {}
    page_mobile.on("response", lambda r: sizes.update({r.url.rpartition("/")[2]: len(r.body())}))
    page_mobile.goto(f"{address}?lang=fr", wait_until="networkidle")
    assert sizes["lavoir.css"] < 30_000
    assert sizes["icons.svg"] < 10_000
    assert sizes["theme.js"] < 1_000
