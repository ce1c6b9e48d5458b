"""Whoever asks: a member of ours, or somebody without a device for whom it is written down.

An aide (the desk, or who keeps the listing) writes it down in the person's name and says how they
agreed: on paper, or by word of mouth. Both stay in the trace, and the aide answers nothing they
wrote down themselves.
"""

import hashlib
from dataclasses import dataclass

from node.domain.errors import Invalid, NotAllowed, NotFound, Problem
from node.domain.schema import Form, said, tidy
from node.domain.words import N_
from node.engagements import keeping
from node.engagements.ground import Ground
from node.store.catalogue.listings import Listing
from node.store.people import members

AIDE = "aide"
NAME_MAX = 80
CONSENTS = {"paper": N_("on paper"), "spoken": N_("by word of mouth")}


@dataclass(frozen=True)
class Person:
    """Who asks. `id` is None for who has no account: known by the name that was written down.

    aide      the member who wrote it down for them, None who asks themselves; consent: see CONSENTS
    """

    id: int | None
    ref: bytes
    name: str
    email: str | None = None
    phone: str = ""
    aide: int | None = None
    consent: str = ""

    @property
    def by(self) -> str:
        """Return how an act of theirs is signed in the list."""
        return "self" if self.aide is None else AIDE


def oneself(member_id: int) -> Person:
    """Return a member who asks themselves; raises NotFound, NotAllowed."""
    member = members.find(member_id)
    if member is None or member.status == "erased":
        raise NotFound("unknown_member", N_("This account is gone."))
    if member.status == "suspended":
        raise NotAllowed("suspended", N_("Your account is not allowed to do this."))
    return Person(member.id, member.ref, member.name, member.email, member.phone)


def somebody(ground: Ground, listing: Listing, aide_id: int, form: Form) -> Person:
    """Return for whom an aide writes a request down.

    `form` holds person (the number of an account) or person_name, and consent. Raises NotAllowed
    (not theirs to write down), Invalid (nobody, oneself, no consent).
    """
    check_aide(ground, listing, aide_id)
    agreed, number = consent(form), tidy(said(form, "person"))
    if number:
        return _member(number, aide_id, agreed)
    name = " ".join(tidy(said(form, "person_name")).split())
    if not name or len(name) > NAME_MAX:
        message = N_("Say for whom: an account, or a name of at most %(max)d characters.")
        raise Invalid([Problem("person_name", "nobody", message, {"max": NAME_MAX})])
    ref = hashlib.sha256(b"lavoir-named" + name.casefold().encode()).digest()[:16]
    return Person(None, ref, name, aide=aide_id, consent=agreed)


def check_aide(ground: Ground, listing: Listing, aide_id: int) -> None:
    """Raise NotAllowed unless a member may write down requests for a listing."""
    is_ours = listing.origin == ground.town
    if keeping.is_desk(members.find(aide_id)):
        return
    if not (is_ours and keeping.is_keeper(listing.key, aide_id)):
        raise NotAllowed("not_yours", N_("Only the desk writes a request down for somebody else."))


def consent(form: Form) -> str:
    """Return how a person agreed that something is done for them; raises Invalid without it."""
    agreed = tidy(said(form, "consent"))
    if agreed not in CONSENTS:
        message = N_("Say how they agreed: on paper, or by word of mouth.")
        raise Invalid([Problem("consent", "no_consent", message)])
    return agreed


def told(form: Form) -> dict[str, str]:
    """Return what an act of an aide's says beside its action; raises Invalid without consent."""
    return {"consent": consent(form)}


def _member(number: str, aide_id: int, agreed: str) -> Person:
    is_number = number.isascii() and number.isdigit() and len(number) < 16
    member = members.find(int(number)) if is_number else None
    if not keeping.is_active(member):
        raise Invalid([Problem("person", "no_member", N_("There is no such account."))])
    if member.id == aide_id:
        message = N_("You ask for yourself on the page of the listing.")
        raise Invalid([Problem("person", "oneself", message)])
    return Person(member.id, member.ref, member.name, member.email, member.phone, aide_id, agreed)
