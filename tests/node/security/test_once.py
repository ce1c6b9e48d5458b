"""A form acts once: double clicks, replays, second tabs, lost answers, strangers' forms."""

import contextlib
import io
import re
import threading
import time
from pathlib import Path

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from node.pages import security
from node.pages.security import answers
from node.store.database import using
from node.store.people.tokens import FormToken
from tests.node.security.guarded import (
    Place,
    log_in,
    member,
    send,
    token,
)

# ── once ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/act", "/act-together"])
def test_a_form_sent_again_is_led_to_the_same_place_and_does_nothing(
    web: FlaskClient, place: Place, path: str
) -> None:
    one = token(web)
    told = [send(web, path, one, text="a") for _ in range(3)]
    assert [(each.status_code, each.location) for each in told] == [(303, "/made/1")] * 3
    assert place.count() == 1
    assert send(web, path, token(web), text="a").location == "/made/2"  # a new form is a new wish


@pytest.mark.parametrize("path", ["/act", "/act-together"])
def test_of_many_identical_forms_at_once_exactly_one_acts(
    app: Flask, place: Place, path: str
) -> None:
    web = app.test_client()
    one = token(web)
    cookie = web.get_cookie("lavoir-abababab-form")
    assert cookie is not None
    told: list[TestResponse] = []

    def press() -> None:
        again = app.test_client()
        again.set_cookie("lavoir-abababab-form", cookie.value)
        told.append(send(again, path, one, text="x"))
        with using(place.database):
            place.database.close()

    place.gate.clear()
    threads = [threading.Thread(target=press) for _ in range(6)]
    for thread in threads:
        thread.start()
    place.gate.set()
    for thread in threads:
        thread.join()
    assert {(each.status_code, each.location) for each in told} == {(303, "/made/1")}
    assert len(told) == 6 and place.count() == 1


def test_one_token_serves_every_form_of_a_page_once_each(web: FlaskClient, place: Place) -> None:
    one = token(web)
    for path in ("/act", "/act-together", "/act", "/act-together"):
        assert send(web, path, one).status_code == 303
    assert place.count() == 2


@pytest.mark.parametrize("path", ["/act", "/act-together"])
def test_other_words_in_a_used_form_are_kept_and_told(
    web: FlaskClient, place: Place, path: str
) -> None:
    one = token(web)
    send(web, path, one, text="first")
    answer = send(web, path, one, text="CANARY second")
    assert answer.status_code == 409
    assert "CANARY second" in answer.text and "/made/1" in answer.text
    fresh = re.search(r'name="token" value="([^"]+)"', answer.text)
    assert fresh and send(web, path, fresh[1], text="CANARY second").location == "/made/2"


def test_another_file_is_another_form(web: FlaskClient) -> None:
    one = token(web)
    told = [
        web.post("/act", data={"token": one, "photo": (io.BytesIO(raw), "a.jpg")}).status_code
        for raw in (b"one", b"one", b"two")
    ]
    assert told == [303, 303, 409]


FORGED = ["", "x", "A" * 50, "é" * 20, "A" * 49 + "=", "\0" * 40]


@pytest.mark.parametrize("text", FORGED)
def test_without_a_good_token_nothing_is_done_and_the_text_is_kept(
    web: FlaskClient, place: Place, text: str
) -> None:
    token(web)
    answer = send(web, "/act", text, text="CANARY <b>")
    assert answer.status_code == 400 and "could not make sure" in answer.text
    assert "CANARY &lt;b&gt;" in answer.text and place.count() == 0
    assert "Send it again" not in answer.text  # it may come from another site


