"""The pages of joining, reporting, moderation and quartiers as people see them, day and night."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from node.desk import measures
from node.members import accounts, quartiers, reporting, sessions, told
from node.store.catalogue import listings
from tests.browser.conftest import DESK, PHONE, Window
from tests.browser.test_pages import CONTRAST, SMALL
from tests.scenery import served
from tests.visitor import Visitor
from tests.world import Place, World

GWENN = "gwenn@example.org"
WHO = ("", "Gwenn", "Yann", "Soizic")


@dataclass
class Parish:
    """One town with a listing that was reported, somebody who waits, and its quartiers."""

    place: Place
    address: str
    people: dict[str, Any]
    code: str

    def pages(self, who: str) -> list[str]:
        """Return what one of WHO may open."""
        return {
            "": ["/rejoindre?code=ABCD", "/compte", f"/a/{self.code}/signaler", "/?quartier=Gare"],
            "Gwenn": ["/compte"],
            "Yann": ["/compte", "/compte/invitations", "/compte/signalements", "/compte/adresse"],
            "Soizic": [
                "/admin", "/admin/signalements", f"/admin/signalements/{self.code}",
                "/admin/adhesions", "/admin/adhesions/domicile", "/admin/quartiers",
            ],
        }[who]  # fmt: skip

    def enter(self, context: BrowserContext, who: str) -> Page:
        """Return a page of somebody signed in."""
        if who:
            with self.place.inside() as town:
                token = sessions.open(self.people[who].id, now_ms=town.clock.now_ms())
                name = f"lavoir-{town.id.hex()[:8]}"
            context.add_cookies([{"name": name, "value": token, "url": self.address}])
        return context.new_page()


@pytest.fixture(scope="module")
def parish(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parish]:
    """A town whose desk has something to do."""
    world = World(tmp_path_factory.mktemp("parish"))
    place = world.found("Quimper")
    people = {
        "Yann": place.member("Yann", "yann@example.org"),
        "Nolwenn": place.member("Nolwenn", "nolwenn@example.org"),
        "Soizic": place.member("Soizic", "soizic@example.org", ("admin",)),
    }
    sent = Visitor(place, people["Nolwenn"]).send("/publier/objets", title="Scie", object="autre")
    code = sent.location.rsplit("/", 1)[1]
    with place.inside() as town:
        now_ms = town.clock.now_ms()
        for name in ("Gare", "Kerfeunteun", "Locmaria"):
            quartiers.add("29232", name, ("29232",))
        people["Gwenn"] = accounts.create("Gwenn", GWENN, now_ms=now_ms, status="pending")
        row = listings.by_code(code)
        assert row is not None
        for who in (people["Yann"], None):
            reporting.report(
                row, town.id, member=who, address="192.0.2.1", reason="danger",
                text="Il manque le carter.", secret=town.keyring.secret, now_ms=now_ms,
            )  # fmt: skip
        told.tell(people["Yann"].id, "warned", "Doucement.", now_ms=now_ms)
        case = measures.case_of(town, code)
        assert case.publisher == people["Nolwenn"].id
    with served(place) as address:
        yield Parish(place, address, people, code)
    world.close()


@pytest.mark.parametrize("who", WHO)
def test_no_page_of_membership_has_an_accessibility_fault(
    window: Window, parish: Parish, axe: Any, who: str
) -> None:
    page, faults = parish.enter(window(**DESK, color_scheme="light"), who), []
    for path in parish.pages(who):
        page.emulate_media(color_scheme="light")
        page.goto(parish.address + path)
        faults += [f"{path}: {fault}" for fault in axe(page)]
        page.emulate_media(color_scheme="dark")
        faults += [f"{path} at night: {fault}" for fault in axe(page, CONTRAST)]
    assert faults == []


@pytest.mark.parametrize("who", WHO)
def test_the_pages_of_membership_fit_a_small_phone_and_a_finger(
    window: Window, parish: Parish, who: str
) -> None:
    page, found = parish.enter(window(**PHONE), who), []
    for path in parish.pages(who):
        page.set_viewport_size({"width": 320, "height": 640})
        page.goto(parish.address + path)
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            found.append(f"{path} scrolls sideways")
        found += [f"{path}: {each}" for each in page.evaluate(SMALL)]
    assert found == []
