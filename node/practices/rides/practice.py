"""What the node is told of carpooling: its names, its record kind, its facets and its open data."""

from node.domain.practice import Practice
from node.domain.words import N_
from node.practices.rides.bnlc import BNLC
from node.practices.rides.facets import facets
from node.practices.rides.schema import SCHEMA

PRACTICE = Practice(
    name="rides",
    rubric="covoiturage",
    label=N_("Carpooling"),
    one=N_("A trip or a carpool place"),
    icon="rides",
    schema=SCHEMA,
    verbs=(
        ("drive", N_("I drive and have seats")),
        ("travel", N_("I am looking for a seat")),
        ("meet", N_("A carpool place")),
    ),
    facets=facets,
    importers={"bnlc": BNLC},
)
