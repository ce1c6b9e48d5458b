"""The trail: who did what here, in sentences, so that others understand it later. Never changed."""

from typing import Any

from flask import Blueprint, render_template, request

from node.domain.words import N_
from node.members.accounts import MODERATOR
from node.pages import deeds
from node.pages.here import member, names, now_ms, town, whole
from node.pages.language import _
from node.pages.security import require_role
from node.store import audit
from node.store.catalogue import codes, listings
from node.store.people import members

blueprint = Blueprint("desk_trail", __name__, url_prefix="/admin/journal")

PER_PAGE = 50
ROLES = {"resident": N_("resident"), "moderator": N_("moderator"), "admin": N_("administrator")}
SENTENCES = {
    "partner.invite": N_("An invitation was made"),
    "partner.accept": N_("The invitation of %(subject)s was answered"),
    "partner.confirm": N_("The words of %(subject)s were compared: the link is open"),
    "partner.differ": N_("The words of %(subject)s differed: the link was dropped"),
    "partner.end": N_("The link with %(subject)s is being ended"),
    "partner.remove": N_("The link with %(subject)s was ended"),
    "agreement.write": N_("An agreement with %(subject)s was written and signed"),
    "agreement.agree": N_("What %(subject)s wrote as an agreement was signed"),
    "agreement.force": N_("An agreement with %(subject)s is in force"),
    "agreement.ended": N_("%(subject)s ended the link"),
    "partner.introduce": N_("%(subject)s was introduced to %(detail)s"),
    "partner.welcome": N_("%(subject)s, introduced by a partner, is read from now on"),
    "gate.open": N_("Gone on without waiting for %(detail)s after a restore"),
    "doubt.settle": N_("A promise in doubt with %(subject)s was settled (%(detail)s)"),
    "courier.export": N_("A file to carry was made: %(subject)s"),
    "courier.import": N_("A file that was carried here was read: %(subject)s"),
    "partner.unfreeze": N_("%(subject)s is believed again; its keys begin with %(detail)s"),
    "partner.trust": N_("The word of %(subject)s on its own records counts again"),
    "partner.replace": N_("%(detail)s took the place of %(subject)s"),
    "town.backup": N_("A backup was downloaded: %(subject)s"),
    "town.restored": N_("The restore was ended; %(detail)s records had come back"),
    "key.rotate": N_("Our town has a new key (%(detail)s)"),
    "key.recover": N_("The key file of our town was made again from the recovery sheet"),
    "key.sheet": N_("Both copies of the recovery sheet were seen"),
    "member.code": N_("A code was handed out to %(subject)s"),
    "member.code_new": N_("A code was handed out to somebody new"),
    "member.role": N_("%(subject)s: role changed to %(detail)s"),
    "member.suspend": N_("%(subject)s was shut out"),
    "member.restore": N_("%(subject)s was let in again"),
    "member.admit": N_("%(subject)s was accepted as a member"),
    "member.refuse": N_("%(subject)s was not accepted as a member (%(detail)s)"),
    "member.proof": N_("The proof of residence of %(subject)s was seen"),
    "member.unproof": N_("The proof of residence of %(subject)s was noted by mistake"),
    "member.address": N_("%(subject)s changed their address of mail"),
    "moderation.held_back": N_("A listing of %(subject)s was hidden by reports (%(detail)s)"),
    "moderation.hide": N_("A listing of %(subject)s was hidden here (%(detail)s)"),
    "moderation.show": N_("A listing of %(subject)s is shown again (%(detail)s)"),
    "moderation.withdraw": N_("A listing of %(subject)s was withdrawn (%(detail)s)"),
    "moderation.warn": N_("%(subject)s was warned (%(detail)s)"),
    "moderation.reject": N_("Reports on a listing of %(subject)s were rejected (%(detail)s)"),
    "quartier.change": N_("The list of quartiers was changed: %(detail)s"),
    "member.erase": N_("An account was erased"),
}
ABOUT = {  # two people, or a person and a listing: whose names are read now
    "keeper.name": N_("%(who)s named %(other)s to keep %(what)s"),
    "keeper.end": N_("%(who)s noted that %(other)s keeps %(what)s no longer"),
    "habilitation.grant": N_("%(who)s gave %(other)s the habilitation “%(detail)s”"),
    "habilitation.revoke": N_("%(who)s took back the habilitation “%(detail)s” of %(other)s"),
}
ENGAGEMENT = "engagement.act"
OTHER = N_("%(action)s: %(subject)s %(detail)s")
BY = {
    "member": N_("a member"),
    "node": N_("the command line"),
    "command line": N_("the command line"),
    "clock": N_("the clock"),
}


