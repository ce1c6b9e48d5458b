"""The town's database: which one is current, how it is opened and the one way to write to it.

Many towns can live in one process (tests, demos): the tables are bound to `db`, and `db` is the
database of the innermost `using(database)` of the running context. Threads start without one.

SQLite is driven by apsw, which brings a library without the WAL-reset bug; the stdlib driver is a
fallback with another journal. Both keep what was acknowledged when the power is cut: WAL or
TRUNCATE with synchronous=FULL (NORMAL in WAL loses commits, DELETE needs EXTRA).
"""

import contextlib
import os
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import peewee
from playhouse.apsw_ext import APSWDatabase

from node.domain.errors import DomainError
from node.domain.words import N_

DRIVERS = ("apsw", "sqlite3")
BUSY_TIMEOUT_S = 15
PRAGMAS = {
    "page_size": 8192,
    "synchronous": "FULL",
    "foreign_keys": 1,
    "wal_autocheckpoint": 4000,
    "secure_delete": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
}


class StoreError(Exception):
    """The database cannot be used at all; the sentence says why and what to do."""


class StorageRefused(DomainError):
    """The disk or another writer stands in the way: nothing was changed, trying again is safe."""

    status = 503


_REFUSALS = (
    ("locked", "busy", N_("The node is busy. Please try again in a moment.")),
    ("disk is full", "disk_full", N_("The node's disk is full: nothing new can be kept.")),
    ("readonly", "read_only", N_("The node's disk cannot be written to: nothing new can be kept.")),
    ("disk I/O", "disk_error", N_("The node's disk gives errors: nothing new can be kept.")),
)


class ApswDatabase(APSWDatabase):
    """SQLite through apsw; each connection is taught the one date playhouse.migrations writes."""

    def _connect(self) -> Any:
        connection = super()._connect()
        connection.convert_binding = lambda cursor, number, value: value.isoformat(" ")
        return connection


class CurrentDatabase(peewee.DatabaseProxy):
    """Stands for the database of the innermost `using(...)`; tables are bound to this."""

    @property
    def obj(self) -> peewee.SqliteDatabase | None:
        return _current.get()

    @obj.setter
    def obj(self, database: None) -> None:
        """Peewee sets None when it builds a proxy; the current database is never set this way."""

    def __getattr__(self, name: str) -> Any:
        database = _current.get()
        if database is None:
            raise LookupError("no current database: do this inside `with using(database):`")
        return getattr(database, name)


_current: ContextVar[peewee.SqliteDatabase | None] = ContextVar("database", default=None)
_opened: weakref.WeakSet[peewee.SqliteDatabase] = weakref.WeakSet()
_inherited: list[Any] = []
_last_acts: weakref.WeakKeyDictionary[peewee.SqliteDatabase, Callable[[], object]] = (
    weakref.WeakKeyDictionary()
)
_due: weakref.WeakKeyDictionary[peewee.SqliteDatabase, dict[Callable[[list[Any]], object], Any]] = (
    weakref.WeakKeyDictionary()
)
db = CurrentDatabase()


