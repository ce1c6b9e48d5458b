"""The quartiers and communes in forms and filters: chosen from the town's list, never typed."""

from typing import Any

from node.domain.errors import Invalid, Problem
from node.domain.listing import Place, rounded
from node.domain.schema import Field, replace
from node.domain.words import N_
from node.members import quartiers
from node.members.quartiers import Choice
from node.pages.here import Shown, member, town
from node.places import communes
from node.store.catalogue.search import Search

LABEL = N_("Quarter")


def field(kept: str = "") -> Field | None:
    """Return the field of a listing's form, None while the town has no list.

    `kept` is what a listing says already: it stays possible though the list does not have it.
    """
    offered = quartiers.choices(served())
    if not offered:
        return None
    choices = [(each.value, each.label) for each in offered]
    if kept and quartiers.read(kept, served()) is None:
        choices.append((kept, kept))
    return Field("quartier", "choice", LABEL, choices=tuple(choices))


def value_of(body: Any) -> str:
    """Return the choice that stands for what a body says, also by a former name."""
    insee = body.place.insee if body.place is not None else ""
    for said in (f"{insee}:{body.quartier}", body.quartier):
        chosen = quartiers.read(said, served()) if body.quartier else None
        if chosen is not None:
            return chosen.value
    return str(body.quartier)


def settle(body: Any, value: str) -> Any:
    """Return a body with the quartier that was chosen, in one of the communes of the node.

    Where the node serves several, what names no place lies in the commune of its quartier, else of
    whoever publishes it. Raises Invalid(quartier) for a quartier of another commune.
    """
    chosen = quartiers.read(value, served())
    said = replace(body, quartier=chosen.name if chosen is not None else value)
    if len(served()) < 2:
        return said
    if body.place is None:
        return replace(said, place=_place(chosen))
    if chosen is not None and body.place.insee in served() and body.place.insee != chosen.insee:
        message = N_("This quartier is in %(commune)s, the place is in another commune.")
        name = quartiers.commune_name(chosen.insee)
        raise Invalid([Problem("quartier", "other_commune", message, {"commune": name})])
    return said


def served() -> tuple[str, ...]:
    """Return the INSEE codes of the communes this node serves, its own first."""
    return tuple(town().config.served)


def _place(chosen: Choice | None) -> Place | None:
    person = member()
    insee = chosen.insee if chosen is not None else (person.commune if person else "")
    commune = communes.find(insee if insee in served() else served()[0])
    if commune is None:
        return None
    return rounded(
        Place(name=commune.name, insee=commune.insee, lat_e6=commune.lat_e6, lon_e6=commune.lon_e6)
    )


# ── in the catalogue ─────────────────────────────────────────────────────────────────────────────


def filters(args: Any) -> dict[str, Any]:
    """Return what an address asks for, as fields of a Search; what it asks in vain is nothing.

    A quartier is looked for in our town, unless one other town is chosen; one of our list by all
    its names, any other word as it is.
    """
    found: dict[str, Any] = {}
    insee = args.get("commune", "")
    if insee in served() and len(served()) > 1:
        found["communes"] = (insee,)
    said = " ".join(args.get("quartier", "")[:80].split())
    if said and len(args.getlist("ville")) != 1:
        found["towns"] = (town().id,)
    if said:
        chosen = quartiers.read(said, served())
        found["quartiers"] = quartiers.names(chosen) if chosen is not None else (said,)
        if chosen is not None and len(served()) > 1:
            found["communes"] = (chosen.insee,)
    return found


def offered(args: Any) -> dict[str, Any]:
    """Return what the selects of the catalogue show: (value, label) of quartiers, of communes."""
    chosen = quartiers.read(args.get("quartier", "")[:80], served())
    return {
        "quartiers": [(each.value, each.label) for each in quartiers.choices(served())],
        "quartier": chosen.value if chosen is not None else "",
        "communes": [(each, quartiers.commune_name(each)) for each in served()]
        if len(served()) > 1
        else [],
        "commune": args.get("commune", ""),
    }


def words(wanted: Search, args: Any) -> list[tuple[str, str]]:
    """Return (name in the address, what it says) of the filters in force."""
    chosen = quartiers.read(args.get("quartier", "")[:80], served())
    said = chosen.label if chosen is not None else " ".join(args.get("quartier", "")[:80].split())
    found = [("quartier", said)] if wanted.quartiers else []
    if args.get("commune") in wanted.communes:
        found.append(("commune", quartiers.commune_name(args["commune"])))
    return found


def of_listing(listing: Shown) -> dict[str, str]:
    """Return what a listing's page says of where it is: quartier, its address, commune."""
    row = listing.row
    said = {"name": row.quartier, "value": row.quartier, "town": "", "commune": ""}
    if not listing.is_local:
        return {**said, "town": listing.origin.hex()[:12]}
    chosen = None
    if row.quartier:
        place = f"{row.insee}:{row.quartier}"
        chosen = quartiers.read(place, served()) or quartiers.read(row.quartier, served())
    if len(served()) > 1 and row.insee:
        said["commune"] = quartiers.commune_name(row.insee)
    return said if chosen is None else {**said, "name": chosen.name, "value": chosen.value}
