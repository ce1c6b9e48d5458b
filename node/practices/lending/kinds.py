"""The kinds of things that are lent, and what is usual for each where a form says nothing else."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from node.domain.words import N_


class Usual(NamedTuple):
    """So many days at most, so many renewals, so many things of the kind at once (0: any)."""

    max_days: int
    renewals: int
    at_once: int


OBJECTS = (
    ("bricolage", N_("Tools and building")),
    ("jardin", N_("Garden")),
    ("velo", N_("Bicycles and transport")),
    ("cuisine", N_("Kitchen")),
    ("fete", N_("Parties and meetings")),
    ("sport", N_("Sport and camping")),
    ("enfants", N_("Children")),
    ("image_son", N_("Sound and picture")),
    ("numerique", N_("Computers")),
    ("maison", N_("House and furniture")),
    ("livres_jeux", N_("Books and games")),
    ("autre", N_("Something else")),
)
USUAL = {
    "bricolage": Usual(4, 1, 3),
    "jardin": Usual(3, 1, 2),
    "velo": Usual(4, 1, 1),
    "cuisine": Usual(7, 1, 3),
    "fete": Usual(4, 0, 0),
    "sport": Usual(14, 1, 3),
    "enfants": Usual(21, 2, 3),
    "image_son": Usual(3, 0, 2),
    "numerique": Usual(14, 1, 1),
    "maison": Usual(7, 1, 2),
    "livres_jeux": Usual(21, 2, 5),
    "autre": Usual(7, 1, 0),
}


def usual(said: Mapping[str, Any]) -> dict[str, int]:
    """Return what the fields of a policy stand for when left empty, for the kind that was said."""
    return USUAL.get(said.get("object", ""), USUAL["autre"])._asdict()
