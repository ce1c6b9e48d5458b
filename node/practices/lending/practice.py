"""The one object lending hands to the node."""

from node.domain.practice import Engaging, Practice
from node.domain.words import N_
from node.practices.lending import actions, calendar, policy
from node.practices.lending.lifecycle import LIFECYCLES
from node.practices.lending.routes import blueprint
from node.practices.lending.schema import SCHEMA, VERBS

PRACTICE = Practice(
    name="lending",
    rubric="objets",
    label=N_("Things to borrow"),
    one=N_("A thing to lend or to give"),
    icon="lending",
    schema=SCHEMA,
    verbs=VERBS,
    facets=actions.facets,
    blueprint=blueprint,
    today="lending.today",
    engaging=Engaging(
        lifecycles=LIFECYCLES,
        which=actions.which,
        fields=actions.fields,
        wish=actions.wish,
        terms=actions.terms,
        claim=actions.claim,
        copies=actions.copies,
        moments=actions.moments,
        material=(
            "verb",
            "place",
            "deposit",
            "max_days",
            "turnround",
            "open_days",
            "closed",
            "holidays",
        ),
        effects={"hand_over": actions.handed_over},
        auto=actions.auto,
        open_on=calendar.open_on,
        out=policy.WITH_THEM,
        amends={"renew": actions.renewed},
        guards=policy.GUARDS,
        reasons=policy.REASONS,
        limits=policy.limits,
        is_milder=actions.is_milder,
        shape=actions.SHAPE,
    ),
)
