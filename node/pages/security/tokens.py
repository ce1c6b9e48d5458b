"""The form tokens: proof that we drew the form for this browser, and the name of one intention.

A token is 16 random bytes, the second it was made and a MAC over both and over who may use it: the
session, or the browser while nobody is logged in. Nothing is stored until it is used. The same
token on two addresses is two intentions, so one token serves all the forms of a page.

Programs of ours may send `Idempotency-Key` instead. No other site can add that header to a request
without asking first, and we never allow it; so the header proves as much as the token.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request

from node.domain.errors import DomainError
from node.domain.words import N_
from node.members import sessions
from node.pages.security import visitor

FIELD = "token"
HEADER = "Idempotency-Key"
LIFE_HOURS = 12
LIFE_S = LIFE_HOURS * 3_600
CLOCK_SLACK_S = 300

_BYTES = {"nonce": 16, "issued": 5, "mac": 16}
_KEY = re.compile(r"[A-Za-z0-9._:~+/=-]{16,200}")
_UNSIGNED = {"cross-site", "same-site"}


class FormRefused(DomainError):
    """The form's token is missing, forged or too old; `may_resend` when the form was ours."""

    def __init__(self, code: str, message: str, *, may_resend: bool) -> None:
        super().__init__(code, message, hours=LIFE_HOURS)
        self.may_resend = may_resend


@dataclass(frozen=True)
class Ticket:
    """One intention: its key in the database, whose it is, what exactly was sent where.

    One that is not fresh may fetch the answer it was given, and begin nothing new.
    """

    key: bytes
    member: int | None
    where: str
    is_fresh: bool = True
    is_header: bool = False


class FormToken:
    """Stands in a template for a token, which is made when it is really written down."""

    def __str__(self) -> str:
        if "form_token" not in g:
            g.form_token = make(*_holder())
        return str(g.form_token)

    __html__ = __str__


def form_token() -> FormToken:
    """Return the token for the forms of the page being drawn."""
    return FormToken()


def make(holder: bytes, member: int | None = None) -> str:
    """Return a fresh token for who may use it."""
    nonce = secrets.token_bytes(_BYTES["nonce"])
    issued = _now_s().to_bytes(_BYTES["issued"], "big")
    raw = nonce + issued + _mac(holder, nonce, issued)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read() -> Ticket:
    """Return the intention of the request being handled; raises FormRefused.

    A token that is too old but was used is no fault: whoever sends it again gets its answer.
    """
    header = request.headers.get(HEADER, "").strip().strip('"')
    text = header or request.form.get(FIELD, "")
    found = _opened(text)
    where = f"{request.path} {_digest()}"
    if found is not None:
        nonce, issued_s, member = found
        # a phone that sends the header may have been offline for days
        is_fresh = bool(header) or -CLOCK_SLACK_S <= _now_s() - issued_s <= LIFE_S
        return Ticket(_key(b"form", nonce), member, where, is_fresh, bool(header))
    if header and _KEY.fullmatch(header) and request.headers.get("Sec-Fetch-Site") not in _UNSIGNED:
        holder, member = _holder()
        whose = holder if member is None else b"m" + str(member).encode()
        return Ticket(_key(b"header", whose + header.encode()), member, where, is_header=True)
    raise FormRefused(
        "form_token",
        N_("We could not make sure that this form was sent by you. Please send it again."),
        may_resend=request.headers.get("Sec-Fetch-Site") == "same-origin",
    )


def derived(key: bytes, name: str) -> bytes:
    """Return 32 bytes that are the same for the same intention and name."""
    return hmac.digest(_town().keyring.secret, b"made\0" + key + name.encode(), "sha256")


def expired() -> FormRefused:
    """Return why a ticket that is not fresh begins nothing."""
    return FormRefused(
        "form_expired",
        N_("This form was open for more than %(hours)d hours. Please send it again."),
        may_resend=True,
    )


def _opened(text: str) -> tuple[bytes, int, int | None] | None:
    """Return (nonce, second it was made, member) of a token of ours, None for anything else."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != sum(_BYTES.values()):
        return None
    nonce, issued, mac = raw[:16], raw[16:21], raw[21:]
    for holder, member in _holders():
        if hmac.compare_digest(mac, _mac(holder, nonce, issued)):
            return nonce, int.from_bytes(issued, "big"), member
    return None


def _holder() -> tuple[bytes, int | None]:
    return _holders()[0]


def _holders() -> list[tuple[bytes, int | None]]:
    """Return who this browser is: its session first; its login form was drawn for no session."""
    found: list[tuple[bytes, int | None]] = []
    if g.session_token:
        person = g.member or g.applicant
        found.append((b"s" + sessions.token_hash(g.session_token), person.id))
    if not found or visitor.has_browser():
        found.append((b"b" + visitor.browser(), None))
    return found


def _mac(holder: bytes, nonce: bytes, issued: bytes) -> bytes:
    said = b"form\0" + holder + nonce + issued
    return hmac.digest(_town().keyring.secret, said, "sha256")[: _BYTES["mac"]]


def _key(kind: bytes, said: bytes) -> bytes:
    place = request.path.encode()
    return hmac.digest(_town().keyring.secret, b"\0".join((b"once", kind, said, place)), "sha256")


def _digest() -> str:
    """Return what tells whether the same was sent again: the fields and the files, not the token.

    Keyed, because a form may hold a password.
    """
    said = hmac.new(_town().keyring.secret, b"form sent", "sha256")
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        for name, values in sorted(request.form.lists()):
            if name != FIELD:
                said.update(repr((name, values)).encode())
        for name, files in sorted(request.files.lists()):
            for file in files:
                content = hashlib.file_digest(file.stream, "sha256").hexdigest()
                file.stream.seek(0)
                said.update(repr((name, content)).encode())
    else:
        said.update(request.get_data())
    return said.hexdigest()[:32]


def _now_s() -> int:
    return int(_town().clock.now_ms()) // 1000


def _town() -> Any:
    return current_app.extensions["lavoir"]
