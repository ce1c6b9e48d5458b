"""The rivals: keysets with a number that another one of their town has already (equivocation)."""

import peewee

from federation.keyset import Keyset, parse_keyset
from node.store.database import write_tx
from node.store.row import BytesField, Row

OPEN = ""
REFUSED = "refused"
OPEN_MAX = 8


class Rival(Row):
    """One keyset that is not believed: "" while nobody has spoken, then `refused`."""

    id = BytesField(primary_key=True)
    town = BytesField(index=True)
    raw = BytesField()
    answer = peewee.TextField(default=OPEN)

    class Meta:
        without_rowid = True


def keep(keyset: Keyset, answer: str = OPEN) -> None:
    """Keep a rival, or what was decided about it; of one town OPEN_MAX are evidence enough."""
    with write_tx():
        if answer == OPEN and len(open_of(keyset.town)) >= OPEN_MAX:
            return
        Rival.upsert(id=keyset.id, town=keyset.town, raw=keyset.raw, answer=answer)


def open_of(town: bytes) -> list[Keyset]:
    """Return the rivals of a town nobody has decided about, by number."""
    rows = Rival.select(Rival.raw).where(Rival.town == town, Rival.answer == OPEN)
    found = [parse_keyset(raw) for (raw,) in rows.tuples()]
    return sorted(found, key=lambda each: (each.number, each.id))


def is_refused(keyset_id: bytes) -> bool:
    """Return whether the admin decided against this keyset."""
    return Rival.select().where(Rival.id == keyset_id, Rival.answer == REFUSED).exists()


def forget(keyset_id: bytes) -> None:
    """Forget a rival: it was chosen, and is held among the keysets now."""
    with write_tx():
        Rival.delete().where(Rival.id == keyset_id).execute()


def forget_town(town: bytes) -> None:
    """Forget all rivals of a town that is no partner any more."""
    with write_tx():
        Rival.delete().where(Rival.town == town).execute()
