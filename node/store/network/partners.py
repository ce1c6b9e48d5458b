"""The partners: the other towns this one knows, how far each pairing went and how each is doing.

invited     we made an invitation, or accepted one; keysets not exchanged yet
words       keysets exchanged; the six words wait to be compared by both admins
active      both confirmed: listings, requests and answers are exchanged
ending      one of the two ended the link: what was promised is still kept, nothing new is asked
introduced  a partner introduced it and our admin accepted: readable, no requests
removed     ended by our admin; kept so that its history has a name
"""

import peewee

from node.store.database import db, write_tx
from node.store.row import BytesField, Row

STATUSES = ("invited", "words", "active", "ending", "introduced", "removed")
LINKED = ("active", "ending")  # visits go to and fro
HELD = (*LINKED, "introduced")  # the origins whose records are kept here

FIRST_RETRY_MS = 30_000
LONGEST_RETRY_MS = 6 * 3_600_000
LATEST_MS = 25 * 3_600_000  # nothing is planned for later: a clock was wrong when it was


class Partner(Row):
    """One other town.

    next_try_ms      not visited before (back-off); 0 = whenever
    failures         visits failed in a row; 0 = the last one succeeded
    down_since_ms    when the first of them failed
    peer_nonce       the next nonce it gave us: saves the hello
    generation_s     its `gen`: unix seconds of its last restore (the fence)
    clock_skew_ms    its clock less ours at the last visit
    words_here       our admin compared the words; words_there: theirs did
    lan              private addresses are allowed for it
    """

    town = BytesField(primary_key=True)
    name = peewee.TextField(default="")
    url = peewee.TextField(default="")
    status = peewee.TextField(default="invited", index=True)
    words_here = peewee.BooleanField(default=False)
    words_there = peewee.BooleanField(default=False)
    lan = peewee.BooleanField(default=False)
    since_ms = peewee.BigIntegerField(default=0)
    next_try_ms = peewee.BigIntegerField(default=0)
    failures = peewee.IntegerField(default=0)
    down_since_ms = peewee.BigIntegerField(null=True)
    last_ok_ms = peewee.BigIntegerField(null=True)
    last_error = peewee.TextField(default="")
    last_error_ms = peewee.BigIntegerField(null=True)
    peer_nonce = BytesField(null=True)
    generation_s = peewee.BigIntegerField(default=0)
    clock_skew_ms = peewee.BigIntegerField(default=0)


def find(town: bytes) -> Partner | None:
    """Return the partner with this town id (32 bytes)."""
    return Partner.one(town=town)


def is_active(town: bytes) -> bool:
    """Return whether that town is a partner both admins confirmed."""
    return Partner.select().where(Partner.town == town, Partner.status == "active").exists()


def is_linked(town: bytes) -> bool:
    """Return whether visits go to and fro with that town (if only until the last promise ends)."""
    return Partner.select().where(Partner.town == town, Partner.status.in_(LINKED)).exists()


def listed(*statuses: str) -> list[Partner]:
    """Return the partners with one of these statuses (all when none is named), by name."""
    query = Partner.select().order_by(Partner.name, Partner.town)
    if statuses:
        query = query.where(Partner.status.in_(statuses))
    return list(query)


def held_towns() -> set[bytes]:
    """Return the ids of the other towns whose records are kept here."""
    query = Partner.select(Partner.town).where(Partner.status.in_(HELD))
    return {town for (town,) in query.tuples()}


def save(town: bytes, **columns: object) -> Partner:
    """Insert or change a partner; only the named columns change. Return the row as it is now."""
    status = columns.get("status")
    if status is not None and status not in STATUSES:
        raise ValueError(f"unknown partner status {status}")
    with write_tx():
        Partner.upsert(town=town, **columns)
        return Partner.get(Partner.town == town)


def raise_fence(town: bytes, gen: int) -> None:
    """Keep a partner's last restore if it is a later one: what it signed before is past."""
    older = (Partner.town == town) & (Partner.generation_s < gen)
    if Partner.select().where(older).exists():
        with write_tx():
            Partner.update(generation_s=gen).where(older).execute()


def due(now_ms: int) -> list[Partner]:
    """Return the active partners to visit now: the healthy ones first, then the longest unvisited.

    So that one that keeps us waiting does not keep the others waiting.
    """
    is_time = (Partner.next_try_ms <= now_ms) | (Partner.next_try_ms > now_ms + LATEST_MS)
    query = Partner.select().where(Partner.status.in_(LINKED), is_time)
    last_ok = Partner.last_ok_ms.asc(nulls="first")
    return list(query.order_by(Partner.failures > 0, last_ok, Partner.town))


def succeeded(town: bytes, now_ms: int, *, next_ms: int) -> None:
    """Note a visit that ended well; the next one is due at `next_ms`."""
    save(
        town, last_ok_ms=now_ms, next_try_ms=next_ms, failures=0, down_since_ms=None, last_error=""
    )


def failed(town: bytes, code: str, now_ms: int, *, jitter: float = 1.0, wait_ms: int = 0) -> int:
    """Note a visit that failed with `code`; return when the next one is due (UTC ms).

    The wait is drawn by `jitter` (0 to 1) between 30 s and a ceiling that doubles from one minute
    to 6 h, so that towns which lost their network together do not come back together. Where the
    partner asked to be left alone for `wait_ms` it is no shorter, but 6 h at most.
    """
    with write_tx():
        partner = Partner.get(Partner.town == town)
        ceiling_ms = min(FIRST_RETRY_MS * 2 ** min(partner.failures + 1, 16), LONGEST_RETRY_MS)
        drawn_ms = FIRST_RETRY_MS + int((ceiling_ms - FIRST_RETRY_MS) * jitter)
        next_ms = now_ms + min(max(drawn_ms, wait_ms), LONGEST_RETRY_MS)
        save(
            town,
            failures=partner.failures + 1,
            down_since_ms=partner.down_since_ms or now_ms,
            next_try_ms=next_ms,
            last_error=code,
            last_error_ms=now_ms,
        )
    return next_ms


def hasten(now_ms: int, *, but: bytes | None = None) -> None:
    """Make the visit to every healthy partner due now, for there is news; `but` brought it."""
    with write_tx():
        db.execute_sql(
            "UPDATE partner SET next_try_ms = ? WHERE status IN ('active', 'ending')"
            " AND failures = 0 AND next_try_ms > ? AND town != ?",
            (now_ms, now_ms, but or b""),
        )
