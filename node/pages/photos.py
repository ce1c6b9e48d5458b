"""The photos as pages load them: content named by its hash, so it may be kept for ever."""

from typing import Any

from flask import Blueprint, send_file

from node.pages.here import town
from node.pages.security import require_member

blueprint = Blueprint("photos", __name__)

YEAR_S = 31_536_000


@blueprint.get("/photos/<name>")
def show(name: str) -> Any:
    """Send a photo or its thumbnail; raises NotFound, and SignInFirst for one residents see."""
    is_public = town().photos.is_public(name)
    if not is_public:
        require_member()
    answer = send_file(town().photos.named(name), mimetype="image/webp", max_age=YEAR_S)
    answer.cache_control.public = is_public
    answer.cache_control.private = not is_public
    answer.cache_control.immutable = True
    return answer
