"""The requests at the desk: what waits for somebody here, what is late, and who keeps nothing."""

from collections import Counter
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from node.domain.errors import DomainError, Invalid
from node.engagements import aiding, keeping, staff
from node.members.accounts import MODERATOR
from node.pages import askform, deeds
from node.pages import requests as pages
from node.pages.here import Shown, member, shown, town, whole
from node.pages.language import _
from node.pages.listing import find
from node.pages.security import form_key, limit, once, require_role
from node.store.catalogue import codes, listings
from node.store.people import members
from node.store.promises import engagements, keepers

blueprint = Blueprint("desk_requests", __name__, url_prefix="/admin/demandes")

OPEN_MAX = 500
SHOWN_MAX = 50
PEOPLE_MAX = 1_000
NUMBER_LETTERS = 8  # of an engagement's id, as it is printed and spoken
VIEWS = ("bureau", "retard", "ouvertes")


@blueprint.before_request
def only_moderators() -> None:
    """Let nobody but a moderator (or administrator) in; raises NotAllowed, SignInFirst."""
    require_role(MODERATOR)


@blueprint.get("")
def list_() -> str:
    """Show what waits for the desk, what is late, all that is open, or what was looked for."""
    view = request.args.get("voir", "")
    view = view if view in VIEWS else VIEWS[0]
    number, code = request.args.get("numero", "").strip(), request.args.get("annonce", "").strip()
    found = _sought(number, code)
    rows = engagements.open_at(town().id, limit=OPEN_MAX) if found is None else found
    kept = {key: keeping.of_listing(key) for key in {row.listing_key for row in rows}}
    groups = {each: [row for row in rows if _is_in(each, row, kept)] for each in VIEWS}
    chosen = groups[view] if found is None else found
    after = min(whole(request.args.get("apres")) or 0, OPEN_MAX)
    return render_template(
        "desk/requests.html",
        view=view if found is None else "",
        counts=Counter({each: len(group) for each, group in groups.items()}),
        lines=[_line(row, kept) for row in chosen[after : after + SHOWN_MAX]],
        after=after + SHOWN_MAX if len(chosen) > after + SHOWN_MAX else None,
        number=number[:32],
        code=code[:32],
        unkept=_unkept() if found is None and not after else [],
    )


def _sought(number: str, code: str) -> list[Any] | None:
    """Return what a number or a listing's code names, None when nothing was looked for."""
    if number:
        try:
            start = bytes.fromhex(number[:32])
        except ValueError:
            return []
        return engagements.by_number(start, limit=SHOWN_MAX) if start else []
    if code:
        listing = listings.by_code(codes.tidy(code))
        return engagements.of_listings(listing.origin, [listing.key]) if listing else []
    return None


def _is_in(view: str, row: Any, kept: dict[bytes, tuple[int, ...]]) -> bool:
    """Whether a request belongs to a view: nobody keeps it and it waits for a word; it is late."""
    if view == "bureau":
        return not kept[row.listing_key] and row.turn in ("keeper", "both")
    return view == "ouvertes" or staff.is_late(town().engagements.ground, row)


def _line(row: Any, kept: dict[bytes, tuple[int, ...]]) -> dict[str, Any]:
    return {
        **pages.line(row),
        "number": row.id.hex()[:NUMBER_LETTERS],
        "asker": deeds.asker_of(row),
        "kept_by": [deeds.name_of(each) for each in kept.get(row.listing_key, ())],
        "is_home": row.home == town().id,
    }


def _unkept() -> list[Shown]:
    """Return our listings that nobody keeps: the desk can name somebody."""
    practices = [each.name for each in town().registry.practices if each.engaging is not None]
    ours = keepers.unkept(town().id, practices, limit=SHOWN_MAX)
    return [each for each in map(shown, ours) if each is not None]


# ── for somebody without a device ────────────────────────────────────────────────────────────────


@blueprint.get("/noter")
def note_down() -> Any:
    """Show the form that writes a request down for somebody, once a listing is chosen."""
    code = request.args.get("annonce", "").strip()
    if not code:
        return render_template("desk/note_down.html", listing=None, code="", errors={})
    return _form(find(code), {}, {})


@blueprint.post("/noter/<code>")
@once(together=True)
def keep_note(code: str) -> Any:
    """Write it down; what was typed comes back with a sentence where it cannot be."""
    listing = find(code)
    limit("noted", member().id)
    try:
        row = town().engagements.staff.ask_for(
            listing.row, member().id, request.form, form_key("engagement")
        )
    except Invalid as invalid:
        errors = {each.field: _(each.message, **each.params) for each in invalid.problems}
        return _form(listing, askform.typed(), errors), invalid.status
    except DomainError as error:
        said = {"": _(error.message, **error.params)}
        return _form(listing, askform.typed(), said), error.status
    return redirect(url_for("requests.show", which=row.id.hex()), 303)


def _form(listing: Shown, values: dict[str, Any], errors: dict[str, str]) -> str:
    refused = None if askform.is_offered(listing) else _("This is not offered at the moment.")
    people = members.listed(status="active", limit=PEOPLE_MAX)
    others = [each for each in people if each.id != member().id]
    drawn = {} if refused else askform.draw(listing, values, errors)
    drawn |= {"listing": listing, "errors": errors, "values": drawn.get("values", values)}
    return render_template(
        "desk/note_down.html",
        code=listing.code,
        refused=refused,
        people=[(str(each.id), each.name or "–") for each in sorted(others, key=_by_name)],
        consents=aiding.CONSENTS.items(),
        **drawn,
    )


def _by_name(person: Any) -> str:
    return str(person.name).casefold()
