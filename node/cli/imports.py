"""`lavoir import`: open data becomes listings, and says what it could not take."""

import sys
from pathlib import Path

import click
from rich.progress import Progress

from node.app import Town
from node.cli.terminal import console, json_option, report, with_town
from node.imports import import_file


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--as", "form", type=click.Choice(["bnlc", "geojson", "csv"]), required=True)
@click.option("--mapping", type=click.Path(path_type=Path, exists=True), help="A TOML mapping.")
@click.option("--source", default="", help="Who publishes the data.")
@click.option("--licence", default="", help="Under which licence.")
@json_option
@with_town
def import_(
    town: Town,
    file: Path,
    form: str,
    mapping: Path | None,
    source: str,
    licence: str,
    as_json: bool,
) -> None:
    """Import FILE; running it again changes only what changed in the file."""
    with Progress(console=console, disable=as_json) as progress:
        task = progress.add_task(file.name, total=None)
        told = import_file(
            town.journal,
            town.registry,
            file,
            form,
            mapping=mapping,
            source=source,
            licence=licence,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    report(told.plain(), as_json, lambda said: click.echo(told.text()))
    if told.failed:
        sys.exit(1)
