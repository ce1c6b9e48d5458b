"""The completeness: each set held here beside the newest word of its origin, for its page."""

import peewee

from federation.vouching import Completeness
from node.store.database import write_tx
from node.store.row import BytesField, Row


class CompletenessRow(Row):
    """How complete one set was when it was last looked at.

    stamp        of the checkpoint: as of when its origin said so
    listed       records the origin said it had, of which `missing` are not here
    state        complete, missing, unsure (newer records may explain it), differs
    checkpoint, fingerprint   what was compared, so that nothing is compared twice
    audited_ms   when the set was last compared id by id and found to be the one
    """

    origin = BytesField()
    scope = peewee.IntegerField()
    stamp = peewee.BigIntegerField()
    listed = peewee.IntegerField()
    missing = peewee.IntegerField()
    state = peewee.TextField()
    at_ms = peewee.BigIntegerField()
    checkpoint = BytesField()
    fingerprint = BytesField()
    audited_ms = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "completeness"
        primary_key = peewee.CompositeKey("origin", "scope")
        without_rowid = True


def keep(found: Completeness, *, checkpoint: bytes, fingerprint: bytes, now_ms: int) -> None:
    """Keep what was found of one set; when it was last audited stays."""
    with write_tx():
        CompletenessRow.upsert(
            on=("origin", "scope"),
            **found._asdict(),
            checkpoint=checkpoint,
            fingerprint=fingerprint,
            at_ms=now_ms,
        )


def of_origin(origin: bytes) -> list[CompletenessRow]:
    """Return what is known of the sets of one town, by scope."""
    query = CompletenessRow.select().where(CompletenessRow.origin == origin)
    return list(query.order_by(CompletenessRow.scope))


def every() -> list[CompletenessRow]:
    """Return what is known of all sets."""
    return list(CompletenessRow.select())


def audited(origin: bytes, scope: int, now_ms: int) -> None:
    """Note that a set was compared id by id, and is the one its origin signed."""
    with write_tx():
        CompletenessRow.update(audited_ms=now_ms).where(
            CompletenessRow.origin == origin, CompletenessRow.scope == scope
        ).execute()
