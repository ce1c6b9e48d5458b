"""The first page of the desk: what is to be done today, often nothing."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for

from node.backup import standing as backups
from node.desk import agreed, standing
from node.domain.words import N_
from node.engagements import gate
from node.erasure.standing import silent
from node.identity.todo import keys_ask
from node.members.accounts import MODERATOR
from node.pages.around import counts_of, slug
from node.pages.here import now_ms, town
from node.pages.security import require_role
from node.partners import health
from node.store.catalogue.search import Search
from node.store.network import introductions, partners, refusals
from node.store.people import members, reports
from node.store.promises import doubts

blueprint = Blueprint("desk", __name__, url_prefix="/admin")

SHOWN_MAX = 5
WEEK_MS = 7 * 86_400_000


def only_admins() -> None:
    """Let nobody but an administrator in; raises NotAllowed."""
    require_role("admin")


@blueprint.get("")
def home() -> Any:
    """Show at most five things to do, each with one button; moderators are led to theirs."""
    person = require_role(MODERATOR)
    if person.role == MODERATOR:
        return redirect(url_for("moderation.list_"))
    todo = _todo()
    return render_template(
        "desk/home.html",
        todo=todo[:SHOWN_MAX],
        more=len(todo) - SHOWN_MAX,
        proven=backups.proven(now_ms()),
        **_figures(),
    )


def _todo() -> list[dict[str, Any]]:
    rows = partners.listed()
    todo = [*_of_ours(), *(line for row in rows for line in _of_partner(row))]
    known = {row.town for row in rows if row.status != "removed"}
    for each in introductions.received(""):
        if each.town not in known:
            href = url_for("desk_towns.list_", _anchor="introduced")
            name = each.name or slug(each.town)
            todo.append(_line(N_("A partner introduces %(town)s"), N_("See"), href, name))
    waiting, href = gate.closed(), url_for("desk_promises.show")
    for each in waiting[:1]:
        message = N_("After the restore: waiting for what %(town)s knows")
        todo.append(_line(message, N_("See"), href, each.name or slug(each.town)))
    if doubts.unsettled():
        todo.append(_line(N_("Promises are in doubt"), N_("See"), href))
    for row in silent(town().id, town().registry.by_kind, now_ms()):
        message = N_("%(town)s has not confirmed what was erased more than a week ago")
        todo.append(_line(message, N_("See"), url_for("desk_erasures.show"), row.name))
    if not known:
        href = url_for("desk_linking.link")
        todo.append(_line(N_("No town is linked with ours yet"), N_("Link a town"), href))
    return todo


def _of_ours() -> list[dict[str, Any]]:
    """Return what our own backups and keys ask for: it comes first, nobody else can mend it."""
    here, there = url_for("desk_backups.show"), url_for("desk_identity.show")
    return [
        *_of_people(),
        *(_line(message, label, here) for message, label in backups.asks(town(), now_ms())),
        *(_line(*each[:2], there, each[2]) for each in keys_ask(town(), now_ms())),
    ]


def _of_people() -> list[dict[str, Any]]:
    """Return what residents wait for: a yes to their membership, an answer to their reports."""
    found = []
    if reports.is_any_open():
        found.append(_line(N_("Listings were reported"), N_("Look"), url_for("moderation.list_")))
    if members.listed(status="pending", limit=1):
        href = url_for("desk_admission.list_")
        found.append(_line(N_("Somebody wishes to become a member"), N_("Answer"), href))
    return found


def _of_partner(row: Any) -> list[dict[str, Any]]:
    """Return what one partner asks for: its words, a telephone call, a look at what was refused."""
    state, found = health.of(row, now_ms()), []
    href, name = url_for("desk_towns.show", which=slug(row.town)), row.name or slug(row.town)
    if row.status == "words":
        message = N_("Compare the six words with %(town)s")
        found.append(_line(message, N_("Compare"), href, name))
    elif state.tone == "stop":
        message = N_("%(town)s has been out of reach for more than a day")
        found.append(_line(message, N_("See"), href, name))
    for message in agreed.asks(row):
        found.append(_line(message, N_("Read it"), f"{href}/accord", name))
    for note in standing.told(row):
        found.append(_line(note.reason.what, N_("See"), href, name))
    recent = [each for each in refusals.latest(row.town) if each.at_ms > now_ms() - WEEK_MS]
    if recent and row.status == "active":
        message = N_("Records brought by %(town)s were refused this week")
        found.append(_line(message, N_("See why"), f"{href}#refused", name))
    return found


def _line(message: str, label: str, href: str, name: str = "") -> dict[str, Any]:
    return {"message": message, "label": label, "town": name, "href": href}


def _figures() -> dict[str, Any]:
    counts = counts_of(Search(resident=True))
    return {
        "active": len(partners.listed("active")),
        "listings_here": counts.get(town().id, 0),
        "listings_around": sum(counts.values()) - counts.get(town().id, 0),
        "accounts": sum(each.status == "active" for each in members.listed(limit=10_000)),
    }
