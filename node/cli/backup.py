"""`lavoir backup`, `lavoir restore`, `lavoir restored`: a copy that is proven, and the way back."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from node.app import Town, open_town
from node.backup import making, release, rota
from node.backup import restore as restoring
from node.backup.house import BackupError
from node.backup.unpacking import Proof
from node.cli.terminal import console, home_option, json_option, report, sentences, with_town
from node.domain.clock import SystemClock
from node.erasure import replay
from node.identity import care
from node.journal.keyring import Keyring
from node.journal.logbook import FILE as LOGBOOK
from node.journal.restoring import BY_HAND
from node.store.database import using

PARIS = ZoneInfo("Europe/Paris")

words_option = click.option(
    "--words-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with the 24 recovery words; without it they are asked for.",
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@json_option
@with_town
def backup(town: Town, file: Path | None, as_json: bool) -> None:
    """Back the town up to FILE (or a folder), proven before it counts. The node may be running.

    Without FILE it goes to the backups beside the database, as the daily one does.
    """
    with progress_bar(as_json) as tell:
        made = making.make(town, file, tell) if file else rota.run(town, tell)
    answer = {**made._asdict(), "path": str(made.path)}
    report(answer, as_json, _say_made)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@home_option
@click.option("--words", "by_words", is_flag=True, help="Open it with the 24 words.")
@words_option
@click.option(
    "--keys", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A key file of the town kept elsewhere.",
)  # fmt: skip
@json_option
@sentences
def restore(
    file: Path,
    home: Path,
    by_words: bool,
    words_file: Path | None,
    keys: Path | None,
    as_json: bool,
) -> None:
    """Make the town of the backup FILE live in --home. What is there now is kept aside.

    The key file that is there, --keys or the 24 words open it. Stop the node first.
    """
    proof = _proof(home, by_words, words_file, keys)
    with progress_bar(as_json) as tell:
        done = restoring.restore(file, home, proof, SystemClock().now_ms(), erase_again, tell)
    answer = {
        "town": done.head.town.hex(),
        "made_ms": done.head.made_ms,
        "listings": done.facts["listings"],
        "photos": done.photos,
        "aside": str(done.aside or ""),
        "kept_keys": done.kept_keys,
        "logbook": (home / LOGBOOK).exists(),
    }
    report(answer, as_json, _say_restored)


@click.command()
@click.option("--yes", is_flag=True, help="The other machine with our keys is off for good.")
@json_option
@with_town
def restored(town: Town, yes: bool, as_json: bool) -> None:
    """End restore mode now, by your decision: this machine is the town."""
    told = release.report(town)._asdict()
    if told["why"] in BY_HAND and not yes:
        click.confirm(
            "Another machine may run with the keys of this town. Is it off for good?",
            abort=True,
            err=True,
        )
    gen = release.leave(town, by="command line")
    care.care(town)  # under new keys, everything that lives is signed again
    report({**told, "generation": gen}, as_json, _say_released)


def erase_again(folder: Path) -> None:
    """Do the erasures the logbook tells of again in a staged house, before anyone sees it.

    On a copy: the logbook itself stays where it is.
    """
    logbook, copy = folder.parent / LOGBOOK, folder / LOGBOOK
    if not logbook.exists():
        return
    shutil.copyfile(logbook, copy)
    town = open_town(folder)
    try:
        with using(town.database):
            replay(town)
    finally:
        town.close()
        copy.unlink()


def asked_words(words_file: Path | None) -> list[str]:
    """Return the 24 words, from a file or from the keyboard."""
    if words_file is not None:
        return words_file.read_text(encoding="utf-8").split()
    return str(click.prompt("The 24 recovery words", err=True)).split()


class progress_bar:
    """A bar on the terminal, moved by (done, total); silent for programs."""

    def __init__(self, is_silent: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, disable=is_silent)

    def __enter__(self) -> Any:
        self._bar.start()
        task = self._bar.add_task("", total=None)
        return lambda done, total: self._bar.update(task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _proof(home: Path, by_words: bool, words_file: Path | None, keys: Path | None) -> Proof:
    if by_words or words_file is not None:
        return Proof(words=asked_words(words_file))
    if keys is not None:
        try:
            return Proof(Keyring.from_bytes(keys.read_bytes()))
        except OSError as error:
            raise BackupError(f"{keys} cannot be read: {error.strerror}.") from error
    present = restoring.present_keys(home)
    return Proof(present) if present else Proof(words=asked_words(None))


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, PARIS):%A %d %B %Y, %H:%M}"


def _say_made(made: dict[str, Any]) -> None:
    click.echo(
        f"{made['path']}: {made['listings']} listings, {made['records']} records, "
        f"{made['photos']} photos, {made['size_bytes'] / 1e6:.1f} MB. Read back and proven."
    )
    if made["damaged"]:
        click.echo(f"{made['damaged']} photos are damaged on this disk and are not in it.")
    click.echo("A copy on the same card is no backup: carry one to another house.")


def _say_restored(done: dict[str, Any]) -> None:
    click.echo(
        f"The town is back as it was on {_day(done['made_ms'])}: {done['listings']} listings, "
        f"{done['photos']} photos."
    )
    if done["aside"]:
        click.echo(
            f"What stood here before is kept in {done['aside']}. Delete it when all is well."
        )
    if done["kept_keys"]:
        click.echo("The key file that was here is newer than the backup's and stays.")
    if not done["logbook"]:
        click.echo("No logbook was here: what was withdrawn since is withdrawn again by partners.")
        click.echo("Accounts erased since that day are back: erase them again at the desk.")
    click.echo(
        "Start it with `lavoir serve`. It is in restore mode: people can read, nothing is "
        "published, until what it said since has come back from a partner (or `lavoir restored`)."
    )


def _say_released(told: dict[str, Any]) -> None:
    click.echo(
        f"Came back from partners: {told['came_back']} records, {told['withdrawn']} withdrawals."
    )
    if told["unheard"]:
        click.echo(f"Not heard since: {', '.join(told['unheard'])}.")
    click.echo("The town publishes again.")
