"""The partners at the desk: each one's health in words, what it brought, go there now."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from node.desk import reasons, standing
from node.desk.became import became
from node.desk.overview import only_admins
from node.domain.errors import NotFound
from node.domain.words import N_
from node.identity import replacing
from node.pages import agreeing
from node.pages.around import slug
from node.pages.here import names, now_ms, town
from node.pages.language import _
from node.pages.security import once
from node.partners import health, pairing
from node.store.network import exchanges, introductions, partners, refusals
from node.store.promises import engagements
from node.store.sets.record_store import figures

blueprint = Blueprint("desk_towns", __name__, url_prefix="/admin/villes")

DAY_MS = 86_400_000
SHOWN = 8  # exchanges

blueprint.before_request(only_admins)


@blueprint.get("")
def list_() -> str:
    """Show every partner with its health, and who was introduced."""
    rows = [_line(row, _held()) for row in partners.listed()]
    known = {each["row"].town for each in rows if each["row"].status != "removed"}
    introduced = [
        {"row": row, "slug": slug(row.town), "by": names()[row.partner]}
        for row in introductions.received("")
        if row.town not in known
    ]
    return render_template(
        "desk/towns.html",
        rows=[each for each in rows if each["row"].status != "removed"],
        worst=[each for each in rows if each["health"].tone == "stop"],
        introduced=introduced,
        gone=[each for each in rows if each["row"].status == "removed"],
    )


@blueprint.get("/<which>")
def show(which: str) -> str:
    """Show one partner: health in words, last exchanges with their cause, what was refused."""
    row, new = find(which), replacing.successor(find(which).town)
    told = introductions.given_to(row.town)
    others = [each for each in partners.listed("active") if each.town != row.town]
    return render_template(
        "desk/town.html",
        row=row,
        successor=names()[new] if new else "",
        slug=which,
        name=row.name or which,
        health=health.of(row, now_ms()),
        words=pairing.words(town().id, row.town),
        visits=exchanges.latest(row.town, SHOWN),
        outcome=reasons.outcome,
        refusals=refusals.latest(row.town),
        refusal=reasons.refusal,
        standing=standing.of(row),
        follows=standing.consequence(row),
        held_against=standing.word_of,
        ended=reasons.ending(row.last_error) if row.failures else None,
        held=[each for each in figures(now_ms() // DAY_MS) if each.origin == row.town],
        open_requests=len(engagements.with_town(row.town)),
        others=[each for each in others if each.town not in told],
        introduced=[names()[each] for each in told],
        names=names(),
        force=agreeing.of(row.town),
        became=became(row.town),
    )


@blueprint.post("/<which>/echanger")
@once
def sync_now(which: str) -> Any:
    """Visit the partner now and say how it went."""
    row = find(which)
    told = town().exchanges.visit(row.town)
    if told.outcome == "ok":
        flash(
            _(
                "Exchanged: %(received)s received, %(sent)s sent, %(refused)s refused.",
                received=told.received,
                sent=told.sent,
                refused=told.refused,
            )
        )
    else:
        flash(_(reasons.outcome(told.outcome)), "stop")
    return redirect(url_for(".show", which=which), 303)


def _held() -> dict[bytes, int]:
    """Return {town id: public records in life here}."""
    return {each.origin: each.live for each in figures(now_ms() // DAY_MS) if each.scope == 0}


def _line(row: Any, held: dict[bytes, int]) -> dict[str, Any]:
    return {
        "row": row,
        "slug": slug(row.town),
        "health": health.of(row, now_ms()),
        "is_ill": bool(standing.told(row)),
        "received": held.get(row.town, 0),
        "sent": held.get(town().id, 0) if row.status == "active" and row.last_ok_ms else 0,
        "waiting": len(engagements.with_town(row.town)),
    }


def find(which: str) -> Any:
    """Return the partner an address names; raises NotFound."""
    for row in partners.listed():
        if slug(row.town) == which:
            return row
    raise NotFound("unknown_town", N_("There is no such partner town."))
