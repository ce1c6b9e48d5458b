"""What every practice owes the node: each rule yields a sentence for whatever is missing."""

import itertools
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader

from federation import codec
from node.domain.capacity import calendar_day
from node.domain.errors import DomainError
from node.domain.lifecycle import CANCELLED, REVOKED, UNIVERSAL, Lifecycle
from node.domain.listing import ListingBody
from node.domain.practice import Engaging, Practice
from node.domain.schema import KINDS, Struct, plain
from node.pages import formats, language
from node.pages.prose import prose
from tests.practices import rulings

Rule = Callable[[Practice, Path], Iterator[str]]

ROOT = Path(__file__).parents[2]
NODE = ROOT / "node"
LANGUAGES = ("fr", "br")
TEMPLATES = ("card", "facts", "form")
TOWNS = (None, "lorient", "quimper", "vannes")
DEMO_LEAST = 20
BODY_MAX_BYTES = 15_000  # a record is 16 KiB with its signature
TODAY = 20_780  # Monday 2026-11-23
ZONE = "Europe/Paris"
PERSONAL = re.compile(r"[\w.]+@[\w.]+\.\w+|\b0\d(?:[ .]?\d\d){4}\b")


def it_has_a_folder_that_says_what_it_is(practice: Practice, folder: Path) -> Iterator[str]:
    init = folder / "__init__.py"
    text = init.read_text("utf-8") if init.is_file() else ""
    if len(text) < 200 or not text.startswith('"""'):
        yield f"{init} says in a clerk's words what {practice.name} is, and the reading order"
    if folder.name != practice.name:
        yield f"{practice.name} lies in a folder of that name, not {folder.name}"
    if not re.fullmatch(r"[a-z-]+", practice.rubric):
        yield f"the rubric {practice.rubric!r} is a word of an address: small letters only"
    if not practice.kind.startswith(f"{practice.name}."):
        yield f"the record kind {practice.kind} begins with {practice.name}."


def it_has_its_own_tests(practice: Practice, folder: Path) -> Iterator[str]:
    tests = ROOT / "tests/practices" / f"test_{practice.name}.py"
    if not tests.is_file():
        yield f"{tests.relative_to(ROOT)} is missing"


def its_icon_is_drawn(practice: Practice, folder: Path) -> Iterator[str]:
    sprite = (ROOT / "static/icons/icons.svg").read_text("utf-8")
    if f'<symbol id="{practice.icon}"' not in sprite:
        yield f"static/icons/icons.svg has no symbol {practice.icon}"
    icon = folder / "icon.svg"
    if not icon.is_file():
        yield f"{icon} is missing"
    elif not ET.parse(icon).getroot().tag.endswith("svg"):
        yield f"{icon} is not a drawing"


def its_words_are_translated(practice: Practice, folder: Path) -> Iterator[str]:
    said = dict(words_of(practice))
    for code in LANGUAGES:
        known = catalogue(folder, code)
        for text, where in said.items():
            if text not in known:
                yield f"{folder.name}/locale/{code}.po does not say {text!r} ({where})"


def words_of(practice: Practice) -> Iterator[tuple[str, str]]:
    """Yield (message id, where it is said) of everything the practice declares."""
    yield practice.label, "label"
    yield practice.one, "one"
    for value, label in practice.verbs:
        yield label, f"verb {value}"
    for field in fields_of(practice):
        yield field.label, f"field {field.name}"
        if field.help:
            yield field.help, f"help of {field.name}"
        for value, label in field.choices:
            if label != value:  # else somebody's own word
                yield label, f"choice {value} of {field.name}"
    for lifecycle in lifecycles_of(practice):
        for state in lifecycle.states.values():
            yield state.label, f"state {state.name} of {lifecycle.name}"
            if state.ahead:
                yield state.ahead, f"state {state.name} of {lifecycle.name}, ahead"
        for way in lifecycle.transitions:
            yield way.label, f"action {way.action} of {lifecycle.name}"
    for code, message in practice.engaging.reasons.items() if practice.engaging else ():
        yield message, f"reason {code}"


