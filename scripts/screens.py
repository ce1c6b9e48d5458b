#!/usr/bin/env python3
"""The screens: every page of a furnished town, as a phone and a desk show it, light and dark.

scripts/screens.py FOLDER [WORD]   writes <page>-{m,d}-{light,dark}.png into FOLDER (only the pages
                                   whose name holds WORD), and the README's picture of the home page
"""

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.scenery import Scenery, build, served  # noqa: E402
from tests.tour import pages_of  # noqa: E402

README_PICTURE = ROOT / "static/readme/home.png"
README_MAX_BYTES = 200_000
THEMES = tuple(os.environ.get("THEMES", "light dark").split())
WINDOWS: dict[str, dict[str, Any]] = {
    "m": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "d": {"viewport": {"width": 1280, "height": 900}},
}


def main(folder: Path, word: str) -> None:
    """Draw the pages whose name holds `word` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, _chromium() as browser, ExitStack() as stack:
        scenery = build(Path(home))
        address = stack.enter_context(served(scenery.place("Quimper")))
        pages = [each for each in pages_of(scenery) if word in each[0]]
        for window in WINDOWS:
            for theme in THEMES:
                for who in dict.fromkeys(who for _, who, _ in pages):
                    context = _visitor(browser, scenery, address, window, theme, who)
                    for name, _, path in (each for each in pages if each[1] == who):
                        page = context.new_page()
                        page.goto(address + path)
                        page.screenshot(
                            path=folder / f"{name}-{window}-{theme}.png", full_page=True
                        )
                        page.close()
                    context.close()
        if not word:
            _draw_for_readme(browser, address)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


def _visitor(
    browser: Any, scenery: Scenery, address: str, window: str, theme: str, who: str
) -> Any:
    """Return a browser of somebody of Quimper, or of nobody in particular."""
    context = browser.new_context(locale="fr-FR", color_scheme=theme, **WINDOWS[window])
    if who:
        context.add_cookies([{**scenery.cookie("Quimper", who), "url": address}])
    return context


def _draw_for_readme(browser: Any, address: str) -> None:
    """Draw the home page as a visitor at a desk sees it, in few colours so that it stays light."""
    from PIL import Image

    page = browser.new_page(**WINDOWS["d"], locale="fr-FR")
    page.goto(address)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    README_PICTURE.parent.mkdir(exist_ok=True)
    picture.quantize(192, dither=Image.Dither.NONE).save(README_PICTURE, optimize=True)
    size_bytes = README_PICTURE.stat().st_size
    if size_bytes > README_MAX_BYTES:
        sys.exit(f"{README_PICTURE} has {size_bytes} bytes, {README_MAX_BYTES} at most")
    print(README_PICTURE, size_bytes)


@contextmanager
def _chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), *(sys.argv[2:] or [""]))
