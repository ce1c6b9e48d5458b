"""How a resident of this town asks, for a thing of this town or of another; or an aide for them."""

import secrets

from node.domain.errors import Conflict, NotAllowed
from node.domain.lifecycle import ASK, HOLD, QUEUE, Lifecycle
from node.domain.schema import Form, said, tidy
from node.domain.words import N_
from node.engagements import agreed, aiding, contacts, opening, verdicts
from node.engagements.aiding import Person
from node.engagements.between import asker
from node.engagements.between.registers import Deed
from node.engagements.ground import Ground, seen_of
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.network import partners
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

NAME_MAX = 80


def ask(
    ground: Ground, listing: Listing, member_id: int, form: Form, engagement_id: bytes
) -> Engagement:
    """Ask for a listing inside the caller's write transaction (see `Engagements.ask`)."""
    return _ask(ground, listing, aiding.oneself(member_id), form, engagement_id)


def ask_for(
    ground: Ground, listing: Listing, aide_id: int, form: Form, engagement_id: bytes
) -> Engagement:
    """Write down an ask for somebody (see `Engagements.ask_for`), as `ask` does."""
    person = aiding.somebody(ground, listing, aide_id, form)
    return _ask(ground, listing, person, form, engagement_id)


def _ask(
    ground: Ground, listing: Listing, person: Person, form: Form, engagement_id: bytes
) -> Engagement:
    held = rows.find(engagement_id)
    if held is not None:
        return _same(held, listing, person.id)
    if listing.origin == ground.town:
        return _ask_here(ground, listing, person, form, engagement_id)
    return _ask_there(ground, listing, person, form, engagement_id)


def _ask_here(
    ground: Ground, listing: Listing, person: Person, form: Form, engagement_id: bytes
) -> Engagement:
    deed = _deed(ground, listing, person, form)
    row, code = opening.open_for(
        ground,
        opening.Wish(
            engagement=engagement_id,
            listing_key=listing.key,
            asker_town=ground.town,
            who=asker.who(ground, listing, person.ref),
            deed=deed,
            saw=listing.record,
            asker=person.id,
            by=person.aide or person.id,
            names=_names(person, form, deed),
            contacts=_contacts(person, form),
        ),
    )
    if row is None or code != verdicts.OK:
        raise verdicts.refusal(code)
    return row


def _ask_there(
    ground: Ground, listing: Listing, person: Person, form: Form, engagement_id: bytes
) -> Engagement:
    if not partners.is_linked(listing.origin):
        message = N_("The two towns have not compared their words yet: reading only.")
        raise NotAllowed("not_compared", message)
    if listing.who == "town":
        raise NotAllowed("town_only", N_("This is for residents of that town only."))
    if (refused := agreed.refusal(ground, listing, person.id or 0)) is not None:
        raise refused
    deed = _deed(ground, listing, person, form)
    return asker.write_down(
        ground,
        listing,
        engagement_id,
        deed,
        person=person,
        names=_names(person, form, deed),
        contacts=_contacts(person, form),
    )


def _deed(ground: Ground, listing: Listing, person: Person, form: Form) -> Deed:
    """The act of an ask; raises NotFound (withdrawn), NotAllowed, Conflict (it changed)."""
    now = listings.find(listing.origin, listing.key)
    engaging = ground.engaging(listing)
    if now is None or not now.body:
        raise verdicts.refusal(verdicts.UNKNOWN_LISTING)
    if engaging is None:
        raise verdicts.refusal(verdicts.NOT_ALLOWED)
    body = ground.body(now)
    seen = seen_of(engaging, body)
    shown = tidy(said(form, "saw"))
    if shown and shown != seen.hex():
        raise verdicts.refusal(verdicts.STALE)
    wish = engaging.asked(body, form)
    if person.consent:
        wish = {**wish, "consent": person.consent}
    action = _action(engaging.lifecycle(body), form, listing.origin == ground.town)
    return Deed(secrets.token_bytes(8), action, ground.now_ms(), person.by, None, wish, seen)


def _action(table: Lifecycle, form: Form, is_here: bool) -> str:
    """How the form asks: to wait in line if nothing is free, to hold it a moment, or at once.

    Only what is of this town is held: a moment means nothing to words that travel.
    """
    if table.waiting and tidy(said(form, "queue")):
        return QUEUE
    return HOLD if is_here and table.holding and tidy(said(form, "hold")) else ASK


def _same(held: Engagement, listing: Listing, member_id: int | None) -> Engagement:
    if (held.asker, held.listing_origin, held.listing_key) != (
        member_id,
        listing.origin,
        listing.key,
    ):
        raise Conflict("token_reused", N_("This form was already used for something else."))
    return held


def _names(person: Person, form: Form, deed: Deed) -> dict[str, str]:
    typed = "" if person.aide else tidy(said(form, "name"))[:NAME_MAX]
    shown = typed or person.name
    return {"asker": tidy(shown), "message": deed.wish.get("message", "")}


def _contacts(person: Person, form: Form) -> dict[str, str]:
    """The asker's contact: only what they ticked."""
    known = {"email": person.email, "phone": person.phone}
    told = contacts.ticked(form, {**known, "contact": person.email or person.phone})
    return {"asker": told} if told else {}
