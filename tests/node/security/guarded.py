"""A small guarded application for the security tests, on a real database of its own."""

import re
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import peewee
from flask import Flask, abort, redirect, render_template_string, request
from flask.testing import FlaskClient
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader
from werkzeug.test import TestResponse

from node.domain.clock import FixedClock
from node.domain.errors import Conflict, Invalid, Problem
from node.members import accounts
from node.pages import security
from node.pages.language import install as install_words
from node.store import marks
from node.store.database import open_database, using, write_tx
from node.store.schema import migrate

NOW = 1_795_000_000_000
DAY, HOUR = 86_400_000, 3_600_000
PAGES = Path(__file__).parents[3] / "node/pages/templates"
BASE = "<title>{% block title %}{% endblock %}</title><main>{% block main %}{% endblock %}</main>"
ERROR = (
    "{% extends 'base.html' %}{% block main %}{{ code }}|{{ detail }}|{{ reference }}{% endblock %}"
)


class Place:
    """One town's application and what its routes did."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.clock = FixedClock(NOW)
        self.database = open_database(home / "lavoir.db")
        migrate(self.database)
        self.id, self.config = (
            b"\xab" * 32,
            SimpleNamespace(
                url="http://localhost", forwarded=0, upload_max_bytes=20_000, **settings
            ),
        )
        self.keyring = SimpleNamespace(secret=b"s" * 32)
        self.done: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def count(self, name: str = "written") -> int:
        return marks.number(name)

    def write(self) -> None:
        with write_tx():
            marks.write_number("written", marks.number("written") + 1)


def application(place: Place) -> Flask:
    app = Flask("guarded", static_folder=None)
    app.secret_key = b"k" * 32
    app.extensions["lavoir"] = place
    words = DictLoader({"base.html": BASE, "errors/error.html": ERROR})
    app.jinja_loader = ChoiceLoader([words, FileSystemLoader(PAGES)])  # type: ignore[assignment]
    install_words(app.jinja_env)
    security.install(app, place)
    app.context_processor(lambda: {"form_token": security.form_token()})
    for add in (add_pages, add_forms, add_moods, add_logins):
        add(app, place)
    inner = app.wsgi_app

    def with_database(environ: Any, start: Any) -> Any:
        with using(place.database):  # each thread of a server opens its own connection
            return inner(environ, start)

    app.wsgi_app = with_database  # type: ignore[method-assign]
    return app


def add_pages(app: Flask, place: Place) -> None:
    @app.get("/form")
    def form() -> str:
        return render_template_string("<input name=token value={{ form_token }}>")

    @app.get("/plain")
    def plain() -> str:
        return render_template_string("hello")

    @app.get("/mine")
    def mine() -> str:
        return security.require_member().name

    @app.get("/desk")
    def desk() -> str:
        return security.require_role(accounts.ADMIN).name

    @app.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError("canary")

    @app.get("/locked")
    def locked() -> str:
        raise peewee.OperationalError("database is locked")


def add_forms(app: Flask, place: Place) -> None:
    @app.post("/act")
    @security.once
    def act() -> Any:
        place.gate.wait(5)
        place.done.append(request.form.get("text", ""))
        place.write()
        return redirect(f"/made/{place.count()}", 303)

    @app.post("/act-together")
    @security.once(together=True)
    def act_together() -> Any:
        place.write()
        if request.form.get("text") == "refuse":
            raise Conflict("taken", "Just taken.")
        if request.form.get("text") == "page":
            return "look again", 422
        return redirect(f"/made/{place.count()}", 303)


def add_moods(app: Flask, place: Place) -> None:
    @app.post("/moody")
    @security.once
    def moody() -> Any:
        text = request.form.get("text", "")
        place.done.append(text)
        if len(place.done) > 1:
            return redirect("/at-last", 303)
        {
            "conflict": lambda: conflict(),
            "abort": lambda: abort(404),
            "invalid": lambda: invalid(),
            "crash": lambda: 1 // 0,
        }.get(text, lambda: None)()
        return "look again", 422

    @app.post("/code")
    @security.once
    def code() -> str:
        place.write()
        return f"your code is {place.count()}"


def add_logins(app: Flask, place: Place) -> None:
    @app.post("/login")
    @security.once
    def login() -> Any:
        security.sign_in(int(request.form["member"]))
        return redirect("/mine", 303)

    @app.post("/logout")
    @security.once
    def logout() -> Any:
        security.sign_out()
        return redirect("/", 303)

    @app.post("/deed")
    @security.once
    def deed() -> Any:
        security.require_member()
        return redirect("/done", 303)

    @app.post("/api/act")
    @security.once
    def api_act() -> Any:
        place.write()
        return redirect(f"/made/{place.count()}", 303)

    @app.post("/federation/v1/hello")
    def hello() -> str:
        return "signed"


def conflict() -> None:
    raise Conflict("taken", "Just taken, %(name)s.", name="title")


def invalid() -> None:
    raise Invalid(
        [Problem("title", "required", "Please fill this in."), Problem("day", "x", "No day.")]
    )


def token(web: FlaskClient, **named: Any) -> str:
    found = re.search(r"value=(\S+)>", web.get("/form", **named).text)
    assert found
    return found[1]


def send(web: FlaskClient, path: str = "/act", token_: str = "", **fields: Any) -> TestResponse:
    data = {"token": token_, **fields} if token_ else fields
    return web.post(path, data=data)


def member(name: str = "Anna", *roles: str) -> int:
    return accounts.create(name, roles=roles, now_ms=NOW).id


def log_in(web: FlaskClient, number: int) -> TestResponse:
    answer = send(web, "/login", token(web), member=number)
    assert answer.status_code == 303
    return answer
