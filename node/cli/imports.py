"""`lavoir import`: open data becomes listings, and says what it could not take."""

import sys
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from node.app import Town
from node.cli.terminal import console, json_option, report, with_town
from node.imports.report import COUNTS
from node.imports.run import import_file

REJECTIONS_SHOWN = 20
WITH_REJECTIONS = 3  # done, and some rows need a person
STAYED = {
    "withdrawn": "withdrawn: they are no longer in the file",
    "held_back": "no longer in the file, but kept: is it whole? --withdraw-all withdraws them",
    "kept_back": "kept as they were: their line is rejected now",
}
TOLD = {"rejections": "rejected", "warnings": "to check", "notes": "note"}
COLUMNS = {
    "kept": "nothing here has a place for, kept with each listing",
    "withheld": "that may hold somebody's contact, not published",
    "left_out": "left out by the mapping",
}


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--as", "form", required=True, metavar="FORMAT", help="bnlc, geojson, json or csv.")
@click.option("--practice", default="", help="Which practice the listings belong to.")
@click.option("--mapping", type=click.Path(path_type=Path, exists=True), help="A TOML mapping.")
@click.option("--map", "options", multiple=True, metavar="FIELD=COLUMN", help="One field's column.")
@click.option("--source", default="", help="Who publishes the data.")
@click.option("--licence", default="", help="Under which licence.")
@click.option("--source-url", default="", help="Where it is published.")
@click.option("--publish", multiple=True, metavar="COLUMN", help="A contact that may be public.")
@click.option("--withdraw-all", is_flag=True, help="Withdraw vanished rows, however many.")
@json_option
@with_town
def import_(town: Town, file: Path, form: str, as_json: bool, **said: Any) -> None:
    """Import FILE; running it again changes only what changed in the file.

    Exits 0 when every row is a listing, 3 when some were rejected or held back (they are told).
    """
    with Progress(console=console, disable=as_json) as progress:
        task = progress.add_task(file.name, total=None)
        told = import_file(
            town.journal,
            town.registry,
            file,
            format=form,
            now_ms=town.clock.now_ms(),
            practice=said["practice"],
            mapping=said["mapping"],
            options=said["options"],
            source=said["source"],
            licence=said["licence"],
            url=said["source_url"],
            publish=said["publish"],
            withdraw_all=said["withdraw_all"],
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    report(told.as_json(), as_json, _say)
    if told.rejected or told.held_back:
        sys.exit(WITH_REJECTIONS)


def _say(said: dict[str, Any]) -> None:
    """Tell a person what became of the file; --json has all of it."""
    line = said["counted_in"]
    click.echo(f"{said['file']}: {said['rows']} {line}s as {said['practice']}")
    click.echo(f"  {', '.join(f'{said[name]} {name}' for name in COUNTS)}")
    for name, sentence in STAYED.items():
        if said[name]:
            click.echo(f"  {said[name]} {sentence}")
    for name, title in TOLD.items():
        rows = [_line(each, line) for each in said[name]]
        for row in rows[:REJECTIONS_SHOWN]:
            click.echo(f"  {title}: {row}")
        if len(rows) > REJECTIONS_SHOWN:
            click.echo(f"  {title}: … and {len(rows) - REJECTIONS_SHOWN} more (--json has all)")
    for name, sentence in COLUMNS.items():
        if said["columns"][name]:
            click.echo(f"  Columns {sentence}: {', '.join(said['columns'][name])}")


def _line(told: dict[str, Any], counted_in: str) -> str:
    where = [f"{counted_in} {told['line']}"] if told["line"] else []
    where += [told["column"]] if told["column"] else []
    return f"{', '.join(where)}: {told['message']}" if where else str(told["message"])
