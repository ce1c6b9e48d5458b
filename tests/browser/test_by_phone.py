"""A telephone without network between two desks: it downloads a file at one, uploads it there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from node.members import sessions
from tests.browser.conftest import PHONE, Window
from tests.node.partner_wire import publish, titles
from tests.scenery import served
from tests.world import World


class Phone:
    """One telephone, without scripts, whose person is an administrator of both towns."""

    def __init__(self, page: Page, addresses: dict[str, str], folder: Path) -> None:
        self.page, self.addresses, self.folder = page, addresses, folder

    def download(self, town: str, words: str) -> Path:
        """Save what a link of the page downloads, under the name the town gave it."""
        with self.page.expect_download() as started:
            self.page.get_by_role("link", name=words).first.click()
        path = self.folder / town / started.value.suggested_filename
        started.value.save_as(path)
        return path

    def upload(self, town: str, path: Path) -> None:
        """Open the desk of a town and send it a file."""
        self.open(town)
        self.page.get_by_label("Le fichier").set_input_files(path)
        self.page.get_by_role("button", name="Lire le fichier").click()

    def open(self, town: str) -> None:
        """Open the page at the desk of a town."""
        self.page.goto(f"{self.addresses[town]}/admin/courrier")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "towns")
    for name in ("Lorient", "Quimper"):
        made.found(name)
    made.pair("Lorient", "Quimper")
    made.sync()
    made.cut("Lorient", "Quimper")
    yield made
    made.close()


def test_a_telephone_takes_the_file_there_and_the_receipt_back(
    world: World, window: Window, tmp_path: Path
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(lorient, "Échelle double")
    context = window(**PHONE, java_script_enabled=False)
    with served(lorient) as near, served(quimper) as far:
        for place, address in ((lorient, near), (quimper, far)):
            member = place.member("Anne", "anne@example.org", ("admin",))
            with place.inside() as here:
                token = sessions.open(member.id, now_ms=here.clock.now_ms())
                cookie = {"name": f"lavoir-{here.id.hex()[:8]}", "value": token}
            context.add_cookies([{**cookie, "url": address}])
        phone = Phone(context.new_page(), {"Lorient": near, "Quimper": far}, tmp_path)
        phone.open("Lorient")
        file = phone.download("Lorient", "Télécharger Quimper")
        assert file.name == "lorient-quimper-2026-11-23.lavoir"
        phone.upload("Quimper", file)
        expect(phone.page.locator("#lu")).to_contain_text("1 enregistrement est nouveau ici")
        assert titles(quimper, lorient) == {"Échelle double"}
        receipt = phone.download("Quimper", "Télécharger le reçu")
        phone.upload("Lorient", receipt)
        expect(phone.page.get_by_role("status")).to_contain_text("Le reçu est noté")
        expect(phone.page.locator("table")).to_contain_text("reçu là-bas")
        phone.upload("Quimper", file)
        expect(phone.page.locator("#lu")).to_contain_text("Rien n’y était nouveau")
