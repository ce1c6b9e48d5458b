"""The one object spaces hands to the node."""

from node.domain.practice import Engaging, Practice
from node.domain.words import N_
from node.practices.spaces import actions, hours
from node.practices.spaces.lifecycle import LIFECYCLES
from node.practices.spaces.routes import blueprint
from node.practices.spaces.rules import GUARDS, REASONS
from node.practices.spaces.schema import SCHEMA, VERBS

PRACTICE = Practice(
    name="spaces",
    rubric="espaces",
    label=N_("Spaces and machines"),
    one=N_("A room, a machine or a desk"),
    icon="spaces",
    schema=SCHEMA,
    verbs=VERBS,
    facets=actions.facets,
    blueprint=blueprint,
    engaging=Engaging(
        lifecycles=LIFECYCLES,
        which=actions.which,
        fields=actions.fields,
        wish=actions.wish,
        terms=actions.terms,
        claim=actions.claim,
        copies=actions.units,
        moments=actions.moments,
        material=(
            "place",
            "opening",
            "closed",
            "closed_holidays",
            "step",
            "max_minutes",
            "max_days",
            "gap_minutes",
            "prices",
            "habilitation",
            "check_in",
        ),
        auto=actions.auto,
        open_on=hours.opens_on,
        guards=GUARDS,
        reasons=REASONS,
        is_milder=actions.is_milder,
        shape=actions.SHAPE,
        instant=hours.instant,
    ),
)
