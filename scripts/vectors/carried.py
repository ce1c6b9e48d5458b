"""Courier files: headers and receipts, whole files, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from federation import bundle, codec, receipt
from federation.bundle import Counts, Freight
from federation.record import TOMBSTONE, tombstone_until
from federation.store import SetRow
from scripts.vectors.cast import NOW_MS, Case, Cast, secret, stamp

AS_OF = 20_601


def carried(cast: Cast) -> Iterator[Case]:
    """Statements that are believed or refused; whole files, by how many records they hold."""
    header, answer = _header(cast, cast.q1.town), _receipt(cast)
    yield "header for Quimper", header, "read", "it brings its maker's keysets"
    yield "header for anyone", _header(cast, None), "read", "field 10 is absent"
    yield "receipt", answer, "read", "what Lorient says of a file of Quimper's"
    yield "header of a later version", _changed(cast, header, {20: "new"}), "read", "passed over"
    heard = _changed(cast, header, {11: NOW_MS // 1000})
    yield "header that knows of a restore", heard, "read", "of its addressee"
    yield from _files(cast)
    yield from _bad_headers(cast, header)
    yield from _bad_receipts(cast, answer)


def _header(cast: Cast, to: bytes | None) -> bytes:
    return bundle.sign_header(
        [cast.l1, cast.l3],
        cast.keys["L3"],
        to=to,
        made_ms=NOW_MS,
        as_of=AS_OF,
        gen=0,
        names=("Lorient", "Quimper" if to else ""),
        counts=Counts(3, 0, 0),
        rows=[SetRow(cast.l1.town, 0, 3, secret("fingerprint", 16))],
    )


def _receipt(cast: Cast) -> bytes:
    return receipt.sign_receipt(
        [cast.l1, cast.l3],
        cast.keys["L3"],
        to=cast.q1.town,
        bundle=secret("a bundle"),
        when_ms=NOW_MS,
        verdicts={"stored": 2, "known": 1},
        arrived=[secret("a record"), secret("another record")],
    )


def _changed(cast: Cast, statement: bytes, changes: dict[int, Any], signer: str = "L3") -> bytes:
    fields = codec.loads(codec.sign1_split(statement)[0])
    return cast.forged(codec.dumps({**fields, **changes}), signer)


def _files(cast: Cast) -> Iterator[Case]:
    """Whole files for anyone: no randomness, nothing private."""
    began = stamp(1)
    gone: dict[str, Any] = {"expires": tombstone_until(began), "state": TOMBSTONE, "body": b""}
    buried = cast.signed("carried away", stamp=began, **gone).raw
    public = [cast.signed(f"carried {at}").raw for at in range(2)]
    keysets = [cast.l1.raw, cast.l3.raw]
    freight = Freight(keysets, [buried], [], public, [b"a photo"], None)
    whole = b"".join(bundle.write(_header(cast, None), None, freight))
    end = whole.index(public[1])
    yield "file", whole, "read:3", "a tombstone, two listings, a photo"
    yield "file cut in its last record", whole[: end + 50], "read:2", "what is whole is read"
    rotten = bytearray(whole)
    rotten[whole.index(public[0]) + 8] ^= 1  # the length of a record
    yield "file with a rotten length", bytes(rotten), "read:2", "the next beginning is found"
    between = whole[:end] + bytes(700) + whole[end:]
    yield "file with foreign bytes in it", between, "read:3", "they are passed over"
    yield "two files", whole + whole, "read:6", "one after the other"


def _bad_headers(cast: Cast, header: bytes) -> Iterator[Case]:
    fields = codec.loads(codec.sign1_split(header)[0])
    cases: dict[str, tuple[str, dict[int, Any], str]] = {
        "header with the type of a record": ("bad_type", {0: "lavoir-record/1"}, "no header"),
        "header of another town": ("broken_chain", {1: cast.q1.town}, "not that town's genesis"),
        "header under another number": ("broken_chain", {2: cast.l2.number}, "not in field 3"),
        "header without keysets": ("broken_chain", {3: []}, "nothing proves its author"),
        "header with a stranger's keyset": (
            "broken_chain", {2: cast.q2.number, 3: [cast.l1.raw, cast.q2.raw]}, "another root",
        ),
        "header made before time": ("bad_message", {4: -1}, "a moment is not negative"),
        "header with a boolean day": ("bad_message", {5: True}, "a day is an integer"),
        "header with two lines": ("bad_message", {7: ["Lorient\nQuimper", ""]}, "not printable"),
        "header with a long name": ("bad_message", {7: ["x" * 81, ""]}, "80 characters"),
        "header with two counts": ("bad_message", {8: [1, 2]}, "three"),
        "header with a short fingerprint": (
            "bad_message", {9: [[cast.l1.town, 0, 1, bytes(15)]]}, "16 bytes",
        ),
        "header of a fourth scope": (
            "bad_message", {9: [[cast.l1.town, 3, 1, bytes(16)]]}, "0, 1 or 2",
        ),
        "header of a restore as text": ("bad_message", {11: "Monday"}, "unix seconds"),
        "header for half a town": ("bad_message", {10: cast.q1.town[:31]}, "32 bytes"),
    }  # fmt: skip
    for name, (code, changes, why) in cases.items():
        yield name, _changed(cast, header, changes), f"refused:{code}", why
    less = cast.forged(codec.dumps({key: said for key, said in fields.items() if key != 9}))
    yield "header without sets", less, "refused:bad_message", "field 9 is required"
    stranger = _changed(cast, header, {}, signer="L2")
    yield "header under an older key", stranger, "refused:bad_signature", "not keyset 3's key"
    yield "header with a tail", header + b"\x00", "refused:bad_cose", "a byte after the item"


def _bad_receipts(cast: Cast, answer: bytes) -> Iterator[Case]:
    half = _changed(cast, answer, {8: bytes(33)})
    yield "receipt with half an id", half, "refused:bad_message", "whole ids of 32 bytes"
    vague = _changed(cast, answer, {7: [["stored"]]})
    yield "receipt without a count", vague, "refused:bad_message", "[verdict, count]"
    torn = _changed(cast, answer, {5: b"a bundle"})
    yield "receipt of no bundle", torn, "refused:bad_message", "32 bytes"
