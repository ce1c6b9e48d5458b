"""Reconciliations of sets anyone can make again, message by message (SPEC.md section 7.2).

A vector is a CBOR map {0: seed, 1: [shared, only the initiator's, only the responder's], 2: span in
seconds, 3: [frame limits of both, bytes, 0 for none], 4: message}. The id of item *i* of group *g*
(0 shared, 1, 2) is SHA-256(seed || "/g/i"), its time the first 4 bytes of SHA-256(id), big-endian,
modulo the span. Where the verdict is "converges", field 4 is the SHA-256 of each message of the
whole session, from the initiator's first; else it is a message that the responder gets first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from federation import codec
from federation.ranges import Negentropy
from federation.sets import Item
from scripts.vectors.cast import Case, Cast

Shape = tuple[tuple[int, int, int], int, tuple[int, int], str]
SHAPES: dict[str, Shape] = {
    "both empty": ((0, 0, 0), 1, (0, 0), "nothing to tell"),
    "one empty": ((0, 0, 20), 1_000, (0, 0), "a list"),
    "equal, few": ((31, 0, 0), 1_000, (0, 0), "31 items are listed"),
    "equal, 32": ((32, 0, 0), 1_000, (0, 0), "32 items are sixteen buckets"),
    "equal, many": ((1_000, 0, 0), 10_000, (0, 0), "one message and one byte"),
    "ten each": ((300, 10, 10), 10_000, (0, 0), "several rounds"),
    "one second": ((200, 5, 5), 1, (0, 0), "bounds are prefixes of ids"),
    "wide": ((500, 7, 3), 2**31 - 1, (0, 0), "times up to the limit"),
    "apart": ((0, 400, 400), 10_000, (0, 0), "nothing in common"),
    "framed": ((500, 300, 300), 1_000, (4_096, 4_096), "frames of 4,096 bytes"),
    "one frame": ((500, 300, 300), 7, (0, 5_000), "the responder's frames only"),
    "other frame": ((900, 30, 300), 2**31 - 1, (6_000, 0), "the initiator's frames only"),
}
ASKED: dict[str, tuple[str, str, str]] = {  # to a responder of 100 items
    "everything": ("6100000200", "answered", "an empty list: five bytes ask for all"),
    "another version": ("62aabbccddeeff", "answered", "one byte that names version 1"),
    "version alone": ("61", "answered", "nothing left to do"),
    "no byte": ("", "refused:bad_range", "not even a version"),
    "no version": ("ff", "refused:bad_range", "versions are 60 to 6f"),
    "mode 3": ("61000003", "refused:bad_range", "modes are 0, 1, 2"),
    "torn fingerprint": ("61000001aabb", "refused:bad_range", "16 bytes"),
    "long list": ("6100000281808000", "refused:bad_range", "longer than the message"),
    "long prefix": ("610121" + "00" * 33, "refused:bad_range", "a prefix has at most 32 bytes"),
    "long number": ("61" + "80" * 10 + "00", "refused:bad_range", "more than ten digits"),
    "large number": ("6183" + "ff" * 8 + "7f", "refused:bad_range", "more than 64 bits"),
    "torn number": ("6180", "refused:bad_range", "its last digit is missing"),
}


def sessions(cast: Cast) -> Iterator[Case]:
    """Whole sessions, then single messages."""
    for name, (counts, span_s, limits, why) in SHAPES.items():
        trace = [hashlib.sha256(each).digest() for each in traced(name, counts, span_s, limits)]
        yield name, _vector(name, counts, span_s, limits, trace), "converges", why
    for name, (message, verdict, why) in ASKED.items():
        raw = _vector("asked", (100, 0, 0), 1_000, (0, 4_096), bytes.fromhex(message))
        yield name, raw, verdict, why


def items(seed: str, group: int, count: int, span_s: int) -> list[Item]:
    """The items of one group."""
    found = []
    for each in range(count):
        one = hashlib.sha256(f"{seed}/{group}/{each}".encode()).digest()
        at = int.from_bytes(hashlib.sha256(one).digest()[:4], "big") % span_s
        found.append((at, one))
    return found


def traced(
    seed: str, counts: tuple[int, int, int], span_s: int, limits: tuple[int, int]
) -> list[bytes]:
    """The messages of a session, both ends' in turn."""
    shared, here, there = (items(seed, group, n, span_s) for group, n in enumerate(counts))
    initiator = Negentropy(shared + here, limits[0])
    responder = Negentropy(shared + there, limits[1])
    trace = []
    message: bytes | None = initiator.initiate()
    while message is not None:
        answer = responder.respond(message)
        trace += [message, answer]
        message = initiator.reconcile(answer).message
    return trace


def _vector(seed: str, counts: Any, span_s: int, limits: Any, last: Any) -> bytes:
    return codec.dumps({0: seed, 1: list(counts), 2: span_s, 3: list(limits), 4: last})
