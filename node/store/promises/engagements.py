"""The engagements: one row for each wish of a resident for a listing, here or between two towns."""

from collections.abc import Iterable

import peewee

from node.store.database import write_tx
from node.store.promises import unlogged
from node.store.row import BytesField, Row

LINE = (  # who waits, and nobody else
    "CREATE INDEX IF NOT EXISTS engagement_line ON engagement (listing_origin, listing_key,"
    ' "rank") WHERE "rank" IS NOT NULL'
)


class Engagement(Row):
    """One engagement as this town knows it (ENGAGEMENTS.md).

    home, asker_town   the listing's town and the asker's; equal inside one town
    asker, keeper      our members, None when they are the other town's
    who                the asker as the other town may know them: 16 bytes, same for one listing
    state, turn        where it stands and whose turn it is; since_ms: since when
    deadline_ms        when it passes on by itself to `lapses_to`
    version            of what home says; applied_version (ours of a remote home) follows it
    ack                at home: the highest version the asker's town says it applied
    gen                of the reply applied: the home town's last restore (unix seconds)
    saw                id of the listing's record that was shown to the asker
    terms, proposal    JSON; what is promised, and what is on the table
    contacts, names    JSON; what each side let the other know
    answer_by_ms       the asker's patience; ends_ms: the last moment it can matter
    request_key ...    keys and ids of the two sealed registers, when two towns take part
    rank, place        the order in the waiting line, at home; the place in it as it was last told
    remind_ms          when to look whether somebody is to be reminded; 0 since it last changed
    """

    id = BytesField(primary_key=True)
    practice = peewee.TextField()
    lifecycle = peewee.TextField()
    home = BytesField()
    asker_town = BytesField()
    listing_origin = BytesField()
    listing_key = BytesField()
    asker = peewee.IntegerField(null=True)
    keeper = peewee.IntegerField(null=True)
    who = BytesField()
    state = peewee.TextField()
    since_ms = peewee.BigIntegerField()
    turn = peewee.TextField(default="")
    final = peewee.BooleanField(default=False)
    deadline_ms = peewee.BigIntegerField(null=True)
    lapses_to = peewee.TextField(default="")
    version = peewee.IntegerField(default=0)
    applied_version = peewee.IntegerField(default=0)
    ack = peewee.IntegerField(default=0)
    gen = peewee.BigIntegerField(default=0)
    saw = BytesField(null=True)
    terms = peewee.TextField(default="{}")
    proposal = peewee.TextField(default="")
    reason = peewee.TextField(default="")
    contacts = peewee.TextField(default="{}")
    names = peewee.TextField(default="{}")
    answer_by_ms = peewee.BigIntegerField(null=True)
    ends_ms = peewee.BigIntegerField(null=True)
    request_key = BytesField(null=True)
    reply_key = BytesField(null=True)
    request_record = BytesField(null=True)
    reply_record = BytesField(null=True)
    created_ms = peewee.BigIntegerField()
    rank = peewee.IntegerField(null=True)
    place = peewee.IntegerField(null=True)
    remind_ms = peewee.BigIntegerField(null=True, default=0)

    class Meta:
        indexes = (
            (("listing_origin", "listing_key", "state"), False),
            (("asker", "created_ms"), False),
            (("keeper", "created_ms"), False),
            (("final", "deadline_ms"), False),
            (("final", "answer_by_ms"), False),
            (("request_key",), False),
            (("reply_key",), False),
            peewee.SQL(LINE),
            (("asker", "practice", "final", "since_ms"), False),
            (("who", "final", "since_ms"), False),
            (("listing_origin", "listing_key", "created_ms"), False),
            (("listing_origin", "listing_key", "final"), False),
            (("final", "remind_ms"), False),
        )


def find(engagement: bytes) -> Engagement | None:
    """Return the engagement with this id."""
    return Engagement.one(id=engagement)


def start(engagement: bytes, **columns: object) -> Engagement:
    """Insert an engagement; raises peewee.IntegrityError when the id exists (a double click)."""
    with write_tx():
        unlogged.note(engagement)
        return Engagement.create(id=engagement, **columns)


