"""Calendars through the pages: an address that only its owner knows, and what it does not tell."""

import logging
from datetime import date

import icalendar

from node.erasure.people import erase_person
from node.journal import restoring
from node.pages.security import refusals
from node.store.network import agreements
from node.store.people import calendars
from tests.node.pages.acting import answer, ask, publish, there
from tests.node.pages.conftest import Pair

PAGE = "/compte/calendrier"


def made(pair: Pair, who: str, town: str = "Quimper") -> str:
    """Make an address; return its path."""
    sent = pair.visitor(who, town).send(PAGE, PAGE)
    assert sent.status_code == 200
    return "/ical/" + sent.text.split("/ical/")[1].split(".ics")[0] + ".ics"


def events(pair: Pair, path: str, town: str = "Quimper") -> list:
    """What a program reads at an address, without any cookie."""
    got = pair.visitor("", town).get(path)
    assert got.status_code == 200 and got.mimetype == "text/calendar"
    return icalendar.Calendar.from_ical(got.get_data()).walk("VEVENT")


def lent(pair: Pair) -> str:
    """A loan across towns that was accepted; return the address of the request."""
    publish(pair, "Roue libre", "Lorient", "Scie")
    pair.world.sync()
    href = ask(pair, "Nolwenn", "Quimper", there(pair, "Scie"))
    pair.world.sync()
    answer(pair, "Roue libre", "Lorient", href, "approve")
    pair.world.sync()
    return href


def test_one_s_own_calendar_tells_what_and_when_at_both_towns_alike(pair: Pair) -> None:
    href = lent(pair)
    (mine,) = events(pair, made(pair, "Nolwenn"))
    assert mine["DTSTART"].dt == date(2026, 11, 25) and mine["DTEND"].dt == date(2026, 11, 27)
    assert "Scie" in str(mine["SUMMARY"]) and str(mine["STATUS"]) == "CONFIRMED"
    assert str(mine["URL"]).endswith(href)
    (kept,) = events(pair, made(pair, "Roue libre", "Lorient"), "Lorient")
    assert str(kept["UID"]) == str(mine["UID"]) and kept["SEQUENCE"] == mine["SEQUENCE"]
    text = mine.to_ical() + kept.to_ical()
    for secret in (b"Nolwenn", b"nolwenn@", b"Roue", b"roue@", b"Merci"):
        assert secret not in text
    before = mine["SEQUENCE"]
    answer(pair, "Nolwenn", "Quimper", href, "withdraw")
    pair.world.sync()
    (gone,) = events(pair, made(pair, "Nolwenn"))
    assert str(gone["STATUS"]) == "CANCELLED" and gone["SEQUENCE"] > before
    assert str(gone["UID"]) == str(mine["UID"])


def test_a_new_address_ends_the_old_one_and_ending_ends_both(pair: Pair) -> None:
    first, second = made(pair, "Nolwenn"), made(pair, "Nolwenn")
    stranger = pair.visitor()
    assert stranger.get(first).status_code == 404 and stranger.get(second).status_code == 200
    assert second.split("/")[2][:12] not in pair.visitor("Nolwenn").read(PAGE).text  # shown once
    me = pair.visitor("Nolwenn")
    me.post(PAGE, {"token": me.token(), "end": "1"})
    assert stranger.get(second).status_code == 404


def test_secrets_cannot_be_guessed_and_guessing_is_slowed(pair: Pair) -> None:
    path = made(pair, "Nolwenn")
    assert len(path) > 35
    stranger = pair.visitor()
    codes = [stranger.get(f"/ical/{number:032d}.ics").status_code for number in range(70)]
    assert set(codes) == {404, 429} and codes[-1] == 429
    assert stranger.get(path).status_code == 200  # the right one is not kept out
    for odd in ("x" * 5_000, "%00", "a%20b", "..", "é"):
        assert stranger.get(f"/ical/{odd}.ics").status_code in (404, 429, 414, 308)


