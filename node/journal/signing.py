"""How our town signs: the next stamp, the life of a record, what a seal is bound to."""

from collections.abc import Mapping
from typing import Any

from federation import codec
from federation.keys import SigningKey
from federation.record import (
    LIVE,
    SCOPE_SEALED,
    TOMBSTONE,
    Draft,
    Record,
    live_until,
    sign,
    tombstone_until,
)
from federation.seal import Context, HpkeKey, seal_message
from federation.stamp import is_trusted, next_stamp
from node.domain.clock import Clock
from node.domain.errors import Conflict
from node.domain.words import N_
from node.journal import restoring
from node.journal.keyring import Keyring
from node.store import marks

CRIT = 12  # the last field this version knows (SPEC 4)
BUILT_MS = 1_793_491_200_000  # 2026-11-01: no clock of this software can be earlier
LIVE_DAYS = 380  # renewed long before 400; a newer revision never ends earlier than the older


def fresh_stamp(clock: Clock) -> int:
    """Return our next stamp and keep it as the last one; call inside the write transaction.

    Raises Conflict("restoring") in restore mode (SPEC 12) and Conflict("clock") while the system's
    clock cannot be right (SPEC 4): nothing is signed.
    """
    if restoring.is_restoring():
        raise Conflict(
            "restoring", N_("This town is being restored: nothing new can be signed yet.")
        )
    check_clock(clock)
    stamp = next_stamp(clock.now_ms(), marks.number(marks.LAST_STAMP))
    marks.write_number(marks.LAST_STAMP, stamp)
    return stamp


def is_clock_trusted(clock: Clock) -> bool:
    """Return whether the system's clock may be right (SPEC 4.1)."""
    return is_trusted(clock.now_ms(), marks.number(marks.LAST_STAMP), BUILT_MS)


def check_clock(clock: Clock) -> None:
    """Raise Conflict("clock") while the system's clock cannot be right."""
    if not is_clock_trusted(clock):
        raise Conflict("clock", N_("The server's clock is wrong; nothing can be signed."))


def live(
    keyring: Keyring,
    stamp: int,
    *,
    kind: str,
    key: bytes,
    scope: int,
    body: bytes,
    to: bytes | None = None,
    not_before_s: int = 0,
) -> Record:
    """Sign a live revision; it lives LIVE_DAYS, and never ends before `not_before_s`."""
    draft = Draft(
        origin=keyring.town,
        keyset=keyring.keyset.number,
        key=key,
        stamp=stamp,
        expires=max(live_until(stamp, LIVE_DAYS), not_before_s),
        scope=scope,
        kind=kind,
        state=LIVE,
        body=body,
        to=to,
    )
    return sign(draft, keyring.signing)


def again(keyring: Keyring, stamp: int, held: Record) -> Record:
    """Sign the words of a live, open record anew: same end, same fields, those of others as well.

    A field that a later version wrote is kept as it is.
    """
    fields = codec.loads(codec.sign1_split(held.raw)[0])
    draft = Draft(
        origin=keyring.town,
        keyset=keyring.keyset.number,
        key=held.key,
        stamp=stamp,
        expires=held.expires,
        scope=held.scope,
        kind=held.kind,
        state=LIVE,
        body=held.body,
        crit=held.crit,
        extra={number: said for number, said in fields.items() if number > CRIT},
    )
    return sign(draft, keyring.signing)


def tombstone(keyring: Keyring, stamp: int, record: Record) -> Record:
    """Sign the end of the register that `record` holds."""
    draft = Draft(
        origin=keyring.town,
        keyset=keyring.keyset.number,
        key=record.key,
        stamp=stamp,
        expires=tombstone_until(stamp),
        scope=record.scope,
        kind=record.kind,
        state=TOMBSTONE,
        to=record.to,
    )
    return sign(draft, keyring.signing)


def sealed(
    keyring: Keyring,
    stamp: int,
    inner: Mapping[int, Any],
    *,
    kind: str,
    key: bytes,
    to: bytes,
    to_public: bytes,
    not_before_s: int = 0,
) -> Record:
    """Sign and seal `inner` for the town `to`, and for our own archive."""
    signer: SigningKey = keyring.signing
    body = seal_message(
        inner,
        signer,
        to_public=to_public,
        archive_public=HpkeKey.from_private(keyring.archive).public,
        context=Context(keyring.town, key, kind, to),
    )
    return live(
        keyring,
        stamp,
        kind=kind,
        key=key,
        scope=SCOPE_SEALED,
        body=body,
        to=to,
        not_before_s=not_before_s,
    )
