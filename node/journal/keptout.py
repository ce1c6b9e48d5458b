"""What was kept out of a batch, and what that says of who brought it and of who signed it.

waits    a date ahead of our clock, keys not known yet: the quarantine, tried at every visit
refused  named on the partner's page
held     against the carrier what an honest node would never pass on, against the origin what
         it signed and must not have
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from federation.admission import QUARANTINED, REFUSED, Examined
from federation.stamp import DAY_S, MAX_FUTURE_MS, stamp_ms
from node.store.network import quarantine, refusals, strikes
from node.store.sets import memory

UNKNOWN_KEYSET: Final = REFUSED + "unknown_keyset"
WAITS: Final = (QUARANTINED, UNKNOWN_KEYSET)
EQUIVOCATION: Final = "equivocation"
# a node checks these itself before it passes a record on, whatever version it is
CARRIERS_FAULT: Final = ("bad_signature", "bad_cbor", "bad_cose")
Waits = tuple[bytes, bytes, str, int | None]  # record id, origin, code, until UTC ms
ORIGINS_FAULT: Final = ("expires_early",)


def note(
    judged: Sequence[Examined], carrier: bytes, now_ms: int, excused: Collection[bytes] = ()
) -> None:
    """Note what became of a batch that the partner `carrier` brought; joins the transaction.

    For the ids `excused` the origin had vouched: the carrier could not know.
    """
    quarantine.release(each.id for each in judged if each.code not in WAITS)
    _keep_in_sight([row for each in judged if (row := _waiting(each))], carrier, now_ms)
    against: Counter[tuple[bytes, str, str]] = Counter()
    named: list[tuple[bytes, str, bytes | None]] = []
    for each in judged:
        code = each.code.removeprefix(REFUSED)
        origin = each.record.origin if each.record else None
        if each.code.startswith(REFUSED) and each.code not in WAITS:
            named.append((each.id, code, origin))
            if code in CARRIERS_FAULT and each.id not in excused:
                against[carrier, strikes.CARRIER, code] += 1
            elif code in ORIGINS_FAULT and origin:
                against[origin, strikes.ORIGIN, code] += 1
        if each.rival is not None and origin:
            named.append((each.rival, EQUIVOCATION, origin))
            against[origin, strikes.ORIGIN, EQUIVOCATION] += 1
    refusals.note_all(carrier, named, now_ms)
    for (town, role, code), count in against.items():
        strikes.note(town, code, now_ms, role=role, count=count)


def _keep_in_sight(rows: list[Waits], carrier: bytes, now_ms: int) -> None:
    """Note what waits; what is too much to be fetched at every visit is left alone for a day."""
    held = quarantine.held(carrier) if rows else set()
    new = [row for row in rows if row[0] not in held]
    room = max(0, quarantine.KEPT_PER_PARTNER - len(held))
    quarantine.note(carrier, [*(row for row in rows if row[0] in held), *new[:room]], now_ms)
    until_s = now_ms // 1000 + DAY_S
    memory.remember((row[0], QUARANTINED, until_s) for row in new[room:] if row[2] == QUARANTINED)


def _waiting(each: Examined) -> Waits | None:
    """Return what the quarantine keeps of a record that must wait."""
    if each.record is None or each.code not in WAITS:
        return None
    until_ms = stamp_ms(each.record.stamp) - MAX_FUTURE_MS if each.code == QUARANTINED else None
    return each.id, each.record.origin, each.code.removeprefix(REFUSED), until_ms
