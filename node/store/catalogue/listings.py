"""The listings: what every page shows of every town's records, rebuilt from them at will."""

import peewee
from playhouse.sqlite_ext import FTS5Model, SearchField

from node.store.catalogue import blobs
from node.store.catalogue.folding import indexed
from node.store.database import db, write_tx
from node.store.erasures import burials
from node.store.row import BytesField, Row
from node.store.sets.records import RecordRow

LIVE_STATES = ("published", "paused")


class Listing(Row):
    """One listing, ours or another town's.

    record      id of the record it was read from
    code        the short code it is spoken and printed by
    who         who may ask: town, partners
    state       published, paused; withdrawn and expired ones keep a row so that their page says so
    ends_ms     the listing's own end; expires: unix seconds, the record's
    photo       hash of the first photo
    body        the record's body as signed (CBOR)
    source      name of the open data it was taken from
    hidden      why it is not shown here though it is held (moderation), "" when shown
    scope       of its record: 0 anyone may read it, 1 only residents of partner towns
    """

    origin = BytesField()
    key = BytesField()
    record = BytesField()
    practice = peewee.TextField()
    kind = peewee.TextField()
    code = peewee.TextField()
    title = peewee.TextField()
    text = peewee.TextField(default="")
    verb = peewee.TextField(default="")
    place_name = peewee.TextField(default="")
    lat_e6 = peewee.IntegerField(null=True)
    lon_e6 = peewee.IntegerField(null=True)
    insee = peewee.TextField(default="")
    quartier = peewee.TextField(default="")
    who = peewee.TextField(default="partners")
    state = peewee.TextField(default="published")
    ends_ms = peewee.BigIntegerField(null=True)
    created_ms = peewee.BigIntegerField()
    updated_ms = peewee.BigIntegerField()
    expires = peewee.BigIntegerField()
    photo = BytesField(null=True)
    body = BytesField(default=b"")
    source = peewee.TextField(default="")
    hidden = peewee.TextField(default="")
    scope = peewee.IntegerField(default=0, constraints=[peewee.SQL("DEFAULT 0")])

    class Meta:
        indexes = (
            (("origin", "key"), True),
            (("created_ms", "id"), False),
            (("practice", "created_ms"), False),
            (("lat_e6", "lon_e6"), False),
            (("code", "origin"), False),
            (("photo",), False),
            (("scope", "photo"), False),
            (("hidden",), False),
        )


class ListingSearch(FTS5Model):
    """The words of each shown listing (rowid = its id), folded; the title weighs more."""

    title = SearchField()
    words = SearchField()

    class Meta:
        database = db
        legacy_table_names = False
        table_name = "listing_search"
        options = {"tokenize": "unicode61 remove_diacritics 2"}


_PICTURED = 'SELECT id, photo, body, updated_ms FROM listing WHERE origin = ? AND "key" = ?'


def find(origin: bytes, key: bytes) -> Listing | None:
    """Return the listing of a register."""
    return Listing.one(origin=origin, key=key)


def by_code(code: str) -> Listing | None:
    """Return the listing a short code (in its one form, see `codes.tidy`) names."""
    return Listing.get_or_none(Listing.code == code)


def keep(origin: bytes, key: bytes, *, words: tuple[str, ...] = (), **columns: object) -> Listing:
    """Insert or replace a listing and what search knows of it; return it with its row id.

    `words` are texts searched besides the title (text, place, facets ...). What moderation
    decided (`hidden`) and the first `created_ms` stay as they were.
    """
    with write_tx():
        listing = Listing(origin=origin, key=key, **columns)
        _let_go_of_photos(listing)
        listing.id = Listing.upsert(
            on=("origin", "key"), keep=("created_ms", "hidden"), origin=origin, key=key, **columns
        )
        db.execute_sql("DELETE FROM listing_search WHERE rowid = ?", (listing.id,))
        if listing.state in LIVE_STATES:
            db.execute_sql(
                "INSERT INTO listing_search (rowid, title, words) VALUES (?, ?, ?)",
                (listing.id, indexed(listing.title), indexed(*words)),
            )
        return listing


def signed_again(origin: bytes, key: bytes, record: bytes, stamped_ms: int, expires: int) -> None:
    """Note that the words a listing shows stand in another record now, and when that one ends."""
    with write_tx():
        sql = (
            "UPDATE listing SET record = ?, updated_ms = ?, expires = ?"
            ' WHERE origin = ? AND "key" = ?'
        )
        db.execute_sql(sql, (record, stamped_ms, expires, origin, key))


