"""Which column is which field: what an association writes down once for each source it imports.

A TOML file, refused when a word in it is unknown (a typo would lose a column in silence):

    practice = "directory"
    reader = "geojson"                # csv, geojson or json; only for a mapping that has a name
    key = "id"                        # or several columns; what names a row at the next import
    publish = ["email"]               # columns of contacts that are meant to be public
    leave = ["avatar_url"]            # columns left out on purpose; the report names them
    exact = true                      # false: blur the position to about 300 m
    encoding = "latin-1"              # and delimiter = ";", when they are not found out rightly
    [source]  name, licence, url
    [place]   lat, lon, lat_lon, insee, postcode, commune    # GeoJSON brings its own position
    [labels]  horaires = "Opening hours"                     # a column no field takes, in words
    [fields]
    title = "name"                                           # a column, or ["name", "branch"]
    category = { value = "production_distribuee" }
    sort = { column = "structure", values = { fablabMIT = "fablab" }, otherwise = "tiers_lieu" }
    links = { columns = ["web", "rss"], as = "links" }
    confirmed = { column = "date_updated", as = "day" }
    address = { text = "{street}, {@commune}" }              # @commune: its name as of today
"""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from node.domain.errors import Invalid, Problem
from node.domain.schema import Struct, checked
from node.domain.words import N_
from node.imports.rows.position import Columns

FILE_MAX_BYTES = 100_000
PLACE_WORDS = Columns.__struct_fields__
LISTS = ("publish", "leave", "key")


class Spelling(
    Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, rename={"read_as": "as"}
):
    """How a row spells one field: from columns, as a constant, or as a text with columns in it."""

    column: str = ""
    columns: list[str] = []
    value: str = ""
    text: str = ""
    values: dict[str, str] = {}
    otherwise: str = ""
    read_as: Literal["text", "links", "day"] = "text"

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the columns the field is read from."""
        return (self.column, *self.columns) if self.column else tuple(self.columns)


class SourceWords(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Where the file comes from and under which licence it may be shown."""

    name: str = ""
    licence: str = ""
    url: str = ""


class FieldMap(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A mapping, checked; see the top of this file."""

    practice: str = ""
    reader: str = ""
    key: str | list[str] = []
    encoding: str = ""
    delimiter: str = ""
    exact: bool = True
    publish: list[str] = []
    leave: list[str] = []
    source: SourceWords = SourceWords()
    place: Columns = Columns()
    labels: dict[str, str] = {}
    fields: dict[str, str | list[str] | Spelling] = {}

    @property
    def key_columns(self) -> list[str]:
        """Return the columns that name a row."""
        return [self.key] if isinstance(self.key, str) else list(self.key)

    @property
    def named_columns(self) -> list[str]:
        """Return the columns that the fields and the place are read from."""
        spellings = [self.spelling(name) for name in self.fields]
        place = [getattr(self.place, word) for word in PLACE_WORDS]
        return [column for each in spellings for column in each.sources] + list(filter(None, place))

    def spelling(self, name: str) -> Spelling:
        """Return how the field `name` is spelled."""
        written = self.fields[name]
        if isinstance(written, str):
            return Spelling(column=written)
        return Spelling(columns=written) if isinstance(written, list) else written


def read_mapping(path: Path | None, options: Iterable[str] = ()) -> FieldMap:
    """Return the mapping of a TOML file, completed or overruled by options of the command line.

    An option is `field=column`, `field=column,column` or `field:=constant`; the words of [place]
    and `practice`, `key`, `publish`, `leave` go where they belong. Raises Invalid.
    """
    tree = _tree(path) if path else {}
    for option in options:
        _apply(option, tree)
    return checked(FieldMap, tree)


def _tree(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()[: FILE_MAX_BYTES + 1]
        if len(content) > FILE_MAX_BYTES:
            raise ValueError("longer than a mapping ever is")
        return tomllib.loads(content.decode())
    except (OSError, ValueError, RecursionError) as error:
        message = N_("The mapping cannot be read: %(reason)s")
        raise Invalid([Problem("mapping", "mapping", message, {"reason": str(error)})]) from None


def _apply(option: str, tree: dict[str, Any]) -> None:
    name, mark, value = option.partition("=")
    name, constant = name.removesuffix(":").strip(), name.endswith(":")
    if not (name and mark and value):
        message = N_("“%(option)s” is not of the form field=column or field:=constant.")
        raise Invalid([Problem("map", "mapping", message, {"option": option})])
    columns = [column.strip() for column in value.split(",")]
    if name == "practice":
        tree[name] = value
    elif name in LISTS:
        tree[name] = columns
    elif name in PLACE_WORDS:
        tree.setdefault("place", {})[name] = value
    else:
        tree.setdefault("fields", {})[name] = {"value": value} if constant else columns
