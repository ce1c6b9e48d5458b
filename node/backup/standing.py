"""The standing: what an administrator must hear of backups and of a restore, usually nothing."""

from typing import Any

from node.backup import drill, rota
from node.domain.words import N_
from node.journal import restoring
from node.store import marks
from node.store.sets import keysets

Asked = tuple[str, str]  # a message id and the label of its button

SEE = N_("See")


def asks(town: Any, now_ms: int) -> list[Asked]:
    """Return what is to be done: a restore to end, a backup that fails, none that is proven."""
    found: list[Asked] = []
    if restoring.is_restoring():
        found.append((N_("This town is being restored: it publishes nothing"), SEE))
    if rota.last(marks.BACKUP_FAILED):
        found.append((N_("The last backup could not be made"), SEE))
    elif _is_unproven(town.id, now_ms):
        found.append((N_("No backup was proven good for more than eight days"), SEE))
    return found


def proven(now_ms: int) -> dict[str, Any]:
    """Return what the last drill said (made_ms, listings) while it counts, else {}."""
    said = rota.last(marks.DRILL)
    return {} if drill.is_stale(said, now_ms) else said


def _is_unproven(town: bytes, now_ms: int) -> bool:
    """A town that was founded a day ago has not had its drill yet."""
    held = keysets.of_town(town)
    age_ms = now_ms - held[0].number * 1000 if held else 0
    return age_ms > drill.STALE_DAYS * drill.DAY_MS and drill.is_stale(
        rota.last(marks.DRILL), now_ms
    )