def its_verbs_and_fields_are_sound(practice: Practice, folder: Path) -> Iterator[str]:
    if not issubclass(practice.schema.struct, ListingBody):
        yield "the body inherits ListingBody"
    known = set(practice.schema.struct.__struct_fields__)
    for field in practice.schema.fields:
        if field.kind not in KINDS:
            yield f"field {field.name} is of the unknown kind {field.kind}"
        if field.name not in known:
            yield f"field {field.name} is not in the body"
    if not practice.verbs:
        yield "there is no verb to publish with"
    for body in demo_bodies(practice, folder):
        if body.verb not in dict(practice.verbs):
            yield f"demo.json uses the verb {body.verb!r}, which is not declared"


def its_demonstration_is_sound(practice: Practice, folder: Path) -> Iterator[str]:
    items = demo(folder)
    if len(items) < DEMO_LEAST:
        yield f"{folder.name}/demo.json has {len(items)} listings, at least {DEMO_LEAST} are shown"
    for item in items:
        title = item.get("title", "?")
        if item.get("town") not in TOWNS:
            yield f"{title}: no town {item.get('town')}"
        try:
            practice.schema.read({name: each for name, each in item.items() if name != "town"})
        except DomainError as error:
            yield f"{title}: {error.field} {error.code}"
        if found := PERSONAL.search(json.dumps(item, ensure_ascii=False)):
            yield f"{title}: {found.group()} looks like somebody's"


def its_bodies_come_back_the_same(practice: Practice, folder: Path) -> Iterator[str]:
    for body in demo_bodies(practice, folder):
        raw = codec.dumps(plain(body))
        again = practice.schema.read(codec.loads(raw))
        if again != body or codec.dumps(plain(again)) != raw:
            yield f"{body.title}: the body read back from its record is another"
        if len(raw) > BODY_MAX_BYTES:
            yield f"{body.title}: {len(raw)} bytes do not fit a record"


def its_facets_are_words(practice: Practice, folder: Path) -> Iterator[str]:
    for body in demo_bodies(practice, folder):
        found = practice.facets(body)
        if found != practice.facets(body) or len(set(found)) != len(found):
            yield f"{body.title}: facets differ from call to call, or repeat"
        for pair in found:
            if len(pair) != 2 or not all(isinstance(each, str) and each for each in pair):
                yield f"{body.title}: {pair!r} is not a name and a value, both words"


def its_templates_are_there_and_draw(practice: Practice, folder: Path) -> Iterator[str]:
    needed = (*TEMPLATES, "ask") if practice.engaging else TEMPLATES
    lying = folder / "templates" / practice.name
    missing = [name for name in needed if not (lying / f"{name}.html").is_file()]
    yield from (
        f"{folder.name}/templates/{practice.name}/{name}.html is missing" for name in missing
    )
    if practice.engaging and not (lying / "request.html").is_file():
        yield f"{folder.name}/templates/{practice.name}/request.html is missing"
    for body in demo_bodies(practice, folder):
        for name in needed if not missing else ():
            try:
                drawn = draw(practice, folder, f"{practice.name}/{name}.html", body)
            except Exception as error:
                yield f"{name}.html does not draw {body.title}: {error!r}"
                return
            if not drawn.strip() or "None" in drawn:
                yield f"{name}.html draws nothing, or None, for {body.title}"


def its_blueprint_bears_its_name(practice: Practice, folder: Path) -> Iterator[str]:
    if practice.blueprint is not None and getattr(practice.blueprint, "name", "") != practice.name:
        yield f"the blueprint of {practice.name} is called {practice.blueprint.name}"  # type: ignore[attr-defined]