def put(**columns: object) -> None:
    """Insert or replace a whole row, as the logbook has it."""
    with write_tx():
        unlogged.note(columns["id"])  # type: ignore[arg-type]
        known = {name: value for name, value in columns.items() if name in Engagement._meta.fields}
        Engagement.upsert(**known)  # a newer version may have noted more


def unfinished(since_ms: int) -> list[bytes]:
    """Return the ids of the engagements that are open, or ended after `since_ms`."""
    query = Engagement.select(Engagement.id)
    alive = ~Engagement.final | (Engagement.since_ms > since_ms)
    return [row for (row,) in query.where(alive).tuples()]


def change(engagement: bytes, *, on_version: int | None = None, **columns: object) -> bool:
    """Set columns; return whether the row was there, and at `on_version` if one is named."""
    if columns.keys() & {"since_ms", "deadline_ms"}:
        columns.setdefault("remind_ms", 0)
    with write_tx():
        unlogged.note(engagement)
        query = Engagement.update(**columns).where(Engagement.id == engagement)
        if on_version is not None:
            query = query.where(Engagement.version == on_version)
        return query.execute() == 1


def of_member(member: int, *, limit: int = 200) -> list[Engagement]:
    """Return the engagements a member asked for or keeps the listing of, newest first."""
    mine = (Engagement.asker == member) | (Engagement.keeper == member)
    query = Engagement.select().where(mine)
    return list(query.order_by(Engagement.created_ms.desc(), Engagement.id).limit(limit))


def of_asker(
    practice: str, home: bytes, since_ms: int, *, member: int | None, town: bytes, who: bytes
) -> list[Engagement]:
    """Return one asker's engagements of a practice at a home, newest first: the open ones, and
    those that ended after `since_ms`. Who is no member of ours is known by `who` of their town.
    """
    whose = Engagement.asker == member
    if member is None:
        whose = (Engagement.who == who) & Engagement.asker.is_null()
    mine = Engagement.select().where(
        whose,
        Engagement.practice == practice,
        Engagement.home == home,
        Engagement.asker_town == town,
    )
    alive = mine.where(Engagement.final == False)  # noqa: E712  an index can be used
    ended = mine.where(Engagement.final == True, Engagement.since_ms > since_ms)  # noqa: E712
    return sorted((*alive, *ended), key=lambda row: (-row.created_ms, row.id))


def count_in(origin: bytes, key: bytes, state: str) -> int:
    """Return how many engagements with a listing are in a state."""
    query = Engagement.select().where(
        Engagement.listing_origin == origin,
        Engagement.listing_key == key,
        Engagement.state == state,
    )
    return query.count()


def open_at(home: bytes, *, limit: int = 500) -> list[Engagement]:
    """Return the open engagements of a home, those whose deadline comes first."""
    query = Engagement.select().where(
        Engagement.final == False,  # noqa: E712  an index can be used
        Engagement.home == home,
    )
    return list(query.order_by(Engagement.deadline_ms, Engagement.id).limit(limit))


def by_number(start: bytes, *, limit: int = 50) -> list[Engagement]:
    """Return the engagements whose id begins with these bytes, by id."""
    last = start + b"\xff" * (16 - len(start))
    query = Engagement.select().where(Engagement.id.between(start, last))
    return list(query.order_by(Engagement.id).limit(limit))


def of_listings(origin: bytes, keys: Iterable[bytes], *, limit: int = 200) -> list[Engagement]:
    """Return the engagements with some listings of a town, newest first."""
    query = Engagement.select().where(
        Engagement.listing_origin == origin, Engagement.listing_key.in_(list(keys))
    )
    return list(query.order_by(Engagement.created_ms.desc(), Engagement.id).limit(limit))


def of_listing(origin: bytes, key: bytes, *, states: Iterable[str] = ()) -> list[Engagement]:
    """Return the engagements with a listing, oldest first (the order of a queue)."""
    query = Engagement.select().where(
        Engagement.listing_origin == origin, Engagement.listing_key == key
    )
    if names := list(states):
        query = query.where(Engagement.state.in_(names))
    return list(query.order_by(Engagement.created_ms, Engagement.id))


