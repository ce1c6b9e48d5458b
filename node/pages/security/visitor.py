"""The visitor: which member is asking, from which browser and which network address.

Cookies carry the beginning of the town's id in their name: the towns of one machine (a
demonstration, a shared host) differ by port only, and browsers share cookies between ports.
"""

import re
import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, current_app, g, request

from node.domain.errors import DomainError, NotAllowed
from node.domain.words import N_
from node.members import accounts, rates, sessions
from node.store.people.members import Member
from node.store.people.sessions import Session

COOKIE_DAYS = 400  # as long as browsers allow; the session in the database ends earlier
LOGIN_PATH = "/compte"
TEXT_MAX_BYTES = 500_000  # of a form without photos
SIGNED_MAX_BYTES = 8_000_000  # above anything the protocol sends; it has limits of its own

_BROWSER = re.compile(r"[0-9a-f]{32}")
_DEVICES = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "Linux")
_PROGRAMS = (("Firefox", "Firefox"), ("Edg", "Edge"), ("Chrome", "Chrome"), ("Safari", "Safari"))


class SignInFirst(DomainError):
    """Nobody is logged in; a page leads to the login, a form says so and keeps its text."""

    status = 401

    def __init__(self) -> None:
        super().__init__("sign_in", N_("Please log in first."))


def install(app: Flask, signed: tuple[str, ...]) -> None:
    """Find out who asks before each request, and keep the cookies after it."""

    def arrive() -> None:
        g.member, g.applicant, g.session_token = None, None, ""
        if request.endpoint == "static":
            return
        is_signed = request.path.startswith(signed)
        if request.mimetype != "multipart/form-data":  # only photos may be heavy
            request.max_content_length = SIGNED_MAX_BYTES if is_signed else TEXT_MAX_BYTES
        if request.method == "POST" and not is_signed:
            limit("post", network_address())
        token = request.cookies.get(_name(), "")
        if token:
            _know(sessions.find(token, now_ms=_town().clock.now_ms()))
            g.session_token = token if g.member or g.applicant else ""

    app.before_request(arrive)
    app.after_request(_keep_cookies)


def require_member() -> Member:
    """Return the member who is asking; raises SignInFirst, NotAllowed for who is none yet."""
    if g.applicant is not None:
        raise NotAllowed(
            "not_admitted",
            N_("The desk has not accepted your membership yet: you can read, not ask or publish."),
        )
    if g.member is None:
        raise SignInFirst
    return g.member  # type: ignore[no-any-return]


def require_person() -> Member:
    """Return who is signed in, a member or somebody who waits to be one; raises SignInFirst."""
    return require_member() if g.applicant is None else g.applicant  # type: ignore[no-any-return]


def applicant() -> Member | None:
    """Return who is signed in and no member yet, None for members and visitors."""
    return g.get("applicant")  # type: ignore[no-any-return]


def _know(person: Member | None) -> None:
    is_member = person is not None and person.status == "active"
    g.member, g.applicant = (person, None) if is_member else (None, person)


def require_role(role: str) -> Member:
    """Return the member who is asking if this role or a higher one is theirs.

    Raises SignInFirst, NotAllowed("role").
    """
    member = require_member()
    if not accounts.may(member, role):
        raise NotAllowed("role", N_("Your account is not allowed to do this."))
    return member


def sign_in(member: int) -> Member:
    """Open a session for this browser: a new token, whatever it had before; return the member."""
    seed = g.get("form_key")
    town = _town()
    token = sessions.open(
        member,
        now_ms=town.clock.now_ms(),
        device=_device(request.user_agent.string),
        token=sessions.derived(seed, town.keyring.secret) if seed else "",
        old=g.session_token,
    )
    person = accounts.find(member)
    _know(person)
    g.session_token = g.cookie = token
    return person


def sign_in_again(seed: bytes, within_ms: int) -> None:
    """Give the cookie again to a browser that sent its login form twice and got lost in between."""
    town = _town()
    token = sessions.derived(seed, town.keyring.secret)
    age_ms = sessions.age_ms(token, now_ms=town.clock.now_ms())
    if age_ms is not None and age_ms <= within_ms:
        g.cookie = token


def sign_out() -> None:
    """Close this browser's session."""
    if g.session_token:
        sessions.close(g.session_token)
    _know(None)
    g.session_token = g.cookie = ""


def is_this_browser(session: Session) -> bool:
    """Return whether a session is the one of the browser that asks."""
    return bool(g.session_token) and session.token_hash == sessions.token_hash(g.session_token)


def browser() -> bytes:
    """Return what names this browser while nobody is logged in; it gets a cookie if it has none."""
    if "browser" not in g:
        held = request.cookies.get(_name("-form"), "")
        g.browser_is_new = not _BROWSER.fullmatch(held)
        g.browser = secrets.token_hex(16) if g.browser_is_new else held
    return bytes.fromhex(g.browser)


def has_browser() -> bool:
    """Return whether this browser was named before."""
    return "browser" in g or bool(_BROWSER.fullmatch(request.cookies.get(_name("-form"), "")))


def limit(purpose: str, who: str | int) -> None:
    """Count one more `purpose` of `who` (see members.rates.RATES); raises TooMany."""
    town = _town()
    rates.take(
        purpose, who, secret=town.keyring.secret, now_ms=town.clock.now_ms(),
        limits=rates.table(town.config),
    )  # fmt: skip


def network_address() -> str:
    """Return what stands for the visitor's network address in limits."""
    return rates.network(request.remote_addr)


def inner_path(text: str | None, otherwise: str = "/") -> str:
    """Return `text` if it is a path of this site, else `otherwise`."""
    said = text or ""
    is_plain = said.isprintable() and "\\" not in said and said.startswith("/")
    parts = urlsplit(said) if is_plain and not said.startswith("//") else None
    return said if parts and not (parts.scheme or parts.netloc) else otherwise


def login_url() -> str:
    """Return where to log in and come back from."""
    back = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return f"{request.script_root}{LOGIN_PATH}?{urlencode({'next': back})}"


def _keep_cookies(response: Response) -> Response:
    if "cookie" in g:
        if g.cookie:
            _set(response, _name(), g.cookie, COOKIE_DAYS * 86_400)
        else:
            response.delete_cookie(_name(), path=_path(), secure=_is_secure(), httponly=True)
            response.headers["Clear-Site-Data"] = '"cache"'
    if g.get("browser_is_new"):
        _set(response, _name("-form"), g.browser, None)
    return response


def _set(response: Response, name: str, value: str, max_age: int | None) -> None:
    response.set_cookie(
        name, value, max_age=max_age, path=_path(), secure=_is_secure(), httponly=True,
        samesite="Lax",
    )  # fmt: skip


def _name(end: str = "") -> str:
    """Return the cookie's name; the prefixes make browsers refuse one set by another site."""
    prefix = ("__Host-" if _path() == "/" else "__Secure-") if _is_secure() else ""
    return f"{prefix}lavoir-{_town().id.hex()[:8]}{end}"


def _path() -> str:
    return request.script_root.rstrip("/") + "/"


def _is_secure() -> bool:
    """Return whether the browser sees https, though a proxy may forget to say so."""
    url = urlsplit(_town().config.url)
    return request.is_secure or (url.scheme == "https" and url.netloc == request.host)


def _device(agent: str) -> str:
    """Return a browser as its owner knows it again, and nothing finer: Firefox, Android."""
    program = next((name for mark, name in _PROGRAMS if mark in agent), "")
    device = next((name for name in _DEVICES if name in agent), "")
    return ", ".join(each for each in (program, device) if each)


def _town() -> Any:
    return current_app.extensions["lavoir"]
