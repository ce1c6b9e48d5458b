"""The macros on the style page: sound HTML, nothing the content policy refuses, values kept."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from node.pages.language import NAMES
from scripts.style_page import create_style_app, icon_names

MACROS = Path(__file__).parents[2] / "node/pages/templates/macros"
VOID = {"area", "br", "hr", "img", "input", "link", "meta", "path", "use", "circle"}
NOT_IN_P = {"div", "form", "fieldset", "ul", "ol", "dl", "table", "section", "p", "h2", "h3"}


class Sound(HTMLParser):
    """Reads a page as a strict reader would: every tag closed, in order; what it saw is kept."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in NOT_IN_P and "p" in self.open:
            self.faults.append(f"<{tag}> in <p>")
        if tag == "form" and "form" in self.open:
            self.faults.append("a form in a form")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes another")

    def values(self, name: str) -> Iterator[str]:
        """Every value of an attribute."""
        yield from (attrs[name] or "" for _tag, attrs in self.tags if name in attrs)


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_style_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module", params=NAMES)
def page(app: Flask, request: pytest.FixtureRequest) -> Sound:
    answer = app.test_client().get(f"/?lang={request.param}")
    assert answer.status_code == 200
    return Sound(answer.text)


@pytest.fixture
def draw(app: Flask) -> Any:
    """Return a drawer: `draw("form", "field", f, "value", error="…")` gives the macro's HTML."""

    def drawn(file: str, macro: str, *args: Any, **kwargs: Any) -> str:
        with app.test_request_context():
            module = app.jinja_env.get_template(f"macros/{file}.html").module
            return str(getattr(module, macro)(*args, **kwargs))

    return drawn


def field(kind: str, **more: Any) -> SimpleNamespace:
    plain = {"name": "x", "label": "Label", "help": "", "required": False, "choices": ()}
    return SimpleNamespace(
        kind=kind, **{**plain, "max_length": 200, "minimum": 0, "maximum": 9, **more}
    )


def test_every_tag_is_closed_where_it_may_be(page: Sound) -> None:
    assert page.faults == []
    assert page.open == []


def test_every_id_is_given_once(page: Sound) -> None:
    ids = list(page.values("id"))
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("name", ["for", "aria-describedby", "aria-labelledby", "list"])
def test_what_points_at_an_id_finds_it(page: Sound, name: str) -> None:
    pointed = [one for value in page.values(name) for one in value.split()]
    assert pointed
    assert set(pointed) <= set(page.values("id"))


def test_the_page_says_its_language_and_offers_the_others(page: Sound) -> None:
    spoken = next(page.values("lang"))
    assert {spoken, *page.values("hreflang")} == set(NAMES)


def test_nothing_is_styled_or_run_from_the_page(page: Sound) -> None:
    assert not [tag for tag, attrs in page.tags if tag == "style" or "style" in attrs]
    assert not [tag for tag, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    assert all("src" in attrs for tag, attrs in page.tags if tag == "script")
    assert not [url for name in ("src", "href") for url in page.values(name) if url[:5] == "data:"]


def test_every_icon_is_in_the_sprite(page: Sound) -> None:
    used = {url.partition("#")[2] for url in page.values("href") if "icons.svg#" in url}
    assert used <= set(icon_names())
    assert len(used) > 30


def test_every_class_on_the_page_is_in_the_stylesheet(page: Sound) -> None:
    css = (MACROS.parents[3] / "static/css/lavoir.css").read_text("utf-8")
    known = set(re.findall(r"\.([a-z][\w-]*)", css))
    used = {name for value in page.values("class") for name in value.split()}
    assert used - {"segno", "qrline"} <= known


def test_the_comment_on_top_explains_every_class() -> None:
    css = (MACROS.parents[3] / "static/css/lavoir.css").read_text("utf-8")
    comment, _end, rules = css.partition("*/")
    explained = set(re.findall(r"\.([a-z][\w-]*)", comment))
    used = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"/\*.*?\*/|url\([^)]*\)", "", rules)))
    water = {f"n{level}" for level in range(0, 101, 10)}
    assert used - water <= explained
    assert explained - used <= {"n0", "n100"}