def note(action: str, subject: str = "", detail: str = "") -> None:
    """Write down what the person signed in just did."""
    person = member()
    audit.note(
        action, at_ms=now_ms(), actor=person.name, member=person.id, subject=subject, detail=detail
    )


@blueprint.before_request
def only_moderators() -> None:
    """Let nobody but a moderator (or administrator) in; raises NotAllowed, SignInFirst."""
    require_role(MODERATOR)


@blueprint.get("")
def show() -> str:
    """Show the latest entries, fifty a page; of one person, one listing, one day if asked."""
    before = whole(request.args.get("avant"))
    asked = {name: request.args.get(name, "").strip()[:80] for name in ("qui", "annonce", "jour")}
    sought = _sought(asked)
    entries = [] if sought is None else audit.latest(PER_PAGE + 1, before=before, **sought)
    return render_template(
        "desk/trail.html",
        entries=[_told(each) for each in entries[:PER_PAGE]],
        before=entries[PER_PAGE - 1].id if len(entries) > PER_PAGE else None,
        is_first=before is None,
        asked=asked,
    )


def _sought(asked: dict[str, str]) -> dict[str, Any] | None:
    """Return what to look for in the audit, None when it names nobody and nothing."""
    found: dict[str, Any] = {}
    if asked["qui"]:
        people = members.called(" ".join(asked["qui"].split()), limit=1)
        if not people:
            return None
        found["person"] = people[0].id
    if asked["annonce"]:
        listing = listings.by_code(codes.tidy(asked["annonce"]))
        if listing is None:
            return None
        found["listing"] = listing.key
    if asked["jour"]:
        found["since_ms"], found["until_ms"] = deeds.span_of(asked["jour"])
        if found["since_ms"] is None:
            return None
    return found


def _told(entry: Any) -> dict[str, Any]:
    href = f"/demandes/{entry.engagement.hex()}" if entry.engagement else ""
    return {"at_ms": entry.at_ms, "said": _said(entry), "by": _by(entry), "href": href}


def _said(entry: Any) -> str:
    """Return an entry in words; names are those of now, and of who was erased there is none."""
    if entry.action == ENGAGEMENT:
        return deeds.of_entry(entry)
    if entry.action in ABOUT:
        return _(
            ABOUT[entry.action],
            who=deeds.name_of(entry.member),
            other=deeds.name_of(entry.other),
            what=_title(entry.listing),
            detail=entry.detail,
        )
    return _(
        SENTENCES.get(entry.action, OTHER),
        action=entry.action,
        subject=_subject(entry.subject),
        detail=_(ROLES[entry.detail]) if entry.detail in ROLES else _subject(entry.detail),
    )


def _title(key: bytes | None) -> str:
    listing = listings.find(town().id, key) if key else None
    return (listing.title if listing else "") or _("a listing that is gone")


def _subject(text: str) -> str:
    """Return a name for what an entry names by its address: a town's id, member/12."""
    if text.startswith("member/"):
        number = text.removeprefix("member/")
        held = members.find(int(number)) if number.isdigit() else None
        return held.name if held and held.name else text
    try:
        return names()[bytes.fromhex(text)] if len(text) == 64 else text
    except ValueError:
        return text


def _by(entry: Any) -> dict[str, str]:
    if entry.member is not None:
        held = members.find(entry.member)
        return {"name": held.name if held else "", "role": ""}
    return {"name": "" if entry.actor in BY else entry.actor, "role": BY.get(entry.actor, "")}
