"""The words of the desk: what its people told a member, shown on their account until read."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row


class DeskWord(Row):
    """One thing told: its kind (a sentence), about which listing, and the moderator's own words."""

    member = peewee.IntegerField()
    kind = peewee.TextField()
    origin = BytesField(null=True)
    key = BytesField(null=True)
    text = peewee.TextField(default="")
    at_ms = peewee.BigIntegerField()
    seen_ms = peewee.BigIntegerField(null=True)

    class Meta:
        indexes = ((("member", "at_ms"), False),)


def tell(
    member: int, kind: str, text: str, *, now_ms: int, register: tuple[bytes, bytes] | None = None
) -> DeskWord:
    """Keep a word for a member, about a listing (its origin and key) if it is about one."""
    origin, key = register or (None, None)
    with write_tx():
        return DeskWord.create(
            member=member, kind=kind, origin=origin, key=key, text=text, at_ms=now_ms
        )


def find(word: int) -> DeskWord | None:
    """Return the word with this number."""
    return DeskWord.get_or_none(DeskWord.id == word)


def of_member(member: int, limit: int = 20) -> list[DeskWord]:
    """Return what a member was told, newest first."""
    query = DeskWord.select().where(DeskWord.member == member)
    return list(query.order_by(DeskWord.at_ms.desc(), DeskWord.id.desc()).limit(limit))


def seen(member: int, now_ms: int) -> None:
    """Note that a member has read what they were told so far."""
    with write_tx():
        unread = (DeskWord.member == member) & DeskWord.seen_ms.is_null()
        DeskWord.update(seen_ms=now_ms).where(unread).execute()


def unread(member: int) -> int:
    """Return how many words a member has not read yet."""
    return DeskWord.select().where(DeskWord.member == member, DeskWord.seen_ms.is_null()).count()


def forget_member(member: int) -> None:
    """Delete what a member was told (erasure)."""
    with write_tx():
        DeskWord.delete().where(DeskWord.member == member).execute()


def sweep(before_ms: int) -> int:
    """Delete the words told before `before_ms`; return how many."""
    with write_tx():
        return DeskWord.delete().where(DeskWord.at_ms < before_ms).execute()
