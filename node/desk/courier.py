"""The stick at the desk: a file to download for a partner, one to upload, what became of it."""

import tempfile
from contextlib import suppress
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for

from node.courier import Arrived, import_from, write_to
from node.desk import trail
from node.desk.overview import only_admins
from node.desk.towns import find
from node.domain.errors import DomainError, NotFound
from node.domain.words import N_
from node.pages.around import slug
from node.pages.formats import day
from node.pages.here import names, now_ms, town, whole
from node.pages.language import _
from node.pages.security import once
from node.photos.photos import ROOM_BYTES
from node.store.database import StorageRefused
from node.store.network import carriages, partners
from node.store.network.carriages import Carriage

blueprint = Blueprint("desk_courier", __name__, url_prefix="/admin/courrier")

UPLOAD_MAX_BYTES = 1 << 30
ANYONE = "tous"
MEDIA_TYPE = "application/octet-stream"  # so that a phone keeps the name as it is
SHOWN = 20
OUTCOMES = {
    "ok": N_("All of it was read."),
    "torn": N_("Not all of it was there. What was whole is taken; please copy the file again."),
    "locked": N_("Its private part was sealed with a key we do not have. The rest is taken."),
}


@blueprint.before_request
def only_admins_with_large_files() -> None:
    """Let nobody but an administrator in, and nobody else send so much."""
    only_admins()
    request.max_content_length = UPLOAD_MAX_BYTES
    request._get_file_stream = _on_disk  # type: ignore[method-assign]  # /tmp may lie in memory


@blueprint.get("")
def show() -> str:
    """Show the three steps: take a file along, read one, see what went and came."""
    return _page(whole(request.args.get("lu")))


@blueprint.get("/<which>.lavoir")
def export(which: str) -> Any:
    """Send the file for a partner, or for anyone. Raises NotFound, Conflict("not_confirmed")."""
    partner = None if which == ANYONE else find(which)
    out = tempfile.TemporaryFile(dir=town().home)  # noqa: SIM115  closed once it was sent
    try:
        write_to(town(), partner.town if partner else None, out, with_photos=_with_photos())
    except BaseException:
        out.close()
        raise
    out.seek(0)
    trail.note("courier.export", partner.town.hex() if partner else "")
    name = f"{_ascii(town().config.name)}-{_ascii(partner.name) if partner else ANYONE}"
    today = datetime.fromtimestamp(now_ms() / 1000, UTC).date().isoformat()
    return _sent(out, f"{name}-{today}.lavoir")


@blueprint.post("/lire")
@once
def bring() -> Any:
    """Read an uploaded file and tell what became of it; the answer leads to its receipt."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _page(error=_("Choose the file first.")), 422
    try:
        told = import_from(town(), file.stream)
    except DomainError as error:
        return _page(error=_said(error)), error.status
    if told.outcome == "receipt":
        flash(_("The receipt is noted: what we sent has arrived."))
        return redirect(url_for(".show"), 303)
    trail.note("courier.import", told.town.hex())
    _warn(told)
    return redirect(url_for(".show", lu=told.carriage, _anchor="lu"), 303)


@blueprint.get("/<int:carriage>/recu.lavoir")
def receipt(carriage: int) -> Any:
    """Send the receipt of a file that was read here; raises NotFound."""
    row = carriages.find(carriage)
    if row is None or row.receipt is None:
        raise NotFound("no_receipt", N_("There is no receipt for this file."))
    return _sent(BytesIO(row.receipt), f"{_ascii(names()[row.town])}-recu.receipt.lavoir")


def _page(read: int | None = None, error: str = "") -> str:
    row = carriages.find(read) if read is not None else None
    linked = partners.listed(*partners.LINKED)
    return render_template(
        "desk/courier.html",
        partners=[{"slug": slug(each.town), "row": each} for each in linked],
        chosen=request.args.get("pour", ""),
        anyone=ANYONE,
        lines=[_line(each) for each in carriages.latest(SHOWN)],
        told=_line(row) if row is not None and row.direction == carriages.IN else None,
        outcomes=OUTCOMES,
        error=error,
    )


def _said(error: DomainError) -> str:
    """Return what is wrong with a file, the day it was made as the reader's language writes it."""
    params = dict(error.params)
    with suppress(KeyError, ValueError):  # there is none, or an impossible one
        params["day"] = day(date.fromisoformat(str(params["day"])))
    return _(error.message, **params)


def _line(row: Carriage) -> dict[str, Any]:
    return {
        "row": row,
        "name": names()[row.town] if row.town else "",
        "is_out": row.direction == "out",
    }


def _warn(told: Arrived) -> None:
    if told.older_ms:
        flash(_("A newer file of that town was read before; nothing newer was undone."), "wait")
    if told.confirmed:
        flash(_("A receipt was in it: what we sent has arrived."))


def _with_photos() -> bool:
    return request.args.get("photos") != "0"


def _sent(file: Any, name: str) -> Any:
    return send_file(file, mimetype=MEDIA_TYPE, as_attachment=True, download_name=name)


def _ascii(name: str) -> str:
    return "".join(each if each.isascii() and each.isalnum() else "-" for each in name.lower())[:40]


def _on_disk(total_content_length: int | None = None, **more: object) -> Any:
    """Return where an uploaded file is written; raises StorageRefused where it does not fit."""
    if town().photos.shelf.free_bytes() < (total_content_length or 0) + ROOM_BYTES:
        raise StorageRefused("disk_full", N_("The node's disk is full: nothing new can be kept."))
    return tempfile.TemporaryFile("rb+", dir=town().home)
