"""One import from the file to the report: read, compare, publish, withdraw.

Small batches, each one write transaction: stopped at any point, nothing is half done, and the next
import goes on from there.
"""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from federation import codec
from federation.store import Current
from node.domain.capacity import day_of
from node.domain.errors import Invalid, Problem
from node.domain.practice import Registry
from node.domain.schema import plain
from node.domain.words import N_
from node.imports.doubles import Doubles, listed_elsewhere
from node.imports.mapping import read_mapping
from node.imports.order import Order, formats, order_of
from node.imports.plan import Plan, Write, doubt_of, planned
from node.imports.reading import Reading
from node.imports.report import Report, Told
from node.imports.sheets.opening import Sheet, open_sheet
from node.journal.journal import Journal
from node.store.catalogue import holdings, listings
from node.store.catalogue.holdings import Holding
from node.store.database import write_tx

__all__ = ["formats", "import_file"]

ZONE = "Europe/Paris"
BATCH = 50
BY_HAND = ("state", "photos", "who", "quartier")  # what the association set since stays set

Progress = Callable[[int, int], None]


def import_file(
    journal: Journal,
    registry: Registry,
    path: Path,
    *,
    format: str,
    now_ms: int,
    practice: str = "",
    mapping: Path | None = None,
    options: Iterable[str] = (),
    source: str = "",
    licence: str = "",
    url: str = "",
    publish: Collection[str] = (),
    withdraw_all: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Import the file at `path` into the town's listings and return what was done.

    `format` is one of `formats(registry)`; a plain shape needs a `mapping` file or `options` (see
    `mapping.read_mapping`). `source`, `licence`, `url` overrule what mapping and format say;
    without a source and a licence nothing is imported. `publish` names columns of contacts that
    may be public. `withdraw_all` withdraws vanished listings however many they are.
    `progress(done, total)` counts each row twice: read, then written.
    The town's database is the current one. Raises DomainError when nothing at all can be read.
    """
    order = order_of(
        registry, format, read_mapping(mapping, options), practice,
        name=source, licence=licence, url=url,
    )  # fmt: skip
    sheet = open_sheet(
        path, order.importer.reader, encoding=order.encoding, delimiter=order.delimiter
    )
    _check_columns(order, sheet)
    report = _report(path, format, order, sheet)
    tell = progress or (lambda done, total: None)
    reading = _read(journal, order, sheet, report, now_ms, publish, tell)
    held = holdings.of_source(order.source.name)
    signed = _signed(journal, held)
    plan = planned(reading.ready, reading.refs, held, signed, now_ms // 1000)
    _settle(plan, held, reading, withdraw_all=withdraw_all)
    _publish(journal, order, plan.writes, report, now_ms, tell)
    _withdraw(journal, plan, report)
    tell(2 * report.rows, 2 * report.rows)
    return report


def _read(
    journal: Journal,
    order: Order,
    sheet: Sheet,
    report: Report,
    now_ms: int,
    publish: Collection[str],
    tell: Progress,
) -> Reading:
    listed = listed_elsewhere(journal.town, order.practice.name, order.source.name)
    reading = Reading(
        order.importer, order.practice, order.source, report,
        today=day_of(now_ms, ZONE), doubles=Doubles(listed), publish=publish,
    )  # fmt: skip
    reading.read(sheet, lambda done: tell(done, 2 * report.rows))
    return reading


def _check_columns(order: Order, sheet: Sheet) -> None:
    missing = [column for column in order.importer.columns if column not in sheet.columns]
    if missing:
        message = N_("This is another kind of file: no column %(names)s.")
        params: dict[str, object] = {"names": ", ".join(missing)}
        raise Invalid([Problem("file", "columns_missing", message, params)])


def _absent(order: Order, sheet: Sheet) -> list[Problem]:
    """Return a note for each column the mapping reads and no row has."""
    message = N_("The mapping reads this column, and the file does not have it.")
    absent = [column for column in dict.fromkeys(order.named) if column not in sheet.columns]
    return [Problem(column, "column_absent", message) for column in absent]


def _report(path: Path, format: str, order: Order, sheet: Sheet) -> Report:
    return Report(
        file=path.name,
        format=format,
        practice=order.practice.name,
        source=plain(order.source),
        counted_in=sheet.counted_in,
        rows=len(sheet.lines),
        notes=[*sheet.notes, *_absent(order, sheet)],
    )


def _signed(journal: Journal, held: dict[str, Holding]) -> dict[bytes, Current]:
    """Return what our registers behind these holdings hold now, by key."""
    current = journal.store.current((journal.town, each.key) for each in held.values())
    return {key: each for (_town, key), each in current.items()}


def _settle(plan: Plan, held: dict[str, Holding], reading: Reading, *, withdraw_all: bool) -> None:
    """Enter into the report what the plan leaves as it is, and hold back what is doubtful."""
    report = reading.report
    report.unchanged, report.kept_back = plan.unchanged, plan.kept_back
    message = N_("Its listing was withdrawn here by hand; left so.")
    report.warnings += [
        Told(each.line, Problem("", "withdrawn_by_hand", message)) for each in plan.by_hand
    ]
    doubt = None if withdraw_all else doubt_of(plan, len(held), blind=reading.blind)
    if doubt:
        report.notes.append(doubt)
        report.held_back = len(plan.vanished)
        plan.vanished.clear()


def _publish(
    journal: Journal,
    order: Order,
    writes: list[Write],
    report: Report,
    now_ms: int,
    tell: Progress,
) -> None:
    for start in range(0, len(writes), BATCH):
        batch = writes[start : start + BATCH]
        with write_tx():
            for write in _still_due(order, batch, report):
                body = {**write.ready.body, **_by_hand(journal.town, write.key)}
                record = journal.publish(order.practice.kind, body, key=write.key)
                holdings.keep_import(
                    record.key, order.source.name, write.ready.ref, write.ready.digest, now_ms
                )
        done = report.rows * (start + len(batch)) // len(writes)
        tell(report.rows + done, 2 * report.rows)


def _still_due(order: Order, batch: list[Write], report: Report) -> list[Write]:
    """Return the writes of a batch that another import has not done meanwhile; count them all."""
    refs = [write.ready.ref for write in batch if write.why == "new"]
    source = order.source.name
    query = Holding.select().where(Holding.source == source, Holding.source_ref.in_(refs))
    done = {each.source_ref for each in query}
    due = [write for write in batch if write.why != "new" or write.ready.ref not in done]
    for write in due:
        setattr(report, write.why, getattr(report, write.why) + 1)
    report.unchanged += len(batch) - len(due)
    return due


def _by_hand(town: bytes, key: bytes | None) -> dict[str, Any]:
    """Return what the association set on a listing that its source knows nothing of."""
    listing = listings.find(town, key) if key else None
    if listing is None or not listing.body:
        return {}
    body = codec.loads(listing.body)
    return {name: body[name] for name in BY_HAND if name in body}


def _withdraw(journal: Journal, plan: Plan, report: Report) -> None:
    for start in range(0, len(plan.vanished), BATCH):
        batch = plan.vanished[start : start + BATCH]
        with write_tx():
            for key in batch:
                journal.withdraw(key)
                holdings.forget(key)
        report.withdrawn += len(batch)
