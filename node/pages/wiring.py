"""The pages put together: blueprints, template folders, the language and looks of each request."""

from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, request, url_for
from jinja2 import ChoiceLoader, FileSystemLoader

from node.domain.capacity import day_of
from node.journal import restoring
from node.members import accounts
from node.pages import (
    account,
    address,
    around,
    asking,
    calendar,
    catalogue,
    formats,
    joining,
    keepers,
    language,
    leaving,
    listing,
    photos,
    proposing,
    publish,
    reporting,
    requests,
    security,
    source,
    staffing,
    talk,
    texts,
    tickets,
    towns,
)
from node.pages.here import member, now_ms, town
from node.pages.printable import printable
from node.pages.prose import prose

ROOMS = (
    catalogue,
    listing,
    keepers,
    asking,
    publish,
    requests,
    account,
    calendar,
    address,
    joining,
    reporting,
    leaving,
    towns,
    texts,
    photos,
    source,
    staffing,
    talk,
    tickets,
    proposing,
)
NODE = Path(__file__).parents[1]


def install(app: Flask, here: Any) -> None:
    """Give the application every page a resident sees, in the language of each request."""
    folders = [NODE / "pages" / "templates", NODE / "desk" / "templates"]
    folders += [NODE / "practices" / each.name / "templates" for each in here.registry.practices]
    app.jinja_loader = ChoiceLoader([FileSystemLoader(each) for each in folders])
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = False
    language.install(app.jinja_env)
    formats.install(app.jinja_env)
    app.jinja_env.filters["prose"] = prose
    app.jinja_env.finalize = printable
    app.before_request(_choose_language)
    app.teardown_request(_forget_language)
    app.after_request(_keep_language)
    security.install(app, here)
    app.context_processor(_shared)
    for room in ROOMS:
        app.register_blueprint(room.blueprint)


def _choose_language() -> None:
    code = language.pick(
        request.args.get("lang"),
        request.cookies.get("lang"),
        request.headers.get("Accept-Language"),
        town().config.language,
    )
    g.language_token = language.speak(town().catalogues.language(code))


def _forget_language(error: BaseException | None) -> None:
    token = g.pop("language_token", None)
    if token is not None:
        language.hush(token)


def _keep_language(answer: Any) -> Any:
    if request.args.get("lang") in language.NAMES:
        answer.set_cookie("lang", request.args["lang"], max_age=31_536_000, samesite="Lax")
    answer.headers.setdefault("Content-Language", language.current().code)
    return answer


def _here() -> str:
    """Return the path of this page, or of the first one where it is only the answer to a form."""
    adapter = current_app.create_url_adapter(request)
    is_page = adapter is not None and adapter.test(request.path, "GET")
    return request.path if is_page else url_for("catalogue.home")


def _shared() -> dict[str, Any]:
    """What base.html reads on every page; looked up once a request, however many templates."""
    if "shared" not in g:
        person, config = member(), town().config
        g.shared = {
            "town_name": config.name,
            "manager": config.manager,
            "theme": request.cookies.get("theme", ""),
            "waiting": requests.waiting_for(person) if person else 0,
            "status": around.standing(),
            "form_token": security.form_token(),
            "source_url": url_for("source.show"),
            "is_admin": accounts.may(person, "admin"),
            "person": person,
            "main_class": "",
            "section": "",
            "here": _here(),
            "restoring": restoring.is_restoring(),
            "today": day_of(now_ms(), config.timezone),
        }
    return g.shared  # type: ignore[no-any-return]
