"""The quartiers at the desk: add, rename, merge, order; new names written into our listings."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from federation import codec
from federation.errors import ProtocolError
from node.desk import trail
from node.desk.overview import only_admins
from node.domain.errors import DomainError
from node.domain.schema import plain, replace
from node.members import quartiers
from node.members.quartiers import Choice
from node.pages.here import now_ms, town, whole
from node.pages.language import _
from node.pages.security import once
from node.store.catalogue.search import Search, count_by, search
from node.store.database import write_tx
from node.store.people import quartiers as rows

blueprint = Blueprint("desk_quartiers", __name__, url_prefix="/admin/quartiers")
blueprint.before_request(only_admins)

AT_ONCE = 100  # listings written anew by one press: each is signed


@blueprint.get("")
def list_() -> str:
    """Show the list, and how many listings still say a former name."""
    return _page()


@blueprint.post("")
@once(together=True)
def change() -> Any:
    """Do one thing to the list: add, rename, merge, up, down, remove, or write names anew."""
    act, number = request.form.get("act", ""), whole(request.form.get("which")) or 0
    name = request.form.get("name", "")[:2_000]
    try:
        told = _done(act, number, name)
    except DomainError as error:
        return _page(_(error.message, **error.params), name), error.status
    trail.note("quartier.change", detail=told)
    flash(_("Kept."))
    return redirect(url_for(".list_"), 303)


def _done(act: str, number: int, name: str) -> str:
    """Do one thing; return what the audit says of it. Raises Invalid, Conflict, NotFound."""
    served = town().config.served
    row = rows.find(number)
    before = row.name if row is not None else ""
    if act == "add":
        insee = request.form.get("insee", "") or (served or ("",))[0]
        return f"+ {quartiers.add(insee, name, served).name}"
    if act == "rename":
        quartiers.rename(number, name, served)
        return f"{before} → {' '.join(name.split())}"
    if act == "merge":
        into = whole(request.form.get("into")) or 0
        quartiers.merge(number, into, served)
        other = rows.find(into)
        return f"{before} → {other.name if other else ''}"
    if act == "remove":
        quartiers.remove(number, served)
        return f"− {before}"
    if act == "anew":
        return f"{before}: {_write_anew(number)}"
    quartiers.move(number, act == "up")
    return f"{before} {'↑' if act == 'up' else '↓'}"


def _write_anew(number: int) -> int:
    """Publish a new revision of our listings that say a former name; return how many.

    What they say is changed by a new draft through the journal, as if whoever published it had.
    """
    chosen, done = _choice(number), 0
    if chosen is None:
        return 0
    for row in search(_saying_before(chosen), now_ms=now_ms(), limit=AT_ONCE).rows:
        practice = town().registry.by_name.get(row.practice)
        if practice is None:
            continue
        try:
            with write_tx():
                body = replace(practice.schema.read(codec.loads(row.body)), quartier=chosen.name)
                town().journal.publish(practice.kind, plain(body), key=row.key)
            done += 1
        except ProtocolError:  # one that no longer fits stays as it was signed
            continue
    return done


def _saying_before(chosen: Choice) -> Search:
    old = tuple(each for each in quartiers.names(chosen) if each != chosen.name)
    is_one_of_many = len(town().config.served) > 1
    return Search(
        towns=(town().id,), quartiers=old or ("\n",), resident=True,
        communes=(chosen.insee,) if is_one_of_many else (),
    )  # fmt: skip


def _choice(number: int) -> Choice | None:
    row = rows.find(number)
    listed = quartiers.choices(town().config.served)
    here = (row.insee, row.name) if row is not None else None
    return next((each for each in listed if (each.insee, each.name) == here), None)


def _page(error: str = "", typed: str = "") -> str:
    served = town().config.served
    return render_template(
        "desk/quartiers.html",
        quartiers=[
            {
                "id": row.id,
                "name": each.name,
                "label": each.label,
                "insee": each.insee,
                "before": rows.before(row.id),
                "old": sum(count_by("origin", _saying_before(each), now_ms()).values()),
            }
            for each in quartiers.choices(served)
            if (row := rows.named(each.insee, each.name)) is not None
        ],
        communes=[(each, quartiers.commune_name(each)) for each in served]
        if len(served) > 1
        else [],
        error=error,
        typed=typed,
        name_max=quartiers.NAME_MAX,
    )
