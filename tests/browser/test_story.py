"""The story the whole house is built for, in a real browser, between two real servers.

The desks hand out codes. A resident of Quimper looks for a trailer, finds Lorient's, asks for it;
Lorient's lender accepts; Quimper's timeline shows the answer, signed. Once while both towns are
up; once with Lorient stopped at the moment of asking, and with JavaScript switched off.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import DESK, PHONE, Window
from tests.nodes import Node, Nodes

SOON_MS = 60_000  # visits happen by themselves, a few seconds after there is something to bring


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Lorient and Quimper, each a process of its own, paired by their volunteers."""
    nodes = Nodes(tmp_path_factory.mktemp("story"))
    for name in ("Lorient", "Quimper"):
        nodes.found(name, jobs="inside", tick_seconds=1, sync_minutes=1)
    nodes.serve()
    nodes.pair("Lorient", "Quimper")
    yield nodes
    nodes.stop()


@dataclass
class Person:
    """Somebody with a browser of their own, at one town."""

    node: Node
    page: Page

    def goto(self, path: str) -> Page:
        self.page.goto(self.node.url + path)
        return self.page

    def sign_in(self, code: str, name: str = "") -> None:
        """Type a code at the door."""
        page = self.goto("/compte")
        page.fill("#f-code", code)
        if name:
            page.fill("#f-name", name)
        page.click("form[action='/compte/code'] button")
        page.wait_for_url(re.compile(r"/$"))

    def see(self, words: str, place: Locator | None = None) -> None:
        """Look at the page again until it says something."""
        wanted = place or self.page.get_by_text(words).first
        for _ in range(SOON_MS // 1_000):
            if wanted.is_visible():
                return
            self.page.wait_for_timeout(1_000)
            self.page.reload()
        raise AssertionError(
            f"{self.page.url} never said {words!r}:\n{self.page.inner_text('main')}"
        )


def admin_of(node: Node, context: BrowserContext) -> Person:
    """The volunteer of a town, let in by the code of `lavoir admin create`."""
    code = node.ask("admin", "create", "--name", "Accueil")["code"]
    person = Person(node, context.new_page())
    person.sign_in(code)
    return person


def newcomer(admin: Person, context: BrowserContext, name: str) -> Person:
    """A resident who comes to the desk, gets a code on paper and types it at home."""
    page = admin.goto("/admin/membres")
    page.fill("#f-name", name)
    page.get_by_role("button", name="Créer un compte et un code").click()
    code = page.inner_text(".code").replace("Code", "").strip()
    person = Person(admin.node, context.new_page())
    person.sign_in(code)
    return person


def publish_trailer(lender: Person, title: str) -> None:
    page = lender.goto("/publier")
    page.get_by_role("link", name="Objets à emprunter").click()
    page.fill("#f-title", title)
    page.fill("#f-text", "Deux roues, attache fournie.")
    page.select_option("#f-object", "velo")
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def find_and_open(asker: Person, title: str, words: str) -> None:
    """Search until the copy has come, then open it."""
    page = asker.goto("/")
    page.fill("#q", words)
    page.get_by_role("button", name="Chercher").click()
    asker.see(title, page.get_by_role("link", name=title, exact=True))
    page.get_by_role("link", name=title, exact=True).click()
    expect(page.get_by_text("Signature vérifiée").first).to_be_visible()


def ask_for_two_days(asker: Person) -> None:
    page = asker.page
    free = page.locator("label:has(input[name=days])")
    free.nth(8).click()
    free.nth(9).click()
    page.fill("#f-message", "Pour un déménagement.")
    page.fill("#f-phone", "06 12 34 56 78")
    page.check("#f-share_phone")
    page.get_by_role("button", name="Envoyer la demande").click()
    page.wait_for_url("**/demandes/*")


def accept(lender: Person, title: str, who: str) -> None:
    page = lender.goto("/demandes")
    lender.see(f"{who} vous le demande")
    page.locator(".an").get_by_role("link", name=title, exact=True).click()
    expect(page.get_by_text("Pour un déménagement.")).to_be_visible()
    page.get_by_text("Ajouter un mot, ou comment me joindre").click()
    page.fill("#f-reason", "Samedi à 14 h, à l’atelier.")
    page.get_by_role("button", name="Accepter").click()
    expect(page.locator(".al .h2")).to_contain_text("Acceptée")
    lender.see("06 12 34 56 78")  # the asker's contact leaves once their town has heard the yes


@pytest.mark.slow
def test_a_trailer_of_lorient_is_found_asked_for_and_promised_at_quimper(
    towns: Nodes, window: Window
) -> None:
    lorient, quimper = towns.towns["Lorient"], towns.towns["Quimper"]
    lender = newcomer(admin_of(lorient, window(**DESK)), window(**DESK), "Roue libre")
    publish_trailer(lender, "Remorque bleue")
    asker = newcomer(admin_of(quimper, window(**DESK)), window(**PHONE), "Nolwenn")
    find_and_open(asker, "Remorque bleue", "remorque bleue")
    ask_for_two_days(asker)
    accept(lender, "Remorque bleue", "Nolwenn")
    asker.see("Confirmée par Lorient")
    page = asker.page
    expect(page.get_by_text("signé par Lorient")).to_have_count(2)
    expect(page.get_by_text("Samedi à 14 h, à l’atelier.")).to_be_visible()


@pytest.mark.slow
def test_the_same_without_script_while_lorient_is_off_at_the_moment_of_asking(
    towns: Nodes, window: Window
) -> None:
    lorient, quimper = towns.towns["Lorient"], towns.towns["Quimper"]
    plain = {"java_script_enabled": False}
    lender = newcomer(
        admin_of(lorient, window(**DESK, **plain)), window(**PHONE, **plain), "Soizic"
    )
    publish_trailer(lender, "Remorque rouge")
    admin = admin_of(quimper, window(**DESK, **plain))
    asker = newcomer(admin, window(**PHONE, **plain), "Yann")
    find_and_open(asker, "Remorque rouge", "remorque rouge")
    lorient.stop()
    ask_for_two_days(asker)
    asker.see("Lorient est injoignable")
    expect(asker.page.get_by_text("signé par")).to_have_count(0)
    towns.serve("Lorient")
    admin.goto(f"/admin/villes/{town_slug(lorient)}")
    admin.page.get_by_role("button", name="Échanger maintenant").click()
    asker.see("signé par Lorient")
    accept(lender, "Remorque rouge", "Yann")
    asker.see("Confirmée par Lorient")
    expect(asker.page.get_by_text("signé par Lorient")).to_have_count(2)


def town_slug(node: Node) -> str:
    with node.inside() as town:
        return str(town.id.hex()[:12])
