"""The words of a page: catalogues read from .po files, and the language in use right now."""

import gettext as _gettext
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from jinja2 import Environment, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from node.pages.elision import at_town, of_town

NAMES = {"fr": "Français", "br": "Brezhoneg", "en": "English"}
DEFAULT = "fr"


class Language:
    """One language: its code, its own name, and its translations (message ids are English)."""

    def __init__(self, code: str, translations: _gettext.NullTranslations) -> None:
        self.code = code
        self.name = NAMES[code]
        self.translations = translations


class Catalogues:
    """Every language of a node, read once from `<folder>/<code>.po`; earlier folders win."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folders)
        self._languages: dict[str, Language] = {}

    def language(self, code: str) -> Language:
        """The language of that code; an unknown code gives the default language."""
        code = code if code in NAMES else DEFAULT
        if code not in self._languages:
            files = [f / f"{code}.po" for f in self.folders]
            self._languages[code] = Language(code, _read([f for f in files if f.is_file()]))
        return self._languages[code]


def locale_folders(root: Path) -> list[Path]:
    """Every `locale` folder under `root`, the shallowest first: shared words win."""
    found = (p for p in root.rglob("locale") if p.is_dir())
    return sorted(found, key=lambda p: (len(p.parts), str(p)))


def _read(files: list[Path]) -> _gettext.NullTranslations:
    """Merge .po files into translations, in memory: no .mo is ever written to the disk."""
    if not files:
        return _gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    merged = None
    for file in files:
        with file.open("rb") as stream:
            catalogue = read_po(stream, abort_invalid=True)
        if merged is None:
            merged = catalogue
            continue
        for message in catalogue:
            if message.id and merged.get(message.id, message.context) is None:
                merged[message.id] = message
    compiled = io.BytesIO()
    write_mo(compiled, merged, use_fuzzy=False)
    compiled.seek(0)
    return _gettext.GNUTranslations(compiled)


# What a thread speaks when nobody chose: the msgids themselves (English).
_plain = Language("en", _gettext.NullTranslations())
_current: ContextVar[Language] = ContextVar("language", default=_plain)


def current() -> Language:
    """The language of this request or job."""
    return _current.get()


@contextmanager
def speaking(language: Language) -> Iterator[Language]:
    """Use `language` inside the block: `with speaking(catalogues.language("br")): ...`."""
    token = _current.set(language)
    try:
        yield language
    finally:
        _current.reset(token)


def speak(language: Language) -> object:
    """Use `language` from now on; give the returned token to `hush` at the end of the request."""
    return _current.set(language)


def hush(token: Any) -> None:
    """Undo the `speak` that returned this token."""
    _current.reset(token)


def pick(
    param: str | None = None,
    cookie: str | None = None,
    accept: str | None = None,
    default: str = DEFAULT,
) -> str:
    """The code to answer in: ?lang=, else the cookie, else Accept-Language, else the town's."""
    for wish in (param, cookie):
        if wish in NAMES:
            return wish
    for tag, quality in parse_accept_header(accept, LanguageAccept):  # the best liked first
        code = tag.partition("-")[0].lower()
        if code in NAMES and quality > 0:
            return code
    return default if default in NAMES else DEFAULT


class _Values(dict[str, Any]):
    """Named values; %(of_town)s and %(at_town)s come from %(town)s, as French wants."""

    def __missing__(self, name: str) -> Any:
        for prefix, join in (("of_", of_town), ("at_", at_town)):
            if name.startswith(prefix) and name[len(prefix) :] in self:
                return join(str(self[name[len(prefix) :]]))
        raise KeyError(name)


def fill(sentence: str, values: Mapping[str, Any]) -> str:
    """The sentence with the named values put in; without values it stays as it is, "%" too."""
    return sentence % _Values(values) if values else sentence


def _(msgid: str, **values: Any) -> str:
    """The sentence in the current language, its %(name)s filled in."""
    if not msgid:  # gettext answers the empty msgid with the catalogue's header
        return ""
    return fill(current().translations.gettext(msgid), values)


def ngettext(singular: str, plural: str, num: int, **values: Any) -> str:
    """The sentence in the number of `num`, which is also available to it as %(num)s."""
    values.setdefault("num", num)
    return fill(current().translations.ngettext(singular, plural, num), values)


def pgettext(context: str, msgid: str, **values: Any) -> str:
    """The sentence as it is said in that context ("verb", "noun"...)."""
    return fill(current().translations.pgettext(context, msgid), values)


def install(environment: Environment) -> None:
    """Give templates `_`, ngettext, pgettext and {% trans %}.

    `_("...")` is text: it is escaped like any value, so a person's words may pass through it.
    `{% trans %}` and `ngettext` are markup: what is written in the template, or in its translation,
    stays as it is; only the values put into it are escaped.
    """
    environment.add_extension("jinja2.ext.i18n")
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    environment.globals.update(
        {"_": _text, "pgettext": _text_in, "gettext": _markup, "ngettext": _markup_number}
    )
    environment.globals.update({"language": current, "languages": NAMES})


@pass_eval_context
def _text(context: EvalContext, msgid: str, /, **values: Any) -> str:
    sentence = current().translations.gettext(msgid) if msgid else ""
    return fill(escape(sentence) if context.autoescape else sentence, values)


@pass_eval_context
def _text_in(context: EvalContext, where: str, msgid: str, /, **values: Any) -> str:
    sentence = current().translations.pgettext(where, msgid)
    return fill(escape(sentence) if context.autoescape else sentence, values)


@pass_eval_context
def _markup(context: EvalContext, msgid: str, /, **values: Any) -> str:
    # {% trans %} writes "%" as "%%" even where it has no values: always fill.
    sentence = current().translations.gettext(msgid)
    # safe: written in a template or a catalogue, both part of the program
    return (Markup(sentence) if context.autoescape else sentence) % _Values(values)


@pass_eval_context
def _markup_number(
    context: EvalContext, singular: str, plural: str, num: int, /, **values: Any
) -> str:
    values.setdefault("num", num)
    sentence = current().translations.ngettext(singular, plural, num)
    # safe: written in a template or a catalogue, both part of the program
    return (Markup(sentence) if context.autoescape else sentence) % _Values(values)
