"""Quartiers: the town's own list, in forms and filters; names that changed; several communes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.config import ConfigError, load, write_config
from node.domain.errors import Conflict, Invalid, NotFound
from node.members import quartiers
from node.places import communes
from node.store.people import members
from node.store.people import quartiers as rows
from tests.node.members.people import refusal
from tests.node.pages.acting import publish, shown
from tests.node.pages.conftest import Pair, pair
from tests.visitor import Reader

__all__ = ["pair"]

ONE, TWO = ("29232",), ("29232", "29051")  # Quimper; and another commune beside it
PAGE = "/admin/quartiers"


@pytest.fixture
def town(pair: Pair) -> Iterator[Pair]:
    """Quimper, its database current."""
    with pair.quimper.inside():
        yield pair


def act(pair: Pair, what: str, **typed: Any) -> Any:
    desk = pair.visitor("Maïwenn")
    return desk.post(PAGE, {"token": desk.token(), "act": what, **typed})


def listed(pair: Pair) -> list[str]:
    with pair.quimper.inside():
        return [each.name for each in quartiers.choices(ONE)]


def number(pair: Pair, name: str, insee: str = "29232") -> int:
    with pair.quimper.inside():
        row = rows.named(insee, name)
        assert row is not None
        return int(row.id)


def found(pair: Pair, query: str) -> list[str]:
    """Return the titles that an address of the catalogue shows at Quimper."""
    page = pair.visitor("Nolwenn").read(f"/?{query}").text
    return [title for title in ("Échelle", "Perceuse", "Tente", "Remorque") if title in page]


# ── the list ─────────────────────────────────────────────────────────────────────────────────────


def test_the_desk_adds_orders_renames_merges_and_removes(pair: Pair) -> None:
    for name in ("Gare", "Kerfeunteun", "Locmaria"):
        assert act(pair, "add", name=name).status_code == 303
    assert listed(pair) == ["Gare", "Kerfeunteun", "Locmaria"]
    act(pair, "up", which=number(pair, "Locmaria"))
    act(pair, "down", which=number(pair, "Gare"))
    assert listed(pair) == ["Locmaria", "Gare", "Kerfeunteun"]
    act(pair, "rename", which=number(pair, "Gare"), name="Gare et Providence")
    act(pair, "merge", which=number(pair, "Locmaria"), into=number(pair, "Gare et Providence"))
    assert listed(pair) == ["Gare et Providence", "Kerfeunteun"]
    page = pair.visitor("Maïwenn").read(PAGE).text
    assert "avant\xa0: Gare, Locmaria" in page or "avant : Gare, Locmaria" in page
    act(pair, "remove", which=number(pair, "Kerfeunteun"))
    assert listed(pair) == ["Gare et Providence"]
    assert "Gare et Providence" in pair.visitor("Maïwenn").read("/admin/journal").text
    assert pair.visitor("Nolwenn").get(PAGE).status_code == 403


def test_a_name_is_of_one_quartier_also_once_it_is_former(town: Pair) -> None:
    gare = quartiers.add("29232", "Gare", ONE)
    port = quartiers.add("29232", "Port", ONE)
    quartiers.rename(gare.id, "Providence", ONE)
    for name in ("Gare", "Providence", " Port "):
        assert refusal(Conflict, quartiers.add, "29232", name, ONE) == "quartier_taken"
    assert refusal(Conflict, quartiers.rename, port.id, "Gare", ONE) == "quartier_taken"
    quartiers.rename(gare.id, "Gare", ONE)  # back to a name it had
    assert [each.name for each in quartiers.choices(ONE)] == ["Gare", "Port"]
    assert quartiers.names(quartiers.read("Providence", ONE)) == ("Gare", "Providence")
    quartiers.merge(gare.id, port.id, ONE)
    assert quartiers.names(quartiers.read("Providence", ONE)) == ("Port", "Gare", "Providence")
    assert refusal(NotFound, quartiers.rename, gare.id, "Quai", ONE) == "no_quartier"
    assert refusal(Conflict, quartiers.merge, port.id, port.id, ONE) == "other_commune"


@pytest.mark.parametrize(
    ("typed", "code"), [("", "required"), ("   ", "required"), ("x" * 1_000, "too_long")]
)
def test_a_name_that_cannot_be_kept_is_refused(town: Pair, typed: str, code: str) -> None:
    assert refusal(Invalid, quartiers.add, "29232", typed, ONE) == code
    assert refusal(Invalid, quartiers.add, "99999", "Gare", ONE) == "unknown_choice"


def test_a_hostile_name_is_a_word_like_any_other(pair: Pair) -> None:
    name = "<script>alert(1)</script> %(x)s \"'&"
    assert act(pair, "add", name=name).status_code == 303
    publish(pair, "Yann", "Quimper", "Échelle", quartier=name)
    for path in ("/", "/compte", "/publier/objets", shown(pair, "Quimper", "Échelle").row.code):
        page = pair.visitor("Yann").get(path if path.startswith("/") else f"/a/{path}").text
        assert "<script>alert" not in page and "alert(1)" in page
    assert "<script>alert" not in pair.visitor("Maïwenn").get(PAGE).text
    link = next(
        href
        for href, words in pair.visitor().read(f"/a/{shown(pair, 'Quimper', 'Échelle').code}").links
        if "alert(1)" in words
    )
    assert found(pair, link.partition("?")[2]) == ["Échelle"]


def test_the_desks_form_survives_anything(pair: Pair) -> None:
    for what in ("", "burn", "rename", "merge", "remove", "up", "down", "anew"):
        for which in ("", "-1", "99", "9" * 30, "é"):
            for name in ("", "x" * 5_000, "\x00"):
                sent = act(pair, what, which=which, name=name, into=which)
                assert sent.status_code in (303, 404, 409, 422), (what, which, name)
    assert listed(pair) == []


# ── in forms and filters ─────────────────────────────────────────────────────────────────────────


def test_without_a_list_no_form_asks_and_nothing_typed_is_kept(pair: Pair) -> None:
    assert "quartier" not in pair.visitor("Yann").form("/publier/objets").fields
    publish(pair, "Yann", "Quimper", "Échelle", quartier="Typed by hand")
    assert shown(pair, "Quimper", "Échelle").row.quartier == ""


def test_a_quartier_is_chosen_from_the_list_and_filters_the_catalogue(pair: Pair) -> None:
    act(pair, "add", name="Gare")
    act(pair, "add", name="Locmaria")
    publish(pair, "Yann", "Quimper", "Échelle", quartier="Gare")
    publish(pair, "Yann", "Quimper", "Perceuse", quartier="Locmaria")
    publish(pair, "Yann", "Quimper", "Tente")
    refused = pair.visitor("Yann").send(
        "/publier/objets", title="Lit", object="autre", quartier="Ailleurs"
    )
    assert refused.status_code == 422 and "f-quartier-e" in refused.text
    assert found(pair, "quartier=Gare") == ["Échelle"]
    assert found(pair, "quartier=Nulle+part") == []
    assert set(found(pair, "")) == {"Échelle", "Perceuse", "Tente"}
    code = shown(pair, "Quimper", "Échelle").code
    assert any("quartier=Gare" in href for href, _ in pair.visitor().read(f"/a/{code}").links)
    pair.visitor("Nolwenn").send("/compte", quartier="Gare")
    with pair.quimper.inside():
        assert members.find(pair.people["Nolwenn"].id).quartier == "Gare"


def test_a_former_name_is_found_under_the_new_one_and_written_anew_by_a_new_draft(
    pair: Pair,
) -> None:
    act(pair, "add", name="Gare")
    publish(pair, "Yann", "Quimper", "Échelle", quartier="Gare")
    pair.visitor("Nolwenn").send("/compte", quartier="Gare")
    before = shown(pair, "Quimper", "Échelle").row
    act(pair, "rename", which=number(pair, "Gare"), name="Providence")
    row = shown(pair, "Quimper", "Échelle").row
    assert (row.quartier, row.record) == ("Gare", before.record)  # signed words do not change
    assert found(pair, "quartier=Providence") == found(pair, "quartier=Gare") == ["Échelle"]
    assert "Providence" in pair.visitor().read(f"/a/{row.code}").text
    assert pair.visitor("Yann").form(f"/a/{row.code}/modifier").value("quartier") == "Providence"
    with pair.quimper.inside():
        assert members.find(pair.people["Nolwenn"].id).quartier == "Providence"
    act(pair, "anew", which=number(pair, "Providence"))
    row = shown(pair, "Quimper", "Échelle").row
    assert row.quartier == "Providence" and row.record != before.record
    pair.world.sync()
    assert shown(pair, "Lorient", "Échelle").row.quartier == "Providence"


def test_what_a_listing_says_already_survives_a_change_of_it(pair: Pair) -> None:
    act(pair, "add", name="Gare")
    publish(pair, "Yann", "Quimper", "Échelle", quartier="Gare")
    act(pair, "remove", which=number(pair, "Gare"))
    code = shown(pair, "Quimper", "Échelle").code
    pair.visitor("Yann").send(f"/a/{code}/modifier", text="Mieux dit.")
    assert shown(pair, "Quimper", "Échelle").row.quartier == "Gare"
    act(pair, "add", name="Locmaria")
    pair.visitor("Yann").send(f"/a/{code}/modifier", text="Encore mieux.")
    assert shown(pair, "Quimper", "Échelle").row.quartier == "Gare"


def test_a_quartier_of_another_town_leads_to_that_town(pair: Pair) -> None:
    with pair.lorient.inside():
        quartiers.add("56121", "Gare", ("56121",))
    act(pair, "add", name="Gare")
    publish(pair, "Roue libre", "Lorient", "Remorque", quartier="Gare")
    publish(pair, "Yann", "Quimper", "Échelle", quartier="Gare")
    pair.world.sync()
    assert found(pair, "quartier=Gare") == ["Échelle"]
    page = pair.visitor().read(f"/a/{shown(pair, 'Quimper', 'Remorque').code}")
    link = next(href for href, _ in page.links if "quartier=Gare" in href)
    assert found(pair, link.partition("?")[2]) == ["Remorque"]


# ── several communes ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def two(pair: Pair) -> Pair:
    """Quimper serves another commune as well; both have a quartier called Bourg."""
    object.__setattr__(pair.quimper.town.config, "communes", TWO[1])
    for insee in TWO:
        act(pair, "add", name="Bourg", insee=insee)
    act(pair, "add", name="Gare", insee="29232")
    return pair


def test_listings_belong_to_one_of_the_communes_and_are_filtered_by_it(two: Pair) -> None:
    other = communes.find(TWO[1])
    assert other is not None
    publish(two, "Yann", "Quimper", "Échelle", quartier=f"{TWO[1]}:Bourg")
    publish(two, "Yann", "Quimper", "Perceuse", quartier=f"{TWO[0]}:Bourg")
    publish(two, "Yann", "Quimper", "Tente")
    rows_of = {
        title: shown(two, "Quimper", title).row for title in ("Échelle", "Perceuse", "Tente")
    }
    assert [(each.insee, each.quartier) for each in rows_of.values()] == [
        (TWO[1], "Bourg"), (TWO[0], "Bourg"), (TWO[0], ""),
    ]  # fmt: skip
    assert found(two, f"commune={TWO[1]}") == ["Échelle"]
    assert set(found(two, f"commune={TWO[0]}")) == {"Perceuse", "Tente"}
    assert found(two, f"quartier={TWO[1]}:Bourg") == ["Échelle"]
    assert found(two, f"quartier={TWO[0]}:Bourg") == ["Perceuse"]
    assert other.name in two.visitor().read(f"/a/{rows_of['Échelle'].code}").text
    form = two.visitor("Yann").form(f"/a/{rows_of['Échelle'].code}/modifier")
    assert form.value("quartier") == f"{TWO[1]}:Bourg"


def test_a_quartier_and_a_place_of_two_communes_are_refused(two: Pair) -> None:
    sent = two.visitor("Yann").send(
        "/publier/objets", title="Lit", object="autre", quartier=f"{TWO[1]}:Bourg",
        place="Halle", place_commune="Quimper",
    )  # fmt: skip
    assert sent.status_code == 422 and "f-quartier-e" in sent.text, Reader(sent.text).text


def test_a_resident_of_the_second_commune_publishes_there(two: Pair) -> None:
    two.visitor("Yann").send("/compte", quartier=f"{TWO[1]}:Bourg")
    form = two.visitor("Yann").form("/compte", "/compte")
    assert form.value("quartier") == f"{TWO[1]}:Bourg"
    publish(two, "Yann", "Quimper", "Tente")
    assert shown(two, "Quimper", "Tente").row.insee == TWO[1]


def test_a_rename_in_one_commune_leaves_the_other_alone(two: Pair) -> None:
    two.visitor("Yann").send("/compte", quartier=f"{TWO[1]}:Bourg")
    two.visitor("Nolwenn").send("/compte", quartier=f"{TWO[0]}:Bourg")
    act(two, "rename", which=number(two, "Bourg", TWO[0]), name="Centre")
    with two.quimper.inside():
        lives = {each.name: (each.commune, each.quartier) for each in members.listed()}
    assert lives["Yann"] == (TWO[1], "Bourg") and lives["Nolwenn"] == ("", "Centre")
    assert (
        act(two, "merge", which=number(two, "Gare"), into=number(two, "Bourg", TWO[1])).status_code
        == 409
    )


def test_the_card_of_the_town_stays_one_town(two: Pair) -> None:
    with two.quimper.inside() as town:
        town.publish_profile()
    two.world.sync()
    told = two.visitor("", "Lorient").get("/api/v1/towns").get_json()["towns"]
    assert [each["insee"] for each in told if not each["here"]] == ["29232"]


def test_the_setting_of_communes_takes_insee_codes_and_nothing_else(tmp_path: Path) -> None:
    write_config(
        tmp_path / "a", name="Quimper", url="https://q.example", insee="29232",
        communes="29051 29232 29051",
    )  # fmt: skip
    assert load(tmp_path / "a", {}).served == TWO
    for number_, wrong in enumerate(("Ergué", "29051,29232", "290510", "29051 " * 61)):
        with pytest.raises(ConfigError, match="communes"):
            write_config(
                tmp_path / f"b{number_}", name="Q", url="https://q.example", communes=wrong
            )
