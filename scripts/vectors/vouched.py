"""Checkpoints: which are kept, which run lists are read, how many records they let in.

A vector that begins with tag 18 is a checkpoint, judged by a node that holds the first one. Any
other is the CBOR list [checkpoint, run list, [record, ...], [[seconds, id] of a gap, ...]]; its
verdict tells how many of those records the checkpoint lets in: vouches:<n>.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from federation import checkpoint, codec, record
from federation.record import SCOPE_PARTNERS, SCOPE_PUBLIC, SCOPE_SEALED, Record
from federation.sets import Item
from federation.stamp import DAY_MS, EPOCH_S, as_of_day, stamp_at, stamp_ms, stamp_seconds
from scripts.vectors.cast import NOW_MS, Case, Cast, secret, stamp

AT = stamp(1)


def checkpoints(cast: Cast) -> Iterator[Case]:
    """All cases, the first of which the node holds while it judges the others."""
    held = _said(cast, _items(_three(cast)))[0]
    yield "a checkpoint", held, "stored", "three records of Lorient"
    yield "held already", held, "known", "the same bytes"
    yield from _kept(cast)
    yield from _unkept(cast)
    yield from _misfilled(cast, held)
    yield from _torn(held)
    yield from _let_in(cast)
    yield from _lists(cast)


def _three(cast: Cast, **how: Any) -> list[Record]:
    return [cast.signed(f"vouched {n}", stamp=stamp(5, n), **how) for n in range(3)]


def _items(records: Iterable[Record]) -> list[Item]:
    return sorted((stamp_seconds(each.stamp), each.id) for each in records)


def _said(cast: Cast, items: Sequence[Item], signer: str = "L3", **how: Any) -> tuple[bytes, bytes]:
    """A checkpoint and its run list, as bytes."""
    at = how.setdefault("stamp", AT)
    said = {
        "origin": cast.l1.town,
        "keyset": cast.l3.number,
        "scope": SCOPE_PUBLIC,
        "as_of": as_of_day(stamp_ms(at)),
        "size_bytes": 600,
    }
    made, runs = checkpoint.sign_checkpoint(cast.keys[signer], items, **(said | how))
    return made.raw, runs.raw


def _kept(cast: Cast) -> Iterator[Case]:
    for scope, why in ((SCOPE_PARTNERS, "for partners"), (SCOPE_SEALED, "sealed")):
        yield f"scope {scope}", _said(cast, [], scope=scope)[0], "stored", f"an empty set, {why}"
    later = _said(cast, [], stamp=AT + 1)[0]
    yield "a later one", later, "stored", "the highest stamp counts"
    old = _said(cast, [], scope=SCOPE_PARTNERS, stamp=stamp(90))[0]
    yield "ninety days old", old, "stored", "the newest word there is; it vouches for nothing"


def _unkept(cast: Cast) -> Iterator[Case]:
    future = stamp_at(NOW_MS + DAY_MS + 1)
    town = {"origin": cast.v1.town, "keyset": cast.v1.number}
    stolen = {"origin": cast.q1.town, "keyset": cast.q1.number}
    for name, verdict, signer, how, why in (
        ("an earlier one", "older", "L3", {"stamp": AT - 1}, "replayed"),
        ("one stamp twice", "refused:checkpoint_equivocation", "L3", {}, "two words at once"),
        ("future", "quarantined", "L3", {"stamp": future}, "a day and a millisecond ahead"),
        ("unknown town", "refused:not_accepted", "V1", town, "nobody accepted Vannes"),
        ("keyset in grace", "refused:keyset_retired", "L2", {"keyset": cast.l2.number}, "replaced"),
        ("compromised keyset", "refused:keyset_retired", "Q1", stolen, "the key was stolen"),
        ("unknown keyset", "refused:unknown_keyset", "L3", {"keyset": 1}, "no keyset 1"),
        ("signed by another town", "refused:bad_signature", "Q2", {}, "Quimper for Lorient"),
    ):
        yield name, _said(cast, [], signer, **how)[0], verdict, why


def _misfilled(cast: Cast, held: bytes) -> Iterator[Case]:
    fields = codec.loads(codec.sign1_split(held)[0])
    today = fields[5]
    for name, code, changes, why in (
        ("a record's type", "bad_type", {0: record.TYPE}, "a record is no checkpoint"),
        ("short origin", "bad_field", {1: bytes(31)}, "31 bytes"),
        ("keyset 0", "bad_field", {2: 0}, "numbers are unix seconds"),
        ("scope 3", "bad_scope", {3: 3}, "scopes end at 2"),
        ("stamp before 2020", "bad_stamp", {4: stamp_at(EPOCH_S * 1000) - 1}, "no such second"),
        ("two days early", "bad_checkpoint", {5: today - 2}, "its stamp is of another day"),
        ("two days late", "bad_checkpoint", {5: today + 2}, "its stamp is of another day"),
        ("negative count", "bad_checkpoint", {6: -1, 9: 0}, "no set holds less than nothing"),
        ("a run too few", "bad_checkpoint", {6: 257}, "257 ids are two runs"),
        ("a run too many", "bad_checkpoint", {6: 256, 9: 2}, "256 ids are one run"),
        ("short fingerprint", "bad_field", {7: bytes(15)}, "15 bytes"),
        ("runs as a list", "bad_cbor", {8: [[0]]}, "nothing is nested in it"),
        ("count as a boolean", "bad_field", {9: True}, "true is not 1"),
        ("negative bytes", "bad_checkpoint", {10: -1}, "no set weighs less than nothing"),
        ("one field more", "bad_field", {11: 0}, "exactly eleven"),
    ):
        yield name, cast.forged(codec.dumps({**fields, **changes})), f"refused:{code}", why
    short = {number: value for number, value in fields.items() if number != 10}
    yield "no bytes", cast.forged(codec.dumps(short)), "refused:bad_field", "field 10 is missing"


def _torn(held: bytes) -> Iterator[Case]:
    yield "torn", held[:-1], "refused:bad_cose", "the last byte is missing"
    head = bytes.fromhex("d28443a10132a1044101")
    unsigned = head + held[len(codec.SIGN1_HEAD) :]
    yield "unprotected header", unsigned, "refused:bad_cose", "ids without end"
    yield "too big", held + bytes(1_024), "refused:too_big", "over 1,024 bytes"


# ── what is let in ──


def _let_in(cast: Cast) -> Iterator[Case]:
    three = _three(cast)
    items, (one, two, last) = _items(three), three
    good = _said(cast, items)

    def case(said: tuple[bytes, bytes], records: Sequence[Record], *gaps: Item) -> bytes:
        raws = [each.raw for each in records]
        return codec.dumps([*said, raws, [list(gap) for gap in gaps]])

    yield "a whole run", case(good, three), "vouches:3", "all its ids are here"
    yield "one withheld", case(good, three[:2]), "vouches:0", "the run does not hold"
    gap = _items([last])[0]
    yield "one withheld and named", case(good, three[:2], gap), "vouches:2", "as gone"
    elsewhere = (gap[0] + 9, gap[1])
    yield "named elsewhere", case(good, three[:2], elsewhere), "vouches:0", "outside the run"
    flipped = record.parse(last.raw[:-1] + bytes([last.raw[-1] ^ 1]))
    yield "a byte flipped", case(good, [one, two, flipped]), "vouches:0", "another id"
    more = [*three, cast.signed("one more", stamp=stamp(5, 9))]
    yield "one too many", case(good, more), "vouches:0", "the run has three"
    false = _said(cast, _items([one, two, flipped]))
    why = "the signature is checked later, and its origin answers for it"
    yield "a bad signature vouched for", case(false, [one, two, flipped]), "vouches:3", why
    for name, how, why in (
        ("another town's", {"origin": cast.q1.town, "keyset": cast.q2.number}, "not its own"),
        ("another keyset", {"keyset": cast.l2.number}, "signed under the one before"),
        ("another scope", {"scope": SCOPE_PARTNERS}, "of another set"),
    ):
        other = cast.signed("foreign", stamp=stamp(5, 8), **how)
        mixed = [one, two, other]
        yield name, case(_said(cast, _items(mixed)), mixed), "vouches:2", why
    late = cast.signed("late", stamp=AT + 1)
    mixed = [one, two, late]
    yield "younger", case(_said(cast, _items(mixed)), mixed), "vouches:2", "than the checkpoint"
    old = [cast.signed("old", stamp=stamp(9))]
    stale = _said(cast, _items(old), stamp=stamp(7))
    yield "seven days old", case(stale, old), "refused:stale_checkpoint", "vouches no more"


def _lists(cast: Cast) -> Iterator[Case]:
    second = stamp_seconds(stamp(5))
    items = sorted((second + n // 400, secret(f"id {n}")) for n in range(600))
    _, raw = _said(cast, items)
    rows = codec.loads(raw)

    def case(changed: Any) -> bytes:
        """Another list under a checkpoint that names it all the same."""
        said, _ = _said(cast, items)
        fields = codec.loads(codec.sign1_split(said)[0])
        listed = codec.dumps(changed)
        signed = cast.forged(codec.dumps({**fields, 8: hashlib.sha256(listed).digest()}))
        return codec.dumps([signed, listed, [], []])

    yield "six hundred ids", case(rows), "vouches:0", "three runs, two of which share a second"
    first, middle, end = rows
    for name, changed, why in (
        ("runs missing", rows[:2], "two for 600 ids"),
        ("runs added", [*rows, end], "four for 600 ids"),
        ("bounds out of order", [middle, first, end], "they grow"),
        ("a bound twice", [first, first, end], "they grow"),
        ("an end with a prefix", [first, middle, [end[0], b"\x01", end[2]]], "it has none"),
        ("an end in the future", [first, middle, [2**31 - 1, b"", end[2]]], "after the checkpoint"),
        ("a negative time", [[-1, b"", first[2]], middle, end], "before 2020"),
        ("a long prefix", [[first[0], bytes(33), first[2]], middle, end], "33 bytes"),
        ("a short hash", [[*first[:2], bytes(31)], middle, end], "31 bytes"),
        ("a run of four", [[*first, 0], middle, end], "a time, a prefix, a hash"),
        ("a map of runs", {0: b""}, "a list"),
    ):
        yield name, case(changed), "refused:bad_runs", why
    said, _ = _said(cast, items)
    other = codec.dumps([said, codec.dumps(rows[:1]), [], []])
    yield "another list", other, "refused:bad_runs", "not the hash that was signed"