def its_lifecycles_give_everyone_a_button(practice: Practice, folder: Path) -> Iterator[str]:
    for lifecycle in lifecycles_of(practice):
        for name in (CANCELLED, REVOKED, lifecycle.refuses_to):
            if name not in lifecycle.states or not lifecycle.states[name].final:
                yield f"{lifecycle.name} has no final state {name}"
        for state in lifecycle.states.values():
            ways = [each for each in lifecycle.transitions if each.before == state.name]
            written = [each for each in ways if each.action not in UNIVERSAL]
            if state.turn == "keeper" and not any(each.by == "keeper" for each in written):
                yield f"{lifecycle.name}: it is the keeper's turn in {state.name}, with no button"
            if not state.final and not lifecycle.path(state.name):
                yield f"{lifecycle.name}: nothing leads on from {state.name}"


def its_tables_are_complete(practice: Practice, folder: Path) -> Iterator[str]:
    for lifecycle in lifecycles_of(practice):
        yield from rulings.of_table(lifecycle)
    if practice.engaging is not None:
        yield from rulings.of_names(practice.engaging)


def its_rules_hold_for_its_demonstration(practice: Practice, folder: Path) -> Iterator[str]:
    engaging = practice.engaging
    if engaging is None:
        return
    seen = set()
    for name in engaging.material:
        if name not in practice.schema.struct.__struct_fields__:
            yield f"the material field {name} is not in the body"
    for body in demo_bodies(practice, folder):
        seen.add(engaging.which(body))
        try:
            yield from (f"{body.title}: {each}" for each in _faults(engaging, body))
        except Exception as error:
            yield f"{body.title}: a rule fails on its own terms: {error!r}"
    for name in sorted(set(engaging.lifecycles) - seen):
        yield f"demo.json has no listing that follows the lifecycle {name}"


def _faults(engaging: Engaging, body: Any) -> Iterator[str]:
    lifecycle = engaging.lifecycle(body)
    form = sample(engaging, body)
    if form is None:
        yield "nothing can be asked for in the next weeks"
        return
    wish = engaging.asked(body, form)
    terms = engaging.terms(body, wish, TODAY)
    if terms != engaging.terms(body, engaging.asked(body, wish), TODAY):
        yield "what was asked means something else once it has travelled"
    if json.loads(json.dumps(terms)) != terms or codec.loads(codec.dumps(terms)) != terms:
        yield f"the terms {terms} do not keep"
    yield from rulings.of_claims(engaging, body, terms)
    moments = {**engaging.moments(terms, ZONE), "since": 0}
    yield from _unknown_moments(lifecycle, moments)
    for action, effect in engaging.effects.items():
        if not any(each.action == action for each in lifecycle.transitions):
            yield f"the effect of {action} never happens in {lifecycle.name}"
        after = effect(body, terms)
        if after is not None and not isinstance(after, Struct):
            yield f"the effect of {action} leaves no body"
    yield from rulings.of_guards(engaging, body, terms, TODAY)
    yield from rulings.of_amendments(engaging, body, terms, form, TODAY)
    yield from rulings.of_times(engaging, terms, ZONE)
    if not isinstance(engaging.auto(body), bool) or not isinstance(engaging.open_on(body, 0), bool):
        yield "auto and open_on answer yes or no"


def _unknown_moments(lifecycle: Lifecycle, moments: dict[str, int]) -> Iterator[str]:
    for state in lifecycle.states.values():
        deadline = state.deadline
        named = [deadline.after, deadline.before] if deadline else []
        for name in (*named, state.expected):
            if name and name not in moments and lifecycle.name not in DAYLESS:
                yield f"{lifecycle.name}: {state.name} waits for the unknown moment {name}"


DAYLESS = ("gift",)  # lifecycles whose terms name no day: their deadlines count from `since`

RULES: tuple[Rule, ...] = (
    it_has_a_folder_that_says_what_it_is,
    it_has_its_own_tests,
    its_icon_is_drawn,
    its_words_are_translated,
    its_verbs_and_fields_are_sound,
    its_demonstration_is_sound,
    its_bodies_come_back_the_same,
    its_facets_are_words,
    its_templates_are_there_and_draw,
    its_blueprint_bears_its_name,
    its_lifecycles_give_everyone_a_button,
    its_tables_are_complete,
    its_rules_hold_for_its_demonstration,
)


