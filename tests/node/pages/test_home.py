"""The catalogue as people read it: words, rubrics, towns, distance, pages, codes, what is stale."""

from tests.node.pages.acting import publish
from tests.node.pages.conftest import Pair
from tests.scenery import BARROW, TENT, TRAILER, Scenery
from tests.visitor import Reader, Visitor

DAY_MS = 86_400_000


def titles(page: Reader) -> list[str]:
    """Return the titles of the cards of a page, in order."""
    return [said for href, said in page.links if href.startswith("/a/")]


def at_quimper(scenery: Scenery) -> Visitor:
    return Visitor(scenery.place("Quimper"))


def test_what_came_last_stands_first_whatever_its_town(scenery: Scenery) -> None:
    assert titles(at_quimper(scenery).read("/"))[:2] == [BARROW, TRAILER]


def test_a_card_from_elsewhere_names_its_town_and_its_age(scenery: Scenery) -> None:
    cards = at_quimper(scenery).get("/").text.split('<li class="')[1:]
    there = next(card for card in cards if TRAILER in card)
    assert there.startswith('ca am"')
    assert "Lorient" in there and "61" in there and "en direct" in there
    here = next(card for card in cards if BARROW in card)
    assert here.startswith('ca"') and 'class="so"' not in here


def test_words_are_looked_for_everywhere_without_accents_or_case(scenery: Scenery) -> None:
    page = at_quimper(scenery).read("/?q=REMORQUE+bachee")
    assert titles(page) == [TRAILER]


def test_a_rubric_a_town_and_a_distance_narrow_and_each_can_be_removed(scenery: Scenery) -> None:
    slug = scenery.place("Lorient").town.id.hex()[:12]
    path = f"/?q=remorque&rubrique=objets&ville={slug}&rayon=100"
    page = at_quimper(scenery).read(path)
    assert titles(page) and set(titles(page)) <= {
        title for title in titles(page) if "emorque" in title
    }
    chips = {href for href, said in page.links if said.startswith("Retirer le filtre")}
    assert chips == {
        f"/?rubrique=objets&ville={slug}&rayon=100",
        f"/?q=remorque&ville={slug}&rayon=100",
        f"/?q=remorque&rubrique=objets&ville={slug}",
        "/?q=remorque&rubrique=objets&rayon=100",
    }


def test_the_next_form_keeps_what_was_chosen_before(scenery: Scenery) -> None:
    page = at_quimper(scenery).read("/?q=scie&rubrique=objets&rayon=40")
    search, filters = page.forms[0], page.forms[1]
    assert (search.value("q"), search.value("rubrique"), search.value("rayon")) == (
        "scie",
        "objets",
        "40",
    )
    assert (filters.value("q"), filters.value("rubrique"), filters.value("rayon")) == (
        "scie",
        "objets",
        "40",
    )
    assert len(filters.fields["ville"]) == 3  # no town chosen: all of them are ticked


def test_what_nobody_knows_does_not_narrow(scenery: Scenery) -> None:
    visitor = at_quimper(scenery)
    for path in ("/?rubrique=zzz", "/?ville=zzz", "/?rayon=zzz", "/?rayon=²", "/?autre=1"):
        assert titles(visitor.read(path)) == titles(visitor.read("/")), path


def test_page_after_page_shows_each_listing_once(scenery: Scenery) -> None:
    visitor, path, seen = at_quimper(scenery), "/?rubrique=objets", []
    for _ in range(20):
        page = visitor.read(path)
        seen += [href for href, _ in page.links if href.startswith("/a/")]
        following = [href for href, said in page.links if said == "Annonces suivantes"]
        if not following:
            break
        path = following[0]
    assert len(seen) == len(set(seen))
    assert f"{len(seen)} annonces" in page.text


def test_a_page_link_of_ones_own_making_is_refused_in_words(scenery: Scenery) -> None:
    for cursor in ("x", "n.1", "n.a.b", "o.-1", "n." + "9" * 40 + ".1"):
        page = at_quimper(scenery).read(f"/?page={cursor}", 422)
        assert "n’est pas" in page.text


