"""The calendars: read back by an independent parser, on the days on which clocks and years jump."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.capacity import midnight_ms
from node.feeds import ics
from node.feeds.ics import Event, calendar, folded

ZONE = "Europe/Paris"
PARIS = ZoneInfo(ZONE)
EPOCH = date(1970, 1, 1)


def event(**more) -> Event:
    """An event of two whole days, with what a test says otherwise."""
    usual = {
        "uid": "0123@lavoir",
        "sequence": 3,
        "changed_ms": 1_795_417_200_000,
        "start_ms": midnight_ms(20_780, ZONE),
        "end_ms": midnight_ms(20_782, ZONE),
        "is_in_days": True,
        "summary": "Remorque à vélo",
    }
    return Event(**{**usual, **more})


def parsed(*events: Event) -> list:
    """The events as another program reads them."""
    text = calendar(events, name="Agenda", zone=ZONE, town="Lorient")
    return icalendar.Calendar.from_ical(text.encode()).walk("VEVENT")


def in_days(first: date, after: date):
    """What the parser reads of an event of whole days."""
    start = midnight_ms((first - EPOCH).days, ZONE)
    end = midnight_ms((after - EPOCH).days, ZONE)
    (read,) = parsed(event(start_ms=start, end_ms=end))
    return read["DTSTART"].dt, read["DTEND"].dt


@pytest.mark.parametrize(
    ("first", "after"),
    [
        (date(2027, 3, 27), date(2027, 3, 28)),
        (date(2027, 3, 28), date(2027, 3, 29)),
        (date(2027, 3, 26), date(2027, 3, 30)),
        (date(2027, 10, 30), date(2027, 11, 1)),
        (date(2027, 10, 31), date(2027, 11, 1)),
        (date(2028, 2, 28), date(2028, 2, 29)),
        (date(2028, 2, 29), date(2028, 3, 1)),
        (date(2027, 2, 28), date(2027, 3, 1)),
        (date(2027, 12, 31), date(2028, 1, 1)),
        (date(2027, 4, 30), date(2027, 5, 1)),
    ],
)
def test_whole_days_are_dates_and_half_open_on_every_odd_day(first, after):
    assert in_days(first, after) == (first, after)


@given(st.dates(date(2026, 1, 1), date(2037, 12, 31)), st.integers(1, 60))
def test_whole_days_of_any_span_read_back_as_they_were(first, count):
    after = first + timedelta(days=count)
    assert in_days(first, after) == (first, after)


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        (datetime(2027, 3, 28, 1, 30, tzinfo=PARIS), "20270328T003000Z"),
        (datetime(2027, 3, 28, 3, 30, tzinfo=PARIS), "20270328T013000Z"),
        (datetime(2027, 10, 31, 1, 30, tzinfo=PARIS), "20271030T233000Z"),
        (datetime(2027, 10, 31, 2, 30, fold=0, tzinfo=PARIS), "20271031T003000Z"),
        (datetime(2027, 10, 31, 2, 30, fold=1, tzinfo=PARIS), "20271031T013000Z"),
        (datetime(2027, 10, 31, 3, 30, tzinfo=PARIS), "20271031T023000Z"),
    ],
)
def test_an_hour_is_an_instant_of_utc_on_the_days_clocks_change(local, utc):
    start_ms = int(local.timestamp() * 1_000)
    made = event(start_ms=start_ms, end_ms=start_ms + 3_600_000, is_in_days=False)
    text = calendar([made], name="x", zone=ZONE, town="x")
    assert f"DTSTART:{utc}\r\n" in text
    (read,) = parsed(made)
    assert int(read["DTSTART"].dt.timestamp() * 1_000) == start_ms
    assert read["DTEND"].dt - read["DTSTART"].dt == timedelta(hours=1)


def test_what_a_calendar_needs_is_there():
    (read,) = parsed(event(status=ics.CANCELLED, url="https://lorient.example/demandes/1"))
    assert (str(read["UID"]), read["SEQUENCE"], str(read["STATUS"])) == (
        "0123@lavoir",
        3,
        "CANCELLED",
    )
    assert read["DTSTAMP"].dt == datetime.fromtimestamp(1_795_417_200, UTC)
    text = calendar([], name="Agenda", zone=ZONE, town="Lorient")
    whole = icalendar.Calendar.from_ical(text)
    assert str(whole["METHOD"]) == "PUBLISH" and str(whole["VERSION"]) == "2.0"
    assert "PRODID" in whole


def test_the_same_events_are_the_same_bytes():
    said = [calendar([event(), event(uid="2@x")], name="a", zone=ZONE, town="b") for _ in range(2)]
    assert said[0] == said[1]


@given(st.text(max_size=300))
def test_any_title_reads_back_and_breaks_no_line(title):
    made = event(summary=title, description=title, location=title)
    text = calendar([made], name=title, zone=ZONE, town=title)
    assert text.endswith("END:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    for line in text.split("\r\n"):
        assert len(line.encode("utf-8", "surrogatepass")) <= 75
    (read,) = icalendar.Calendar.from_ical(text.encode()).walk("VEVENT")
    plain = title.replace("\r\n", "\n").replace("\r", "\n")
    wanted = "".join(each for each in plain if each == "\n" or (ord(each) >= 32 != 127))
    wanted = wanted.replace("\x7f", "")
    assert str(read["SUMMARY"]) == wanted


@pytest.mark.parametrize(
    "title",
    [
        "Scie; perceuse, marteau",
        "A\\nB \\; C",
        "fin\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:faux",
        "x\nATTACH:file:///etc/passwd",
        "é" * 200,
        "🛠️" * 80,
    ],
)
def test_a_title_cannot_make_a_line_of_its_own(title):
    (read,) = parsed(event(summary=title))
    assert str(read["SUMMARY"]) == title.replace("\r\n", "\n")
    assert "ATTACH" not in read


def test_a_line_is_folded_at_seventy_five_bytes_and_inside_no_character():
    seed = random.randrange(1_000_000)
    drawn = random.Random(seed)
    for _ in range(200):
        line = "".join(drawn.choice("aé€🛠") for _ in range(drawn.randrange(400)))
        parts = folded(line).split("\r\n")
        assert all(len(part.encode()) <= 75 for part in parts), seed
        assert all(part.startswith(" ") for part in parts[1:]), seed
        assert parts[0] + "".join(part[1:] for part in parts[1:]) == line, seed
