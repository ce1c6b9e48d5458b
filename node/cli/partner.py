"""`lavoir partner …`: the other towns, from the command line."""

from typing import Any

import click

from node.app import Town
from node.cli.terminal import json_option, report, with_town
from node.identity import freeze, replacing
from node.partners import pairing, removal
from node.store import audit
from node.store.network import introductions, partners
from node.store.sets import checkpoints


@click.group()
def partner() -> None:
    """Pair with other towns, list them, end a link."""


@partner.command()
@click.option("--lan", is_flag=True, help="That town is on our own network (private address).")
@json_option
@with_town
def invite(town: Town, lan: bool, as_json: bool) -> None:
    """Make an invitation: an address and a one-use code, good for 15 minutes."""
    invitation = pairing.invite(town.config.url, town.clock, lan=lan)
    answer = {"invitation": invitation.text, "until_ms": invitation.until_ms}
    report(answer, as_json, lambda said: click.echo(said["invitation"]))


@partner.command()
@click.argument("invitation")
@click.option("--lan", is_flag=True, help="That town is on our own network (private address).")
@json_option
@with_town
def accept(town: Town, invitation: str, lan: bool, as_json: bool) -> None:
    """Accept INVITATION (or the name or id of a town a partner introduced): then compare words."""
    if "://" in invitation:
        row = town.exchanges.accept(invitation, lan=lan)
    else:
        introduced = pairing.introduced(invitation)
        row = pairing.accept_introduced(introduced, town.store, town.clock)
    report(_told(town, row), as_json, _say_words)


@partner.command()
@click.argument("which", metavar="TOWN")
@json_option
@with_town
def confirm(town: Town, which: str, as_json: bool) -> None:
    """Say that both admins read the same six words: TOWN becomes a partner."""
    row = pairing.confirm(pairing.named(which).town, town.clock, by="command line")
    report(_told(town, row), as_json, lambda said: click.echo(f"{said['name']} is a partner."))


@partner.command()
@click.argument("which", metavar="TOWN")
@click.option("--to", "reader", required=True, metavar="PARTNER", help="Whom to tell about it.")
@with_town
def introduce(town: Town, which: str, reader: str) -> None:
    """Tell PARTNER about TOWN, so that both can read each other through us."""
    known, to = pairing.named(which), pairing.named(reader)
    pairing.introduce(known.town, to.town, town.clock)
    click.echo(f"{known.name} will be introduced to {to.name} at the next exchange.")


@partner.command("list")
@json_option
@with_town
def list_(town: Town, as_json: bool) -> None:
    """Show every partner, how it is doing, and who was introduced."""
    answer = {
        "partners": [_told(town, row) for row in partners.listed()],
        "introduced": [
            {"town": row.town, "name": row.name, "url": row.url, "by": row.partner}
            for row in introductions.received("")
        ],
    }
    report(answer, as_json, _say_list)


@partner.command()
@click.argument("which", metavar="TOWN")
@click.confirmation_option(prompt="Delete all that is held of this town?")
@with_town
def remove(town: Town, which: str) -> None:
    """End the link with TOWN: what was promised is kept, then all that is held of it is deleted."""
    row = pairing.named(which)
    done = removal.begin(town, row.town, by="command line")
    for what, count in done.items():
        if count:
            click.echo(f"{what}: {count}")
    if partners.is_linked(row.town):
        click.echo(f"{row.name} stays until the last promise is over and the last word was heard.")
    else:
        click.echo(f"{row.name} is no longer a partner.")


@partner.command()
@click.argument("which", metavar="TOWN")
@click.argument("digest", required=False, default="")
@json_option
@with_town
def unfreeze(town: Town, which: str, digest: str, as_json: bool) -> None:
    """Believe TOWN again: call it, then give the beginning of the DIGEST it calls its own.

    Without DIGEST, show what there is to choose from.
    """
    origin = town.id if which == "ours" else pairing.named(which).town
    if digest:
        freeze.unfreeze(origin, digest, town.clock, by="command line")
    answer = {
        "town": origin,
        "frozen": origin in freeze.frozen(),
        "choices": [
            {"number": each.number, "digests": [keyset.id for keyset in each.all]}
            for each in freeze.choices(origin)
        ],
    }
    report(answer, as_json, _say_frozen)


