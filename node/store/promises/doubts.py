"""The doubts: what two towns, or two rows, say differently, and a person has to settle."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row

COLLIDES = "collides"  # two promises for one thing; the row named holds nothing
UNKNOWN = "unknown"  # another town answers a request that is not known here
FORGOTTEN = "forgotten"  # a promise of ours came home that this town no longer knew
MEMBERLESS = "memberless"  # an engagement came back, its member did not


class Doubt(Row):
    """One thing to settle: which engagement, with which town, what was said (JSON), since when."""

    engagement = BytesField()
    code = peewee.TextField()
    town = BytesField()
    told = peewee.TextField(default="{}")
    at_ms = peewee.BigIntegerField()
    settled_ms = peewee.BigIntegerField(null=True)

    class Meta:
        indexes = ((("engagement", "code"), True), (("settled_ms",), False))


def raise_about(engagement: bytes, code: str, town: bytes, told: str, now_ms: int) -> None:
    """Keep a doubt; the same one again, even settled, changes nothing but what was told."""
    with write_tx():
        Doubt.upsert(
            on=("engagement", "code"), keep=("at_ms", "settled_ms", "town"),
            engagement=engagement, code=code, town=town, told=told, at_ms=now_ms,
        )  # fmt: skip


def unsettled() -> list[Doubt]:
    """Return what waits for a person, the oldest first."""
    return list(Doubt.select().where(Doubt.settled_ms.is_null()).order_by(Doubt.at_ms, Doubt.id))


def count_of(town: bytes) -> int:
    """Return how many doubts about one town wait."""
    return Doubt.select().where(Doubt.town == town, Doubt.settled_ms.is_null()).count()


def find(doubt: int) -> Doubt | None:
    """Return one doubt."""
    return Doubt.get_or_none(Doubt.id == doubt)


def settle(doubt: int, now_ms: int) -> bool:
    """Put a doubt away; return whether it was there and unsettled."""
    with write_tx():
        waiting = (Doubt.id == doubt) & Doubt.settled_ms.is_null()
        return Doubt.update(settled_ms=now_ms).where(waiting).execute() == 1


def forget_town(town: bytes) -> None:
    """Forget what was in doubt with a removed partner."""
    with write_tx():
        Doubt.delete().where(Doubt.town == town).execute()
