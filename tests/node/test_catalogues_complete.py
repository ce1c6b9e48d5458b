"""The catalogues are whole, and keep what the message ids promise: values, numbers, signs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from gettext import c2py
from itertools import product

import pytest
from babel.messages.catalog import Catalog, Message

from node.pages.language import Catalogues, fill, locale_folders, ngettext, speaking
from scripts import catalogue

ROOT = catalogue.ROOT
BOOKS = {code: catalogue.shelf(ROOT, code).catalogues for code in catalogue.LANGUAGES}
SAID = catalogue.said(ROOT)
VALUE = re.compile(r"%\((?:of_|at_)?(\w+)\)([a-z])")
COUNTS = (0, 1, 2, 3, 5, 11, 21, 22, 100, 1_000_000)


@dataclass(frozen=True)
class Entry:
    """One translation: where it stands, its message ids and its forms."""

    place: str
    ids: tuple[str, ...]
    forms: tuple[str, ...]
    in_context: str | None


def entries(code: str) -> Iterator[Entry]:
    for folder, book in BOOKS[code].items():
        for message in book:
            if message.id and any(_texts(message.string)):
                place = f"{folder.relative_to(ROOT)}/{code}.po: {_texts(message.id)[0]!r}"
                yield Entry(place, _texts(message.id), _texts(message.string), message.context)


def _texts(value: Message | str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def values(text: str) -> dict[str, str]:
    """Return {name of a value: how it is written}, %(of_town)s counted as %(town)s."""
    return dict(VALUE.findall(text.replace("%%", "")))


def samples(text: str) -> dict[str, object]:
    return {name: "Auray" if sort == "s" else 7 for name, sort in values(text).items()}


def lost(entry: Entry) -> list[str]:
    """Return what a translation leaves out; a form for one may leave out the count ("a day")."""
    wanted = values(entry.ids[-1])
    found = []
    for number, form in enumerate(entry.forms):
        may_lack = set(wanted) - (values(entry.ids[0]).keys() if number else {""})
        spared = ({"num"} | may_lack) if number == 0 and len(entry.ids) > 1 else set()
        if not set(wanted) - spared <= values(form).keys():
            found.append(f"{entry.place} lost a value: {form!r}")
        if any(values(form).get(name, sort) not in (sort, "s") for name, sort in wanted.items()):
            found.append(f"{entry.place} writes a value as something else: {form!r}")
    return found


@pytest.mark.parametrize("code", catalogue.LANGUAGES)
def test_everything_the_pages_say_is_translated(code: str) -> None:
    shared = ROOT / "node" / "locale"
    lacking = catalogue.missing(SAID, catalogue.Shelf(code, BOOKS[code]), shared)
    assert [f"{message.key[1]} ({message.places[0]})" for message, _folder in lacking] == []


@pytest.mark.parametrize("code", catalogue.LANGUAGES)
def test_every_value_of_a_message_survives_its_translation(code: str) -> None:
    assert [fault for entry in entries(code) for fault in lost(entry)] == []


def test_the_check_sees_a_value_that_is_lost() -> None:
    one = Entry("here", ("Left %(town)s",), ("Partie",), None)
    other = Entry("here", ("%(days)d days in %(town)s",), ("%(at_town)s, des jours",), None)
    kept = Entry("here", ("a day", "%(num)d days"), ("un jour", "%(num)d jours"), None)
    bare = Entry("here", ("a day", "%(num)d days"), ("un jour", "des jours"), None)
    assert [len(lost(each)) for each in (one, other, kept, bare)] == [1, 1, 0, 1]


def test_english_numbers_name_the_same_values() -> None:
    for message in SAID.values():
        if message.plural:
            assert values(message.key[1]).keys() <= values(message.plural).keys(), message.places


@pytest.mark.parametrize("code", catalogue.LANGUAGES)
def test_every_sentence_can_be_filled(code: str) -> None:
    for entry in entries(code):
        given = {name: each for text in entry.ids for name, each in samples(text).items()}
        for text in (*entry.ids, *entry.forms):
            if given or "%%" in entry.ids[0]:
                assert "%(" not in fill(text, given or {"": ""}), entry.place


@pytest.mark.parametrize("code", ("fr", "br", "en"))
def test_every_number_finds_its_form(code: str) -> None:
    counted = [each for each in SAID.values() if each.plural and not each.key[0]]
    with speaking(Catalogues(locale_folders(ROOT / "node")).language(code)):
        for message, count in product(counted, COUNTS):
            given = samples(message.plural or "")
            given.pop("num", None)  # ngettext gives it itself
            said = ngettext(message.key[1], message.plural or "", count, **given)
            assert said and "%(" not in said, (message.places, count)


@pytest.mark.parametrize("code", catalogue.LANGUAGES)
def test_all_catalogues_of_a_language_count_alike(code: str) -> None:
    """They are merged into one, which counts as its first file does."""
    heads = {folder: head(book) for folder, book in BOOKS[code].items()}
    assert len(set(heads.values())) == 1, heads
    expected = Catalog(code).num_plurals
    wrong = [
        entry.place for entry in entries(code) if len(entry.ids) > 1 < expected != len(entry.forms)
    ]
    assert wrong == []


def test_none_is_counted_as_many_in_breton_not_as_millions() -> None:
    forms = {book.plural_forms.partition("plural=")[2] for book in BOOKS["br"].values()}
    chosen = {c2py(form.strip(" ;"))(0) for form in forms}
    assert chosen == {Catalog("br").num_plurals - 1}


def head(book: Catalog) -> str:
    return " ".join(book.plural_forms.split())


@pytest.mark.parametrize("code", catalogue.LANGUAGES)
def test_the_same_words_are_translated_the_same_in_every_room(code: str) -> None:
    """They are merged into one: of two translations, one would never be seen."""
    seen: dict[tuple[str | None, str], Entry] = {}
    for entry in entries(code):
        first = seen.setdefault((entry.in_context, entry.ids[0]), entry)
        assert first.forms == entry.forms, (first.place, entry.place)


def test_french_is_written_with_french_signs() -> None:
    loose = re.compile(r"'|[^\s][ ][:;?!»]|«[^\N{NO-BREAK SPACE}]|\w[:;?!](?=\s|$)|\.\.\.")
    faults = [
        f"{e.place}: {form!r}" for e in entries("fr") for form in e.forms if loose.search(form)
    ]
    assert faults == []


def test_breton_is_written_with_breton_signs() -> None:
    loose = re.compile(r"['ʼ]|«|»|[ \N{NO-BREAK SPACE}][:;?!]|\.\.\.")
    faults = [
        f"{e.place}: {form!r}" for e in entries("br") for form in e.forms if loose.search(form)
    ]
    assert faults == []


def test_no_catalogue_is_of_a_language_we_do_not_speak() -> None:
    known = {f"{code}.po" for code in catalogue.LANGUAGES}
    found = {path.name for folder in locale_folders(ROOT / "node") for path in folder.iterdir()}
    assert found == known
