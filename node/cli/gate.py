"""`lavoir gate`: after a restore, which partners are yet to be heard, and go on without one."""

from typing import Any

import click

from node.app import Town
from node.cli.terminal import json_option, report, with_town
from node.engagements import gate as gates
from node.partners import pairing
from node.store.promises import doubts

RISK = """\
If {name} holds a yes of ours that this town forgot, two people may stand before the door for the
same thing. What it tells later is then in doubt, for the desk to settle. This is written down."""


@click.command()
@click.option("--open", "which", metavar="TOWN", help="Go on without hearing TOWN (name or id).")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_town
def gate(town: Town, which: str, yes: bool, as_json: bool) -> None:
    """After a restore: who is yet to be heard; --open TOWN goes on without it."""
    if which:
        _open(town, which, yes)
    waiting, through = gates.closed(), gates.let_through()
    answer = {
        "waiting": [each.name or each.town.hex() for each in waiting],
        "gone_on_without": [each.name or each.town.hex() for each in through],
        "in_doubt": len(doubts.unsettled()),
    }
    report(answer, as_json, _say)


def _open(town: Town, which: str, yes: bool) -> None:
    partner = pairing.named(which)
    click.echo(RISK.format(name=partner.name), err=True)
    if not yes:
        click.confirm(f"Go on without {partner.name}?", abort=True, err=True)
    town.engagements.open_gate(partner.town, "node")


def _say(said: dict[str, Any]) -> None:
    if not said["waiting"]:
        click.echo("No partner holds anything up.")
    for name in said["waiting"]:
        click.echo(f"waiting for {name}")
    for name in said["gone_on_without"]:
        click.echo(f"gone on without {name}")
    if said["in_doubt"]:
        click.echo(f"{said['in_doubt']} in doubt: see the desk, Promises to check")
