"""Once: a form acts once, however often it is sent: double click, replay, second tab, lost answer.

`@once` takes the form's token, lets the route run and keeps what it answered (status and where it
leads). Whoever sends the same form again is led to the same place. While the route runs, the
others wait. If the machine stops in the middle, nobody can know what was done: the next one is
told so, with the text kept, and decides.

`@once(together=True)` is for a route that only writes to the database: token, act and answer are
then one transaction, and the middle does not exist. Nothing slow may happen in such a route, for
nobody else can write meanwhile: no photo, no other town, no password.

A route that refuses (DomainError, or an answer of 400 and more) did nothing: its form may be sent
again as it is.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, current_app, g, make_response, redirect, request
from werkzeug.exceptions import HTTPException

from node.domain.errors import Conflict, DomainError
from node.domain.words import N_
from node.pages.security import tokens, visitor
from node.pages.security.tokens import Ticket
from node.store.database import write_tx
from node.store.people import doorstep
from node.store.people import tokens as kept
from node.store.people.tokens import FormToken

WAIT_S = 10.0
LOOK_AGAIN_S = 0.1
LONGEST_MS = 120_000  # a route that has not answered by then was stopped in the middle
SHOWN_MAX = 32  # pages that are shown once, kept for a moment for who clicked twice
SHOWN_S = 60
LOGIN_AGAIN_MS = 10 * 60_000

Act = Callable[[], Response]


class SentBefore(Conflict):
    """This form was used; `location` is where it led, "" if that is not known."""

    def __init__(self, code: str, message: str, location: str = "") -> None:
        super().__init__(code, message)
        self.location = location


def once(view: Any = None, *, together: bool = False) -> Any:
    """Make the form of a POST route act once; stands right above the function.

    Raises FormRefused (400) without a good token, SentBefore (409) when it cannot be done.
    """

    def guard(view: Any) -> Any:
        @wraps(view)
        def guarded(*args: Any, **named: Any) -> Response:
            ticket = tokens.read()
            g.form_key = ticket.key
            act = lambda: make_response(view(*args, **named))  # noqa: E731
            return _joined(ticket, act) if together else _apart(ticket, act)

        guarded.is_once = True  # type: ignore[attr-defined]
        return guarded

    return guard(view) if view is not None else guard


def form_key(name: str = "", size_bytes: int = 16) -> bytes:
    """Return bytes that are the same for the same form sent again: an id for what it makes.

    So even what was stopped in the middle can be done again without being done twice.
    """
    return tokens.derived(g.form_key, name)[:size_bytes]


def _joined(ticket: Ticket, act: Act) -> Response:
    try:
        with write_tx():
            held = _claim(ticket)
            if held is None:
                answer = act()
                if answer.status_code >= 400:
                    raise _Undone(answer)
                kept.answer(ticket.key, answer.status_code, answer.location or "")
    except _Undone as undone:
        return undone.answer
    if held is not None:
        return _again(ticket, held)
    _show_once(ticket.key, answer)
    return answer


def _apart(ticket: Ticket, act: Act) -> Response:
    held = _claim_or_wait(ticket)
    if held is not None:
        return _again(ticket, held)
    try:
        answer = act()
    except (DomainError, HTTPException):
        doorstep.release(ticket.key)
        raise
    except Exception:
        kept.answer(ticket.key, 500, "")  # what it had done by then, nobody knows
        raise
    if answer.status_code >= 400:
        doorstep.release(ticket.key)
    else:
        _show_once(ticket.key, answer)
        kept.answer(ticket.key, answer.status_code, answer.location or "")
    return answer


class _Undone(Exception):
    def __init__(self, answer: Response) -> None:
        self.answer = answer


def _claim(ticket: Ticket) -> FormToken | None:
    """Take the token, or return what it was used for."""
    if not ticket.is_fresh and doorstep.used(ticket.key) is None:
        raise tokens.expired()
    try:
        return kept.claim(ticket.key, ticket.member, ticket.where, _now_ms())
    except Conflict:
        held = doorstep.used(ticket.key)
        raise SentBefore(
            "form_reused",
            N_(
                "This form was sent before with other words in it. Please look, then send it again."
            ),
            held.location if held else "",
        ) from None


def _claim_or_wait(ticket: Ticket) -> FormToken | None:
    """Take the token once nobody else is at it; return what it was used for, None when taken."""
    until = time.monotonic() + WAIT_S
    while True:
        held = _claim(ticket)  # None also when whoever had it was refused, and gave it back
        if held is None or held.status:
            return held
        if _now_ms() - held.created_ms > LONGEST_MS:
            raise _unknown()
        if time.monotonic() > until:
            return held
        time.sleep(LOOK_AGAIN_S)


def _again(ticket: Ticket, held: FormToken) -> Response:
    """Answer as the first time, doing nothing."""
    if held.status == 0:
        raise SentBefore("form_busy", N_("This is being done right now. Please look again soon."))
    if held.status >= 500:
        raise _unknown()
    visitor.sign_in_again(ticket.key, LOGIN_AGAIN_MS)
    if held.location:
        return redirect(held.location, held.status)  # type: ignore[return-value]
    shown = _shown_before(ticket.key)
    if shown is None:
        raise SentBefore(
            "form_done", N_("This was done already. What it showed can be shown only once.")
        )
    return shown


def _unknown() -> SentBefore:
    return SentBefore(
        "form_unknown",
        N_("This was begun and stopped in the middle. Please look whether it was done."),
        request.path,
    )


# ── pages shown once ─────────────────────────────────────────────────────────────────────────────

_shown: OrderedDict[bytes, tuple[float, int, bytes, str]] = OrderedDict()
_showing = threading.Lock()


def _show_once(key: bytes, answer: Response) -> None:
    """Keep a page without an address (a code to write down) for who clicks twice."""
    if answer.location or answer.is_streamed:
        return
    with _showing:
        _shown[key] = (
            time.monotonic(), answer.status_code, answer.get_data(), answer.content_type or "",
        )  # fmt: skip
        while len(_shown) > SHOWN_MAX:
            _shown.popitem(last=False)


def _shown_before(key: bytes) -> Response | None:
    with _showing:
        at, status, raw, kind = _shown.get(key, (0.0, 0, b"", ""))
    if time.monotonic() - at > SHOWN_S or not status:
        return None
    return Response(raw, status, content_type=kind)


def _now_ms() -> int:
    return int(current_app.extensions["lavoir"].clock.now_ms())