@partner.command()
@click.argument("which", metavar="TOWN")
@json_option
@with_town
def trust(town: Town, which: str, as_json: bool) -> None:
    """Let the word of TOWN on its own records count again, after a call: it had not been so."""
    origin = pairing.named(which).town
    was = {each.town: each.code for each in checkpoints.distrusted()}.get(origin, "")
    if was:
        checkpoints.trust_again(origin)
        now_ms = town.clock.now_ms()
        audit.note("partner.trust", at_ms=now_ms, actor="node", subject=origin.hex())
    report({"town": origin, "was": was}, as_json, _say_trusted)


@partner.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.confirmation_option(prompt="Delete all that is held of OLD? NEW takes its place")
@json_option
@with_town
def replace(town: Town, old: str, new: str, as_json: bool) -> None:
    """Write down that the town NEW took the place of OLD, as its people told you in person."""
    before, after = pairing.named(old), pairing.named(new)

    def remove(origin: bytes) -> None:
        pairing.remove(origin, town.clock, by="command line")

    open_ = replacing.replace(before.town, after.town, remove, town.clock, by="command line")
    answer = {
        "old": before.town,
        "new": after.town,
        "open": [{"id": row.id, "state": row.state} for row in open_],
    }
    report(answer, as_json, lambda said: _say_replaced(before.name, after.name, said))


def _say_frozen(said: dict[str, Any]) -> None:
    if not said["frozen"]:
        click.echo("This town is believed: nothing to choose.")
    for each in said["choices"]:
        click.echo("Two sets of keys carry one number. Call that town; which one is its own?")
        for digest in each["digests"]:
            click.echo(f"  {digest.hex()}")
        click.echo("Then: lavoir partner unfreeze TOWN DIGEST (the first twelve signs will do)")


def _say_trusted(said: dict[str, Any]) -> None:
    was = said["was"]
    click.echo(f"Its word counts again (it had not: {was})." if was else "Its word counts already.")


def _say_replaced(old: str, new: str, said: dict[str, Any]) -> None:
    click.echo(f"{new} takes the place of {old}; what was held of {old} is deleted.")
    for row in said["open"]:
        click.echo(f"  open with {old}: {row['id'].hex()}, {row['state']}; settle it by talking")


def _told(town: Town, row: partners.Partner) -> dict[str, object]:
    return {
        "town": row.town,
        "name": row.name,
        "url": row.url,
        "status": row.status,
        "words": pairing.words(town.id, row.town),
        "last_ok_ms": row.last_ok_ms,
        "down_since_ms": row.down_since_ms,
        "last_error": row.last_error,
        "next_try_ms": row.next_try_ms,
        "failures": row.failures,
    }


def _say_words(said: dict[str, object]) -> None:
    if said["status"] == "introduced":
        click.echo(f"{said['name']} can be read now. To ask there too, call them and compare:")
    else:
        click.echo(f"{said['name']} answered. Call them and compare these six words:")
    click.echo("  " + " ".join(str(word) for word in said["words"]))  # type: ignore[attr-defined]
    click.echo(f"The same on both sides? Then: lavoir partner confirm {said['name']!r}")


def _say_list(said: dict[str, list[dict[str, object]]]) -> None:
    for row in said["partners"]:
        trouble = f", {row['last_error']}" if row["last_error"] else ""
        click.echo(f"{row['name']}: {row['status']}{trouble} ({row['url']})")
    for row in said["introduced"]:
        town = row["town"]
        code = town.hex() if isinstance(town, bytes) else town
        click.echo(f"introduced: {row['name']} ({row['url']}); lavoir partner accept {code}")
    if not said["partners"] and not said["introduced"]:
        click.echo("No partner yet: lavoir partner invite")
