"""The refusals: every error as a page a person can act on, or as a problem document (RFC 9457)."""

import logging
import secrets
from typing import Any

from flask import Flask, Response, current_app, jsonify, redirect, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.http import HTTP_STATUS_CODES

from node.domain.errors import DomainError, Invalid
from node.domain.words import N_
from node.pages.language import _
from node.pages.security import visitor
from node.pages.security.answers import SentBefore
from node.pages.security.tokens import FIELD, HEADER, FormRefused, form_token
from node.store.database import refusal

log = logging.getLogger(__name__)

API = "/api/"
CODES = {  # stable codes of what no rule of ours refused
    400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large",
    414: "too_long", 415: "media_type", 429: "too_many", 500: "internal", 503: "unavailable",
}  # fmt: skip
# Never written back into a page, where the next person at the library's screen could read them.
SECRET_FIELDS = ("password", "code", "secret")
TYPED_MAX = 60
KEPT = (400, 401, 403, 409, 413, 422, 429, 503)  # what was typed is still good for something
FINAL = (403, 413, 422)  # sending the same again would not help
TOO_LARGE = N_("This is too big: send fewer or smaller photos.")


def install(app: Flask) -> None:
    """Answer every error of the application in words."""
    app.register_error_handler(DomainError, _refused)
    app.register_error_handler(HTTPException, _failed)
    app.register_error_handler(InternalServerError, _broken)


def _refused(error: DomainError) -> Any:
    """Answer a refusal of our own rules."""
    if isinstance(error, visitor.SignInFirst) and request.method == "GET" and not _wants_problem():
        return redirect(visitor.login_url(), 303)
    detail = _(error.message, **error.params)
    status = _status(error)
    answer = (
        _problem(status, error.code, detail, _fields(error))
        if _wants_problem()
        else _page(status, detail, error)
    )
    if status in (429, 503):
        minutes = error.params.get("minutes")
        answer.headers["Retry-After"] = str(int(minutes) * 60 if isinstance(minutes, int) else 30)
    return answer


def _failed(error: HTTPException) -> Any:
    """Answer what Flask refused: no such page, wrong method, too large."""
    status = error.code or 500
    if status < 400:
        return error
    detail = _(TOO_LARGE) if status == 413 else ""
    if _wants_problem():
        answer = _problem(status, CODES.get(status, "refused"), detail or (error.description or ""))
    else:
        answer = _page(status, detail, error)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            answer.headers[name] = value
    return answer


def _broken(error: InternalServerError) -> Any:
    """Answer a fault of ours with a number to tell the people who keep the node."""
    reference = "-".join(secrets.token_hex(2).upper() for _each in range(2))
    cause = refusal(error.original_exception or error)
    if isinstance(cause, DomainError):  # a read met a lock or a broken disk: not a fault of ours
        return _refused(cause)
    log.error("%s %s %s", reference, request.method, _path(), exc_info=cause)
    if _wants_problem():
        return _problem(500, CODES[500], reference, {"reference": reference})
    return _page(500, "", error, reference)


def _path() -> str:
    """Return the path as a log may hold it: the secret of a calendar's address is cut."""
    is_secret = request.path.startswith("/ical/")
    return f"{request.path[:10]}..." if is_secret else request.path


def _page(status: int, detail: str, error: Exception, reference: str = "") -> Response:
    """Draw the page; when even that fails, the bare one, which needs nothing."""
    try:
        if request.method == "POST" and status in KEPT:
            text = _kept(status, detail, error)
        else:
            text = render_template(
                "errors/error.html", code=status, detail=detail, reference=reference, back=_back()
            )
    except Exception:
        log.exception("the page for an error could not be drawn")
        text = current_app.jinja_env.get_template("errors/bare.html").render()
    return Response(text, status, mimetype="text/html")


def _kept(status: int, detail: str, error: Exception) -> str:
    """Draw a page that keeps what was typed, with a button to send it again where that helps."""
    fits = status != 413  # else there is nothing to read the fields from
    typed = _typed() if fits else []
    is_ours = error.may_resend if isinstance(error, FormRefused) else status not in FINAL
    if isinstance(error, SentBefore) and error.code in ("form_done", "form_busy"):
        typed = []
    return render_template(
        "security/again.html",
        status=status,
        detail=detail or _("Please try again."),
        problems=_said(error),
        typed=typed,
        shown=[(name, value) for name, value in typed if value.strip()],
        has_files=fits and any(each.filename for each in request.files.values()),
        may_resend=bool(is_ours and typed and not any(map(_is_secret, request.form))),
        location=error.location if isinstance(error, SentBefore) else "",
        sign_in=visitor.login_url() if isinstance(error, visitor.SignInFirst) else "",
        action=request.full_path.rstrip("?"),
        token=form_token(),
        back=_back(),
    )


def _said(error: Exception) -> list[tuple[str, str]]:
    """Return (field, sentence) of each thing to mend, when there are several."""
    problems = error.problems if isinstance(error, Invalid) else []
    return [(each.field, _(each.message, **each.params)) for each in problems[1:] and problems]


def _typed() -> list[tuple[str, str]]:
    pairs = [
        (name, value)
        for name, values in request.form.lists()
        for value in values
        if name != FIELD and not _is_secret(name)
    ]
    return pairs[:TYPED_MAX]


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_FIELDS)


def _back() -> str:
    """Return the page the visitor came from, if it was one of ours."""
    came = request.referrer or ""
    root = request.host_url.rstrip("/")
    return visitor.inner_path(came.removeprefix(root), "") if came.startswith(root + "/") else ""


def _status(error: DomainError) -> int:
    """Return the HTTP status; a program that reuses its key with other words is told 422."""
    if isinstance(error, SentBefore) and error.code == "form_reused" and HEADER in request.headers:
        return 422
    return error.status


def _wants_problem() -> bool:
    """Return whether a program is asking: below /api/, or one that prefers JSON to a page."""
    if request.path.startswith(API):
        return True
    best = request.accept_mimetypes.best_match(
        ["text/html", "application/json", "application/problem+json"], "text/html"
    )
    return best != "text/html"


def _problem(status: int, code: str, detail: str, more: dict[str, Any] | None = None) -> Response:
    """Return a problem document (RFC 9457); `code` is stable, the sentences are translated."""
    answer = jsonify(
        {
            "type": "about:blank",
            "title": HTTP_STATUS_CODES.get(status, ""),
            "status": status,
            "code": code,
            "detail": detail,
            **(more or {}),
        }
    )
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    return answer


def _fields(error: DomainError) -> dict[str, Any]:
    if isinstance(error, SentBefore) and error.location:
        return {"location": error.location}
    if not isinstance(error, Invalid):
        return {"field": error.field} if error.field else {}
    return {
        "errors": [
            {"field": each.field, "code": each.code, "detail": _(each.message, **each.params)}
            for each in error.problems
        ]
    }
