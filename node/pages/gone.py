"""The page of a listing no longer there; its keeper reads who deleted it, and who not yet."""

from typing import Any

from flask import redirect, render_template, url_for

from node.erasure import standing
from node.erasure.standing import Answer
from node.members import accounts
from node.pages import askform, formats
from node.pages.here import Shown, member, now_ms
from node.pages.language import _
from node.store.catalogue import listings
from node.store.erasures import burials
from node.store.erasures.burials import Burial
from node.store.network import towns


def page(listing: Shown) -> Any:
    """Say that it is gone, with status 410; one published anew leads to its new page."""
    burial = burials.find(listing.origin, listing.key) if listing.is_local else None
    if burial is not None and burial.successor is not None:
        heir = listings.find(listing.origin, burial.successor)
        if heir is not None and not heir.hidden:
            return redirect(url_for("listing.show", code=heir.code), 302)
    may_know = askform.is_mine(listing) or accounts.may(member(), "admin")
    return render_template(
        "listing/gone.html",
        section="listings",
        listing=listing,
        erasure=told(burial) if burial is not None and may_know else None,
    ), 410


def told(burial: Burial) -> dict[str, Any]:
    """Return what is known of an erasure, in sentences: here, and at each town that may hold it."""
    if burial.gone_ms is None:
        here = _("It is being taken out of the files of this node; that takes a moment.")
    else:
        here = _("Deleted from every file of this node on %(day)s.", day=_day(burial.gone_ms))
    return {
        "here": here,
        "is_gone": burial.gone_ms is not None,
        "answers": [
            {"text": sentence(each), "tone": tone(each), "town": each.name}
            for each in standing.answers(burial, now_ms())
        ],
    }


def sentence(answer: Answer) -> str:
    """Return what one town said of an erasure, or that it has said nothing."""
    if answer.gone_ms is not None and answer.kept:
        return _(
            "Erased at %(town)s on %(day)s; one row stays there, without name or contact, until "
            "the thing is back.", town=answer.name, day=_day(answer.gone_ms),
        )  # fmt: skip
    if answer.gone_ms is not None:
        return _("Erased at %(town)s on %(day)s.", town=answer.name, day=_day(answer.gone_ms))
    if answer.is_late:
        return _late(answer)
    if answer.last_ok_ms is None:
        return _("%(town)s has not answered yet: it was never reached.", town=answer.name)
    ago = formats.ago(answer.last_ok_ms, now_ms())
    return _("%(town)s has not answered yet (last contact %(ago)s).", town=answer.name, ago=ago)


def _late(answer: Answer) -> str:
    card = towns.find(answer.town)
    contact = ", ".join(filter(None, (card.manager, card.contact))) if card is not None else ""
    if contact:
        return _(
            "%(town)s has said nothing for more than seven days and may still hold a copy. Call "
            "its association: %(contact)s.", town=answer.name, contact=contact,
        )  # fmt: skip
    return _(
        "%(town)s has said nothing for more than seven days and may still hold a copy. Call its "
        "association.", town=answer.name,
    )  # fmt: skip


def tone(answer: Answer) -> str:
    """Return ok, wait or stop: how far one town is."""
    if answer.gone_ms is not None:
        return "ok"
    return "stop" if answer.is_late else "wait"


def _day(at_ms: int) -> str:
    return formats.moment(at_ms)
