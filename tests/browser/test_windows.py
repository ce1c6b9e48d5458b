"""The windows the browser tests look through are what they say they are."""

from playwright.sync_api import BrowserContext, Page

PLAIN = "<!doctype html><html lang=en><title>A page</title><main><h1>Hello</h1></main></html>"


def test_the_phone_is_as_wide_as_a_phone(page_mobile: Page) -> None:
    assert page_mobile.evaluate("[screen.width, screen.height]") == [390, 844]


def test_the_dark_desk_is_wide_and_dark(page_desktop_dark: Page) -> None:
    assert page_desktop_dark.evaluate("innerWidth") == 1280
    assert page_desktop_dark.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")


def test_a_window_without_script_runs_none(no_js: BrowserContext) -> None:
    page = no_js.new_page()
    page.set_content("<p>before</p><script>document.querySelector('p').remove()</script>")
    assert page.inner_text("p") == "before"


def test_a_sound_page_has_no_accessibility_fault(page_mobile: Page, axe) -> None:
    page_mobile.set_content(PLAIN)
    assert axe(page_mobile) == []


def test_an_unsound_page_has_its_faults_named(page_mobile: Page, axe) -> None:
    page_mobile.set_content(PLAIN.replace("<h1>", "<img src=x><h1>"))
    assert [line.split(" ")[0] for line in axe(page_mobile)] == ["image-alt"]
