"""The completeness: each set held here beside the newest word of its origin, for its page."""

from typing import Any

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


def keep(
    found: Completeness, *, checkpoint: bytes, fingerprint: bytes, now_ms: int, **more: Any
) -> None:
    """Keep what was found of one set; `audited_ms` stays unless it is given."""
    with write_tx():
        CompletenessRow.upsert(
            on=("origin", "scope"),
            **found._asdict(),
            checkpoint=checkpoint,
            fingerprint=fingerprint,
            at_ms=now_ms,
            **more,
        )


def of_origin(origin: bytes) -> list[CompletenessRow]:
    """Return what is known of the sets of one town, by scope."""
    query = CompletenessRow.select().where(CompletenessRow.origin == origin)
    return list(query.order_by(CompletenessRow.scope))


def every() -> list[CompletenessRow]:
    """Return what is known of all sets."""
    return list(CompletenessRow.select())


def forget(origin: bytes, scope: int) -> None:
    """Delete what is known of one set."""
    with write_tx():
        CompletenessRow.delete().where(
            CompletenessRow.origin == origin, CompletenessRow.scope == scope
        ).execute()
