"""What is to be imported as what: the practice, its reader, and the source with its licence."""

from dataclasses import dataclass

from node.domain.errors import DomainError, Invalid, Problem
from node.domain.listing import Source
from node.domain.practice import Importer, Practice, Registry
from node.domain.schema import checked, plain
from node.domain.words import N_
from node.imports.mapped import mapped
from node.imports.mapping import FieldMap
from node.imports.sheets.line import one_line
from node.imports.sheets.opening import READERS


@dataclass(frozen=True)
class Order:
    """A file's practice, the importer of its rows, and what stands on each listing as source.

    `named` are the columns a mapping reads, so that one the file has not can be told.
    """

    practice: Practice
    importer: Importer
    source: Source
    named: tuple[str, ...] = ()
    encoding: str = ""
    delimiter: str = ""


def formats(registry: Registry) -> tuple[str, ...]:
    """Return what a file can be imported as: the plain shapes, then the practices' own formats."""
    own = [name for practice in registry.practices for name in practice.importers]
    return (*READERS, *sorted(own))


def order_of(
    registry: Registry, format: str, mapping: FieldMap, practice: str = "", **words: str
) -> Order:
    """Return what to do with a file of `format`.

    `practice` and `words` (name, licence, url of the source) overrule the mapping, which overrules
    the format. Raises Invalid when the practice, the source or the licence is missing.
    """
    for each in registry.practices:
        if format in each.importers:
            chosen, importer = each, each.importers[format]
            break
    else:
        chosen = _practice(registry, format, practice or mapping.practice)
        importer = mapped(mapping, chosen, format)
    source = _source(importer, mapping, words)
    named = tuple(mapping.named_columns)
    return Order(chosen, importer, source, named, mapping.encoding, mapping.delimiter)


def _practice(registry: Registry, format: str, name: str) -> Practice:
    if format not in READERS:
        message = N_("Unknown format %(name)s; one of: %(known)s.")
        raise _refused("format", message, name=format, known=", ".join(formats(registry)))
    if name not in registry.by_name:
        message = N_("Say which practice the listings are of; one of: %(known)s.")
        raise _refused("practice", message, known=", ".join(registry.by_name))
    return registry.by_name[name]


def _source(importer: Importer, mapping: FieldMap, words: dict[str, str]) -> Source:
    known = plain(importer.source) if importer.source else {}
    written = {name: text for name, text in plain(mapping.source).items() if text}
    said = {name: text for name, text in words.items() if text.strip()}
    found = {name: one_line(text) for name, text in {**known, **written, **said}.items()}
    if not found.get("name"):
        message = N_("Say where the file comes from: it stands on each listing.")
        raise _refused("source", message)
    if not found.get("licence"):
        message = N_("Say under which licence the file may be shown: it stands on each listing.")
        raise _refused("licence", message)
    return checked(Source, found)


def _refused(field: str, message: str, **params: object) -> DomainError:
    return Invalid([Problem(field, f"no_{field}", message, params)])
