"""`lavoir init`, `migrate`, `rebuild`: a town's house is founded, brought up to date, swept."""

import os
import shutil
from pathlib import Path

import click
from rich.progress import Progress

from federation.keys import from_words
from node.app import DATABASE, Town, open_town
from node.backup import swap
from node.backup.migrating import bring_up_to_date
from node.cli.key import write_sheet
from node.cli.terminal import console, home_option, json_option, report, sentences, with_town
from node.config import FILE as SETTINGS
from node.config import load, write_config
from node.domain.clock import Clock, SystemClock
from node.journal.keyring import FILE as KEYS
from node.journal.keyring import Keyring, KeyringError
from node.journal.restoring import FILE as GENERATION
from node.places import communes
from node.store.database import open_database, using
from node.store.schema import migrate as migrate_database


@click.command()
@home_option
@click.option("--name", required=True, help="The town's name, as people say it.")
@click.option("--insee", required=True, help="INSEE code of the commune, such as 56121.")
@click.option("--url", required=True, help="Address at which partners and residents reach it.")
@click.option("--manager", default="", help="The association that keeps this node.")
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the recovery sheet there, a page to print twice.",
)
@json_option
@sentences
def init(
    home: Path,
    name: str,
    insee: str,
    url: str,
    manager: str,
    sheet: Path | None,
    as_json: bool,
) -> None:
    """Found a town: settings, keys, database. Prints the 24 recovery words, once."""
    if sheet is not None and sheet.exists():
        raise click.ClickException(f"{sheet} is there already; nothing was done")
    words = found_town(home, name=name, insee=insee, url=url, manager=manager)
    town = open_town(home)
    try:
        answer = {"town": town.id.hex(), "home": str(home), "words": words}
        report(answer, as_json, _say_founded)
        if sheet is not None:  # after the words, which are shown whatever becomes of the file
            write_sheet(town, from_words(words), sheet)
            click.echo(f"The sheet is in {sheet}: print it twice, then delete it.", err=True)
    finally:
        town.close()


def found_town(
    home: Path,
    *,
    name: str,
    insee: str,
    url: str,
    manager: str = "",
    clock: Clock | None = None,
) -> list[str]:
    """Make the folder, settings, keys, database and first profile of a town; return its words.

    Raises click.ClickException for an unknown commune, KeyringError where a town lives already.
    """
    commune = communes.find(insee)
    if commune is None:
        raise click.ClickException(f"{insee} is not the INSEE code of a commune")
    if (home / KEYS).exists():
        raise KeyringError(f"{home / KEYS} exists: this folder already holds a town")
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    site = home / ".founding"
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(mode=0o700)
    clock = clock or SystemClock()
    _, words = Keyring.create(site, clock.now_ms())
    write_config(site, name=name, insee=commune.insee, url=url.rstrip("/"), manager=manager)
    database = open_database(site / DATABASE)
    migrate_database(database)
    database.close()
    _first_words(site, clock)
    swap.set_aside(home, clock.now_ms())
    for file in (DATABASE, GENERATION, SETTINGS, KEYS):  # the keys last: then the town exists
        os.replace(site / file, home / file)
    shutil.rmtree(site)
    return words


def _first_words(site: Path, clock: Clock) -> None:
    """Let the town say its name: its genesis keyset and its first profile."""
    town = open_town(site, clock=clock)
    try:
        with using(town.database):
            town.store.add_keyset(town.keyring.genesis)
            town.publish_profile()
            town.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        town.close()


def _say_founded(answer: dict[str, object]) -> None:
    click.echo(f"The town lives in {answer['home']}; its id is {answer['town']}.")
    click.echo()
    click.echo("These 24 words are the root of its identity. Write them on paper, twice, and keep")
    click.echo("the papers in two houses: they are nowhere else, and are shown only now.")
    words = [str(word) for word in answer["words"]]  # type: ignore[attr-defined]
    for row in range(0, 24, 6):
        line = (f"{row + at + 1:2}. {word:<12}" for at, word in enumerate(words[row : row + 6]))
        click.echo("  " + "".join(line))


@click.command()
@home_option
@json_option
@sentences
def migrate(home: Path, as_json: bool) -> None:
    """Bring the database to the schema of this version, after a backup (`serve` does it too)."""
    config = load(home, os.environ)
    now_ms = SystemClock().now_ms()
    done = bring_up_to_date(home, config.name, now_ms, driver=config.store_driver)
    answer = {"applied": done.applied, "backup": str(done.backup) if done.backup else None}
    report(answer, as_json, _say_migrated)


def _say_migrated(answer: dict[str, object]) -> None:
    if answer["backup"]:
        click.echo(f"{len(answer['applied'])} migrations applied.")  # type: ignore[arg-type]
        click.echo(f"The town as it was before is in {answer['backup']}.")
    else:
        click.echo("Nothing to migrate.")


@click.command()
@with_town
def rebuild(town: Town) -> None:
    """Make the pages' tables again from the signed records."""
    with Progress(console=console) as progress:
        task = progress.add_task("records", total=None)
        done = town.journal.rebuild(
            lambda done, total: progress.update(task, completed=done, total=total)
        )
    click.echo(f"{done} records replayed.")
