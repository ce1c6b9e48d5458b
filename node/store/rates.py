"""The rate limits: token buckets in the database, so that all processes of a node count together.

A bucket is one number (GCRA): the moment at which it would be full again.
"""

import peewee

from node.store.database import write_tx
from node.store.row import Row

MICRO = 1_000


class Rate(Row):
    """A key (what is limited, and for whom) and the microsecond its bucket is full again."""

    key = peewee.TextField(primary_key=True)
    full_us = peewee.BigIntegerField(index=True)


def wait_ms(key: str, limit: int, window_ms: int, now_ms: int) -> int:
    """Take one of `limit` tokens per `window_ms`; return 0, or how long to wait for the next one.

    A full bucket allows `limit` at once, then one every window / limit.
    """
    step_us, window_us = window_ms * MICRO // limit, window_ms * MICRO
    now_us = now_ms * MICRO
    with write_tx():
        row = Rate.get_or_none(Rate.key == key)
        full_us = min(max(row.full_us if row else 0, now_us), now_us + window_us)
        over_us = full_us + step_us - now_us - window_us
        kept_us = full_us + step_us if over_us <= 0 else full_us
        if row is None or row.full_us != kept_us:
            Rate.upsert(key=key, full_us=kept_us)
    return max(0, -(-over_us // MICRO))


def allow(key: str, limit: int, window_ms: int, now_ms: int) -> bool:
    """Take one token; return whether there was one."""
    return wait_ms(key, limit, window_ms, now_ms) == 0


def sweep(now_ms: int) -> int:
    """Forget the buckets that are full again; return how many."""
    with write_tx():
        return Rate.delete().where(Rate.full_us <= now_ms * MICRO).execute()
