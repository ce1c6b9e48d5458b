"""The drill: every week the newest backup is really restored, in a folder apart, and looked at."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from federation.stamp import as_of_day
from node.backup import rota
from node.backup.house import BackupError, working_folder
from node.backup.unpacking import Proof, unpack
from node.store import marks
from node.store.database import using
from node.store.sets import record_store, records

Town = Any  # the object node.app builds
Open = Callable[[Path], Town]

STALE_DAYS = 8  # after which the desk turns red
DAY_MS = 86_400_000


def run(town: Town, open_house: Open) -> dict[str, Any]:
    """Restore the newest backup beside the database in a folder apart; note and return the result.

    `open_house(folder)` is how the program opens a town. The note: at_ms, ok, file, made_ms,
    listings, records; `why` when it failed. A failure is a result, and raised as BackupError.
    """
    now_ms = town.clock.now_ms()
    said: dict[str, Any] = {"at_ms": now_ms, "ok": False}
    try:
        said |= {"ok": True, **_restored(town, open_house)}
    except Exception as error:  # whatever it was, this backup did not prove restorable
        said["why"] = str(error)
        _note(said)
        raise BackupError(f"The restore drill failed: {error}") from error
    _note(said)
    return said


def is_stale(said: dict[str, Any], now_ms: int) -> bool:
    """Return whether no drill succeeded in the last days: then nobody knows if a backup is good."""
    return not said.get("ok") or now_ms - int(said.get("at_ms", 0)) > STALE_DAYS * DAY_MS


def _restored(town: Town, open_house: Open) -> dict[str, Any]:
    with working_folder(town.home) as work:
        held = rota.listed(town.home)
        if not held:
            raise BackupError("There is no backup yet.")
        path, folder = held[0].path, work / "house"
        folder.mkdir(mode=0o700)
        told, _ = unpack(path, Proof(town.keyring), folder)
        restored = open_house(folder)
        try:
            with using(restored.database):
                _compare(told.facts, as_of_day(told.head.made_ms))
        finally:
            restored.close()
        return {
            "file": path.name,
            "made_ms": told.head.made_ms,
            "listings": told.facts["listings"],
            "records": told.facts["rows"]["record"],
        }


def _compare(facts: dict[str, Any], day: int) -> None:
    """Every record is what its id says, and the sums kept of them are those of the records."""
    count = 0
    for row in records.walk():
        count += 1
        if hashlib.sha256(row.raw).digest() != row.id:
            raise BackupError(f"record {row.id.hex()} is not the one it was.")
    if count != facts["rows"]["record"]:
        raise BackupError(f"{count} records instead of {facts['rows']['record']}.")
    summed = sum(each.live + each.tombstones for each in record_store.figures(day))
    if summed > count:
        raise BackupError("the sums of its sets are not those of its records.")


def _note(said: dict[str, Any]) -> None:
    marks.write(marks.DRILL, json.dumps(said))
