"""What people do by accident in a browser is done once; a photo does not tell where it was."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from node.members import sessions
from node.store.catalogue.listings import Listing
from node.store.promises.engagements import Engagement
from tests.browser.conftest import DESK, PHONE, Window
from tests.scenery import served
from tests.world import Place, World


@dataclass
class Pair:
    """Two paired towns, both served on the loopback, and a resident of each."""

    world: World
    addresses: dict[str, str]

    def enter(self, context: BrowserContext, town: str, name: str) -> Page:
        """Sign somebody in and return their window."""
        place = self.world.places[town]
        member = place.member(name)
        with place.inside() as here:
            token = sessions.open(member.id, now_ms=here.clock.now_ms())
            cookie = {"name": f"lavoir-{here.id.hex()[:8]}", "value": token}
        context.add_cookies([{**cookie, "url": self.addresses[town]}])
        return context.new_page()

    def count(self, town: str, table: type) -> int:
        place: Place = self.world.places[town]
        with place.inside():
            return int(table.select().count())


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    world = World(tmp_path)
    for name in ("Lorient", "Quimper"):
        world.found(name)
    world.pair("Lorient", "Quimper")
    world.sync()
    with served(world.places["Lorient"]) as lorient, served(world.places["Quimper"]) as quimper:
        yield Pair(world, {"Lorient": lorient, "Quimper": quimper})
    world.close()


def fill_in(page: Page, address: str, title: str) -> None:
    page.goto(f"{address}/publier/objets")
    page.fill("#f-title", title)
    page.select_option("#f-object", "velo")


def test_a_double_click_publishes_once(pair: Pair, window: Window) -> None:
    page = pair.enter(window(**DESK), "Quimper", "Yann")
    fill_in(page, pair.addresses["Quimper"], "Remorque")
    page.get_by_role("button", name="Publier").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Remorque")
    assert pair.count("Quimper", Listing) == 1


def test_going_back_and_sending_again_publishes_once(pair: Pair, window: Window) -> None:
    page = pair.enter(window(**DESK), "Quimper", "Yann")
    fill_in(page, pair.addresses["Quimper"], "Remorque")
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Remorque")
    first = page.url
    page.go_back()
    fill_in(page, pair.addresses["Quimper"], "Remorque")
    page.get_by_role("button", name="Publier").click()
    page.wait_for_url(first)
    page.reload()
    assert page.url == first and pair.count("Quimper", Listing) == 1


def test_the_very_same_form_sent_from_two_tabs_asks_once(pair: Pair, window: Window) -> None:
    lender = pair.enter(window(**DESK), "Quimper", "Yann")
    fill_in(lender, pair.addresses["Quimper"], "Remorque")
    lender.get_by_role("button", name="Publier").click()
    lender.wait_for_url("**/a/*")
    context = window(**PHONE)
    asker = pair.enter(context, "Quimper", "Nolwenn")
    asker.goto(f"{lender.url}/demander")
    asker.locator("label:has(input[name=days])").nth(3).click()
    action, fields = f"{lender.url}/demander", _fields(asker, "form[action$='/demander']")
    other = context.new_page()
    other.goto(lender.url)
    places = [
        asker.evaluate(REPLAY, [action, fields]),
        other.evaluate(REPLAY, [action, fields]),
        asker.evaluate(REPLAY, [action, fields]),
    ]
    assert len(set(places)) == 1 and "/demandes/" in places[0]
    asker.get_by_role("button", name="Envoyer la demande").dblclick()
    asker.wait_for_url("**/demandes/*")
    assert pair.count("Quimper", Engagement) == 1


def test_a_photo_is_shown_here_and_there_without_the_place_it_was_taken(
    pair: Pair, window: Window, tmp_path: Path
) -> None:
    photo = tmp_path / "IMG_2026.jpg"
    photo.write_bytes(with_position())
    page = pair.enter(window(**PHONE), "Lorient", "Roue libre")
    fill_in(page, pair.addresses["Lorient"], "Remorque")
    page.set_input_files("#f-photos", photo)
    page.fill("#f-photos-a", "La remorque, vue de côté")
    page.get_by_role("button", name="Publier").click()
    page.wait_for_url("**/a/*")
    assert page.get_attribute(".gp img", "alt") == "La remorque, vue de côté"
    pair.world.sync()
    visitor = window(**PHONE).new_page()
    for town, address in pair.addresses.items():
        visitor.goto(address)
        card = visitor.locator("li.ca", has_text="Remorque").locator("img")
        expect(card).to_have_js_property("complete", True)
        assert card.evaluate("image => image.naturalHeight") == 320
        visitor.get_by_role("link", name="Remorque", exact=True).click()
        source = visitor.get_attribute(".gp img", "src")
        raw = visitor.request.get(f"{address}{source}").body()
        picture = Image.open(io.BytesIO(raw))
        assert picture.format == "WEBP" and not picture.getexif(), town
        assert b"Exif" not in raw and b"CANARY" not in raw, town
        assert picture.height > picture.width  # it lay on its side and was put upright


REPLAY = """async ([action, fields]) => {
  const form = new FormData()
  for (const [name, value] of fields) form.append(name, value)
  const answer = await fetch(action, {method: 'POST', body: form})
  return answer.url }"""


def _fields(page: Page, selector: str) -> list[list[str]]:
    return list(
        page.evaluate(
            "s => [...new FormData(document.querySelector(s))].filter(f => !f[1].name)",
            selector,
        )
    )


def with_position() -> bytes:
    """A photo of a camera held upright, that says where and with what it was taken."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "CANARY"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 44.0, 53.0), 3: "W", 4: (3.0, 21.0, 58.0)})
    buffer = io.BytesIO()
    Image.new("RGB", (1600, 900), "#2f8f94").save(buffer, "JPEG", exif=exif, comment=b"CANARY")
    return buffer.getvalue()
