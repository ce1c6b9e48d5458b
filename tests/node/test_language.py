"""The language of a page: which one is chosen, what it says, and what may not slip through."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment
from markupsafe import Markup

from node.pages import language
from node.pages.elision import at_town, of_town
from node.pages.language import Catalogues, _, fill, locale_folders, ngettext, pick, speaking

NODE = Path(__file__).parents[2] / "node"


@pytest.fixture(scope="module")
def catalogues() -> Catalogues:
    return Catalogues(locale_folders(NODE))


@pytest.fixture
def french(catalogues: Catalogues) -> Iterator[None]:
    with speaking(catalogues.language("fr")):
        yield


@pytest.fixture(scope="module")
def page() -> Environment:
    environment = Environment(autoescape=True)
    language.install(environment)
    return environment


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ({"param": "br", "cookie": "en", "accept": "fr"}, "br"),
        ({"param": "xx", "cookie": "en", "accept": "fr"}, "en"),
        ({"accept": "de;q=0.9, br-FR;q=0.5, en;q=0.4"}, "br"),
        ({"accept": "de", "default": "en"}, "en"),
        ({"accept": "\x00;q=nan,,;;", "default": "br"}, "br"),
        ({"default": "xx"}, "fr"),
        ({}, "fr"),
    ],
)
def test_the_address_wins_over_the_cookie_over_the_browser_over_the_town(
    asked: dict[str, str], chosen: str
) -> None:
    assert pick(**asked) == chosen


def test_a_sentence_is_english_until_a_language_is_spoken(catalogues: Catalogues) -> None:
    assert _("Listings") == "Listings"
    with speaking(catalogues.language("br")):
        assert _("Listings") == "Kemennoù"
        with speaking(catalogues.language("fr")):
            assert _("Listings") == "Annonces"
        assert _("Listings") == "Kemennoù"
    assert _("Listings") == "Listings"


def test_an_unknown_language_gives_french(catalogues: Catalogues) -> None:
    assert catalogues.language("xx").code == "fr"


def test_the_empty_sentence_is_not_the_header_of_the_catalogue(french: None) -> None:
    assert _("") == ""


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 annonce"), (1, "1 annonce"), (2, "2 annonces"), (71, "71 annonces")]
)
def test_french_counts_zero_as_one(french: None, count: int, said: str) -> None:
    assert ngettext("%(num)d listing", "%(num)d listings", count) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 gemenn"),
        (21, "21 kemenn"),
        (2, "2 gemenn"),
        (3, "3 c’hemenn"),
        (13, "13 kemenn"),
        (1_000_000, "1000000 a gemennoù"),
    ],
)
def test_breton_has_six_numbers(catalogues: Catalogues, count: int, said: str) -> None:
    with speaking(catalogues.language("br")):
        assert ngettext("%(num)d listing", "%(num)d listings", count) == said


@pytest.mark.parametrize(
    ("town", "of", "at"),
    [
        ("Lorient", "de Lorient", "à Lorient"),
        ("Auray", "d’Auray", "à Auray"),
        ("Étel", "d’Étel", "à Étel"),
        ("Œting", "d’Œting", "à Œting"),
        ("Hennebont", "d’Hennebont", "à Hennebont"),
        ("Huelgoat", "de Huelgoat", "à Huelgoat"),
        ("Hœdic", "de Hœdic", "à Hœdic"),
        ("Yffiniac", "d’Yffiniac", "à Yffiniac"),
        ("Le Palais", "du Palais", "au Palais"),
        ("Les Fougerêts", "des Fougerêts", "aux Fougerêts"),
        ("La Gacilly", "de La Gacilly", "à La Gacilly"),
        ("L’Île-d’Arz", "de L’Île-d’Arz", "à L’Île-d’Arz"),
        ("Lesneven", "de Lesneven", "à Lesneven"),
        ("", "de ", "à "),
    ],
)
def test_french_joins_its_small_words_to_a_town(town: str, of: str, at: str) -> None:
    assert (of_town(town), at_town(town)) == (of, at)


def test_a_translation_may_ask_for_the_joined_town(french: None) -> None:
    assert _("Lavoir of %(town)s", town="Auray") == "Lavoir d’Auray"


def test_a_value_that_was_not_given_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill("%(town)s", {"other": "x"})


def test_percent_signs_stay_where_nothing_is_filled_in() -> None:
    assert _("100 % of %(it)s") == "100 % of %(it)s"


def test_a_catalogue_of_a_practice_adds_words_and_changes_none(tmp_path: Path) -> None:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    for name, text in {
        "a/locale": 'msgid "Key"\nmsgstr "clé"\n',
        "a/b/locale": 'msgid "Key"\nmsgstr "clef"\n\nmsgid "Plot"\nmsgstr "parcelle"\n',
    }.items():
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "fr.po").write_text(head + text, "utf-8")
    with speaking(Catalogues(locale_folders(tmp_path)).language("fr")):
        assert (_("Key"), _("Plot")) == ("clé", "parcelle")


EVIL = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "source",
    [
        "{{ _(evil) }}",
        "{{ _('Kept by %(manager)s.', manager=evil) }}",
        "{{ pgettext('x', evil) }}",
        "{% trans who=evil %}by <b>{{ who }}</b>{% endtrans %}",
        "{{ ngettext('%(num)d of %(who)s', '%(num)d of %(who)s', 2, who=evil) }}",
    ],
)
def test_what_people_wrote_stays_text(page: Environment, french: None, source: str) -> None:
    assert "<script" not in page.from_string(source).render(evil=EVIL)


def test_markup_of_the_template_stays_markup(page: Environment) -> None:
    html = page.from_string(
        "{% trans who=who %}<b>100 %</b> {{ who }}{% endtrans %}"
        "{% trans %}<i>50 %</i>{% endtrans %}{{ _('see %(it)s & more', it=link) }}"
    ).render(who="A & B", link=Markup("<a>x</a>"))
    assert html == "<b>100 %</b> A &amp; B<i>50 %</i>see <a>x</a> &amp; more"


def test_a_plain_text_template_is_not_escaped(catalogues: Catalogues) -> None:
    environment = Environment(autoescape=False)  # as for mail
    language.install(environment)
    source = "{{ _('Kept by %(manager)s.', manager=who) }}"
    with speaking(catalogues.language("fr")):
        assert environment.from_string(source).render(who="A & B") == "Tenu par A & B."


def test_every_language_can_write_its_own_name(catalogues: Catalogues) -> None:
    assert {catalogues.language(code).name for code in language.NAMES} == {
        "Français",
        "Brezhoneg",
        "English",
    }
