"""`lavoir admin …`: who may keep the desk."""

import click

from node.app import Town
from node.cli.terminal import json_option, report, with_town
from node.members import accounts, codes


@click.group()
def admin() -> None:
    """Make administrators."""


@admin.command()
@click.option("--name", required=True, help="How the desk calls this person.")
@click.option("--email", default=None, help="Address for codes and notices.")
@json_option
@with_town
def create(town: Town, name: str, email: str | None, as_json: bool) -> None:
    """Make an administrator (or find the one of that name) and print a one-use login code."""
    code = admin_code(town, name, email)
    answer = {"name": name, "code": code, "url": f"{town.config.url}/compte"}
    report(answer, as_json, lambda said: click.echo(f"{said['url']}  code {said['code']}"))


def admin_code(town: Town, name: str, email: str | None = None) -> str:
    """Return a fresh one-use code for the administrator called `name`, made where absent."""
    now_ms = town.clock.now_ms()
    member = accounts.named(name) or accounts.create(name, email, roles=("admin",), now_ms=now_ms)
    return codes.issue("desk", member=member.id, secret=town.keyring.secret, now_ms=now_ms)
