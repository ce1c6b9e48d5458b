"""The form tokens: one per form shown or Idempotency-Key sent; each does its thing once."""

import peewee

from node.domain.errors import Conflict
from node.domain.words import N_
from node.store.database import write_tx
from node.store.row import BytesField, Row


class FormToken(Row):
    """A token, who used it where, and what was answered (status 0 = not answered yet)."""

    token = BytesField(primary_key=True)
    member = peewee.IntegerField(null=True, index=True)
    path = peewee.TextField()
    status = peewee.IntegerField(default=0)
    location = peewee.TextField(default="")
    created_ms = peewee.BigIntegerField(index=True)

    class Meta:
        without_rowid = True


def claim(token: bytes, member: int | None, path: str, now_ms: int) -> FormToken | None:
    """Take a token for a thing about to be done, in the transaction that does it.

    Returns None to the first; to every later one the row with the answer that was given. Raises
    Conflict when the token was used by another member or for another address.
    """
    with write_tx():
        held = FormToken.get_or_none(FormToken.token == token)
        if held is None:
            FormToken.insert(token=token, member=member, path=path, created_ms=now_ms).execute()
            return None
    if (held.member, held.path) != (member, path):
        raise Conflict("token_reused", N_("This form was already used for something else."))
    return held


def answer(token: bytes, status: int, location: str) -> None:
    """Keep what was answered, for whoever sends the same form again."""
    with write_tx():
        FormToken.update(status=status, location=location).where(FormToken.token == token).execute()


def sweep(before_ms: int) -> int:
    """Forget tokens used before `before_ms`; return how many."""
    with write_tx():
        return FormToken.delete().where(FormToken.created_ms < before_ms).execute()
