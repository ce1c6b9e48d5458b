"""What guards the pages: who is asking, forms that act once, strict headers, readable refusals.

Read in this order: visitor (the session cookie, require_member), tokens (what a form carries),
answers (a form acts once, however often it is sent), headers, refusals (error pages and problems).

    install(app, town)          wires all of it; the town's database must be current before
    @once                       under a POST route: its form acts once; once(together=True) when the
                                route only writes to the database
    form_token()                for templates: {{ form_token }} in a hidden field called `token`
    require_member(), require_role(role), sign_in(member), sign_out()
    require_person(), applicant()   who is signed in and waits for the desk's yes
    limit(purpose, who)         one more of something that may not be done too often
    inner_path(text)            where to go next, never to another site
"""

from typing import Any

from flask import Blueprint, Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from node.domain.listing import PHOTOS_MAX
from node.pages.security import headers, refusals, visitor
from node.pages.security.answers import form_key, once
from node.pages.security.tokens import form_token
from node.pages.security.visitor import (
    SignInFirst,
    applicant,
    inner_path,
    is_this_browser,
    limit,
    network_address,
    require_member,
    require_person,
    require_role,
    sign_in,
    sign_out,
)

__all__ = [
    "SignInFirst",
    "applicant",
    "form_key",
    "form_token",
    "inner_path",
    "install",
    "is_this_browser",
    "limit",
    "network_address",
    "once",
    "require_member",
    "require_person",
    "require_role",
    "sign_in",
    "sign_out",
    "unguarded",
]

HARMLESS = {"/apparence"}  # keeps a wish of how pages look, nothing else: needs no token
SIGNED = ("/federation/",)  # requests below these paths prove themselves by a signature
FORM_PARTS_MAX = 500
SAFE = {"GET", "HEAD", "OPTIONS"}

_folder = Blueprint("security", __name__, template_folder="templates")


def install(app: Flask, town: Any) -> None:
    """Guard every page of the application; `town` has config, keyring, clock and id."""
    config = town.config
    if config.forwarded:
        hops = config.forwarded
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops
        )
    app.config.update(
        MAX_CONTENT_LENGTH=config.upload_max_bytes * PHOTOS_MAX + visitor.TEXT_MAX_BYTES,
        MAX_FORM_MEMORY_SIZE=visitor.TEXT_MAX_BYTES,
        MAX_FORM_PARTS=FORM_PARTS_MAX,
        SESSION_COOKIE_NAME=f"lavoir-said-{town.id.hex()[:8]}",  # what flash() shows next, no more
        SESSION_COOKIE_SAMESITE="Lax",
    )
    app.register_blueprint(_folder)
    visitor.install(app, SIGNED)
    refusals.install(app)
    headers.install(app)


def unguarded(app: Flask) -> list[str]:
    """Return the rules that change things and are neither `once` nor signed: there are none."""
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if (rule.methods or set()) - SAFE
        and rule.rule not in HARMLESS
        and not rule.rule.startswith(SIGNED)
        and not getattr(app.view_functions[rule.endpoint], "is_once", False)
    )
