"""A visitor: somebody in front of a town's pages, without a browser. Forms are read from the page,
filled in and sent as a browser would, token included; what is sent is what the page offered.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from werkzeug.test import TestResponse

from node.members import sessions
from tests.world import Place

Fields = dict[str, Any]


@dataclass
class Form:
    """One form of a page: where it goes and what it would send untouched (names of files too)."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def value(self, name: str) -> str:
        """Return the value of a field that is there once."""
        return self.fields.get(name, [""])[0]


class Reader(HTMLParser):
    """Reads a page: its forms, its links, its text, what its elements are called."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.images: list[dict[str, str]] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._select = self._area = ""
        self._link = ""
        self.feed(html)

    @property
    def text(self) -> str:
        """Return what is written on the page, in one line."""
        return " ".join(" ".join(self.words).split())

    def form(self, action: str) -> Form:
        """Return the form that goes to an address."""
        found = [each for each in self.forms if each.action == action]
        assert found, f"no form to {action} among {[each.action for each in self.forms]}"
        return found[0]

    def link(self, words: str) -> str:
        """Return where the link with these words leads."""
        return next(href for href, said in self.links if words in said)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(said.get("action", ""), said.get("method", "get"))
            self.forms.append(self._form)
        elif tag == "a":
            self.links.append((said.get("href", ""), ""))
            self._link = "a"
        elif tag == "img":
            self.images.append(said)
        elif tag == "select":
            self._select = said.get("name", "")
        elif tag == "option" and self._select and "selected" in said:
            self._put(self._select, said.get("value", ""))
        elif tag == "textarea":
            self._area = said.get("name", "")
            self._put(self._area, "")
        elif tag == "input":
            self._input(said)
        elif tag == "button" and self._form is not None and said.get("name"):
            self._form.buttons.append((said["name"], said.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""
        elif tag == "a":
            self._link = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form.fields[self._area] = [data.removeprefix("\n")]
        self.words.append(data)
        if self._link:
            href, said = self.links[-1]
            self.links[-1] = (href, f"{said} {data}".strip())

    def _input(self, said: dict[str, str]) -> None:
        kind = said.get("type", "text")
        if kind in ("checkbox", "radio") and "checked" not in said:
            return
        if kind not in ("file", "submit"):
            self._put(said.get("name", ""), said.get("value", ""))

    def _put(self, name: str, value: str) -> None:
        if self._form is not None and name:
            self._form.fields.setdefault(name, []).append(value)


class Visitor:
    """Somebody with a browser of their own, at one town, in French; signed in or not."""

    def __init__(self, place: Place, member: Any = None, language: str = "fr") -> None:
        self.place = place
        self.client = place.app.test_client()
        self.headers = {"Accept-Language": language}
        if member is not None:
            with place.inside() as town:
                token = sessions.open(member.id, now_ms=town.clock.now_ms(), device="Firefox")
                self.client.set_cookie(f"lavoir-{town.id.hex()[:8]}", token)

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, headers=self.headers, **options)

    def read(self, path: str, status: int = 200) -> Reader:
        """Open a page and read it."""
        answer = self.get(path)
        assert answer.status_code == status, (answer.status_code, Reader(answer.text).text)
        return Reader(answer.text)

    def post(self, path: str, fields: Fields, **options: Any) -> TestResponse:
        """Send fields as they are."""
        return self.client.post(path, data=fields, headers=self.headers, **options)

    def token(self) -> str:
        """Return a form token of this browser: one serves every form."""
        return next(
            each.value("token") for each in self.read("/compte").forms if "token" in each.fields
        )

    def send(self, page: str, action: str = "", drop: str = "", **typed: Any) -> TestResponse:
        """Open a page, fill in its form to `action` (the page itself if not said), and send it.

        `typed` replaces fields; a list ticks several. `drop` names fields to leave out.
        """
        form = self.form(page, action)
        fields = {name: values for name, values in form.fields.items() if name not in drop.split()}
        return self.post(action or page, {**fields, **typed})

    def form(self, page: str, action: str = "") -> Form:
        """Return the form of a page that goes to `action`, or to the page itself."""
        forms = self.read(page).forms
        wanted = [each for each in forms if each.method == "post" and each.action in (action, page)]
        own = [each for each in forms if each.method == "post" and each.action == ""]
        found = ([each for each in wanted if each.action == action] if action else []) or (
            own or wanted
        )
        assert found, f"no form of {page} goes to {action or page}"
        return found[0]

    def follow(self, answer: TestResponse) -> Reader:
        """Go where an answer leads, and read the page."""
        assert answer.status_code in (301, 302, 303), (
            answer.status_code,
            Reader(answer.text).text,
        )
        return self.read(answer.location)