def sample(engaging: Engaging, body: Any) -> dict[str, str] | None:
    """Return something that can be asked of a listing, on the first day and hour that work."""
    wanted = [each for each in engaging.fields(body) if each.kind in EASY or each.required]
    minutes = range(0, 1_440, 30) if any(each.kind == "time" for each in wanted) else (0,)
    for day, minute in itertools.product(range(TODAY, TODAY + 21), minutes):
        form = {each.name: _answer(each, day, minute) for each in wanted}
        try:
            engaging.terms(body, engaging.asked(body, form), TODAY)
        except DomainError:
            continue
        return form
    return None


EASY = ("day", "count")  # what the sample always fills in; the rest only where it is required


def _answer(field: Any, day: int, minute: int) -> str:
    if field.kind == "day":
        return calendar_day(day).isoformat()
    if field.kind == "time":
        return f"{minute // 60}:{minute % 60:02}"
    return str(field.choices[0][0]) if field.choices else str(field.minimum)


def lifecycles_of(practice: Practice) -> list[Lifecycle]:
    """Return the tables of a practice."""
    return list(practice.engaging.lifecycles.values()) if practice.engaging else []


def fields_of(practice: Practice) -> Iterator[Any]:
    """Yield the fields a publisher and an asker fill in."""
    yield from practice.schema.fields
    engaging = practice.engaging
    for body in demo_bodies(practice, folder_of(practice)) if engaging else ():
        yield from engaging.fields(body)


def folder_of(practice: Practice) -> Path:
    """Return the folder of a practice."""
    return NODE / "practices" / practice.name


def demo(folder: Path) -> list[dict[str, Any]]:
    """Return the items of a practice's demo.json, none when it is missing."""
    file = folder / "demo.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else []


def demo_bodies(practice: Practice, folder: Path) -> list[Any]:
    """Return the demonstration's listings that can be read."""
    bodies = []
    for item in demo(folder):
        try:
            fields = {name: each for name, each in item.items() if name != "town"}
            bodies.append(practice.schema.read(fields))
        except DomainError:
            continue
    return bodies


@cache
def catalogue(folder: Path, code: str) -> frozenset[str]:
    """Return the message ids that a practice's folder and the shared one translate."""
    known: set[str] = set()
    for file in (folder / "locale" / f"{code}.po", NODE / "locale" / f"{code}.po"):
        if file.is_file():
            with file.open("rb") as stream:
                said = read_po(stream, abort_invalid=True)
            known |= {
                each.id if isinstance(each.id, str) else each.id[0]
                for each in said
                if each.id and each.string and not each.fuzzy
            }
    return frozenset(known)


def draw(practice: Practice, folder: Path, template: str, body: Any) -> str:
    """Draw a template of a practice for one listing, with what pages hand to it."""
    is_ask = template.endswith("/ask.html") and practice.engaging is not None
    fields = practice.engaging.fields(body) if is_ask else practice.schema.fields
    named = {each.name: each for each in fields}
    listing = SimpleNamespace(
        body=body,
        practice=practice,
        row=SimpleNamespace(title=body.title, place_name="", quartier=""),
        town="Lorient",
        is_local=True,
        code="K7R3",
        href="/a/K7R3",
    )
    context = {
        "listing": listing,
        "fields": named,
        "values": dict.fromkeys(named),
        "errors": {},
        "today": TODAY,
        "days": [{"day": TODAY + at, "free": True, "chosen": False} for at in range(42)],
    }
    return _environment(folder).get_template(template).render(context)


@cache
def _environment(folder: Path) -> Environment:
    folders = [NODE / "pages/templates", folder / "templates"]
    made = Environment(loader=FileSystemLoader(folders), autoescape=True)
    language.install(made)
    formats.install(made)
    made.filters["prose"] = prose
    made.globals["url_for"] = lambda name, **values: f"/{name}"
    return made