def test_an_error_page_is_a_page(client: FlaskClient) -> None:
    page = Sound(client.get("/error?lang=fr").text)
    assert page.faults == []
    assert "Rien à cette adresse" in client.get("/error?lang=fr").text


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("text", "12 « é »", 'value="12 « é »"'),
        ("text", '"><script>', 'value="&#34;&gt;&lt;script&gt;"'),
        ("long", "</textarea>", ">&lt;/textarea&gt;</textarea>"),
        ("count", 0, 'value="0"'),
        ("count", "trois", 'value="trois"'),
        ("cents", 1205, 'value="12.05"'),
        ("cents", "douze", 'value="douze"'),
        ("day", 20_780, 'value="2026-11-23"'),
        ("day", "demain", 'value="demain"'),
        ("time", 455, 'value="07:35"'),
        ("time", "7h", 'value="7h"'),
        ("days", [2, 5], 'value="5" checked'),
        ("days", ["2"], 'value="2" checked'),
        ("days", "2,5", 'value="5" checked'),
        ("check", True, "checked"),
        ("check", "1", "checked"),
        ("place", {"name": "Gare"}, 'value="Gare"'),
        ("place", {"exact": True}, 'name="x_exact" value="1" checked'),
        ("choice", "b", '<option value="b" selected>'),
    ],
)
def test_a_field_keeps_what_was_given(draw: Any, kind: str, value: Any, kept: str) -> None:
    html = draw("form", "field", field(kind, choices=(("a", "A"), ("b", "B"))), value)
    assert kept in html


@pytest.mark.parametrize(
    ("kind", "value"),
    [("check", False), ("check", "0"), ("check", None), ("days", []), ("place", {})],
)
def test_what_is_not_chosen_is_not_checked(draw: Any, kind: str, value: Any) -> None:
    assert "checked" not in draw("form", "field", field(kind), value)


KINDS = [
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
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_field_can_be_refused(draw: Any, kind: str) -> None:
    html = draw("form", "field", field(kind, help="Help", required=True), None, "No <b>such</b>")
    page = Sound(html)
    assert page.faults == []
    assert "No &lt;b&gt;such&lt;/b&gt;" in html and "(required)" in html
    about = next(page.values("aria-describedby"))
    assert about.split() == ["f-x-h", "f-x-e"]
    assert set(about.split()) <= set(page.values("id"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_without_help_or_error_points_at_nothing(draw: Any, kind: str) -> None:
    assert "aria-describedby" not in draw("form", "field", field(kind))


def test_a_field_may_be_a_plain_dict(draw: Any) -> None:
    html = draw("form", "field", {"name": "q", "kind": "text", "label": "What?"}, "x")
    assert 'name="q"' in html and 'value="x"' in html and "maxlength" not in html


def test_the_calendar_begins_on_its_weekday_and_strikes_out_what_is_taken(draw: Any) -> None:
    days = [{"day": 20_780 + n, "free": n != 1, "chosen": n == 2} for n in range(9)]  # a Monday
    html = draw("calendar", "calendar", days[2:], "Days")
    first = Sound(html[html.index("<tbody>") :])
    row = html[html.index("<tbody>") : html.index("</tr>", html.index("<tbody>"))]
    assert row.count("<td></td>") == 2
    assert next(first.values("value")) == "2026-11-25"
    assert draw("calendar", "calendar", days, "Days").count("<s ") == 1
    assert "Wednesday 25 November" in html


def test_a_card_from_elsewhere_says_so_and_one_from_here_does_not(draw: Any) -> None:
    card = {"href": "/a/1", "title": "Saw", "icon": "lending", "price": "", "summary": "old"}
    remote = {**card, "remote": {"town": "Lorient", "distance": "", "fresh": "live"}}
    assert "Lorient" in draw("listing", "listing_card", remote)
    assert "am" not in next(Sound(draw("listing", "listing_card", card)).values("class")).split()


@pytest.mark.parametrize("signature", ["verified", "unmet", "false", "anything"])
def test_only_a_verified_signature_is_called_so(draw: Any, signature: str) -> None:
    html = draw("listing", "signature_mark", signature)
    assert ("Signature verified" in html) == (signature == "verified")


def test_one_page_alone_has_no_pagination(draw: Any) -> None:
    assert draw("page", "pagination", {"current": 1, "last": 1}).strip() == ""


def test_a_step_says_in_words_where_it_stands(draw: Any) -> None:
    steps = [{"label": s, "status": s} for s in ("done", "now", "later", "failed")]
    html = draw("steps", "steps", steps)
    assert re.findall(r"\((\w[\w ]*)\)", html) == [
        "done",
        "now",
        "to come",
        "stopped",
    ]


def test_a_state_has_a_shape_beside_its_colour(draw: Any) -> None:
    shapes = {
        tone: re.findall(r"#(\w+)", draw("steps", "state", "x", tone))
        for tone in ("ok", "wait", "stop", "")
    }
    assert len({tuple(shape) for shape in shapes.values()}) == 4


def test_every_macro_is_on_the_style_page() -> None:
    shown = (MACROS.parents[3] / "scripts/style_page.html").read_text("utf-8")
    shown += (MACROS.parent / "base.html").read_text("utf-8")
    shown += "".join(path.read_text("utf-8") for path in MACROS.glob("*.html"))
    for path in MACROS.glob("*.html"):
        for name in re.findall(r"macro (\w+)\(", path.read_text("utf-8")):
            assert len(re.findall(rf"\b{name}\(", shown)) > 1, f"{path.name}: {name}"