def test_nothing_found_names_the_filters_and_other_towns(scenery: Scenery) -> None:
    slug = scenery.place("Quimper").town.id.hex()[:12]
    page = at_quimper(scenery).read(f"/?q=tente+de+reception&ville={slug}")
    assert "Rien trouvé" in page.text
    assert page.link("1 annonce à Vannes") == (
        f"/?q=tente+de+reception&ville={scenery.place('Vannes').town.id.hex()[:12]}"
    )


def test_an_empty_town_asks_for_its_first_listing(pair: Pair) -> None:
    page = pair.visitor().read("/")
    assert "Rien à Quimper" in page.text
    assert page.link("première annonce") == "/publier"


def test_the_map_leads_to_each_town(scenery: Scenery) -> None:
    page = at_quimper(scenery).read("/carte?q=tente")
    links = {href for href, said in page.links if "ville=" in href}
    assert len(links) == 3 and all(href.startswith("/carte?q=tente&ville=") for href in links)


def test_a_code_typed_by_hand_leads_to_its_listing(scenery: Scenery) -> None:
    code = scenery.listing("Quimper", BARROW).code
    visitor = at_quimper(scenery)
    typed = f" {code.lower()[:2]} {code.lower()[2:]} "
    page = visitor.follow(visitor.client.get("/a", query_string={"code": typed}))
    assert BARROW in page.text
    assert "annonce avec ce code" in visitor.read("/a/ZZZZ", 404).text
    assert visitor.get("/a?code=").status_code == 302


def test_what_a_town_has_not_confirmed_for_thirty_days_leaves_the_lists(pair: Pair) -> None:
    publish(pair, "Roue libre", "Lorient", "Perceuse")
    pair.world.sync()
    visitor, clock = pair.visitor(), pair.world.clock
    href = visitor.read("/").link("Perceuse")
    pair.world.cut("Lorient", "Quimper")
    clock.forward(days=29)
    assert titles(visitor.read("/?q=perceuse")) == ["Perceuse"]
    clock.forward(days=2)
    assert titles(visitor.read("/?q=perceuse")) == []
    assert "Perceuse" in visitor.read(href).text  # who has the link still reads it
    pair.world.heal("Lorient", "Quimper")
    pair.world.visit("Quimper", "Lorient")
    assert titles(visitor.read("/?q=perceuse")) == ["Perceuse"]


def test_the_word_on_top_tells_how_the_partners_are(pair: Pair, scenery: Scenery) -> None:
    assert "À jour · 11 h 40" in pair.visitor().read("/aide").text
    pair.world.cut("Lorient", "Quimper")
    pair.world.visit("Quimper", "Lorient")
    page = pair.visitor().read("/aide")
    assert page.link("Lorient est injoignable").startswith("/villes/")
    assert "Vannes est injoignable" in at_quimper(scenery).read("/aide").text


def test_changing_the_language_keeps_all_that_was_chosen(scenery: Scenery) -> None:
    page = at_quimper(scenery).read("/?q=scie&ville=aaa&ville=bbb&lang=en")
    assert page.link("Brezhoneg") == "/?q=scie&ville=aaa&ville=bbb&lang=br"


def test_a_listing_in_another_language_than_the_page_says_so(scenery: Scenery) -> None:
    path = f"/a/{scenery.listing('Quimper', BARROW).code}"
    assert '<h1 lang="fr">' in at_quimper(scenery).get(f"{path}?lang=en").text
    assert "<h1>" in at_quimper(scenery).get(path).text


def test_every_language_says_the_home_page_in_its_own_words(scenery: Scenery) -> None:
    for code, words in (("fr", "Que cherchez-vous"), ("br", "Petra"), ("en", "What are you")):
        page = at_quimper(scenery).get(f"/?lang={code}")
        assert words in page.text and f'<html lang="{code}"' in page.text
        assert TENT in page.text
