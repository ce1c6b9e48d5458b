"""The condition of a thing on the page of its request: what was noted, and the form that notes it.

A practice asks for it in <practice>/act.html: a hidden field `noted` names the act it belongs to,
`part` the accessories ticked among `had`, `deposit` whether it changed hands, `photo` the file.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import g, request, url_for

from node.domain.errors import DomainError, Invalid
from node.domain.words import N_
from node.engagements.tickets import TEXT_MAX, Report
from node.pages import formats
from node.pages.here import member, town
from node.pages.language import _
from node.store.promises.tickets import REPAIR

REASON_MAX = 500


def drawn(row: Any, person: Any) -> dict[str, Any]:
    """Return what was noted of the thing, for either side of a request in its town."""
    engagements = town().engagements
    if not engagements.roles(row, person.id):
        return {"conditions": []}
    return {"conditions": [_drawn(row, each) for each in engagements.conditions.of(row)]}


def _drawn(row: Any, noted: Any) -> dict[str, Any]:
    state = town().engagements.states(row).get(noted.state)
    name = f"{noted.photo.hex()}.webp"
    has_photo = bool(noted.photo) and town().photos.private.shelf.holds(noted.photo)
    return {
        "action": noted.action,
        "label": _(state.label) if state else "",
        "when": formats.moment(noted.at_ms),
        "text": noted.text,
        "parts": noted.parts,
        "missing": noted.missing,
        "has_deposit": noted.has_deposit,
        "photo": url_for("requests.photo", which=row.id.hex(), name=name) if has_photo else "",
    }


def photo_first(view: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the photo of a form before the view begins, which does the rest in one transaction.

    A picture takes a second on a small board, and nobody could write meanwhile.
    """

    @wraps(view)
    def kept_first(which: str) -> Any:
        file = request.files.get("photo")
        if file and file.filename and _may_note(which):
            try:
                g.condition_photo = town().photos.private.keep(file.stream)
            except Invalid as invalid:
                g.condition_refused = invalid
            file.stream.seek(0)  # what was sent is looked at again, to know it if it comes twice
        return view(which)

    return kept_first


def _may_note(which: str) -> bool:
    """Whether the person signed in keeps what a request is about, or is the desk."""
    here, person = town().engagements, member()
    try:
        row = here.find(bytes.fromhex(which))
    except (ValueError, DomainError):
        return False
    mine = here.roles(row, person.id) if person is not None else ()
    return bool({"keeper", "staff"} & set(mine))


def typed(action: str) -> dict[str, Any] | None:
    """Return what the form notes of the thing with an act, None where it notes nothing.

    The photo was kept before (`photo_first`). Raises Invalid (codes photo_*).
    """
    if action not in request.form.getlist("noted"):
        return None
    had, there = request.form.getlist("had"), set(request.form.getlist("part"))
    if "condition_refused" in g:
        raise g.condition_refused
    return {
        "text": request.form.get("reason", ""),
        "parts": [each for each in had if each in there],
        "missing": [each for each in had if each not in there],
        "has_deposit": request.form.get("deposit") == "1",
        "broken": _broken(),
        "photo": g.get("condition_photo", b""),
    }


def note(row: Any, act_id: bytes, noted: dict[str, Any], person: Any) -> None:
    """Note it with an act just done; what came back broken closes the listing until it is mended.

    Call it in the transaction of the act.
    """
    engagements = town().engagements
    broken = noted.pop("broken")
    is_new = engagements.conditions.note(row, act_id, **noted)
    if is_new and broken:
        engagements.tickets.report(row, Report(REPAIR, broken), person.id)


def _broken() -> str:
    """Return what everybody may read of the damage, "" for none: never the word to the borrower."""
    if request.form.get("broken") != "1":
        return ""
    said = " ".join(request.form.get("broken_text", "").split())
    return said[:TEXT_MAX] or _("It came back in need of a repair.")


def words(noted: dict[str, Any] | None) -> str:
    """Return what of it travels to another town: the words, and what is missing."""
    said = request.form.get("reason", "")
    if not noted or not noted["missing"]:
        return said
    missing = _(N_("Missing: %(parts)s."), parts=", ".join(noted["missing"]))
    return "\n".join(filter(None, (said.strip(), missing)))[:REASON_MAX]
