"""Planted faults: the product made wrong on purpose, so that it is seen that some rule notices.

Each is put in for the block by replacing one thing of the product; what it breaks is a promise that
the simulation claims to watch.
"""

import itertools
import json
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, NamedTuple
from unittest.mock import patch

from federation.admission import Examined
from federation.record import Record
from federation.store import MemoryStore, _Set
from node.store.sets.record_store import SqlRecordStore
from scripts.simulate.history import drawn, run

STORED = "stored"
SEARCHED = {"light": 200, "whole": 30}  # histories in which a fault must be noticed


def caught(planted: "Planted") -> tuple[str, int]:
    """Return the rule that noticed a fault and after how many histories; "" if none did."""
    with planted.present():
        for seed in range(SEARCHED[planted.tier]):
            finding, _ = run(drawn(seed, planted.tier))
            if finding.rule:
                return finding.rule, seed + 1
    return "", SEARCHED[planted.tier]


class Planted(NamedTuple):
    """One fault: what is wrong, in which tier it is looked for, and how it is put in."""

    name: str
    tier: str
    put_in: Callable[[ExitStack], None]

    @contextmanager
    def present(self) -> Iterator[None]:
        """Have the fault in the product for the block."""
        with ExitStack() as stack:
            self.put_in(stack)
            yield


def _put(**values: object) -> Callable[[ExitStack], None]:
    """Return what puts in a fault: {dotted name, its dots written __: what stands there then}."""

    def put_in(stack: ExitStack) -> None:
        for name, value in values.items():
            stack.enter_context(patch(name.replace("__", "."), value))

    return put_in


def _around(name: str, made: Callable[[Any], Any]) -> Callable[[ExitStack], None]:
    """Return what puts in a fault made of the real thing: `made(real)`."""

    def put_in(stack: ExitStack) -> None:
        owner, _, attribute = name.rpartition(".")
        real = getattr(pkgutil.resolve_name(owner), attribute)
        stack.enter_context(patch(name, made(real)))

    return put_in


# ── how each thing is made wrong ─────────────────────────────────────────────────────────────────


def _newcomer_wins(challenger: Any, holder: Any) -> bool:
    """Whatever comes last stays."""
    return bool(challenger.id != holder.id)


def _later_wins(challenger: Any, holder: Any) -> bool:
    """A tombstone is a revision like any other: whoever signs after it undoes it."""
    return bool((challenger.stamp, challenger.id) > (holder.stamp, holder.id))


def _first_alone(real: Callable[..., Any]) -> Callable[..., Any]:
    """Read a request as if only its first act stood in it."""

    def read(inner: Any) -> Any:
        request = real(inner)
        return replace(request, deeds=request.deeds[:1])

    return read


def _whatever_version(real: Callable[..., Any]) -> Callable[..., Any]:
    """Apply a reply as if nothing had been heard before it."""

    def apply(ground: Any, row: Any, *rest: Any) -> Any:
        row.gen = -1
        return real(ground, row, *rest)

    return apply


def _no_fence(_: bytes) -> int:
    return 0


def _says_so(real: Callable[..., None]) -> Callable[..., None]:
    """Keep all but every third of what was called stored: the answer runs ahead of the disk."""
    numbers = itertools.count(1)

    def keep(examined: list[Examined], *rest: Any, **more: Any) -> None:
        written = [each for each in examined if each.code != STORED or next(numbers) % 3]
        real(written, *rest, **more)

    return keep


def _all_visible(store: SqlRecordStore, peer: bytes | None) -> set[tuple[bytes, int]]:
    return {(town, scope) for town in store.accepted() for scope in (0, 1, 2)}


def _may_see_all(store: MemoryStore, peer: bytes | None, origin: bytes, scope: int) -> bool:
    return origin in store._accepted


def _crosses(*_: Any) -> bool:
    return True


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _no_objection(*_: Any) -> None:
    return None


def _none_dead(held: Any) -> frozenset[int]:
    return frozenset()


def _adds_only(real: Callable[..., None]) -> Callable[..., None]:
    def change(kept: _Set, record: Record, step: int) -> None:
        if step > 0:
            real(kept, record, step)
        else:
            kept.records.pop(record.id, None)

    return change


