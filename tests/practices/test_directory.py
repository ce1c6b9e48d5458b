"""The directory: what an entry says, which links it keeps, how it is found and shown."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.errors import Invalid
from node.domain.listing import Place
from node.domain.schema import plain
from node.practices.directory import formats
from node.practices.directory.practice import PRACTICE
from node.practices.directory.schema import LINKS_MAX, SCHEMA, Organisation, is_link
from node.practices.directory.sorts import FAMILIES, SORTS
from node.store.catalogue import listings
from tests.world import World

DEMO = Path(formats.__file__).with_name("demo.json")
TYPED = {
    "title": "Roue libre du Scorff",
    "sort": "atelier_velo",
    "text": "Outils et conseils.",
    "address": "Ancienne école de Keryado",
    "hours": "mercredi 14 h - 18 h",
    "links": "https://roue-libre.example\n http://roue-libre.example/agenda",
    "confirmed": "2026-09-03",
}


def typed(**changes: str) -> Organisation:
    place = Place(name="Lorient", insee="56121", lat_e6=47_748_300, lon_e6=-3_370_100, exact=True)
    body = SCHEMA.clean({**TYPED, **changes}, place=place)
    assert isinstance(body, Organisation)
    return body


def test_a_typed_entry_is_a_record_and_is_read_back_the_same() -> None:
    entry = typed()
    assert entry.category == "consommation_collaborative" and entry.label == "Bicycle workshop"
    assert entry.links == ["https://roue-libre.example", "http://roue-libre.example/agenda"]
    assert SCHEMA.read(plain(entry)) == entry


def test_the_kind_says_the_family_unless_it_is_given() -> None:
    assert typed(sort="fablab").category == "production_distribuee"
    assert typed(sort="", category="gouvernance_partagee").family == "Deciding together"
    with pytest.raises(Invalid) as refused:
        typed(sort="")
    assert refused.value.problems[0].field == "sort"


def test_every_kind_is_of_a_family_of_the_directory() -> None:
    families = dict(FAMILIES)
    assert len({code for code, _label, _family in SORTS}) == len(SORTS)
    assert all(family in families for _code, _label, family in SORTS)
    assert len(families) == 4


def test_a_kind_of_a_newer_partner_is_shown_as_it_is_written() -> None:
    entry = SCHEMA.read({**plain(typed()), "sort": "banque_de_temps"})
    assert isinstance(entry, Organisation) and entry.label == "banque de temps"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,<script>",
        "mailto:x@y.example",
        "//roue-libre.example",
        "ftp://roue-libre.example",
        "https://",
        'https://x"onclick=',
        "https://x<script>",
        "https://x y",
        "https://x\n",
        " https://x",
        "https://" + "x" * 600,
    ],
)
def test_only_addresses_of_the_web_are_links(link: str) -> None:
    assert not is_link(link)
    with pytest.raises(Invalid):
        SCHEMA.read({**plain(typed()), "links": [link]})


@given(st.text(max_size=40))
def test_whatever_is_typed_a_link_begins_with_http(text: str) -> None:
    try:
        entry = typed(links=text)
    except Invalid as refused:
        assert [each.field for each in refused.problems] == ["links"]
        return
    assert all(link.startswith(("http://", "https://")) for link in entry.links)


def test_there_are_only_so_many_links() -> None:
    many = "\n".join(f"https://x.example/{number}" for number in range(LINKS_MAX + 1))
    with pytest.raises(Invalid) as refused:
        typed(links=many)
    assert refused.value.problems[0].field == "links"


def test_an_entry_nobody_confirmed_for_a_year_is_stale() -> None:
    entry = typed()
    assert entry.confirmed is not None
    assert not entry.is_stale(entry.confirmed + 365)
    assert entry.is_stale(entry.confirmed + 366)
    assert typed(confirmed="").is_stale(20_780)


def test_an_entry_is_found_by_family_kind_and_commune() -> None:
    assert PRACTICE.facets(typed()) == (
        ("category", "consommation_collaborative"),
        ("sort", "atelier_velo"),
        ("insee", "56121"),
    )


def test_the_demonstration_is_long_enough_for_each_town_and_names_nobody() -> None:
    pool: list[dict[str, Any]] = json.loads(DEMO.read_text(encoding="utf-8"))
    free = [each for each in pool if "town" not in each]
    for town in ("lorient", "quimper", "vannes"):
        assert len(free) * 2 // 3 + sum(each.get("town") == town for each in pool) >= 20
    for each in pool:
        entry = SCHEMA.read({name: value for name, value in each.items() if name != "town"})
        assert isinstance(entry, Organisation) and entry.label
        assert all(link.endswith(".example") for link in entry.links), "reserved for examples"
        assert "@" not in entry.text and sum(c.isdigit() for c in entry.text) < 9


@pytest.fixture(scope="module")
def lorient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    place = World(tmp_path_factory.mktemp("world")).found("Lorient")
    yield place
    place.town.close()


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("fr", ("Atelier vélo", "Consommation collaborative", "jeudi 3 septembre 2026")),
        ("en", ("Bicycle workshop", "Sharing and reuse", "On the web")),
        ("br", ("Stal varc’hoù-houarn",)),
    ],
)
def test_an_entry_is_shown_in_three_languages_with_its_links_and_other_columns(
    lorient: Any, lang: str, words: tuple[str, ...]
) -> None:
    entry = typed()
    entry.extra = [("Adhésion", "<b>libre</b>")]
    with lorient.inside() as town:
        record = town.journal.publish(PRACTICE.kind, plain(entry))
        code = listings.find(record.origin, record.key).code
    answer = lorient.app.test_client().get(f"/a/{code}?lang={lang}")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and not [word for word in words if word not in page]
    assert '<a href="https://roue-libre.example" rel="noreferrer nofollow">' in page
    assert "&lt;b&gt;libre&lt;/b&gt;" in page and "Keryado" in page
