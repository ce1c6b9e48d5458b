"""The line protocol of Negentropy's own cross-language tests, spoken on standard input and output.

One process is one session: `item,<seconds>,<hex id>` lines, `seal`, then `initiate` and `msg,<hex>`
(hoytech/negentropy, test/Utils.pm and fuzz.pl). FRAMESIZELIMIT in the environment bounds a message.
Run it as `python -m federation.adapters.negentropy_line`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

from federation.errors import LocalProtocolError
from federation.ranges import Item, Negentropy


def answers(lines: Iterable[str], frame_limit_bytes: int = 0) -> Iterator[str]:
    """Give the lines that answer `lines`. Raises ProtocolError or ValueError on what is not one."""
    items: list[Item] = []
    end: Negentropy | None = None
    is_initiator = False
    for line in lines:
        verb, _, rest = line.strip().partition(",")
        if verb == "item":
            seconds, _, one = rest.partition(",")
            items.append((int(seconds), bytes.fromhex(one)))
        elif verb == "seal":
            end = Negentropy(items, frame_limit_bytes)
        elif verb == "initiate" and end is not None:
            is_initiator = True
            yield _message(end.initiate(), frame_limit_bytes)
        elif verb == "msg" and end is not None:
            take = _reconcile if is_initiator else _respond
            yield from take(end, bytes.fromhex(rest), frame_limit_bytes)
        elif verb:
            raise ValueError(f"not a line of this protocol: {line!r}")


def _reconcile(end: Negentropy, message: bytes, limit: int) -> Iterator[str]:
    found = end.reconcile(message)
    yield from (f"have,{one.hex()}" for one in found.have)
    yield from (f"need,{one.hex()}" for one in found.need)
    yield "done" if found.message is None else _message(found.message, limit)


def _respond(end: Negentropy, message: bytes, limit: int) -> Iterator[str]:
    yield _message(end.respond(message), limit)


def _message(raw: bytes, limit: int) -> str:
    if limit and len(raw) > limit:
        raise LocalProtocolError("bad_range", f"{len(raw)} bytes in a frame of {limit}")
    return f"msg,{raw.hex()}"


def main() -> None:
    """Answer standard input line by line until it ends."""
    limit = int(os.environ.get("FRAMESIZELIMIT") or 0)
    for answer in answers(sys.stdin, limit):
        print(answer, flush=True)


if __name__ == "__main__":
    main()