def open_database(path: Path | str, driver: str = "apsw") -> peewee.SqliteDatabase:
    """Return the database file at `path`, made if absent (it has no tables before `migrate`).

    `driver` is one of DRIVERS. Raises ValueError for another, StoreError when the file is no
    database or cannot be opened. Each thread that uses it gets a connection of its own.

    Two SQLite libraries in one process do not see each other's locks on a file (POSIX locks belong
    to the process), so ValueError is raised for a file that is open here through the other driver.
    """
    if driver not in DRIVERS:
        raise ValueError(f"unknown driver {driver}: one of {', '.join(DRIVERS)}")
    kind = ApswDatabase if driver == "apsw" else peewee.SqliteDatabase
    if any(each.database == str(path) and type(each) is not kind for each in _opened):
        raise ValueError(f"{path} is open in this process through another driver")
    wal = driver == "apsw" and wal_is_safe(kind.server_version[:3])
    database = kind(
        str(path),
        pragmas=[*PRAGMAS.items(), ("journal_mode", "wal" if wal else "truncate")],
        timeout=BUSY_TIMEOUT_S,
        lock_type="IMMEDIATE",  # so that even Peewee's own atomic() cannot be DEFERRED
    )
    try:
        database.connect()
    except peewee.DatabaseError as error:
        raise StoreError(f"{path} cannot be opened: {error}. Nothing was changed.") from error
    _opened.add(database)
    return database


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Return whether this SQLite is without the WAL-reset bug (3.7.0 to 3.51.2, see sqlite.org)."""
    if version == (3, 52, 0):
        return False  # withdrawn
    return (
        version >= (3, 51, 3)
        or (3, 50, 7) <= version < (3, 51, 0)
        or (3, 44, 6) <= version < (3, 45, 0)
    )


@contextlib.contextmanager
def using(database: peewee.SqliteDatabase) -> Iterator[peewee.SqliteDatabase]:
    """Make `database` the current one for the block, in this context (thread or task) only."""
    token = _current.set(database)
    try:
        yield database
    finally:
        _current.reset(token)


@contextlib.contextmanager
def write_tx() -> Iterator[None]:
    """Do the block in one write transaction of the current database: all of it or nothing.

    The write lock is taken first (IMMEDIATE), so nothing read inside can change before the commit.
    Nested use joins the outer transaction; an inner block that raises undoes only its own changes.
    Raises StorageRefused when the lock cannot be had or the disk refuses. Exhaust a query
    (list(...)) before opening a transaction: one still being read pins an old snapshot.
    """
    database = db.obj
    if database is None:
        raise LookupError("no current database: do this inside `with using(database):`")
    is_outermost = database.transaction_depth() == 0
    try:
        with database.atomic():
            if is_outermost:
                _due.pop(database, None)  # of a transaction that was rolled back
            yield
            if is_outermost:
                _settle(database)
            if not _is_open(database):
                raise StorageRefused(*_REFUSALS[-1][1:])
    except peewee.OperationalError as error:
        if _is_open(database):  # an inner block's error: the outer one may still go on
            raise
        raise refusal(error) from error


def before_commit(database: peewee.SqliteDatabase, act: Callable[[], object]) -> None:
    """Let `act` be the last thing in every write transaction of `database`; it may refuse it."""
    _last_acts[database] = act


def at_commit(act: Callable[[list[Any]], object], item: Any) -> None:
    """Hand `item` to `act` before the current transaction commits, once, with all others that were
    given to it: one sync for all of them. Inside write_tx(); `act` may refuse the transaction.
    """
    if db.obj is None or not db.in_transaction():
        raise RuntimeError("at_commit belongs inside write_tx()")
    _due.setdefault(db.obj, {}).setdefault(act, []).append(item)


def _settle(database: peewee.SqliteDatabase) -> None:
    """Do what is to be done last in a transaction."""
    for act, items in _due.pop(database, {}).items():
        act(items)
    if database in _last_acts:
        _last_acts[database]()


def after_commit(act: Callable[[], object]) -> None:
    """Call `act` once the current transaction is committed, at once when there is none."""
    db.after_commit(act)


def execute_many(sql: str, rows: list[tuple[Any, ...]]) -> None:
    """Run one statement for many rows: four times faster than insert_many. Inside write_tx() only.

    Raises peewee.IntegrityError and the like, RuntimeError outside a transaction.
    """
    if not db.in_transaction():
        raise RuntimeError("execute_many belongs inside write_tx()")
    if rows:
        with peewee.__exception_wrapper__:
            db.cursor().executemany(sql.replace("?", db.param), rows)


def execute(sql: str, values: tuple[Any, ...] = ()) -> Any:
    """Run one statement, `?` where a value goes whatever the database writes; return its cursor."""
    return db.execute_sql(sql.replace("?", db.param), values)


def compact() -> bool:
    """Write the database anew without what was deleted; False when somebody is writing to it.

    `secure_delete` overwrites a deleted row with zeros where it lies. But SQLite moves rows when a
    page fills up and leaves the copy it moved in the unused middle of the old page, where nothing
    finds it again: 20 of 3,000 deleted texts outlived their rows so. Takes the write lock for as
    long as it lasts, and room on the disk for a second database; readers go on. Raises
    StorageRefused (no room).
    """
    with _short_patience():
        return _unless_busy("VACUUM") is not None


def empty_wal() -> bool:
    """Put all commits into the database file and cut the log to nothing; False while one reads."""
    with _short_patience():
        found = _unless_busy("PRAGMA wal_checkpoint(TRUNCATE)")
    return found is not None and not (found and found[0][0])


@contextlib.contextmanager
def _short_patience() -> Iterator[None]:
    db.execute_sql("PRAGMA busy_timeout = 1000").fetchall()
    try:
        yield
    finally:
        db.execute_sql(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1_000}").fetchall()


def _unless_busy(sql: str) -> list[Any] | None:
    try:
        return db.execute_sql(sql).fetchall()  # type: ignore[no-any-return]
    except peewee.OperationalError as error:
        told = refusal(error)
        is_busy = isinstance(told, StorageRefused) and told.code == "busy"
        if is_busy or "in progress" in str(error):  # this very thread still reads something
            return None
        raise told from error


def refusal(error: BaseException) -> BaseException:
    """Return what to tell of a database's error: a StorageRefused, or the error itself.

    For errors of reading too, at the edge. The cause may lie below a rollback that failed after it.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, StorageRefused):
            return cause
        for words, code, message in _REFUSALS:
            if words in str(cause):
                return StorageRefused(code, message)
        cause = cause.__context__
    return error


def _is_open(database: peewee.SqliteDatabase) -> bool:
    """Return whether SQLite is in a transaction: it ends one by itself when the disk refuses.

    Other databases do not.
    """
    if not isinstance(database, peewee.SqliteDatabase):
        return True
    connection = database.connection()
    if isinstance(database, ApswDatabase):
        return not connection.getautocommit()
    return bool(connection.in_transaction)


def _forget_inherited() -> None:
    """Leave a parent's connections alone: closing one in a forked child breaks the parent's locks.

    The child opens its own at first use.
    """
    for database in list(_opened):
        if not database.is_closed():
            _inherited.append(database.connection())
            database.dispose()


os.register_at_fork(after_in_child=_forget_inherited)
