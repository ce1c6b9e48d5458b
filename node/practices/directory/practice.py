"""What the node is told of the directory: its names, its record kind and how entries are found."""

from dataclasses import replace

from node.domain.practice import Facets, Practice
from node.domain.words import N_
from node.practices.directory.formats import known_formats
from node.practices.directory.schema import SCHEMA, Organisation


def facets(body: Organisation) -> Facets:
    """Return (name, value) pairs: category, sort and insee."""
    pairs = [("category", body.category)]
    if body.sort:
        pairs.append(("sort", body.sort))
    if body.place and body.place.insee:
        pairs.append(("insee", body.place.insee))
    return tuple(pairs)


_PLAIN = Practice(
    name="directory",
    rubric="acteurs",
    label=N_("Who is who"),
    one=N_("An organisation"),
    icon="directory",
    schema=SCHEMA,
    verbs=(("visit", N_("To visit")),),
    facets=facets,
)

PRACTICE = replace(_PLAIN, importers=known_formats(_PLAIN))
