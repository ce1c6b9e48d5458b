"""How a form or a foreign record becomes a body the rules can trust: the door to msgspec.

A practice declares its body twice, each for what it is good at: a msgspec struct (types and
limits, checked for every record whoever signed it) and a tuple of Fields (what a person fills in).
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import msgspec

from node.domain.capacity import day_number
from node.domain.errors import Invalid, Problem
from node.domain.words import N_

Struct = msgspec.Struct
Meta = msgspec.Meta
replace = msgspec.structs.replace

Body = TypeVar("Body", bound=msgspec.Struct)
Form = Mapping[str, Any]  # name -> what was typed, or the list of what was ticked

WEEKDAYS = (
    ("0", N_("Monday")),
    ("1", N_("Tuesday")),
    ("2", N_("Wednesday")),
    ("3", N_("Thursday")),
    ("4", N_("Friday")),
    ("5", N_("Saturday")),
    ("6", N_("Sunday")),
)
KINDS = (
    "text",
    "long",
    "choice",
    "count",
    "cents",
    "day",
    "time",
    "days",
    "dates",
    "place",
    "photos",
    "check",
)
DATES_MAX = 40  # lines of a field of kind dates


@dataclass(frozen=True)
class Field:
    """One thing a person fills in; `label`, `help` and the choices' labels are message ids.

    `days` are weekdays to tick, 0 for Monday (WEEKDAYS are their choices). `dates` are days or
    spans of days, one a line ("24/12/2026", "2027-08-01 to 2027-08-15"), kept as pairs of day
    numbers (first, last).
    """

    name: str
    kind: str
    label: str
    help: str = ""
    required: bool = False
    max_length: int = 200
    minimum: int = 0
    maximum: int = 1_000_000
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Schema:
    """A record kind (`lending.item/1`), the struct of its body and the fields of its form.

    `usual` gives, from the answers that were given, what answers left empty stand for.
    """

    kind: str
    struct: type[msgspec.Struct]
    fields: tuple[Field, ...]
    usual: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda said: {}

    def clean(self, form: Form, **given: object) -> msgspec.Struct:
        """Return the body for what was typed; `given` are values that no form field spells.

        Raises Invalid naming every field that cannot be kept.
        """
        said = {**typed(self.fields, form), **given}
        return checked(self.struct, {**self.usual(said), **said})

    def read(self, body: object) -> msgspec.Struct:
        """Return the body of a record, ours or foreign; unknown keys of newer versions are let be.

        Raises Invalid.
        """
        return checked(self.struct, body)


def typed(fields: tuple[Field, ...], form: Form) -> dict[str, Any]:
    """Return {field: value} for what was typed; empty optional fields are left out.

    Raises Invalid with one Problem for each field that cannot be read.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for field in fields:
        text = tidy(said(form, field.name))
        if field.kind in ("place", "photos"):
            continue
        if field.kind == "check":
            values[field.name] = text not in ("", "0", "no")
        elif text:
            _read_one(field, text, values, problems)
        elif field.required:
            problems.append(Problem(field.name, "required", N_("Please fill this in.")))
    if problems:
        raise Invalid(problems)
    return values


def said(form: Form, name: str) -> str:
    """Return what was typed under `name`; several ticked values are joined by commas."""
    listed = getattr(form, "getlist", None)
    value = listed(name) if listed else form.get(name, "")
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def checked(struct: type[Body], body: object) -> Body:
    """Return `body` as `struct`; raises Invalid naming the field (dotted path) msgspec refused."""
    try:
        return msgspec.convert(body, struct)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        reason, _, path = str(error).partition(" - at `$")
        name = path.strip("`.").split("[")[0] or reason.partition("`")[2].partition("`")[0]
        raise Invalid(
            [
                Problem(
                    name,
                    "invalid",
                    N_("This cannot be kept: %(reason)s"),
                    {"reason": reason},
                )
            ]
        ) from None


def plain(body: msgspec.Struct) -> dict[str, Any]:
    """Return a body as the plain values a record is made of: no None, no empty default."""
    tree = msgspec.to_builtins(body, builtin_types=(bytes,))
    return {name: _pruned(value) for name, value in tree.items() if value is not None}


