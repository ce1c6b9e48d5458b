"""The guard of the pages: sessions, headers, limits, and errors people can read."""

import io
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader

from node.domain.errors import NotAllowed
from node.members import accounts, sessions
from node.pages import security
from node.pages.security.visitor import inner_path
from node.store.database import using
from node.store.people.sessions import Session
from tests.node.security.guarded import (
    NOW,
    Place,
    application,
    log_in,
    member,
    send,
    token,
)

# ── sessions ─────────────────────────────────────────────────────────────────────────────────────


def test_a_login_gives_a_cookie_scripts_and_other_sites_cannot_use(web: FlaskClient) -> None:
    answer = log_in(web, member())
    said = next(each for each in answer.headers.getlist("Set-Cookie") if "lavoir-abababab=" in each)
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(said.split("; "))
    assert web.get("/mine").text == "Anna"


@pytest.mark.parametrize(
    ("root", "start", "path"),
    [
        ("https://lavoir.example", "__Host-lavoir-", "/"),
        ("https://x.example/partage", "__Secure-lavoir-", "/partage/"),
    ],
)
def test_https_gives_a_secure_cookie_bound_to_its_path(
    app: Flask, root: str, start: str, path: str
) -> None:
    web = app.test_client()
    one = token(web, base_url=root)
    answer = web.post("/login", data={"token": one, "member": member()}, base_url=root)
    for said in answer.headers.getlist("Set-Cookie"):
        assert said.startswith(start) and "Secure" in said and f"Path={path}" in said.split("; ")


def test_a_login_makes_a_new_session_and_ends_the_old_one(web: FlaskClient) -> None:
    number = member()
    log_in(web, number)
    before = Session.get().token_hash
    log_in(web, number)
    assert Session.select().count() == 1 and Session.get().token_hash != before


def test_a_planted_cookie_does_not_become_a_session(web: FlaskClient) -> None:
    web.set_cookie("lavoir-abababab", "chosen-by-somebody-else")
    log_in(web, member())
    cookie = web.get_cookie("lavoir-abababab")
    assert cookie is not None and cookie.value != "chosen-by-somebody-else"
    assert sessions.find("chosen-by-somebody-else", now_ms=NOW) is None


def test_who_clicks_twice_at_login_is_logged_in(web: FlaskClient, place: Place) -> None:
    one, number = token(web), member()
    send(web, "/login", one, member=number)
    web.delete_cookie("lavoir-abababab")  # the browser dropped the first answer
    send(web, "/login", one, member=number)
    assert web.get("/mine").text == "Anna" and Session.select().count() == 1
    web.delete_cookie("lavoir-abababab")
    place.clock.forward(minutes=11)
    send(web, "/login", one, member=number)
    assert web.get("/mine").status_code == 303  # an old form opens nothing


def test_a_logout_ends_the_session_in_the_database_too(web: FlaskClient) -> None:
    log_in(web, member())
    answer = send(web, "/logout", token(web))
    assert Session.select().count() == 0 and web.get("/mine").status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"cache"'


def test_a_page_leads_to_the_login_and_back_and_a_form_keeps_its_text(web: FlaskClient) -> None:
    answer = web.get("/mine?a=b")
    assert (answer.status_code, answer.location) == (303, "/compte?next=%2Fmine%3Fa%3Db")
    answer = send(web, "/deed", token(web), text="CANARY")
    assert answer.status_code == 401 and "CANARY" in answer.text and "/compte?next=" in answer.text
    number = member()
    log_in(web, number)
    fresh = re.search(r'name="token" value="([^"]+)"', answer.text)
    assert fresh and send(web, "/deed", fresh[1], text="CANARY").location == "/done"


def test_roles_are_looked_up_at_each_request(web: FlaskClient) -> None:
    number, other = member("Anna", accounts.ADMIN), member("B", accounts.ADMIN)
    log_in(web, number)
    assert web.get("/desk").text == "Anna"
    accounts.set_role(number, accounts.MODERATOR, by=other, now_ms=NOW)
    assert web.get("/desk").status_code == 403
    accounts.suspend(number, by=other, now_ms=NOW)
    assert web.get("/desk").status_code == 303


