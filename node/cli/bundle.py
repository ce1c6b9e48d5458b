"""`lavoir bundle …`: carry records, requests and photos by stick or phone, where no network is."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from node.app import Town
from node.cli.terminal import console, json_option, report, with_town
from node.courier import export_file, import_file
from node.partners import pairing

ANYONE = "anyone"
WITH_COMPLAINTS = 3  # done, and a person should look
RECEIPT_SUFFIX = ".receipt.lavoir"


@click.group()
def bundle() -> None:
    """Carry records, requests and photos by hand: a stick goes one way, its answer comes back."""


@bundle.command("export")
@click.option("--for", "which", required=True, metavar="TOWN", help="Its name or id, or anyone.")
@click.option("--without-photos", is_flag=True, help="Leave the photos at home.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@with_town
def export(town: Town, which: str, without_photos: bool, file: Path, as_json: bool) -> None:
    """Write all that TOWN may see into FILE; only its desk can open what is private."""
    partner = None if which == ANYONE else pairing.named(which)
    with _progress("Writing", as_json) as progress:
        try:
            made = export_file(
                town,
                partner.town if partner else None,
                file,
                with_photos=not without_photos,
                progress=progress,
            )
        except OSError as error:
            raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error
    answer = {**vars(made), "file": str(file), "to": partner.name if partner else ANYONE}
    report(answer, as_json, _say_made)


@bundle.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--receipt",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Write the receipt there instead of FILE{RECEIPT_SUFFIX}.",
)
@json_option
@with_town
def import_(town: Town, file: Path, receipt: Path | None, as_json: bool) -> None:
    """Read FILE (a courier file or a receipt) and write a receipt to carry back.

    Reading it twice changes nothing. Exits 3 when something was kept out or not all was there.
    """
    with _progress("Reading", as_json) as progress:
        try:
            told = import_file(town, file, progress)
        except OSError as error:
            raise click.ClickException(f"{file} cannot be read: {error.strerror}") from error
    answer = told.told()
    if told.receipt is not None:
        path = receipt or file.with_name(f"{file.name}{RECEIPT_SUFFIX}")
        answer["receipt"] = str(path) if _wrote(path, told.receipt) else None
    report(answer, as_json, _say_arrived)
    if told.has_complaints:
        sys.exit(WITH_COMPLAINTS)


def _wrote(path: Path, receipt: bytes) -> bool:
    """Write the receipt; a stick that cannot be written to is no reason to fail."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as out:
            out.write(receipt)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except OSError as error:
        click.echo(f"The receipt could not be written to {path}: {error.strerror}", err=True)
        return False
    return True


@contextlib.contextmanager
def _progress(words: str, is_quiet: bool) -> Iterator[Callable[[int, int], None]]:
    with Progress(console=console, disable=is_quiet) as progress:
        task = progress.add_task(words, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _say_made(said: dict[str, Any]) -> None:
    click.echo(
        f"{said['file']}: {said['public']} public and {said['private']} private records, "
        f"{said['photos']} photos, {said['size_bytes']} bytes, for {said['to']}."
    )
    if not said["is_sealed"]:
        click.echo("Nothing private is in it: that town's sealing key has not arrived here yet.")


def _say_arrived(said: dict[str, Any]) -> None:
    click.echo(f"{said['found']} of {said['planned']} records read, made by {said['name'] or '?'}.")
    for code, count in said["verdicts"].items():
        click.echo(f"  {code}: {count}")
    if said["photos"]:
        click.echo(f"  photos: {said['photos']}")
    for each in said["refused"][:20]:
        click.echo(f"  kept out: {each['record'][:12]} {each['code']}")
    if said["receipts"]:
        click.echo(f"{said['receipts']} receipts of files made here came home.")
    for line in _warnings(said):
        click.echo(line)
    if said.get("receipt"):
        click.echo(f"Receipt to carry back: {said['receipt']}")


def _warnings(said: dict[str, Any]) -> Iterator[str]:
    if said["outcome"] == "torn":
        yield "Not all of it was there: what was whole is taken. Please copy the file again."
    if said["locked"]:
        yield f"Its private part cannot be opened here ({said['locked']})."
    if said["older_than_ms"]:
        yield "A newer file of that town was read before; nothing newer was undone."
