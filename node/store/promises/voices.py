"""The voices: one of each asker in each slice of a listing, whatever it says."""

from collections.abc import Iterable

import peewee

from node.domain.errors import Conflict
from node.domain.words import N_
from node.store.database import execute, write_tx
from node.store.promises import unlogged
from node.store.promises.engagements import Engagement
from node.store.row import BytesField, Row


class Voice(Row):
    """One asker (`who`, as home knows them on this listing) in one slice: the key is the rule."""

    listing_origin = BytesField()
    listing_key = BytesField()
    slice = peewee.TextField()
    who = BytesField()
    engagement = peewee.ForeignKeyField(Engagement, on_delete="CASCADE", backref="voices")

    class Meta:
        primary_key = peewee.CompositeKey("listing_origin", "listing_key", "slice", "who")
        without_rowid = True


def replace(
    engagement: bytes, origin: bytes, key: bytes, who: bytes, slices: Iterable[str]
) -> None:
    """Let an engagement be the voice of `who` in exactly these slices; all or nothing.

    Raises Conflict("dup") when they have one there already, by another engagement.
    """
    wanted, held = set(slices), set(of_engagement(engagement))
    if wanted == held:
        return
    try:
        with write_tx():
            unlogged.note(engagement)
            gone = Voice.slice.in_(sorted(held - wanted))
            Voice.delete().where(Voice.engagement == engagement, gone).execute()
            for each in sorted(wanted - held):
                row = {"listing_origin": origin, "listing_key": key, "slice": each, "who": who}
                Voice.insert(**row, engagement=engagement).execute()
    except peewee.IntegrityError as error:
        if "unique" not in str(error).lower():
            raise
        raise Conflict("dup", N_("This was asked before.")) from error


def release(engagement: bytes) -> int:
    """Give back the voices of an engagement; return how many."""
    with write_tx():
        unlogged.note(engagement)
        return Voice.delete().where(Voice.engagement == engagement).execute()


def of_engagement(engagement: bytes) -> list[str]:
    """Return the slices an engagement is a voice in."""
    sql = "SELECT slice FROM voice WHERE engagement_id = ? ORDER BY slice"
    return [name for (name,) in execute(sql, (engagement,)).fetchall()]


def holder(origin: bytes, key: bytes, name: str, who: bytes) -> bytes | None:
    """Return the engagement by which `who` has a voice in a slice of a listing."""
    found = Voice.get_or_none(
        Voice.listing_origin == origin,
        Voice.listing_key == key,
        Voice.slice == name,
        Voice.who == who,
    )
    return found.engagement_id if found else None
