"""The photos as pages load them: content named by its hash, so it may be kept for ever."""

from typing import Any

from flask import Blueprint, send_file

from node.domain.errors import NotFound
from node.domain.words import N_
from node.members import accounts
from node.pages.here import member, town
from node.pages.security import require_member

blueprint = Blueprint("photos", __name__)

YEAR_S = 31_536_000


@blueprint.get("/photos/<name>")
def show(name: str) -> Any:
    """Send a photo or its thumbnail; raises NotFound, and SignInFirst for one residents see.

    What only hidden listings show is for the desk alone.
    """
    is_public = town().photos.is_public(name)
    if town().photos.is_hidden(name):
        if not accounts.may(member(), "moderator"):
            raise NotFound("no_photo", N_("This photo is not here."))
        is_public = False
    if not is_public:
        require_member()
    answer = send_file(town().photos.named(name), mimetype="image/webp", max_age=YEAR_S)
    answer.cache_control.public = is_public
    answer.cache_control.private = not is_public
    answer.cache_control.immutable = True
    return answer