def in_states(
    practice: str, home: bytes, states: Iterable[str], limit: int | None = 500
) -> list[Engagement]:
    """Return our home's open engagements of a practice in one of these states, oldest first."""
    query = Engagement.select().where(
        Engagement.final == False,  # noqa: E712  an index can be used
        Engagement.practice == practice,
        Engagement.home == home,
        Engagement.state.in_(list(states)),
    )
    return list(query.order_by(Engagement.since_ms, Engagement.id).limit(limit))


def open_of_listing(origin: bytes, key: bytes, *, states: Iterable[str] = ()) -> list[Engagement]:
    """Return the engagements with a listing that are not over, oldest first; in `states` or any."""
    query = Engagement.select().where(
        Engagement.listing_origin == origin, Engagement.listing_key == key, Engagement.final == 0
    )
    if names := list(states):
        query = query.where(Engagement.state.in_(names))
    # sorted here: asked to, SQLite would walk all the history of the listing in that order
    return sorted(query, key=lambda row: (row.created_ms, row.id))


def overdue_of(origin: bytes, key: bytes, now_ms: int, *, states: Iterable[str]) -> list[bytes]:
    """Return the ids of a listing's engagements in `states` whose deadline has passed."""
    late = (row for row in open_of_listing(origin, key, states=states) if row.deadline_ms)
    return [row.id for row in late if row.deadline_ms <= now_ms]


def open_between(asker_town: bytes, origin: bytes, key: bytes) -> int:
    """Return how many engagements of one town with one listing are not final."""
    query = Engagement.select().where(
        Engagement.listing_origin == origin,
        Engagement.listing_key == key,
        Engagement.asker_town == asker_town,
        Engagement.final == 0,
    )
    return query.count()


def overdue(now_ms: int, home: bytes, limit: int = 200) -> list[Engagement]:
    """Return our home's open engagements whose deadline has passed, the longest first."""
    query = Engagement.select().where(
        Engagement.final == 0, Engagement.deadline_ms <= now_ms, Engagement.home == home
    )
    return list(query.order_by(Engagement.deadline_ms, Engagement.id).limit(limit))


def to_remind(now_ms: int, limit: int) -> list[bytes]:
    """Return the open engagements in which it is time to look who is to be reminded."""
    due = (Engagement.final == 0) & (Engagement.remind_ms <= now_ms)
    query = Engagement.select(Engagement.id).where(due).order_by(Engagement.remind_ms)
    return [engagement for (engagement,) in query.limit(limit).tuples()]


def look_again(engagement: bytes, at_ms: int | None) -> None:
    """Say when to look again who is to be reminded: it is no change, and not in the logbook."""
    with write_tx():
        Engagement.update(remind_ms=at_ms).where(Engagement.id == engagement).execute()


def proposed(home: bytes, limit: int = 200) -> list[Engagement]:
    """Return our home's open engagements with other terms on the table, oldest first."""
    query = Engagement.select().where(
        Engagement.final == 0, Engagement.proposal != "", Engagement.home == home
    )
    return list(query.order_by(Engagement.created_ms, Engagement.id).limit(limit))


def unanswered(now_ms: int, asker_town: bytes, limit: int = 200) -> list[Engagement]:
    """Return our residents' open engagements elsewhere whose patience is over."""
    query = Engagement.select().where(
        Engagement.final == 0,
        Engagement.answer_by_ms <= now_ms,
        Engagement.asker_town == asker_town,
        Engagement.home != asker_town,
    )
    return list(query.order_by(Engagement.answer_by_ms, Engagement.id).limit(limit))


def with_town(town: bytes, *, only_open: bool = True) -> list[Engagement]:
    """Return the engagements another town takes part in, oldest first."""
    query = Engagement.select().where((Engagement.home == town) | (Engagement.asker_town == town))
    if only_open:
        query = query.where(Engagement.final == False)  # noqa: E712  an index can be used
    return list(query.order_by(Engagement.created_ms, Engagement.id))


def between_towns() -> list[Engagement]:
    """Return the engagements that two towns take part in, oldest first."""
    query = Engagement.select().where(Engagement.home != Engagement.asker_town)
    return list(query.order_by(Engagement.created_ms, Engagement.id))


def by_register(key: bytes) -> Engagement | None:
    """Return the engagement one of whose sealed registers has this key."""
    return Engagement.get_or_none((Engagement.request_key == key) | (Engagement.reply_key == key))
