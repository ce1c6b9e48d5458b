"""What a command says to a person: sentences, never the shapes of a program."""

import json
import re
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.cli import main
from node.cli.key import write_sheet
from node.identity.rotation import rotate
from node.journal import restoring
from node.store import audit
from node.store.database import write_tx
from tests.node.identity_towns import KeyWorld, key_world
from tests.node.partner_wire import desk_page, publish
from tests.node.sticks import pack
from tests.visitor import Visitor

MAPPING = """
practice = "directory"
key = "nom"
[source]
name = "Nous"
licence = "Licence Ouverte 2.0"
[place]
commune = "commune"
[fields]
title = "nom"
category = { value = "production_distribuee" }
sort = { value = "tiers_lieu" }
"""


@pytest.fixture
def world(tmp_path: Path) -> KeyWorld:
    return key_world(tmp_path / "towns")


def said(world: KeyWorld, *words: str, code: int = 0) -> str:
    home = str(world.places["Quimper"].town.home)
    result = CliRunner().invoke(main, [*words, "--home", home])
    assert result.exit_code == code, result.output
    return result.output


def test_an_import_is_told_in_words(world: KeyWorld, tmp_path: Path) -> None:
    file, mapping = tmp_path / "places.csv", tmp_path / "places.toml"
    file.write_text("nom,commune,telephone\nLe Bief,Quimper,02 98 00 00 00\n,Quimper,\n", "utf-8")
    mapping.write_text(MAPPING, "utf-8")
    words = ("import", str(file), "--as", "csv", "--mapping", str(mapping))
    told = said(world, *words, code=3)
    assert "places.csv: 2 lines as directory" in told and "1 new" in told and "1 rejected" in told
    assert re.search(r"rejected: line \d+", told) and "telephone" in told
    assert "{" not in told and "': " not in told
    assert json.loads(said(world, *words, "--json", code=3))["rows"] == 2


@pytest.mark.parametrize(("language", "day"), [("fr", "novembre"), ("br", "a viz Du"),
                                               ("en", "November")])  # fmt: skip
def test_the_sheet_is_dated_in_its_own_language(
    world: KeyWorld, tmp_path: Path, language: str, day: str
) -> None:
    file = tmp_path / "sheet.html"
    with world.places["Quimper"].inside() as town:
        write_sheet(town, world.roots["Quimper"], file, language)
    text = file.read_text("utf-8")
    assert day in text and "2026-11-23" not in text


def test_what_is_signed_with_an_older_key_is_left_to_the_server(world: KeyWorld) -> None:
    quimper = world.places["Quimper"]
    publish(quimper, "Tente")
    with quimper.inside() as town:
        rotate(town, world.roots["Quimper"], is_stolen=False, by="test")  # cut before its end
    told = said(world, "key", "show")
    assert "signs them again by itself" in told and "lavoir key rotate does it now" in told
    with quimper.inside():
        restoring.begin(world.clock.at_ms, restoring.RECOVERED)
    told = said(world, "key", "show")
    assert "once the restore has ended" in told and "rotate" not in told


def test_the_desk_says_in_its_language_what_was_done_by_a_command(world: KeyWorld) -> None:
    quimper = world.places["Quimper"]
    with quimper.inside(), write_tx():
        audit.note("town.restored", at_ms=world.clock.at_ms, actor="command line", detail="0")
    page = desk_page(quimper, "/admin/journal")
    assert "la ligne de commande" in page and "command line" not in page


def test_a_file_for_another_town_is_told_with_its_day_in_words(world: KeyWorld) -> None:
    quimper = world.places["Quimper"]
    desk = Visitor(quimper, quimper.member("Maïwenn", roles=("admin",)))
    raw = pack(world, "Quimper", "Lorient")
    path = "/admin/courrier"
    file = (BytesIO(raw), "x.lavoir")
    told = desk.post(f"{path}/lire", {"token": desk.token(), "file": file})
    assert "lundi 23 novembre" in told.text and "2026-11-23" not in told.text
