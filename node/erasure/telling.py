"""The telling: our signed word to other towns that what they buried is gone here, and theirs."""

import logging
from typing import Any

from federation.errors import ProtocolError
from federation.record import Record
from node.domain.errors import Conflict
from node.erasure import ack
from node.store import marks
from node.store.database import write_tx
from node.store.erasures import acks, burials
from node.store.erasures.acks import SHORT_BYTES, Told
from node.store.network import partners

log = logging.getLogger(__name__)

ENGAGEMENT = ack.KEPT[0]
REQUEST = "request/1"  # the register of an asker's town (SPEC 13)
NEXT_MS = "erasure_tell_ms"
EVERY_MS = 60_000  # what is gone meanwhile is told together


def listen(journal: Any) -> None:
    """Let the journal bring what other towns say they deleted of ours."""

    def arrived(record: Record, message: dict[int, Any] | None) -> None:
        hear(journal.town, record, message)

    journal.on(ack.KIND, arrived)


def hear(own: bytes, record: Record, message: dict[int, Any] | None) -> None:
    """Keep what a town says it deleted; raises RemoteProtocolError("bad_inner").

    What is not known here is kept as well: after a restore an answer may come home before the
    tombstone it answers.
    """
    if message is not None:
        part, told = ack.read(message, record.origin, own, record.key)
        acks.replace(record.origin, part, told)


def has_work(town: Any) -> bool:
    """Return whether a town is to be told something now; reads only."""
    is_time = town.clock.now_ms() >= marks.number(NEXT_MS)
    return is_time and burials.is_any_untold(town.id)


def tell(town: Any) -> int:
    """Tell each town what of its is gone from here; return how many records that took."""
    if not has_work(town):
        return 0
    marks.write_number(NEXT_MS, town.clock.now_ms() + EVERY_MS)
    held = partners.held_towns()
    return sum(_tell(town, origin) for origin in burials.untold(town.id) if origin in held)


def _tell(town: Any, origin: bytes) -> int:
    try:
        with write_tx():
            parts = burials.parts_to_tell(origin)
            for part in parts:
                _publish(town, origin, part)
    except (Conflict, ProtocolError) as error:
        # no key to seal to yet, or a bad one, a wrong clock, restore mode: later; others now
        log.info("erasures of %s cannot be told yet: %s", origin.hex(), error.code)
        return 0
    return len(parts)


def _publish(town: Any, origin: bytes, part: int) -> None:
    key = ack.register_key(town.id, origin, part)
    lines = [
        Told(row.key[:SHORT_BYTES], row.gone_ms, row.kept) for row in burials.of_part(origin, part)
    ]
    inner = ack.written(key, marks.number(marks.RESTORED_S), part, lines)
    town.journal.publish_sealed(ack.KIND, inner, to=origin, key=key)
    burials.told(origin, part, town.clock.now_ms())
