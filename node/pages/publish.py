"""Publishing: choose what, write the listing, change it later, withdraw it."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from federation import codec
from node.domain.errors import Invalid, NotAllowed, NotFound
from node.domain.practice import Practice
from node.domain.schema import plain, replace
from node.domain.words import N_
from node.engagements import keeping
from node.erasure import erase
from node.members import accounts
from node.pages import askform, drafts
from node.pages.cards import photo
from node.pages.here import Shown, member, now_ms, town
from node.pages.language import _
from node.pages.listing import find
from node.pages.security import form_key, limit, once, require_member
from node.store.catalogue import holdings, listings
from node.store.database import write_tx
from node.store.erasures import burials
from node.store.promises import keepers

blueprint = Blueprint("publish", __name__)

SAME_WITHIN_MS = 3_600_000
SAME_AMONG = 20  # the latest listings of a person


@blueprint.get("/publier")
def choose() -> str:
    """Show the practices one can publish in."""
    return render_template(
        "publish/choose.html", section="publish", practices=town().registry.practices
    )


@blueprint.get("/publier/<rubric>")
def form(rubric: str) -> Any:
    """Show the empty form of a practice."""
    require_member()
    practice = _practice(rubric)
    return _form(practice, drafts.blank(practice), {})


@blueprint.post("/publier/<rubric>")
@once
def publish(rubric: str) -> Any:
    """Publish what was written; a refused form comes back as it was typed, with status 422."""
    person = require_member()
    practice, photos = _practice(rubric), drafts.photos()
    try:
        body = drafts.read(practice, photos)
    except Invalid as invalid:
        return _refused(practice, invalid, photos), 422
    limit("published", person.id)
    with write_tx():
        key = _just_published(person.id, plain(body))
        if key is None:
            key = _new(practice, body, person.id)
    row = listings.find(town().id, key)
    flash(_("Published. It reaches the partner towns at the next exchange."))
    return redirect(url_for("listing.show", code=row.code if row else ""), 303)


@blueprint.get("/a/<code>/modifier")
def edit(code: str) -> Any:
    """Show the form of a listing the person published or keeps."""
    listing = _kept(code)
    values = {**drafts.values_of(listing.body), "seen": drafts.seen(listing.row.scope)}
    return _form(listing.practice, values, {}, listing)


@blueprint.post("/a/<code>/modifier")
@once
def change(code: str) -> Any:
    """Publish the next revision of a listing."""
    listing, photos = _kept(code), drafts.photos()
    try:
        body = drafts.read(listing.practice, photos, listing.body)
    except Invalid as invalid:
        return _refused(listing.practice, invalid, photos, listing), 422
    if drafts.scope() != listing.row.scope:
        listing = _own(code)  # for other readers it ends here and begins anew
        code = _publish_anew(listing, body)
        flash(_("Published anew under another code, for other readers. The old code leads here."))
    else:
        _revise(listing, body)
        flash(_("Changed. The partner towns learn it at the next exchange."))
    return redirect(url_for("listing.show", code=code), 303)


@blueprint.post("/a/<code>/pause")
@once(together=True)
def pause(code: str) -> Any:
    """Pause a listing, or offer it again."""
    listing = _kept(code)
    state = "published" if listing.body.state == "paused" else "paused"
    _revise(listing, replace(listing.body, state=state))
    return redirect(url_for("listing.show", code=code), 303)


@blueprint.get("/a/<code>/retirer")
def ask_to_withdraw(code: str) -> Any:
    """Ask whether it is meant: what is withdrawn does not come back under its code."""
    listing = _own(code)
    waiting = town().engagements.open_for_listing(listing.origin, listing.key)
    return render_template(
        "publish/withdraw.html",
        section="publish",
        listing=listing,
        open_requests=len(waiting),
    )


@blueprint.post("/a/<code>/retirer")
@once(together=True)
def withdraw(code: str) -> Any:
    """Withdraw a listing everywhere: its tombstone goes out first at the next exchange."""
    listing = _own(code)
    erase(town(), listing.key)
    flash(_("Withdrawn here; the partner towns learn it at the next exchange."))
    return redirect(url_for("listing.show", code=code), 303)


def _just_published(member_id: int, body: dict[str, Any]) -> bytes | None:
    """Return the key of a listing this person published with the very same words a moment ago.

    Who goes back and sends the form again, or sends it from a second tab, means one listing.
    """
    said, since_ms = codec.dumps(body), now_ms() - SAME_WITHIN_MS
    for key in holdings.of_member(member_id)[:SAME_AMONG]:
        row = listings.find(town().id, key)
        is_same = row is not None and bytes(row.body) == said and row.scope == drafts.scope()
        if is_same and row.created_ms >= since_ms:
            return key
    return None


def _practice(rubric: str) -> Practice:
    practice = town().registry.by_rubric.get(rubric)
    if practice is None:
        raise NotFound("no_practice", N_("There is no such rubric here."))
    return practice  # type: ignore[no-any-return]


def _own(code: str) -> Shown:
    """Return a listing the person signed in published, or may withdraw all the same.

    Raises NotFound, NotAllowed.
    """
    require_member()
    listing = find(code)
    if not askform.is_mine(listing) and not accounts.may(member(), "admin"):
        message = N_("Only the person who published it can withdraw it or change who reads it.")
        raise NotAllowed("not_yours", message)
    return _living(listing)


def _kept(code: str) -> Shown:
    """Return a listing the person signed in may change and pause: who published or keeps it.

    Raises NotFound, NotAllowed.
    """
    person, listing = require_member(), find(code)
    is_kept = listing.is_local and keeping.is_keeper(listing.key, person.id)
    if not (is_kept or askform.is_mine(listing) or accounts.may(member(), "admin")):
        message = N_("Only the person who published it, or who keeps it, can change it.")
        raise NotAllowed("not_yours", message)
    return _living(listing)


def _living(listing: Shown) -> Shown:
    if not listing.is_local or listing.row.state not in listings.LIVE_STATES:
        raise NotFound("no_listing", N_("There is no listing with this code here."))
    return listing


def _new(practice: Practice, body: Any, member_id: int | None) -> bytes:
    """Publish a new listing of a member for the readers that were chosen; return its key."""
    record = town().journal.publish(
        practice.kind, plain(body), key=form_key("listing"), scope=drafts.scope()
    )
    holdings.keep(record.key, member_id, now_ms())
    return bytes(record.key)


def _publish_anew(listing: Shown, body: Any) -> str:
    """Erase a listing and publish it for other readers: a register never changes its scope.

    What was only asked of it is declined, as when it is withdrawn. Returns the new code.
    """
    with write_tx():
        held = holdings.find(listing.key)
        key = _new(listing.practice, body, held.member if held else None)
        keepers.follow(listing.key, key)
        if listing.row.hidden:  # what the desk has hidden does not come back under another code
            listings.hide(town().id, key, listing.row.hidden)
        erase(town(), listing.key)
        burials.succeed(listing.origin, listing.key, key)
        row = listings.find(town().id, key)
    return str(row.code) if row else ""


def _revise(listing: Shown, body: Any) -> None:
    with write_tx():
        town().journal.publish(listing.practice.kind, plain(body), key=listing.key)
        town().engagements.listing_changed(listing.key)


def _refused(
    practice: Practice, invalid: Invalid, photos: drafts.Photos, listing: Shown | None = None
) -> str:
    values = askform.typed()
    for field in drafts.fields_of(practice).values():
        if field.kind == "place":
            values[field.name] = drafts.typed_place(field)
    values["photos"] = photos.kept
    errors = {each.field: _(each.message, **each.params) for each in invalid.problems}
    return _form(practice, values, errors, listing)


def _form(
    practice: Practice,
    values: dict[str, Any],
    errors: dict[str, str],
    listing: Shown | None = None,
) -> str:
    quartier = listing.body.quartier if listing is not None else ""
    fields = {**drafts.fields_of(practice, quartier), "seen": drafts.SEEN}
    return render_template(
        "publish/form.html",
        section="publish",
        practice=practice,
        practices=town().registry.practices,
        fields=fields,
        values={**dict.fromkeys(fields), "seen": "all", **values},
        errors=errors,
        labels={name: each.label for name, each in fields.items()},
        listing=listing,
        kept=[drafts.photo_name(each) for each in values.get("photos") or ()],
        photos=[
            {"id": drafts.photo_name(each), **drawn}
            for each in values.get("photos") or ()
            if (drawn := photo(each.hash, each.alt)) is not None
        ],
    )