def tidy(text: object) -> str:
    """Return text as it is kept: NFC, no control characters but line ends, no outer spaces."""
    raw = unicodedata.normalize("NFC", str(text).replace("\r\n", "\n").replace("\r", "\n"))
    kept = (c for c in raw if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs", "Co"))
    return "".join(c for c in kept if c not in _BIDI).strip()


_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _pruned(each) for name, each in value.items() if each is not None}
    return [_pruned(each) for each in value] if isinstance(value, (list, tuple)) else value


def _read_one(field: Field, text: str, values: dict[str, Any], problems: list[Problem]) -> None:
    try:
        values[field.name] = _READERS[field.kind](field, text)
    except _Refused as refused:
        problems.append(Problem(field.name, refused.code, refused.message, refused.params))


class _Refused(Exception):
    def __init__(self, code: str, message: str, **params: object) -> None:
        super().__init__(code)
        self.code, self.message, self.params = code, message, params


def _text(field: Field, text: str) -> str:
    if len(text) > field.max_length:
        raise _Refused("too_long", N_("At most %(max)d characters, please."), max=field.max_length)
    return text if field.kind == "long" else " ".join(text.split())


def _choice(field: Field, text: str) -> str:
    if text not in dict(field.choices):
        raise _Refused("unknown_choice", N_("Please choose one of the answers offered."))
    return text


def _within(field: Field, number: int) -> int:
    if not field.minimum <= number <= field.maximum:
        raise _Refused(
            "out_of_range",
            N_("Between %(min)d and %(max)d, please."),
            min=field.minimum,
            max=field.maximum,
        )
    return number


def _count(field: Field, text: str) -> int:
    digits = "".join(text.split())
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise _Refused("not_a_number", N_("A whole number, please."))
    return _within(field, int(digits))


def _cents(field: Field, text: str) -> int:
    whole, _, part = "".join(text.replace("€", "").split()).replace(",", ".").partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 7 and len(part) <= 2):
        raise _Refused("not_an_amount", N_("An amount such as 12.50, please."))
    if part and not (part.isascii() and part.isdigit()):
        raise _Refused("not_an_amount", N_("An amount such as 12.50, please."))
    return _within(field, int(whole) * 100 + int(part.ljust(2, "0")))


def _day(field: Field, text: str) -> int:
    try:
        return day_number(date.fromisoformat(text))
    except ValueError:
        raise _Refused("not_a_day", N_("A day such as 2026-11-27, please.")) from None


def _time(field: Field, text: str) -> int:
    hours, _, minutes = text.replace("h", ":").partition(":")
    parts = (hours.strip(), minutes.strip() or "0")
    if not all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
        raise _Refused("not_a_time", N_("A time such as 7:35, please."))
    if int(parts[0]) > 23 or int(parts[1]) > 59:
        raise _Refused("not_a_time", N_("A time such as 7:35, please."))
    return int(parts[0]) * 60 + int(parts[1])


def _days(field: Field, text: str) -> list[int]:
    parts = {part.strip() for part in text.split(",")} - {""}
    if not parts <= {number for number, _ in WEEKDAYS}:
        raise _Refused("not_a_weekday", N_("Please choose among the days of the week."))
    return sorted(map(int, parts))


def _dates(field: Field, text: str) -> list[tuple[int, int]]:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > DATES_MAX:
        raise _Refused("too_long", N_("At most %(max)d lines, please."), max=DATES_MAX)
    return sorted({_span(line) for line in lines})


def _span(line: str) -> tuple[int, int]:
    """The (first, last) day numbers a line names: one day, or two with anything between them."""
    found = [_any_day(each) for each in _DATE.finditer(line)]
    days = [each for each in found if each is not None]
    if not 1 <= len(days) == len(found) <= 2 or days[0] > days[-1]:
        message = N_("One day or span of days a line, such as 24/12/2026 to 02/01/2027, please.")
        raise _Refused("not_dates", message)
    return days[0], days[-1]


_DATE = re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"
                   r"|(?P<D>[0-9]{1,2})/(?P<M>[0-9]{1,2})/(?P<Y>[0-9]{4})")  # fmt: skip


def _any_day(found: re.Match[str]) -> int | None:
    year, month, day = found.group("y", "m", "d") if found["y"] else found.group("Y", "M", "D")
    try:
        return day_number(date(int(year), int(month), int(day)))
    except ValueError:
        return None


_READERS: dict[str, Callable[[Field, str], Any]] = {
    "text": _text,
    "long": _text,
    "choice": _choice,
    "count": _count,
    "cents": _cents,
    "day": _day,
    "time": _time,
    "days": _days,
    "dates": _dates,
}
