#!/usr/bin/env python3
"""The keeper of the catalogues: what pages say in English, and whether French and Breton have it.

    scripts/catalogue.py            tells, for each language, what is missing, wrong or unused
    scripts/catalogue.py --check    the same, shorter: exits 1 if anything is missing or wrong
    scripts/catalogue.py --add      writes the missing message ids into their .po files, empty

Message ids come from templates and from `_`, `N_`, `ngettext`, `pgettext` in Python. They belong to
the `locale` folder nearest above their file (node/practices/<one>/locale, else node/locale); those
of the shared folder serve everybody. A translator who is not sure writes `#. review` above an
entry: it is used and counted as "to review". Fuzzy entries are not used, so they are refused.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from babel.messages.catalog import Catalog, Message  # noqa: E402
from babel.messages.extract import extract_from_file  # noqa: E402
from babel.messages.pofile import PoFileError, normalize, read_po  # noqa: E402

from node.pages.language import locale_folders  # noqa: E402

LANGUAGES = ("fr", "br")
REVIEW = "review"
KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
JINJA = {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true", "silent": "false"}
NAMED = re.compile(r"%\((\w+)\)[#0\- +]?[\d.]*[a-zA-Z]")

Key = tuple[str | None, str]  # context, singular


@dataclass
class Said:
    """One message id, where it is said, and the folder that owes its translation."""

    key: Key
    plural: str | None
    places: list[str] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)


def said(root: Path) -> dict[Key, Said]:
    """Everything the pages and the rules of the project at `root` say."""
    folders = locale_folders(root / "node")
    found: dict[Key, Said] = {}
    for path in sorted((root / "node").rglob("*")):
        if path.suffix not in (".py", ".html", ".txt", ".xml"):
            continue
        owner = max(
            (f for f in folders if f.parent in path.parents),
            key=lambda f: len(f.parts),
            default=None,
        )
        for line, key, plural in _extracted(path):
            message = found.setdefault(key, Said(key, plural))
            message.plural = message.plural or plural
            message.places.append(f"{path.relative_to(root)}:{line}")
            if owner:
                message.folders.add(owner)
    return found


def _extracted(path: Path) -> Iterator[tuple[int, Key, str | None]]:
    method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
    options = {} if path.suffix == ".py" else JINJA
    for line, message, _comments, context in extract_from_file(
        method, path, keywords=KEYWORDS, options=options
    ):
        singular, plural = message if isinstance(message, tuple) else (message, None)
        if singular:
            yield line, (context, singular), plural


@dataclass
class Shelf:
    """The catalogues of one language, by folder."""

    code: str
    catalogues: dict[Path, Catalog]

    def find(self, message: Said) -> dict[Path, Message]:
        """The folders that have an entry for a message, with the entry."""
        context, singular = message.key
        found = {f: c.get(singular, context) for f, c in self.catalogues.items()}
        return {folder: entry for folder, entry in found.items() if entry is not None}


def shelf(root: Path, code: str) -> Shelf:
    """Every catalogue of a language under `root`; a file that cannot be read stops the program."""
    catalogues = {}
    for folder in locale_folders(root / "node"):
        file = folder / f"{code}.po"
        if file.is_file():
            try:
                with file.open("rb") as stream:
                    catalogues[folder] = read_po(stream, locale=code, abort_invalid=True)
            except PoFileError as error:
                sys.exit(f"{file}: {error}")
    return Shelf(code, catalogues)


def missing(messages: dict[Key, Said], shelf: Shelf, shared: Path) -> Iterator[tuple[Said, Path]]:
    """The messages without a translation, each with the folder that lacks it."""
    for message in messages.values():
        entries = shelf.find(message)
        alone = shared in message.folders or not message.folders  # the shared words do for all
        for folder in {shared} if alone else message.folders:
            if not any(is_full(entries[f]) for f in (folder, shared) if f in entries):
                yield message, folder


def is_full(entry: Message) -> bool:
    """Whether every form of an entry is translated and will be used."""
    forms = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
    return bool(forms) and all(forms) and not entry.fuzzy


def wrong(shelf: Shelf) -> Iterator[str]:
    """What a translation does that its message id does not allow."""
    for folder, catalogue in shelf.catalogues.items():
        for entry in catalogue:
            if not entry.id:
                continue
            where = f"{folder.name}/{shelf.code}.po: {_singular(entry)!r}"
            if entry.fuzzy:
                yield f"{where} is fuzzy, so it is not used: finish it, or mark it `#. {REVIEW}`"
            for form in _forms(entry):
                unknown = _named(form) - _allowed(entry)
                if form and unknown:
                    yield f"{where} has no value named {', '.join(sorted(unknown))}"


def _singular(entry: Message) -> str:
    return entry.id[0] if isinstance(entry.id, tuple | list) else entry.id


def _forms(entry: Message) -> tuple[str, ...]:
    return tuple(entry.string) if isinstance(entry.string, tuple | list) else (entry.string,)


def _named(text: str) -> set[str]:
    return set(NAMED.findall(text.replace("%%", "")))


def _allowed(entry: Message) -> set[str]:
    """The values of the message id, and what the elision makes of them; a count is always there."""
    ids = entry.id if isinstance(entry.id, tuple | list) else (entry.id,)
    names = {name for text in ids for name in _named(text)}
    joined = {prefix + name for name in names for prefix in ("of_", "at_")}
    return names | joined | ({"num"} if entry.pluralizable else set())


def unused(messages: dict[Key, Said], shelf: Shelf) -> Iterator[str]:
    """Entries that nothing says any more."""
    for folder, catalogue in shelf.catalogues.items():
        for entry in catalogue:
            if entry.id and (entry.context, _singular(entry)) not in messages:
                yield f"{folder}/{shelf.code}.po: {_singular(entry)!r}"


def add(lacking: list[tuple[Said, Path]], shelf: Shelf) -> None:
    """Append the missing message ids to their files, empty, so that somebody fills them."""
    for folder in {folder for _message, folder in lacking}:
        catalogue = shelf.catalogues.get(folder) or Catalog(shelf.code)
        file = folder / f"{shelf.code}.po"
        text = file.read_text("utf-8") if file.is_file() else _header(catalogue)
        here = [m for m, owner in lacking if owner == folder and _entry(catalogue, m) is None]
        text += "".join("\n" + _blank(m, catalogue.num_plurals) for m in here)
        file.write_text(text, "utf-8")


def _entry(catalogue: Catalog, message: Said) -> Message | None:
    context, singular = message.key
    return catalogue.get(singular, context)


def _header(catalogue: Catalog) -> str:
    return (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Language: {catalogue.locale_identifier}\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n'
    )


def _blank(message: Said, plurals: int) -> str:
    context, singular = message.key
    lines = [f"#: {place.rpartition(':')[0]}" for place in dict.fromkeys(message.places[:2])]
    if context:
        lines.append(f"msgctxt {normalize(context)}")
    lines.append(f"msgid {normalize(singular)}")
    if message.plural:
        lines.append(f"msgid_plural {normalize(message.plural)}")
        lines += [f'msgstr[{number}] ""' for number in range(plurals)]
    else:
        lines.append('msgstr ""')
    return "\n".join(lines) + "\n"


def report(root: Path, code: str, adding: bool, talk: bool) -> bool:
    """Print how one language stands; return whether it is whole."""
    messages, books = said(root), shelf(root, code)
    lacking = list(missing(messages, books, root / "node" / "locale"))
    faults = list(wrong(books))
    reviews = sum(REVIEW in e.auto_comments for c in books.catalogues.values() for e in c if e.id)
    print(f"{code}: {len(messages)} messages, {len(lacking)} missing, {reviews} to review")
    for message, folder in lacking:
        name = (folder / f"{code}.po").relative_to(root)
        print(f"  missing from {name}: {message.key[1]!r} ({message.places[0]})")
    for fault in faults:
        print(f"  wrong: {fault}")
    for entry in unused(messages, books) if talk else ():
        print(f"  unused: {entry}")
    if adding:
        add(lacking, books)
    return not lacking and not faults


def main(arguments: list[str]) -> int:
    """Report every language; 0 when all are whole."""
    if set(arguments) - {"--check", "--add"}:
        print(__doc__)
        return 2
    talk, adding = "--check" not in arguments, "--add" in arguments
    whole = [report(ROOT, code, adding, talk) for code in LANGUAGES]
    return 0 if all(whole) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