def _remembers_all(real: Callable[..., int | None]) -> Callable[..., int | None]:
    """Never ask again for what was refused once, whatever for."""

    def until(examined: Examined, now_ms: int) -> int | None:
        return real(examined, now_ms) or (
            now_ms // 1000 + 400 * 86_400 if examined.code != STORED else None
        )

    return until


def _clock_alone(now_ms: int, last: int) -> int:
    return now_ms << 16


def _never_removed(real: Callable[..., None]) -> Callable[..., None]:
    def change(added: Any, removed: Any) -> None:
        real(added, [])

    return change


def _shown_once(real: Callable[..., None]) -> Callable[..., None]:
    """Show a listing when it comes and never look at its revisions."""
    seen: set[tuple[bytes, bytes]] = set()

    def show(record: Record, registry: Any) -> None:
        if record.register not in seen or record.is_tombstone:
            seen.add(record.register)
            real(record, registry)

    return show


FAULTS = (
    Planted(
        "signatures are not checked",
        "light",
        _put(federation__admission___Batch___signature=_no_objection),
    ),
    Planted(
        "whatever comes last wins",
        "light",
        _put(federation__admission__wins=_newcomer_wins, federation__store__wins=_newcomer_wins),
    ),
    Planted(
        "a later revision wins over a tombstone",
        "light",
        _put(federation__admission__wins=_later_wins, federation__store__wins=_later_wins),
    ),
    Planted("stored is said before it is", "light", _around("federation.admission.keep", _says_so)),
    Planted(
        "a relay shows what is for partners",
        "light",
        _put(
            federation__store__MemoryStore___may_see=_may_see_all,
            federation__session__steps__may_cross=_crosses,
            federation__session__summary__may_cross=_crosses,
        ),
    ),
    Planted(
        "a stolen key's records stay", "light", _put(federation__store__compromised=_none_dead)
    ),
    Planted(
        "sums are never taken from", "light", _around("federation.store._Set.change", _adds_only)
    ),
    Planted(
        "what waits for its day is never asked for again",
        "light",
        _around("federation.admission.remembered_until", _remembers_all),
    ),
    Planted(
        "the stamp is the clock alone",
        "light",
        _put(scripts__simulate__light__town__next_stamp=_clock_alone),
    ),
    Planted(
        "keysets are not exchanged",
        "light",
        _put(federation__session__steps__KeysetsStep__ask=_nothing),
    ),
    Planted(
        "stored is said before it is (whole)",
        "whole",
        _around("node.journal.journal.keep", _says_so),
    ),
    Planted(
        "a relay shows what is for partners (whole)",
        "whole",
        _put(
            node__store__sets__record_store__SqlRecordStore___visible=_all_visible,
            federation__session__steps__may_cross=_crosses,
            federation__session__summary__may_cross=_crosses,
        ),
    ),
    Planted(
        "signatures are not checked (whole)",
        "whole",
        _put(federation__admission___Batch___signature=_no_objection),
    ),
    Planted("pages miss revisions", "whole", _around("node.journal.projection.show", _shown_once)),
    Planted(
        "sums are never taken from (whole)",
        "whole",
        _around("node.store.sets.sums.change", _never_removed),
    ),
    Planted(
        "only the first act of a request is read",
        "whole",
        _around("node.engagements.between.inner.read_request", _first_alone),
    ),
    Planted(
        "what is promised is not counted",
        "whole",
        _put(node__engagements__capacity__claims__replace=_nothing),
    ),
)
HARD = (  # looked for by hand: no rule is known to notice them within the histories of the tests
    Planted(
        "a reply is applied whatever its version",
        "whole",
        _around("node.engagements.between.asker.apply", _whatever_version),
    ),
    Planted(
        "the fence is ignored",
        "whole",
        _put(node__engagements__between__arrivals__fence=_no_fence),
    ),
)


def main() -> None:
    """Print, as JSON, which rule noticed each fault and after how many histories.

    The argument is a tier, "hard", or a part of the name of a fault.
    """
    wanted = sys.argv[1]
    among = HARD if wanted == "hard" else FAULTS
    told = {each.name: caught(each) for each in among if wanted in ("hard", each.tier)}
    if not told:
        told = {each.name: caught(each) for each in (*FAULTS, *HARD) if wanted in each.name}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
