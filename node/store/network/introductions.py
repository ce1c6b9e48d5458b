"""The introductions: a town one partner tells another about, given by us or received."""

from collections.abc import Sequence

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row

DIRECTIONS = ("given", "received")
ANSWERS = ("", "accepted", "declined")


class Introduction(Row):
    """`town` introduced to `partner` (given) or by `partner` (received).

    A received one carries the town's name, address and keysets (a CBOR sequence) as the partner
    told them, and our admin's answer.
    """

    direction = peewee.TextField()
    partner = BytesField()
    town = BytesField()
    name = peewee.TextField(default="")
    url = peewee.TextField(default="")
    keysets = BytesField(default=b"")
    at_ms = peewee.BigIntegerField()
    answer = peewee.TextField(default="")

    class Meta:
        primary_key = peewee.CompositeKey("direction", "partner", "town")
        without_rowid = True


def give(partner: bytes, town: bytes, now_ms: int) -> None:
    """Introduce `town` to `partner` from the next exchange on."""
    with write_tx():
        Introduction.upsert(direction="given", partner=partner, town=town, at_ms=now_ms)


def take_back(partner: bytes, town: bytes) -> None:
    """No longer introduce `town` to `partner`."""
    with write_tx():
        Introduction.delete().where(*_is("given", partner, town)).execute()


def given_to(partner: bytes) -> list[bytes]:
    """Return the ids of the towns introduced to `partner`, in order."""
    query = Introduction.select(Introduction.town).where(
        Introduction.direction == "given", Introduction.partner == partner
    )
    return [town for (town,) in query.order_by(Introduction.town).tuples()]


def receive(
    partner: bytes, town: bytes, *, name: str, url: str, keysets: bytes, now_ms: int
) -> None:
    """Keep what `partner` tells of `town`; an answer already given to it stays."""
    with write_tx():
        Introduction.upsert(
            direction="received", partner=partner, town=town,
            name=name, url=url, keysets=keysets, at_ms=now_ms,
        )  # fmt: skip


def drop_open(partner: bytes, but: Sequence[bytes]) -> None:
    """Delete what `partner` introduced, was not answered, and is not among `but` any more."""
    with write_tx():
        Introduction.delete().where(
            Introduction.direction == "received",
            Introduction.partner == partner,
            Introduction.answer == "",
            Introduction.town.not_in(list(but)),
        ).execute()


def received(answer: str | None = None) -> list[Introduction]:
    """Return the introductions received, newest first; `answer` "" keeps the open ones."""
    query = Introduction.select().where(Introduction.direction == "received")
    if answer is not None:
        query = query.where(Introduction.answer == answer)
    return list(query.order_by(Introduction.at_ms.desc(), Introduction.town))


def answer(town: bytes, given: str) -> None:
    """Set our admin's answer (one of ANSWERS) to every introduction of `town`."""
    if given not in ANSWERS:
        raise ValueError(f"unknown answer {given}")
    with write_tx():
        Introduction.update(answer=given).where(
            Introduction.direction == "received", Introduction.town == town
        ).execute()


def forget_partner(partner: bytes) -> None:
    """Delete what a partner introduced and what it was introduced to."""
    with write_tx():
        Introduction.delete().where(Introduction.partner == partner).execute()


def _is(direction: str, partner: bytes, town: bytes) -> tuple[peewee.Expression, ...]:
    return (
        Introduction.direction == direction,
        Introduction.partner == partner,
        Introduction.town == town,
    )
