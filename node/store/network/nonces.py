"""The nonces we gave out: each makes one request of one partner fresh, once."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row

PER_PARTNER = 8  # the newest ones; a partner that asks for more loses its oldest


class Nonce(Row):
    """A nonce, whom it was given to and until when it counts."""

    nonce = BytesField(primary_key=True)
    partner = BytesField(index=True)
    until_ms = peewee.BigIntegerField(index=True)


def give(nonce: bytes, partner: bytes, until_ms: int) -> None:
    """Remember a nonce given to a partner."""
    with write_tx():
        Nonce.create(nonce=nonce, partner=partner, until_ms=until_ms)
        keep = (
            Nonce.select(Nonce.nonce)
            .where(Nonce.partner == partner)
            .order_by(peewee.SQL("rowid DESC"))  # the clock may have been set back in between
            .limit(PER_PARTNER)
        )
        Nonce.delete().where(Nonce.partner == partner, Nonce.nonce.not_in(keep)).execute()


def spend(nonce: bytes, partner: bytes, now_ms: int) -> bool:
    """Use a nonce up; return whether it was this partner's, unused and still good."""
    with write_tx():
        spent = Nonce.delete().where(
            Nonce.nonce == nonce, Nonce.partner == partner, Nonce.until_ms > now_ms
        )
        return spent.execute() == 1


def forget(partner: bytes) -> None:
    """Let no nonce given to a partner count any more: it must say hello."""
    with write_tx():
        Nonce.delete().where(Nonce.partner == partner).execute()


def sweep(now_ms: int) -> int:
    """Forget the nonces that no longer count; return how many."""
    with write_tx():
        return Nonce.delete().where(Nonce.until_ms <= now_ms).execute()
