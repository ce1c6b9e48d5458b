"""Keysets and public keys, believed or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from federation import codec, keyset, record
from federation.keys import SigningKey
from federation.stamp import DAY_S
from scripts.vectors.cast import NOW_S, Case, Cast

ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"


def keysets(cast: Cast) -> Iterator[Case]:
    """Keysets that are believed, then keysets that are not, each judged after the first five."""
    yield "Lorient, genesis", cast.l1.raw, "stored", "its SHA-256 is the town's id"
    yield "Lorient, second", cast.l2.raw, "stored", "routine"
    yield "Lorient, third", cast.l3.raw, "stored", "the second key was lost"
    yield "Quimper, genesis", cast.q1.raw, "stored", "its SHA-256 is the town's id"
    yield "Quimper, second", cast.q2.raw, "stored", "the first key was stolen"
    yield "held already", cast.l2.raw, "known", "the same bytes"
    twin = cast.l2._replace(number=cast.l3.number - 1)
    other = keyset.next_keyset(cast.root, twin, cast.keys["V1"].public, cast.l3.number)
    yield "one number twice", other.raw, "refused:keyset_equivocation", "the town is frozen"
    yield "unknown town", cast.v1.raw, "refused:not_accepted", "nobody accepted Vannes"
    yield from _bad_keysets(cast)


def _bad_keysets(cast: Cast) -> Iterator[Case]:
    payload, signature = codec.sign1_split(cast.l3.raw)
    fields = codec.loads(payload)
    root = SigningKey.from_seed(cast.root)
    number = NOW_S - DAY_S
    cases: dict[str, tuple[str, dict[int, Any], str]] = {
        "a record's type": ("bad_type", {0: record.TYPE}, "a record is no keyset"),
        "no previous": ("bad_keyset", {3: b""}, "only a genesis has none"),
        "genesis with a town": ("bad_keyset", {5: keyset.GENESIS}, "its town is its own hash"),
        "unknown reason": ("bad_keyset", {5: "holiday"}, "genesis, routine, lost, compromise"),
        "number 0": ("bad_keyset", {2: 0}, "unix seconds"),
        "one field more": ("bad_keyset", {7: 0}, "exactly seven"),
        "root signs records": ("bad_keyset", {4: fields[1]}, "the root signs keysets only"),
        "small order key": ("bad_public_key", {4: bytes(32)}, "anyone could sign under it"),
        "another town's": ("not_accepted", {6: cast.v1.town}, "Lorient's root says it is Vannes"),
        "older than genesis": ("broken_chain", {2: cast.l1.number - 1}, "numbers grow"),
    }
    for name, (code, changes, why) in cases.items():
        changed = codec.dumps({**fields, 2: number, **changes})
        raw = codec.sign1_join(changed, root.sign(codec.sign1_message(changed)))
        yield name, raw, f"refused:{code}", why
    forged = codec.sign1_join(payload, signature[:32] + bytes(32))
    yield "forged", forged, "refused:bad_signature", "not the root's"


def public_keys(cast: Cast) -> Iterator[Case]:
    """Ed25519 public keys that may or may not be believed."""
    prime, order_8 = 2**255 - 19, int.from_bytes(bytes.fromhex(ORDER_8), "little")
    yield "a good key", cast.keys["L1"].public, "stored", "on the curve, of large order"
    small = {"1": 1, "p - 1": prime - 1, "0": 0, "of order 8": order_8}
    small |= {"the other of order 8": prime - order_8, "p": prime, "p + 1": prime + 1}
    for name, y in small.items():
        for sign in (0, 1):
            raw = (y | sign << 255).to_bytes(32, "little")
            why = "small order, not canonical" if y >= prime else "small order"
            yield f"y = {name}, sign {sign}", raw, "refused:bad_public_key", why
    high = (prime + 3).to_bytes(32, "little")
    yield "y = p + 3", high, "refused:bad_public_key", "not canonical"
    yield "y = 2", (2).to_bytes(32, "little"), "refused:bad_public_key", "not on the curve"
    yield "31 bytes", bytes(31), "refused:bad_public_key", "too short"
