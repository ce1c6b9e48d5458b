"""The keeper of the catalogues sees what is missing, what is wrong and what nobody says."""

from pathlib import Path

import pytest

from node.pages.language import Catalogues, _, locale_folders, ngettext, speaking
from scripts import catalogue

HEAD = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    '"Plural-Forms: nplurals=2; plural=(n > 1);\\n"\n'
)
PAGE = """{{ _("Hello %(town)s", town=town) }} {% trans %}100 % sure{% endtrans %}
{{ ngettext("%(num)d saw", "%(num)d saws", n) }} {{ pgettext("verb", "Saw") }}"""
GOOD = """
msgid "Hello %(town)s"
msgstr "Bonjour %(of_town)s"

msgid "100 %% sure"
msgstr "sûr à 100 %%"

msgid "%(num)d saw"
msgid_plural "%(num)d saws"
msgstr[0] "une scie"
msgstr[1] "%(num)d scies"

msgctxt "verb"
msgid "Saw"
msgstr "Scier"
"""


def tree(root: Path, **files: str) -> Path:
    texts = {"node/pages/home.html": PAGE, "node/locale/fr.po": HEAD + GOOD, **files}
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def lacking(root: Path) -> list[str]:
    books = catalogue.shelf(root, "fr")
    found = catalogue.missing(catalogue.said(root), books, root / "node/locale")
    return sorted(f"{message.key[1]} {folder.parent.name}" for message, folder in found)


def test_a_whole_catalogue_has_nothing_to_tell(tmp_path: Path) -> None:
    root = tree(tmp_path)
    books = catalogue.shelf(root, "fr")
    assert lacking(root) == []
    assert list(catalogue.wrong(books)) == []
    assert list(catalogue.unused(catalogue.said(root), books)) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"Bonjour %(of_town)s"', '""'),
        ('msgid "Hello %(town)s"', '#, fuzzy\nmsgid "Hello %(town)s"'),
        ('msgctxt "verb"\n', ""),
        ('"%(num)d scies"', '""'),
        ('msgstr[1] "%(num)d scies"\n', ""),
        ('"100 %% sure"', '"100 % sure"'),
    ],
)
def test_what_is_not_said_in_french_is_missing(tmp_path: Path, before: str, after: str) -> None:
    text = (HEAD + GOOD).replace(before, after)
    assert len(lacking(tree(tmp_path, **{"node/locale/fr.po": text}))) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("%(of_town)s", "%(of_village)s"),
        ("Bonjour %(of_town)s", "Bonjour %(twon)s"),
        ('msgid "Hello', '#, fuzzy\nmsgid "Hello'),
    ],
)
def test_a_translation_that_would_break_a_page_is_wrong(
    tmp_path: Path, before: str, after: str
) -> None:
    text = (HEAD + GOOD).replace(before, after)
    root = tree(tmp_path, **{"node/locale/fr.po": text})
    assert len(list(catalogue.wrong(catalogue.shelf(root, "fr")))) == 1


def test_a_file_with_too_many_forms_stops_the_keeper(tmp_path: Path) -> None:
    text = (HEAD + GOOD).replace('%(num)d scies"\n', 'scies"\nmsgstr[2] "sciesses"\n')
    root = tree(tmp_path, **{"node/locale/fr.po": text})
    with pytest.raises(SystemExit, match=r"fr\.po"):
        catalogue.shelf(root, "fr")


def test_a_practice_owes_its_own_words_unless_they_are_shared(tmp_path: Path) -> None:
    rules = 'from node.domain.words import N_\nA, B = N_("Saws"), N_("Hello %(town)s")\n'
    root = tree(
        tmp_path,
        **{"node/practices/wood/rules.py": rules, "node/practices/wood/locale/fr.po": HEAD},
    )
    assert lacking(root) == ["Saws wood"]


def test_what_nobody_says_any_more_is_told(tmp_path: Path) -> None:
    root = tree(tmp_path, **{"node/pages/home.html": '{{ pgettext("verb", "Saw") }}'})
    assert len(list(catalogue.unused(catalogue.said(root), catalogue.shelf(root, "fr")))) == 3


def test_added_entries_can_be_filled_and_read(tmp_path: Path) -> None:
    root = tree(tmp_path, **{"node/locale/fr.po": HEAD})
    books = catalogue.shelf(root, "fr")
    messages = catalogue.said(root)
    catalogue.add(list(catalogue.missing(messages, books, root / "node/locale")), books)
    file = root / "node/locale/fr.po"
    assert file.read_text("utf-8").count('msgstr ""') == 4  # the header's and three to fill
    text = file.read_text("utf-8").replace('msgstr[1] ""', 'msgstr[1] "%(num)d scies"')
    file.write_text(text.replace('msgstr[0] ""', 'msgstr[0] "scie"'), "utf-8")
    with speaking(Catalogues(locale_folders(root)).language("fr")):
        assert ngettext("%(num)d saw", "%(num)d saws", 7) == "7 scies"
        assert _("Hello %(town)s", town="Auray") == "Hello Auray"


def test_an_entry_to_review_is_used(tmp_path: Path) -> None:
    text = HEAD + GOOD.replace('msgctxt "verb"', '#. review\nmsgctxt "verb"')
    assert lacking(tree(tmp_path, **{"node/locale/fr.po": text})) == []


def test_breton_says_that_a_speaker_must_read_it() -> None:
    text = (catalogue.ROOT / "node/locale/br.po").read_text("utf-8")
    assert "NEEDS REVIEW BY A SPEAKER" in text
    assert text.count("#. review") > 50
