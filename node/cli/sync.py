"""`lavoir sync` and `lavoir status`: go to the partners now; say what is held of whom."""

import sys
from collections.abc import Callable

import click
from rich.progress import Progress, TaskID

from federation.stamp import as_of_day
from node.app import Town
from node.cli.terminal import console, json_option, report, with_town
from node.partners import pairing
from node.store import marks
from node.store.network import partners, towns
from node.store.sets.record_store import figures


@click.command()
@click.argument("which", metavar="[TOWN]", required=False)
@json_option
@with_town
def sync(town: Town, which: str | None, as_json: bool) -> None:
    """Exchange records with TOWN, or with every partner. Exit 1 if one of them failed."""
    chosen = [pairing.named(which)] if which else partners.listed(*partners.LINKED)
    outcomes = []
    with Progress(console=console, disable=as_json) as progress:
        for row in chosen:
            task = progress.add_task(row.name or row.town.hex()[:8], total=None)
            outcome = town.exchanges.visit(row.town, _told_to(progress, task))
            progress.update(task, completed=1, total=1)
            outcomes.append({"name": row.name, **outcome.told()})
    report({"visits": outcomes}, as_json, _say_visits)
    if any(each["outcome"] != "ok" for each in outcomes):
        sys.exit(1)


def _told_to(progress: Progress, task: TaskID) -> Callable[[int, int], None]:
    return lambda done, total: progress.update(task, completed=done, total=total)


def _say_visits(said: dict[str, list[dict[str, object]]]) -> None:
    for each in said["visits"]:
        click.echo(
            f"{each['name']}: {each['outcome']}, received {each['received']}, "
            f"sent {each['sent']}, refused {each['refused']}"
        )
    if not said["visits"]:
        click.echo("No partner to visit yet.")


@click.command()
@json_option
@with_town
def status(town: Town, as_json: bool) -> None:
    """Tell the town id and, for each origin, what is held and when it last arrived."""
    report(status_of(town), as_json, _say_status)


def status_of(town: Town) -> dict[str, object]:
    """Return what `status --json` prints."""
    day = as_of_day(town.clock.now_ms())
    known = {row.town: row for row in partners.listed()}
    names = {row.town: row.name for row in towns.listed()}
    origins: dict[str, dict[str, object]] = {}
    for each in figures(day):
        partner = known.get(each.origin)
        origin = origins.setdefault(
            each.origin.hex(),
            {
                "name": names.get(each.origin, partner.name if partner else ""),
                "last_sync_ms": partner.last_ok_ms if partner else None,
                "sets": {},
            },
        )
        origin["sets"][str(each.scope)] = {  # type: ignore[index]
            "live": each.live,
            "tombstones": each.tombstones,
            "fingerprint": each.fingerprint.hex(),
        }
    return {
        "town": town.id.hex(),
        "name": town.config.name,
        "generation": marks.number(marks.RESTORED_S),
        "as_of": day,
        "origins": origins,
    }


def _say_status(said: dict[str, object]) -> None:
    click.echo(f"{said['name']}  {said['town']}")
    for town, origin in said["origins"].items():  # type: ignore[attr-defined]
        for scope, held in sorted(origin["sets"].items()):
            click.echo(
                f"  {origin['name'] or town[:12]:<16} scope {scope}  {held['live']:>6} live  "
                f"{held['tombstones']:>4} buried  {held['fingerprint']}"
            )