def close(origin: bytes, key: bytes, state: str, now_ms: int) -> None:
    """Leave only the shell of a listing: that it was here, and why it no longer is.

    No word of it stays in a row; its photos are deleted unless another listing shows them.
    """
    with write_tx():
        row = db.execute_sql(_PICTURED, (origin, key)).fetchone()
        if row is None:
            return
        number, photo, body, updated_ms = row
        if photo is not None:
            blobs.doom(blobs.hashes(body), origin, key, updated_ms)
        Listing.update(
            state=state, updated_ms=now_ms, title="", text="", verb="", body=b"", photo=None,
            source="", place_name="", lat_e6=None, lon_e6=None, insee="", quartier="", ends_ms=None,
        ).where(Listing.id == number).execute()  # fmt: skip
        db.execute_sql("DELETE FROM listing_search WHERE rowid = ?", (number,))
        db.execute_sql("DELETE FROM facet WHERE listing_id = ?", (number,))
        burials.words_left()


def close_expired(now_ms: int) -> int:
    """Close the listings whose record has reached its end; return how many."""
    ended = Listing.select(Listing.origin, Listing.key).where(
        Listing.expires <= now_ms // 1_000, Listing.state.in_(LIVE_STATES)
    )
    found = list(ended.tuples())
    with write_tx():
        for origin, key in found:
            close(origin, key, "expired", now_ms)
    return len(found)


def hide(origin: bytes, key: bytes, reason: str) -> None:
    """Hide a listing here for a reason ("" shows it again); its record stays in its set."""
    with write_tx():
        Listing.update(hidden=reason).where(*_is(origin, key)).execute()


def hidden(limit: int = 100) -> list[Listing]:
    """Return what is hidden here and would else be shown, latest changes first."""
    query = Listing.select().where(Listing.hidden > "", Listing.state.in_(LIVE_STATES))
    return list(query.order_by(Listing.updated_ms.desc(), Listing.id).limit(limit))


def drop_origin(origin: bytes) -> None:
    """Delete all listings of a town (a removed partner), and their photos with the next scrub."""
    with write_tx():
        _unsearch(Listing.origin == origin)
        _doom_photos(Listing.origin == origin)
        burials.forget_origin(origin)
        Listing.delete().where(Listing.origin == origin).execute()


def drop_unheld() -> None:
    """Delete the listings whose register holds no record here: the last step of a rebuild."""
    held = RecordRow.select(RecordRow.id).where(
        RecordRow.origin == Listing.origin, RecordRow.key == Listing.key
    )
    with write_tx():
        orphan = ~peewee.fn.EXISTS(held)
        _unsearch(orphan)
        _doom_photos(orphan)
        burials.words_left()
        Listing.delete().where(orphan).execute()


def drop_shells(before_ms: int) -> int:
    """Delete the shells of listings closed before `before_ms`; return how many."""
    with write_tx():
        old = Listing.state.not_in(LIVE_STATES) & (Listing.updated_ms < before_ms)
        return Listing.delete().where(old).execute()


def scrub_search() -> None:
    """Merge the search index into one piece: the words of closed listings are really gone."""
    with write_tx():
        ListingSearch.optimize()


def _unsearch(where: peewee.Expression) -> None:
    ids = Listing.select(Listing.id).where(where)
    ListingSearch.delete().where(ListingSearch.rowid.in_(ids)).execute()


def _let_go_of_photos(new: Listing) -> None:
    """Doom the photos that the revision before showed and this one does not."""
    old = db.execute_sql(_PICTURED, (new.origin, new.key)).fetchone()
    if old is not None and old[1] is not None and old[2] != new.body:
        lost = set(blobs.hashes(old[2])) - set(blobs.hashes(new.body))
        blobs.doom(lost, new.origin, new.key, old[3])


def _doom_photos(where: peewee.Expression) -> None:
    query = Listing.select(Listing.origin, Listing.key, Listing.body, Listing.updated_ms)
    for origin, key, body, updated_ms in query.where(where, Listing.photo.is_null(False)).tuples():
        blobs.doom(blobs.hashes(body), origin, key, updated_ms)


def _is(origin: bytes, key: bytes) -> tuple[peewee.Expression, peewee.Expression]:
    return Listing.origin == origin, Listing.key == key
