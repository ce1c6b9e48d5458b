"""A disk dies: Lorient's folder is gone, and 24 words bring the town back from its partners.

By the commands people type, on real nodes.
"""

import shutil
from collections.abc import Iterator

import pytest

from federation.record import parse
from node.cli.town import found_town
from node.config import change_config
from node.domain.schema import plain
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.sets import keysets, records
from tests.node.photos.pictures import encoded
from tests.nodes import INSEE, PRACTICE, Node, Nodes, free_port, listing

LISTINGS = 60


class Story:
    """The three towns, and the paper with the words."""

    def __init__(self, nodes: Nodes, lorient: Node, words: list[str]) -> None:
        self.nodes, self.lorient, self.words = nodes, lorient, words
        self.quimper, self.vannes = nodes.towns["Quimper"], nodes.towns["Vannes"]
        self.held: dict[str, tuple[int, int, str]] = {}
        self.town = b""
        self.photos: list[bytes] = []


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    nodes = Nodes(tmp_path_factory.mktemp("towns"))
    lorient = Node("Lorient", nodes.folder / "lorient", free_port())
    words = found_town(lorient.home, name="Lorient", insee=INSEE["Lorient"], url=lorient.url)
    change_config(lorient.home, jobs="apart", lan=True, manager="Les Mains du Scorff")
    nodes.towns["Lorient"] = lorient
    nodes.found("Quimper")
    nodes.found("Vannes")
    nodes.serve()
    yield Story(nodes, lorient, words)
    nodes.cut_power()


def titles(node: Node, origin: bytes) -> set[str]:
    with node.inside():
        query = Listing.select().where(Listing.state == "published", Listing.origin == origin)
        return {row.title for row in query}


def of_lorient(held: dict[str, tuple[int, int, str]], town: bytes) -> tuple[int, int, str]:
    return held[f"{town.hex()} 0"]


def test_1_lorient_shares_listings_photos_and_a_withdrawal_with_two_partners(story: Story) -> None:
    for name in ("Quimper", "Vannes"):
        story.nodes.pair("Lorient", name)
    keys = story.lorient.publish(LISTINGS, "Outil de Lorient")
    with story.lorient.inside() as town:
        story.town = town.id
        photo = town.photos.keep(encoded("JPEG", seed=7))
        story.photos.append(photo.hash)
        with write_tx():
            town.journal.publish(PRACTICE.kind, listing("Avec photo", photos=[plain(photo)]))
            town.journal.withdraw(keys[0])
    for name in ("Quimper", "Vannes"):
        visits = story.lorient.sync(name) + story.nodes.towns[name].sync("Lorient")
        assert [each["outcome"] for each in visits] == ["ok", "ok"]
    story.held = story.quimper.held()
    assert of_lorient(story.held, story.town) == of_lorient(story.vannes.held(), story.town)
    with story.quimper.inside() as town:
        assert all(town.photos.shelf.holds(each) for each in story.photos)


def test_2_vannes_alone_saw_the_last_change_before_the_disk_died(story: Story) -> None:
    story.lorient.publish(1, "Dernière annonce")
    assert story.lorient.sync("Vannes")[0]["outcome"] == "ok"
    story.lorient.stop()
    shutil.rmtree(story.lorient.home)
    assert not story.lorient.home.exists()


def test_3_wrong_words_and_a_stranger_bring_nothing_back(story: Story) -> None:
    paper = story.nodes.folder / "paper"
    paper.write_text(" ".join(story.words[1:] + story.words[:1]), encoding="utf-8")
    ask = (
        "recover",
        "--from",
        story.quimper.url,
        "--lan",
        "--compared",
        "--words-file",
        str(paper),
    )
    story.lorient.run(*ask, code=1)
    paper.write_text(" ".join(["abaisser"] * 23 + ["zoologie"]), encoding="utf-8")
    story.lorient.run(*ask, code=1)
    assert not (story.lorient.home / "town.keys").exists()


def test_4_its_24_words_bring_it_back_from_one_partner_then_the_other(story: Story) -> None:
    paper = story.nodes.folder / "paper"
    paper.write_text("\n".join(story.words), encoding="utf-8")
    ask = ("recover", "--lan", "--compared", "--words-file", str(paper), "--from")
    told = story.lorient.ask(*ask, story.quimper.url)
    assert (told["town"], told["name"]) == (story.town.hex(), "Lorient")
    assert (told["records"], told["withdrawn"]) == (LISTINGS + 1, 1)  # with the profile
    assert "Dernière annonce 0" not in titles(story.lorient, story.town)
    told = story.lorient.ask("recover", "--lan", "--compared", "--from", story.vannes.url)
    assert told["records"] == LISTINGS + 2
    assert len(titles(story.lorient, story.town)) == LISTINGS + 1
    with story.lorient.inside() as town:
        assert town.config.manager == "Les Mains du Scorff" and town.config.url == story.lorient.url
        assert all(town.photos.shelf.holds(each) for each in story.photos)


def test_5_until_it_is_released_it_reads_and_publishes_nothing(story: Story) -> None:
    change_config(story.lorient.home, jobs="apart", lan=True)
    with pytest.raises(Exception, match="restoring"):
        story.lorient.publish(1, "Trop tôt")
    told = story.lorient.ask("restored")
    assert told["came_back"] == LISTINGS + 2 and told["unheard"] == []
    story.lorient.run("restored", code=1)


def test_6_it_is_the_same_town_under_new_keys_and_everyone_agrees(story: Story) -> None:
    story.lorient.serve()
    story.lorient.wait_until_up()
    story.lorient.publish(1, "Nouvelle annonce")
    for name in ("Quimper", "Vannes", "Quimper"):
        (visit,) = story.lorient.sync(name)
        assert visit["outcome"] == "ok"
    here = of_lorient(story.lorient.held(), story.town)
    for node in (story.quimper, story.vannes):
        assert of_lorient(node.held(), story.town) == here
        assert len(titles(node, story.town)) == LISTINGS + 2
    with story.quimper.inside() as town:
        held = keysets.of_town(story.town)
        assert [each.reason for each in held] == ["genesis", "lost"]
        signed = [parse(row.raw).keyset for row in records.walk(story.town)]
        assert set(signed) == {held[-1].number} and town.id != story.town
    (visit,) = story.quimper.sync("Lorient")
    assert visit["outcome"] == "ok"