def test_no_copy_of_it_is_kept_and_no_log_holds_the_secret(pair: Pair, caplog, monkeypatch) -> None:
    path = made(pair, "Nolwenn")
    got = pair.visitor().get(path)
    assert got.headers["Cache-Control"] == "no-store" and got.headers["X-Robots-Tag"] == "noindex"
    secret = path.split("/")[2].removesuffix(".ics")
    with pair.quimper.inside() as town:
        assert secret.encode() not in (town.home / "lavoir.db").read_bytes()

    def broken(found: str) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(calendars, "find", broken)
    pair.quimper.app.testing = False
    try:
        with caplog.at_level(logging.DEBUG):
            assert pair.visitor().get(path).status_code == 500
    finally:
        pair.quimper.app.testing = True
    told = [record.getMessage() for record in caplog.records if record.name == refusals.__name__]
    assert told and not any(secret in each for each in told)


def test_who_is_shut_out_erased_or_restored_reads_no_calendar(pair: Pair) -> None:
    path = made(pair, "Nolwenn")
    with pair.quimper.inside() as town:
        restoring.begin(town.clock.now_ms() + 1_000, restoring.RESTORED)
        pair.world.clock.forward(minutes=1)
        restoring.finish(town.clock.now_ms())
    assert pair.visitor().get(path).status_code == 404
    pair.world.clock.forward(minutes=1)
    path = made(pair, "Nolwenn")
    number = pair.people["Nolwenn"].id
    desk = pair.visitor("Maïwenn")
    desk.post(f"/admin/membres/{number}/acces", {"token": desk.token()})
    assert pair.visitor().get(path).status_code == 404
    with pair.quimper.inside() as town:
        agreements.let(pair.lorient.town.id, number, town.clock.now_ms())
        assert calendars.of(number) is not None
        erase_person(town, number, by=None)
        assert calendars.of(number) is None
        assert not agreements.is_let(pair.lorient.town.id, number)


def test_a_thing_s_calendar_tells_when_it_is_taken_and_nothing_of_who(pair: Pair) -> None:
    lent(pair)
    code = there(pair, "Scie", "Lorient")
    (busy,) = events(pair, f"{code}/calendrier.ics", "Lorient")
    assert busy["DTSTART"].dt == date(2026, 11, 25) and str(busy["SUMMARY"]) == "Pris"
    text = pair.visitor("", "Lorient").get(f"{code}/calendrier.ics").get_data(as_text=True)
    for secret in ("Nolwenn", "Quimper", "Merci", "demandes"):
        assert secret not in text
    assert pair.visitor().get(f"{there(pair, 'Scie')}/calendrier.ics").status_code == 404  # copy
    assert pair.visitor("", "Lorient").get("/a/ZZZZ/calendrier.ics").status_code == 404


def test_with_two_copies_it_is_taken_only_where_both_are(pair: Pair) -> None:
    publish(pair, "Roue libre", "Lorient", "Chaise", copies="2")
    href = there(pair, "Chaise", "Lorient")
    spans = (("2026-11-25", "2026-11-27"), ("2026-11-27", "2026-11-28"))
    for who, (first, last) in zip(("Anne", "Anne"), spans, strict=True):
        asked = ask(pair, who, "Lorient", href, first_day=first, last_day=last)
        answer(pair, "Roue libre", "Lorient", asked, "approve")
    (busy,) = events(pair, f"{href}/calendrier.ics", "Lorient")
    assert (busy["DTSTART"].dt, busy["DTEND"].dt) == (date(2026, 11, 27), date(2026, 11, 28))


def test_one_request_as_an_event_is_for_those_who_take_part(pair: Pair) -> None:
    href = lent(pair)
    page = pair.visitor("Nolwenn").read(href)
    assert (f"{href}/calendrier.ics", "Mettre dans mon agenda") in [
        (link, words.strip()) for link, words in page.links
    ]
    got = pair.visitor("Nolwenn").get(f"{href}/calendrier.ics")
    assert got.status_code == 200 and got.headers["Cache-Control"] == "no-store"
    assert len(icalendar.Calendar.from_ical(got.get_data()).walk("VEVENT")) == 1
    for who in ("Yann", ""):
        assert pair.visitor(who).get(f"{href}/calendrier.ics").status_code == 404
    assert pair.visitor("Nolwenn").get("/demandes/zz/calendrier.ics").status_code == 404
