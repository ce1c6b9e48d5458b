"""`lavoir key …`: the town's own keys, by the 24 words of its recovery sheet."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import Progress

from node.app import DATABASE, Town, open_town
from node.cli.terminal import console, home_option, json_option, report, sentences, with_town
from node.cli.words import ask_root, words_option
from node.domain.clock import SystemClock
from node.identity.resign import pending, resign_all
from node.identity.rotation import check_root, recover, rotate
from node.identity.sheet import Sheet
from node.identity.standing import Standing, standing
from node.journal import restoring
from node.pages.formats import as_moment, day
from node.pages.language import NAMES, _, speaking
from node.store.database import open_database, using
from node.store.schema import check_schema

BY = "command line"
BY_ITSELF = "The server signs them again by itself; lavoir key rotate does it now."
AFTER_RESTORE = "The server signs them again by itself once the restore has ended."


@click.group()
def key() -> None:
    """Look after the town's key: how it stands, a new one, a lost one, its sheet."""


@key.command()
@json_option
@with_town
def show(town: Town, as_json: bool) -> None:
    """Tell the town id, the keys in force and since when, and which partners know them."""
    report(_told(standing(town)), as_json, _say)


@key.command("rotate")
@click.option("--compromised", is_flag=True, help="The key may be in foreign hands.")
@click.option(
    "--keep-returned",
    is_flag=True,
    help="With --compromised: keep what partners brought home to us (after a restore).",
)
@words_option
@json_option
@with_town
def rotate_(
    town: Town, compromised: bool, keep_returned: bool, words_file: Path | None, as_json: bool
) -> None:
    """Put a new key in force and sign everything again; a rotation that was cut goes on first."""
    finished = _sign_again(town) if not compromised and pending(town.journal) else 0
    if not finished:
        root = ask_root(words_file)
        rotate(town, root, is_stolen=compromised, keep_returned=keep_returned, by=BY)
    signed = finished or _sign_again(town)
    report({**_told(standing(town)), "new": not finished, "signed": signed}, as_json, _say_rotated)


@key.command("recover")
@words_option
@json_option
@home_option
@sentences
def recover_(home: Path, words_file: Path | None, as_json: bool) -> None:
    """Make a new key file where it was lost and the database is whole."""
    database = open_database(home / DATABASE)
    check_schema(database)
    with closing(database), using(database):
        recover(home, ask_root(words_file), SystemClock(), by=BY)
    town = open_town(home)
    with closing(town), using(town.database):
        signed = _sign_again(town)
        answer = {**_told(standing(town)), "new": True, "signed": signed}
        report(answer, as_json, _say_rotated)


@key.command("sheet")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--lang", type=click.Choice(sorted(NAMES)), help="Its language; else the town's.")
@words_option
@with_town
def sheet_(town: Town, file: Path, lang: str | None, words_file: Path | None) -> None:
    """Write the recovery sheet to FILE, a page to print twice and then delete."""
    root = ask_root(words_file)
    check_root(town.keyring, root)
    write_sheet(town, root, file, lang)
    click.echo(f"{file}: print it twice, then delete it.")


def write_sheet(town: Town, root: bytes, file: Path, lang: str | None = None) -> None:
    """Write the recovery sheet of a town; raises click.ClickException where it cannot."""
    config, language = town.config, town.catalogues.language(lang or town.config.language)
    today = as_moment(town.clock.now_ms()).date()
    try:
        with speaking(language):
            page = Sheet(root, town.id, config.name, config.manager, day(today, year=True))
            page.write(file, _, language.code)
    except FileExistsError:
        raise click.ClickException(f"{file} is there already; nothing was written") from None
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error


def _sign_again(town: Town) -> int:
    town.publish_profile()  # first of all, with the new sealing key if that changed as well
    with Progress(console=console) as progress:
        task = progress.add_task("signing again", total=None)
        return resign_all(
            town, lambda done, total: progress.update(task, completed=done, total=total)
        )


def _told(held: Standing) -> dict[str, object]:
    return {
        "town": held.town,
        "keyset": _keyset(held.in_force),
        "keysets": len(held.history),
        "history": [_keyset(each) for each in held.history],
        "key_file_is_behind": held.is_behind,
        "sealing_keys": [{"made_ms": made_ms, "id": key_id} for made_ms, key_id in held.sealing],
        "pending": held.pending,
        "restoring": restoring.is_restoring(),
        "partners": [
            {"town": row.town, "name": row.name, "knows_newest": knows} for row, knows in held.told
        ],
        "frozen_at": [row.name for row in held.frozen_at],
        "rivals": [each.id for each in held.rivals],
    }


def _keyset(keyset: object) -> dict[str, object]:
    return {name: getattr(keyset, name) for name in ("number", "id", "reason", "signing")}


def _say(said: dict[str, object]) -> None:
    _say_keys(said)
    for row in said["partners"]:  # type: ignore[attr-defined]
        click.echo(f"  {row['name']}: {'knows it' if row['knows_newest'] else 'not told yet'}")
    for name in said["frozen_at"]:  # type: ignore[attr-defined]
        click.echo(f"  {name} holds two keysets of ours and waits for its admin: call them.")
    if said["key_file_is_behind"]:
        click.echo("The key file is older than the town's keys: lavoir key recover")
    if said["pending"] and not said["key_file_is_behind"]:
        click.echo(f"{said['pending']} records are still signed with an older key.")
        click.echo(AFTER_RESTORE if said["restoring"] else BY_ITSELF)


def _say_keys(said: dict[str, object]) -> None:
    keyset: dict[str, object] = said["keyset"]  # type: ignore[assignment]
    since = _day(int(keyset["number"]) * 1000)  # type: ignore[call-overload]
    click.echo(f"Town     {_hex(said['town'])}")
    click.echo(f"Key      {_hex(keyset['id'])[:16]}, {keyset['reason']}, since {since}")
    click.echo(f"Keysets  {said['keysets']}")
    for each in said["sealing_keys"]:  # type: ignore[attr-defined]
        click.echo(f"Sealing  {_hex(each['id'])}, made {_day(each['made_ms'])}")


def _say_rotated(said: dict[str, object]) -> None:
    if not said["new"]:
        click.echo(f"A rotation had been cut: {said['signed']} records are signed again now.")
        click.echo("Run it again for a new key.")
        return
    _say_keys(said)
    click.echo(f"{said['signed']} records signed again. The partners hear of it by themselves.")
    if said["pending"]:
        click.echo(f"{said['pending']} could not be; they end with the old key.")


def _hex(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _day(at_ms: int) -> str:
    return str(datetime.fromtimestamp(at_ms / 1000, UTC).date())