def test_a_form_of_our_own_page_without_token_can_be_sent_again_with_one_press(
    web: FlaskClient,
) -> None:
    answer = web.post("/act", data={"text": "a"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 400 and "Send it again" in answer.text


def test_a_token_is_worth_nothing_in_another_browser(app: Flask, place: Place) -> None:
    stolen = token(app.test_client())
    other = app.test_client()
    token(other)
    assert send(other, "/act", stolen).status_code == 400
    log_in(other, member())
    assert send(other, "/act", stolen).status_code == 400 and place.count() == 0


def test_a_token_of_a_session_dies_with_it(app: Flask) -> None:
    web = app.test_client()
    log_in(web, member())
    one, away = token(web), token(web)
    assert send(web, "/logout", away).status_code == 303
    assert send(web, "/act", one).status_code == 400


def test_a_form_open_too_long_says_so_and_can_be_sent_again(web: FlaskClient, place: Place) -> None:
    used, one = token(web), token(web)
    send(web, "/act", used)
    place.clock.forward(hours=12, ms=1_000)
    answer = send(web, "/act", one, text="CANARY")
    assert answer.status_code == 400 and "12 hours" in answer.text
    assert "CANARY" in answer.text and "Send it again" in answer.text and place.count() == 1
    assert send(web, "/act", used).location == "/made/1"  # what was done is still answered


@pytest.mark.parametrize(
    ("text", "status"), [("conflict", 409), ("abort", 404), ("invalid", 422), ("page", 422)]
)
def test_a_refused_form_may_be_sent_again_as_it_is(
    web: FlaskClient, place: Place, text: str, status: int
) -> None:
    one = token(web)
    assert send(web, "/moody", one, text=text).status_code == status
    assert send(web, "/moody", one, text=text).location == "/at-last"
    assert send(web, "/moody", one, text=text).location == "/at-last" and len(place.done) == 2


@pytest.mark.parametrize(("text", "status"), [("refuse", 409), ("page", 422)])
def test_together_a_refusal_leaves_no_trace(
    web: FlaskClient, place: Place, text: str, status: int
) -> None:
    assert send(web, "/act-together", token(web), text=text).status_code == status
    assert place.count() == 0 and FormToken.select().count() == 0


def test_after_a_fault_of_ours_nobody_acts_twice_unknowingly(
    web: FlaskClient, app: Flask, place: Place
) -> None:
    one = token(web)
    assert send(web, "/moody", one, text="crash").status_code == 500
    answer = send(web, "/moody", one, text="crash")
    assert answer.status_code == 409 and "stopped in the middle" in answer.text
    assert len(place.done) == 1


def test_a_route_that_died_in_the_middle_is_told_after_a_while(
    web: FlaskClient, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.pages.security.answers.WAIT_S", 0.05)
    one = token(web)
    send(web, "/act", one)
    FormToken.update(status=0).execute()  # as if the machine had stopped there
    assert "being done right now" in send(web, "/act", one).text
    place.clock.forward(minutes=3)
    assert "stopped in the middle" in send(web, "/act", one).text
    assert place.count() == 1


def test_what_is_shown_once_is_shown_to_who_clicks_twice(web: FlaskClient, place: Place) -> None:
    one = token(web)
    assert {send(web, "/code", one).text for _ in range(3)} == {"your code is 1"}
    answers._shown.clear()  # another process, or a minute later
    answer = send(web, "/code", one)
    assert answer.status_code == 409 and "only once" in answer.text and place.count() == 1


def test_what_was_typed_is_not_in_the_database(home: Path, web: FlaskClient) -> None:
    send(web, "/act", token(web), text="CANARY-TYPED")
    assert all(b"CANARY-TYPED" not in file.read_bytes() for file in home.glob("lavoir.db*"))


def test_what_a_form_makes_has_the_same_name_each_time(app: Flask) -> None:
    with app.test_request_context("/"):
        g.form_key = b"one"
        first = security.form_key()
        assert len(first) == 16 and first == security.form_key() != security.form_key("other")
        g.form_key = b"two"
        assert security.form_key() != first


# ── Idempotency-Key ──────────────────────────────────────────────────────────────────────────────

UUID = '"8e03978e-40d5-43e8-bc93-6894a57f9324"'


def program(web: FlaskClient, path: str = "/api/act", **headers: str) -> TestResponse:
    return web.post(path, data={"text": "a"}, headers={"Idempotency-Key": UUID, **headers})


def test_the_header_means_the_same_as_the_token(web: FlaskClient, place: Place) -> None:
    log_in(web, member())
    assert {program(web).location for _ in range(3)} == {"/made/1"}
    place.clock.forward(days=20)
    assert program(web).location == "/made/1"
    assert program(web, "/act").location == "/made/2"  # another address, another thing
    other = web.post("/api/act", data={"text": "other"}, headers={"Idempotency-Key": UUID})
    assert other.status_code == 422 and other.json is not None
    assert (other.json["code"], other.json["location"]) == ("form_reused", "/made/1")


def test_the_token_may_travel_in_the_header_even_when_it_is_old(
    web: FlaskClient, place: Place
) -> None:
    one = token(web)
    place.clock.forward(days=3)
    late = web.post("/act", data={"text": "a"}, headers={"Idempotency-Key": one})
    assert late.location == "/made/1"
    assert send(web, "/act", one, text="a").location == "/made/1" and place.count() == 1


def test_keys_of_two_people_do_not_meet(app: Flask, place: Place) -> None:
    for number in (1, 2):
        web = app.test_client()
        log_in(web, member(str(number)))
        assert program(web).location == f"/made/{number}"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_the_header_from_another_site_is_refused(web: FlaskClient, place: Place, site: str) -> None:
    log_in(web, member())
    answer = program(web, **{"Sec-Fetch-Site": site})
    assert answer.status_code == 400 and answer.json is not None
    assert answer.json["code"] == "form_token" and place.count() == 0


@pytest.mark.parametrize("key", ["short", "x" * 300, "with space in it 123"])
def test_a_bad_key_is_refused(web: FlaskClient, key: str) -> None:
    assert program(web, **{"Idempotency-Key": key}).status_code == 400


def test_waiting_does_not_keep_a_slow_act_from_others(app: Flask, place: Place) -> None:
    """Only the same form waits; other people's forms go on while a route is slow."""
    slow, other = app.test_client(), app.test_client()
    one, two = token(slow), token(other)
    place.gate.clear()

    def press() -> None:
        send(slow, "/act", one)
        with using(place.database), contextlib.suppress(Exception):
            place.database.close()

    thread = threading.Thread(target=press)
    thread.start()
    while not FormToken.select().exists():
        time.sleep(0.01)
    assert send(other, "/act-together", two).location == "/made/1"
    place.gate.set()
    thread.join()
    assert place.count() == 2
