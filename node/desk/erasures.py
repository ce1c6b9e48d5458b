"""The erasures at the desk: for each listing that was withdrawn, which towns deleted it too."""

from typing import Any

from flask import Blueprint, render_template, request

from node.desk.overview import only_admins
from node.pages import gone
from node.pages.here import town, whole
from node.store.catalogue import codes
from node.store.erasures import burials
from node.store.erasures.burials import Burial

blueprint = Blueprint("desk_erasures", __name__, url_prefix="/admin/effacements")
blueprint.before_request(only_admins)

PER_PAGE = 30
AFTER_MAX = 100_000


@blueprint.get("")
def show() -> str:
    """Show what was erased here, newest first, with the answer of every town."""
    after = min(whole(request.args.get("apres")) or 0, AFTER_MAX)
    kinds = town().registry.by_kind
    rows = burials.listed(town().id, kinds, after=after, limit=PER_PAGE + 1)
    return render_template(
        "desk/erasures.html",
        erasures=[_told(each) for each in rows[:PER_PAGE]],
        after=after + PER_PAGE if len(rows) > PER_PAGE else None,
    )


def _told(burial: Burial) -> dict[str, Any]:
    """Return one erasure: its code and rubric are all that is left to name it by."""
    return {
        "code": codes.of(burial.origin, burial.key),
        "label": town().registry.by_kind[burial.kind].label,
        "at_ms": burial.at_ms,
        **gone.told(burial),
    }
