"""What the keys ask of the desk today: often nothing."""

from typing import Any

from node.domain.words import N_
from node.identity import yearly
from node.identity.standing import standing


def keys_ask(town: Any, now_ms: int) -> list[tuple[str, str, str]]:
    """Return [(message id, label id, a town's name or ""), ...] of what waits for a person."""
    keys, found = standing(town), []
    if keys.rivals:
        found.append((N_("Two sets of our own keys carry one number"), N_("Choose"), ""))
    if keys.is_behind:
        message = N_("The key file of this machine is too old: nothing can be signed")
        found.append((message, N_("See"), ""))
    for row in keys.frozen_at:
        found.append((N_("%(town)s does not believe our keys: call it"), N_("See"), row.name))
    if yearly.is_due(town.keyring.genesis, now_ms):
        found.append(
            (N_("Look whether both copies of the recovery sheet are there"), N_("See"), "")
        )
    return found
