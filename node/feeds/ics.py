"""iCalendar (RFC 5545) as text: a calendar of events, the same bytes for the same events.

Instants are written in UTC, whole days as dates, half-open. Nothing here knows where they are from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

MEDIA_TYPE = "text/calendar; charset=utf-8"
LINE_MAX_BYTES = 75  # RFC 5545, 3.1; the break is not counted
TENTATIVE, CONFIRMED, CANCELLED = "TENTATIVE", "CONFIRMED", "CANCELLED"


@dataclass(frozen=True)
class Event:
    """One event.

    uid        the same for ever; sequence grows with each change; changed_ms: when that was
    start_ms, end_ms   UTC, half-open; is_in_days: from midnight to midnight in the calendar's zone
    is_busy    whether the time is taken for who looks (TRANSP)
    """

    uid: str
    sequence: int
    changed_ms: int
    start_ms: int
    end_ms: int
    is_in_days: bool
    summary: str
    description: str = ""
    location: str = ""
    url: str = ""
    status: str = CONFIRMED
    is_busy: bool = True


def calendar(events: Iterable[Event], *, name: str, zone: str, town: str) -> str:
    """Return a whole calendar: published, not an invitation anybody is to answer."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//Lavoir//{_escaped(town)}//FR",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{_escaped(name)}",  # RFC 7986
        f"X-WR-CALNAME:{_escaped(name)}",
        f"X-WR-TIMEZONE:{zone}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ]
    for event in events:
        lines += _event(event, zone)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines)


def _event(event: Event, zone: str) -> list[str]:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{_escaped(event.uid)}",
        f"DTSTAMP:{_instant(event.changed_ms)}",
        f"LAST-MODIFIED:{_instant(event.changed_ms)}",
        f"SEQUENCE:{event.sequence}",
        *_times(event, zone),
        f"SUMMARY:{_escaped(event.summary)}",
        f"STATUS:{event.status}",
        f"TRANSP:{'OPAQUE' if event.is_busy else 'TRANSPARENT'}",
    ]
    if event.description:
        lines.append(f"DESCRIPTION:{_escaped(event.description)}")
    if event.location:
        lines.append(f"LOCATION:{_escaped(event.location)}")
    if event.url:
        lines.append(f"URL:{_printed(event.url)}")
    return [*lines, "END:VEVENT"]


def _times(event: Event, zone: str) -> list[str]:
    if not event.is_in_days:
        return [f"DTSTART:{_instant(event.start_ms)}", f"DTEND:{_instant(event.end_ms)}"]
    first, after = _date(event.start_ms, zone), _date(event.end_ms, zone)
    return [f"DTSTART;VALUE=DATE:{first}", f"DTEND;VALUE=DATE:{after}"]


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1_000, UTC).strftime("%Y%m%dT%H%M%SZ")


def _date(at_ms: int, zone: str) -> str:
    return datetime.fromtimestamp(at_ms // 1_000, ZoneInfo(zone)).strftime("%Y%m%d")


def _escaped(text: str) -> str:
    """Return TEXT (3.3.11): no control character but the line break gets through."""
    clean = text.replace("\r\n", "\n").replace("\r", "\n")
    for before, after in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        clean = clean.replace(before, after)
    return _printed(clean)


def _printed(text: str) -> str:
    return "".join(each for each in text if ord(each) >= 32 and ord(each) != 127)


def folded(line: str) -> str:
    """Return a line folded after at most LINE_MAX_BYTES bytes, never inside a character."""
    parts, room = [""], LINE_MAX_BYTES
    for each in line:
        size = len(each.encode())
        if size > room:
            parts.append(" ")
            room = LINE_MAX_BYTES - 1
        parts[-1] += each
        room -= size
    return "\r\n".join(parts)
