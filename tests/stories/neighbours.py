"""Neighbours in front of real servers, each with a browser without script; they do what is offered.

The pages come over HTTP from the processes of `tests.nodes`; forms are read and filled in as in
`tests.visitor`. Nobody here knows an address that no page showed, but for the first.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from node.members import codes
from tests.nodes import Node
from tests.visitor import Form, Reader

PATIENCE_S = 30


class NotOnThePage(AssertionError):
    """Somebody looked for words, a link or a button that the page does not have."""


@dataclass
class Neighbour:
    """Somebody with a browser, at one town, reading French; `page` is what they look at."""

    name: str
    node: Node
    language: str = "fr"
    browser: requests.Session = field(default_factory=requests.Session)
    page: Reader = field(default_factory=lambda: Reader(""))
    address: str = "/"

    def open(self, path: str, status: int = 200) -> "Neighbour":
        """Open a page of their town; raises NotOnThePage for another status."""
        answer = self.browser.get(
            urljoin(self.node.url, path),
            headers={"Accept-Language": self.language},
            timeout=PATIENCE_S,
        )
        return self._arrive(answer, status)

    def follow(self, words: str) -> "Neighbour":
        """Follow the link that says these words."""
        for href, said in self.page.links:
            if words in said:
                return self.open(urljoin(self.address, href))
        raise NotOnThePage(f"{self.name}: no link {words!r} on {self.address}: {self.page.text}")

    def press(self, words: str, status: int = 200, **typed: Any) -> "Neighbour":
        """Fill in the form with the button that says (or means) these words, and send it.

        Fields that are not named keep what the page put there; a list ticks several boxes.
        """
        form, button = self._button(words)
        fields = {**form.fields, **typed, **({button[0]: button[1]} if button else {})}
        answer = self.browser.post(
            urljoin(self.node.url + self.address, form.action or self.address),
            data=fields,
            headers={"Accept-Language": self.language},
            timeout=PATIENCE_S,
        )
        return self._arrive(answer, status)

    def reads(self, *words: str) -> "Neighbour":
        """Check that the page says all of these; raises NotOnThePage."""
        missing = [each for each in words if each not in self.page.text]
        if missing:
            raise NotOnThePage(f"{self.name} does not read {missing}: {self.page.text}")
        return self

    def does_not_read(self, *words: str) -> "Neighbour":
        """Check that the page says none of these; raises NotOnThePage."""
        there = [each for each in words if each in self.page.text]
        if there:
            raise NotOnThePage(f"{self.name} reads {there}: {self.page.text}")
        return self

    def sees_button(self, words: str) -> bool:
        """Say whether the page has such a button."""
        try:
            self._button(words)
        except NotOnThePage:
            return False
        return True

    def _button(self, words: str) -> tuple[Form, tuple[str, str] | None]:
        for form in self.page.forms:
            for button in form.buttons:
                if words == button[1]:
                    return form, button
        for form in self.page.forms:
            if form.method == "post" and form.action == words:
                return form, None
        offered = [(form.action, form.buttons) for form in self.page.forms]
        raise NotOnThePage(f"{self.name}: no button {words!r} on {self.address}: {offered}")

    def _arrive(self, answer: requests.Response, status: int) -> "Neighbour":
        self.page = Reader(answer.text)
        parts = urlsplit(answer.url)
        self.address = parts.path + (f"?{parts.query}" if parts.query else "")
        if answer.status_code != status:
            raise NotOnThePage(f"{self.name}: {answer.status_code} at {answer.url}")
        return self


def newcomer(node: Node, name: str) -> Neighbour:
    """Let somebody in with a code of the desk, as on paper; they type it and are signed in."""
    with node.inside() as town:
        from_desk = _code(town, name)
    person = Neighbour(name, node)
    person.open("/compte")
    person.press("/compte/code", code=from_desk, name=name)
    return person


def _code(town: Any, name: str) -> str:
    return codes.issue(
        "desk", member=None, name=name, secret=town.keyring.secret, now_ms=town.clock.now_ms()
    )
