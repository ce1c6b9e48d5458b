"""How a resident of this town asks, for a thing of this town or of another."""

import secrets

from node.domain.errors import Conflict, NotAllowed, NotFound
from node.domain.schema import Form, said, tidy
from node.domain.words import N_
from node.engagements import agreed, contacts, opening, verdicts
from node.engagements.between import asker
from node.engagements.between.registers import Deed
from node.engagements.ground import Ground, seen_of
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.network import partners
from node.store.people import members
from node.store.people.members import Member
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

NAME_MAX = 80


def ask(
    ground: Ground, listing: Listing, member_id: int, form: Form, engagement_id: bytes
) -> Engagement:
    """Ask for a listing inside the caller's write transaction (see `Engagements.ask`)."""
    held = rows.find(engagement_id)
    if held is not None:
        return _same(held, listing, member_id)
    member = members.find(member_id)
    if member is None:
        raise NotFound("unknown_member", N_("This account is gone."))
    if listing.origin == ground.town:
        return _ask_here(ground, listing, member, form, engagement_id)
    return _ask_there(ground, listing, member, form, engagement_id)


def _ask_here(
    ground: Ground, listing: Listing, member: Member, form: Form, engagement_id: bytes
) -> Engagement:
    deed = _deed(ground, listing, form)
    row, code = opening.open_for(
        ground,
        opening.Wish(
            engagement=engagement_id,
            listing_key=listing.key,
            asker_town=ground.town,
            who=asker.who(ground, listing, member.ref),
            deed=deed,
            saw=listing.record,
            asker=member.id,
            names=_names(member, form, deed),
            contacts=_contacts(member, form),
        ),
    )
    if row is None or code != verdicts.OK:
        raise verdicts.refusal(code)
    return row


def _ask_there(
    ground: Ground, listing: Listing, member: Member, form: Form, engagement_id: bytes
) -> Engagement:
    if not partners.is_linked(listing.origin):
        message = N_("The two towns have not compared their words yet: reading only.")
        raise NotAllowed("not_compared", message)
    if listing.who == "town":
        raise NotAllowed("town_only", N_("This is for residents of that town only."))
    if (refused := agreed.refusal(ground, listing, member.id)) is not None:
        raise refused
    deed = _deed(ground, listing, form)
    return asker.write_down(
        ground,
        listing,
        engagement_id,
        deed,
        member=member,
        names=_names(member, form, deed),
        contacts=_contacts(member, form),
    )


def _deed(ground: Ground, listing: Listing, form: Form) -> Deed:
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
    return Deed(secrets.token_bytes(8), opening.ASK, ground.now_ms(), "self", None, wish, seen)


def _same(held: Engagement, listing: Listing, member_id: int) -> Engagement:
    if (held.asker, held.listing_origin, held.listing_key) != (
        member_id,
        listing.origin,
        listing.key,
    ):
        raise Conflict("token_reused", N_("This form was already used for something else."))
    return held


def _names(member: Member, form: Form, deed: Deed) -> dict[str, str]:
    shown = tidy(said(form, "name"))[:NAME_MAX] or member.name
    return {"asker": tidy(shown), "message": deed.wish.get("message", "")}


def _contacts(member: Member, form: Form) -> dict[str, str]:
    """The asker's contact: only what they ticked."""
    known = {"email": member.email, "phone": member.phone}
    told = contacts.ticked(form, {**known, "contact": member.email or member.phone})
    return {"asker": told} if told else {}
