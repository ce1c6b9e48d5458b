"""The job leases: of all processes of a node, one at a time runs a job, and a dead one lets go."""

import peewee

from node.store.database import write_tx
from node.store.row import Row

LEASE_SANE_MS = 24 * 3_600_000  # beyond these a clock was wrong when they were written
DUE_SANE_MS = 40 * 24 * 3_600_000


class JobLease(Row):
    """Who runs a job until when, when it is due again and how the last run ended."""

    name = peewee.TextField(primary_key=True)
    holder = peewee.TextField(default="")
    until_ms = peewee.BigIntegerField(default=0)
    due_ms = peewee.BigIntegerField(default=0)
    ended_ms = peewee.BigIntegerField(null=True)
    outcome = peewee.TextField(default="")


def take(name: str, holder: str, ttl_ms: int, now_ms: int) -> bool:
    """Take or extend the lease on a job for `ttl_ms`; return whether `holder` has it.

    False when another holds it, or when the job is not due yet (see `give_back`).
    """
    with write_tx():
        JobLease.insert(name=name).on_conflict_ignore().execute()
        free = (JobLease.until_ms <= now_ms) | (JobLease.until_ms > now_ms + LEASE_SANE_MS)
        due = (JobLease.due_ms <= now_ms) | (JobLease.due_ms > now_ms + DUE_SANE_MS)
        mine = (JobLease.holder == holder) & (JobLease.until_ms > now_ms)
        taken = (
            JobLease.update(holder=holder, until_ms=now_ms + ttl_ms)
            .where(JobLease.name == name, mine | (free & due))
            .execute()
        )
    return taken == 1


def is_due(job: JobLease, now_ms: int) -> bool:
    """Return whether a job may be taken now by who does not have it."""
    is_free = job.until_ms <= now_ms or job.until_ms > now_ms + LEASE_SANE_MS
    return is_free and (job.due_ms <= now_ms or job.due_ms > now_ms + DUE_SANE_MS)


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
