"""The quartiers as people choose them: the town's own list, for each commune the node serves.

A quartier that is renamed or merged stays known by its old name: what was signed under it is found
under the new one, and says the new one with its next revision.
"""

from dataclasses import dataclass

from node.domain.errors import Conflict, Invalid, NotFound, Problem
from node.domain.schema import tidy
from node.domain.words import N_
from node.places import communes
from node.store.database import write_tx
from node.store.people import members, quartiers
from node.store.people.quartiers import Quartier

NAME_MAX = 60
LISTED_MAX = 200


@dataclass(frozen=True)
class Choice:
    """One quartier in a form: the value sent, what is read, its commune and its name."""

    value: str
    label: str
    insee: str
    name: str


def choices(served: tuple[str, ...]) -> tuple[Choice, ...]:
    """Return what can be chosen in a form, in the town's order, commune by commune."""
    known = served or ("",)
    listed = [each for each in quartiers.listed() if each.insee in known]
    listed.sort(key=lambda each: known.index(each.insee))
    return tuple(_choice(each, len(known) > 1) for each in listed)


def read(value: str, served: tuple[str, ...]) -> Choice | None:
    """Return the quartier a form (or an address) names, also by a former name; None for none."""
    known, said = served or ("",), " ".join(tidy(value).split())
    insee, _, name = said.partition(":")
    places = ((insee, name),) if insee in known and name else tuple((e, said) for e in known)
    for each in places:
        row = today(*each)
        if row is not None:
            return _choice(row, len(known) > 1)
    return None


def today(insee: str, name: str) -> Quartier | None:
    """Return the quartier of today that a name stands for in a commune."""
    row = quartiers.named(insee, name)
    return quartiers.find(row.now) if row is not None and row.now is not None else row


def names(chosen: Choice) -> tuple[str, ...]:
    """Return every name listings may say for a quartier: today's, then the former ones."""
    row = quartiers.named(chosen.insee, chosen.name)
    return (chosen.name, *(quartiers.before(row.id) if row is not None else ()))


def commune_name(insee: str) -> str:
    """Return the name of a commune, its code where it is not known."""
    found = communes.find(insee) if insee else None
    return found.name if found is not None else insee


# ── what the desk does ───────────────────────────────────────────────────────────────────────────


def add(insee: str, name: str, served: tuple[str, ...]) -> Quartier:
    """Add a quartier of a commune; raises Invalid(name, insee), Conflict("quartier_taken")."""
    said = _clean(name)
    if insee not in (served or ("",)):
        message = N_("Please choose one of the answers offered.")
        raise Invalid([Problem("insee", "unknown_choice", message)])
    with write_tx():
        if len(quartiers.listed()) >= LISTED_MAX:
            raise Conflict("too_many_quartiers", N_("This list is long enough."))
        if quartiers.named(insee, said) is not None:
            raise _taken()
        return quartiers.add(insee, said)


def rename(number: int, name: str, served: tuple[str, ...]) -> None:
    """Rename a quartier; raises Invalid(name), NotFound, Conflict("quartier_taken")."""
    said = _clean(name)
    with write_tx():
        row = _current(number)
        if said == row.name:
            return
        held = quartiers.named(row.insee, said)
        if held is not None and held.now != row.id:
            raise _taken()
        if held is not None:  # back to a name it had
            quartiers.forget(held.id)
        old = row.name
        quartiers.change(row.id, name=said)
        quartiers.change(quartiers.add(row.insee, old).id, now=row.id)
        members.move_quartier(_communes(row.insee, served), old, said)


def merge(number: int, other: int, served: tuple[str, ...]) -> None:
    """Make one quartier of two: the first is the other one from now on.

    Raises NotFound, Conflict("other_commune").
    """
    with write_tx():
        row, into = _current(number), _current(other)
        if row.id == into.id or row.insee != into.insee:
            raise Conflict("other_commune", N_("Two quartiers of one commune can become one."))
        quartiers.follow(row.id, into.id)
        members.move_quartier(_communes(row.insee, served), row.name, into.name)


def remove(number: int, served: tuple[str, ...]) -> None:
    """Take a quartier off the list: nobody lives there any more; listings keep their word."""
    with write_tx():
        row = _current(number)
        quartiers.forget(row.id)
        members.move_quartier(_communes(row.insee, served), row.name, "")


def move(number: int, up: bool) -> None:
    """Put a quartier one place up or down in the list; raises NotFound."""
    with write_tx():
        listed = [each.id for each in quartiers.listed()]
        at = listed.index(_current(number).id)
        to = max(0, at - 1) if up else min(len(listed) - 1, at + 1)
        listed.insert(to, listed.pop(at))
        quartiers.order(listed)


def _communes(insee: str, served: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a member's account may say for a commune: "" is the first one served."""
    return (insee, "") if insee == (served or ("",))[0] else (insee,)


def _current(number: int) -> Quartier:
    row = quartiers.find(number)
    if row is None or row.now is not None:
        raise NotFound("no_quartier", N_("There is no such quartier."))
    return row


def _clean(name: str) -> str:
    said = " ".join(tidy(name).split())
    if not said:
        raise Invalid([Problem("name", "required", N_("Please fill this in."))])
    if len(said) > NAME_MAX:
        message = N_("At most %(max)d characters, please.")
        raise Invalid([Problem("name", "too_long", message, {"max": NAME_MAX})])
    return said


def _choice(row: Quartier, is_one_of_many: bool) -> Choice:
    if not is_one_of_many:
        return Choice(row.name, row.name, row.insee, row.name)
    label = f"{commune_name(row.insee)}, {row.name}"
    return Choice(f"{row.insee}:{row.name}", label, row.insee, row.name)


def _taken() -> Conflict:
    return Conflict(
        "quartier_taken", N_("A quartier of this commune is, or was, called so: merge them.")
    )