# ── headers ──────────────────────────────────────────────────────────────────────────────────────


def test_every_answer_carries_the_strict_headers(web: FlaskClient) -> None:
    for path in ("/form", "/nowhere", "/mine", "/broken", "/api/nowhere"):
        headers = web.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';") and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy and "form-action 'self'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "geolocation=(self)" in headers["Permissions-Policy"]
        assert "Access-Control-Allow-Origin" not in headers


def test_private_pages_are_kept_nowhere(web: FlaskClient) -> None:
    assert "no-cache" in web.get("/form").headers["Cache-Control"]
    answer = log_in(web, member())
    assert answer.headers["Cache-Control"] == "no-store"
    for path in ("/mine", "/form", "/desk"):
        headers = web.get(path).headers
        assert headers["Cache-Control"] == "no-store" and "Cookie" in headers["Vary"]


def test_a_page_without_a_form_sets_no_cookie(web: FlaskClient) -> None:
    assert "Set-Cookie" not in web.get("/plain").headers
    assert "Set-Cookie" in web.get("/form").headers
    assert "Set-Cookie" not in web.get("/form").headers


# ── limits and sizes ─────────────────────────────────────────────────────────────────────────────


def test_one_address_sends_so_many_forms_only(web: FlaskClient, place: Place) -> None:
    for _ in range(240):
        assert web.post("/act").status_code == 400
    answer = web.post("/act", data={"text": "CANARY"})
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "60"
    assert "CANARY" in answer.text
    assert web.get("/form").status_code == 200
    assert web.post("/federation/v1/hello").text == "signed"
    elsewhere = web.post("/act", environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert elsewhere.status_code == 400


def test_a_forged_forwarded_address_counts_for_nothing(web: FlaskClient) -> None:
    seen = {
        web.post("/act", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
        for number in range(241)
    }
    assert 429 in seen


def test_behind_a_trusted_proxy_the_forwarded_words_count(home: Path) -> None:
    place = Place(home)
    place.config.forwarded = 1
    with using(place.database):
        web = application(place).test_client()
        headers = {
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Prefix": "/partage",
            "X-Forwarded-For": "192.0.2.1",
        }
        said = web.get("/form", headers=headers).headers["Set-Cookie"]
        assert said.startswith("__Secure-lavoir-") and "Path=/partage/" in said
        assert web.get("/mine", headers=headers).location.startswith("/partage/compte?")


def test_too_much_is_refused_with_413(web: FlaskClient) -> None:
    big = {"token": token(web), "photo": (io.BytesIO(b"x" * 700_000), "a.jpg")}
    assert web.post("/act", data=big).status_code == 413
    long = {"token": token(web), "text": "x" * 600_000}
    assert web.post("/act", data=long).status_code == 413
    many = {f"f{number}": "x" for number in range(600)}
    answer = web.post("/act", data=many, content_type="multipart/form-data")
    assert answer.status_code == 413 and "too big" in answer.text


# ── errors ───────────────────────────────────────────────────────────────────────────────────────


def test_errors_are_pages_for_people_and_problems_for_programs(web: FlaskClient) -> None:
    assert web.get("/nowhere").text.count("404|") == 1
    answer = web.get("/api/nowhere")
    assert answer.mimetype == "application/problem+json" and answer.json is not None
    assert {
        "status": 404,
        "code": "not_found",
        "type": "about:blank",
        "title": "Not Found",
    }.items() <= answer.json.items()
    asked = web.get("/nowhere", headers={"Accept": "application/json"})
    assert asked.mimetype == "application/problem+json"
    assert web.get("/nowhere", headers={"Accept": "*/*"}).mimetype == "text/html"
    wrong = web.get("/act")
    assert wrong.status_code == 405 and "POST" in wrong.headers["Allow"]


def test_a_refusal_keeps_its_status_code_and_fields(web: FlaskClient) -> None:
    answer = web.post(
        "/moody",
        data={"text": "invalid", "token": token(web)},
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 422 and answer.json is not None
    assert [each["field"] for each in answer.json["errors"]] == ["title", "day"]
    page = send(web, "/moody", token(web), text="x")
    assert page.location == "/at-last"


def test_an_invalid_form_that_no_page_caught_still_says_everything(web: FlaskClient) -> None:
    answer = send(web, "/moody", token(web), text="invalid")
    assert "Please fill this in." in answer.text and "No day." in answer.text
    assert "Send it again" not in answer.text


def test_a_fault_of_ours_has_a_number_and_shows_nothing(
    web: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = web.get("/broken")
    found = re.search(r"[0-9A-F]{4}-[0-9A-F]{4}", answer.text)
    assert answer.status_code == 500 and found and "canary" not in answer.text
    assert found[0] in caplog.text and "canary" in caplog.text
    told = web.get("/broken", headers={"Accept": "application/json"})
    assert told.json is not None and told.json["code"] == "internal" and told.json["reference"]


def test_a_read_that_meets_a_lock_says_try_again_not_that_something_broke(web: FlaskClient) -> None:
    answer = web.get("/locked")
    assert answer.status_code == 503 and answer.headers["Retry-After"]
    assert web.get("/locked", headers={"Accept": "application/json"}).json["code"] == "busy"


def test_when_even_the_error_page_breaks_the_bare_one_is_shown(app: Flask) -> None:
    loader: Any = app.jinja_loader
    loader.loaders[0] = DictLoader({"errors/error.html": "{{ nothing.at.all }}"})
    answer = app.test_client().get("/nowhere")
    assert answer.status_code == 404 and "Panne de notre côté" in answer.text


def test_secrets_are_never_written_back(web: FlaskClient) -> None:
    answer = web.post(
        "/act",
        data={
            "email": "anna@example.org",
            "password": "CANARY-1",
            "code": "CANARY-2",
            "new_password": "CANARY-3",
        },
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert "anna@example.org" in answer.text and "CANARY" not in answer.text
    assert "Send it again" not in answer.text


def test_an_unknown_http_method_or_a_strange_body_is_no_fault(web: FlaskClient) -> None:
    for act in (
        lambda: web.open("/act", method="TRACE"),
        lambda: web.open("/act", method="DELETE"),
        lambda: web.post(
            "/act", data=b"\xff\xfe%%%&&&===", content_type="application/x-www-form-urlencoded"
        ),
        lambda: web.post(
            "/act", data=b"--x\r\nbroken", content_type="multipart/form-data; boundary=x"
        ),
        lambda: web.post("/act", data=b"{", content_type="application/json"),
    ):
        assert 400 <= act().status_code < 500


def test_no_route_escapes_the_guard(app: Flask) -> None:
    assert security.unguarded(app) == []
    app.add_url_rule("/open", "open", lambda: "", methods=["POST"])
    assert security.unguarded(app) == ["/open"]


def test_a_role_refusal_says_so(web: FlaskClient) -> None:
    log_in(web, member())
    answer = web.get("/desk")
    assert answer.status_code == 403 and "not allowed" in answer.text
    assert NotAllowed.status == 403


# ── links ────────────────────────────────────────────────────────────────────────────────────────

ELSEWHERE = [
    None, "", "//evil.example", "https://evil.example", "\\\\evil", "/\\evil", "/\t/evil", "evil",
    "javascript:x()", "/a\r\nSet-Cookie: x", "///evil", " /a",
]  # fmt: skip


@pytest.mark.parametrize("text", ELSEWHERE)
def test_a_link_never_leads_elsewhere(text: str | None) -> None:
    assert inner_path(text) == "/"


@given(st.text())
def test_an_inner_path_is_always_one_of_ours(text: str) -> None:
    said = inner_path(text)
    assert said.startswith("/") and not said.startswith(("//", "/\\"))
    assert inner_path("/demandes?page=2#x") == "/demandes?page=2#x"
