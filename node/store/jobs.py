"""The job leases: of all processes of a node, one at a time runs a job, and a dead one lets go.

No clock is trusted for longer than a job's own period: one that was years ahead, or an hour, and
was corrected puts nothing off. A holder that was killed is noticed at once where that can be known.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

import peewee

from node.store.database import write_tx
from node.store.row import Row

PERIOD_MAX_MS = 40 * 24 * 3_600_000  # of a job whose period is not told
LEASE_MS = 60_000
ALIVE, DEAD, UNKNOWN = "alive", "dead", "unknown"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")


class JobLease(Row):
    """Who runs a job until when, when it is due again and how the last run ended."""

    name = peewee.TextField(primary_key=True)
    holder = peewee.TextField(default="")
    until_ms = peewee.BigIntegerField(default=0)
    due_ms = peewee.BigIntegerField(default=0)
    ended_ms = peewee.BigIntegerField(null=True)
    outcome = peewee.TextField(default="")


def holder_here() -> str:
    """Return a new name for this process by which others of this machine see whether it lives."""
    return ":".join((*_this_place(), str(os.getpid()), _began(os.getpid()), secrets.token_hex(4)))


def state_of(holder: str) -> str:
    """Return whether the process that made this name is alive, dead, or cannot be judged here."""
    parts = holder.split(":")
    if len(parts) != 5 or not parts[2].isdigit() or "" in parts[:4]:
        return UNKNOWN
    boot, namespace, pid, began, _ = parts
    here, near = _this_place()
    if boot != here:
        return DEAD  # the machine was started again since
    if namespace != near:
        return UNKNOWN  # another container
    return ALIVE if _began(int(pid)) == began else DEAD


def take(
    name: str, holder: str, ttl_ms: int, now_ms: int, *, every_ms: int = PERIOD_MAX_MS
) -> bool:
    """Take or extend the lease on a job for `ttl_ms`; return whether `holder` has it.

    False when another holds it, or when the job, which runs every `every_ms`, is not due yet.
    """
    with write_tx():
        JobLease.insert(name=name).on_conflict_ignore().execute()
        job = JobLease.get(JobLease.name == name)
        is_mine = job.holder == holder and job.until_ms > now_ms
        if not is_mine and not is_due(job, now_ms, every_ms=every_ms, ttl_ms=ttl_ms):
            return False
        JobLease.update(holder=holder, until_ms=now_ms + ttl_ms).where(
            JobLease.name == name
        ).execute()
    return True


def is_due(
    job: JobLease, now_ms: int, *, every_ms: int = PERIOD_MAX_MS, ttl_ms: int = LEASE_MS
) -> bool:
    """Return whether a job may be taken now by who does not have it."""
    is_time = job.due_ms <= now_ms or job.due_ms > now_ms + every_ms
    return is_time and _is_free(job, now_ms, ttl_ms)


def give_back(name: str, holder: str, now_ms: int, *, due_ms: int = 0, outcome: str = "ok") -> None:
    """End a run: nobody can take the job before `due_ms`. Does nothing for another's lease."""
    with write_tx():
        JobLease.update(
            holder="", until_ms=0, due_ms=due_ms, ended_ms=now_ms, outcome=outcome
        ).where(JobLease.name == name, JobLease.holder == holder).execute()


def hasten(name: str) -> None:
    """Make a job due at once."""
    with write_tx():
        JobLease.update(due_ms=0).where(JobLease.name == name).execute()


def every() -> list[JobLease]:
    """Return all jobs ever taken, by name."""
    return list(JobLease.select().order_by(JobLease.name))


def _is_free(job: JobLease, now_ms: int, ttl_ms: int) -> bool:
    if job.until_ms <= now_ms:
        return True
    state = state_of(job.holder)
    is_odd = job.until_ms > now_ms + 2 * ttl_ms  # the clock was ahead when it was written
    return state == DEAD or (is_odd and state != ALIVE)


def _this_place() -> tuple[str, str]:
    """Return what this start of the machine and this container are called; "" where unknown."""
    boot = namespace = ""
    with suppress(OSError):
        boot = _BOOT.read_text().strip()
    with suppress(OSError):
        namespace = os.readlink(_NAMESPACE).replace(":", "")
    return boot, namespace


def _began(pid: int) -> str:
    """Return when a process began, in ticks since the machine did; "" if there is none."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""
