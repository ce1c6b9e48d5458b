"""`lavoir recover`: a town whose disk died comes back from a partner, by its 24 words alone.

    words ──▶ root ──▶ the partner's look-up ──▶ new keys (keyset "lost") ──▶ six words compared
          ──▶ our own records come home ──▶ settings out of our own profile
Accounts and messages of residents were only on the disk: they do not come back.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from federation.adapters.http import HttpLink
from federation.errors import RemoteProtocolError
from federation.keys import SigningKey, from_words
from federation.lookup import Found
from node.app import Town, open_town
from node.backup import swap
from node.backup.house import DATABASE, GENERATION, KEYS, SETTINGS
from node.cli.backup import asked_words, words_option
from node.cli.terminal import home_option, json_option, report, sentences
from node.config import change_config, write_config
from node.domain.clock import Clock, SystemClock
from node.identity.recovery import recovered
from node.journal import restoring
from node.journal.keyring import Keyring
from node.partners import lookup, pairing
from node.store.database import open_database, using
from node.store.network import introductions, partners, towns
from node.store.schema import migrate
from node.store.sets import returned

Agree = Callable[[str, list[str]], bool]  # (the partner's name, the six words) -> are they the same
Connect = Callable[..., Any]

VISITS_MAX = 20  # a visit brings photos for a minute
UNNAMED = "Recovered town"
NOWHERE = "http://recovered.invalid"


class NotCompared(RemoteProtocolError):
    """The admin did not say that both read the same six words."""


@click.command()
@click.option("--from", "url", required=True, metavar="PARTNER_URL", help="A partner's address.")
@home_option
@words_option
@click.option("--lan", is_flag=True, help="That town is on our own network (private address).")
@click.option("--compared", is_flag=True, help="The six words were compared by voice already.")
@json_option
@sentences
def recover(
    url: str, home: Path, words_file: Path | None, lan: bool, compared: bool, as_json: bool
) -> None:
    """Rebuild a lost town in --home from what a partner holds of it, by its 24 words.

    Run it again with the address of each other partner; no words are needed then.
    """
    words = None if (home / KEYS).exists() else asked_words(words_file)

    def agree(name: str, six: list[str]) -> bool:
        return compared or click.confirm(
            f"{name} must read you the same words: {' '.join(six)}. Do they?", err=True
        )

    answer = recover_town(home, words, url.rstrip("/"), lan=lan, agree=agree)
    report(answer, as_json, _say)


def recover_town(
    home: Path,
    words: list[str] | None,
    url: str,
    *,
    lan: bool = False,
    agree: Agree,
    clock: Clock | None = None,
    connect: Connect = HttpLink,
) -> dict[str, Any]:
    """Bring a town back from the partner at `url`, or (`words` None) go on with another partner.

    The town stays in restore mode. Cut anywhere, doing it again goes on. Raises LocalProtocolError
    ("bad_words"), RemoteProtocolError (not_found, broken_chain, unreachable, ...), NotCompared.
    """
    clock = clock or SystemClock()
    seed = from_words(words) if words is not None else None
    root = SigningKey.from_seed(seed).public if seed else Keyring.load(home).genesis.root
    found = lookup.ask(connect, url, root, lan=lan)
    me, host = found.town[0].town, found.host[0].town
    if not agree(found.name, pairing.words(me, host)):
        raise NotCompared("unknown_peer", "the six words were not compared; nothing was kept")
    if seed is not None:
        _found_again(home, recovered(seed, found.town, clock.now_ms()), found, clock)
    town = open_town(home, clock=clock, connect=connect)
    try:
        with using(town.database):
            _pair(town, found, url, lan)
            _bring_home(town, host)
            _settle(town)
            return _told(town, found)
    finally:
        town.close()


def _found_again(home: Path, keyring: Keyring, found: Found, clock: Clock) -> None:
    """Make the folder, keys, settings and an empty database in restore mode; the keys last."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    site = home / ".founding"
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(mode=0o700)
    keyring.save(site)
    write_config(site, name=UNNAMED, url=NOWHERE)
    database = open_database(site / DATABASE)
    migrate(database)
    database.close()
    town = open_town(site, clock=clock)
    try:
        with using(town.database):
            restoring.begin(clock.now_ms(), restoring.RECOVERED)
            for keyset in (*found.town, keyring.keyset):
                town.store.add_keyset(keyset)
            town.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        town.close()
    swap.set_aside(home, clock.now_ms())
    for name in (DATABASE, GENERATION, SETTINGS, KEYS):
        os.replace(site / name, home / name)
    shutil.rmtree(site)


def _pair(town: Town, found: Found, url: str, lan: bool) -> None:
    """Take the partner up again: it kept us, and believes our new keys by their root."""
    host = found.host[0].town
    for keyset in found.host:
        town.store.add_keyset(keyset)
    partners.save(
        host, name=found.name, url=url, status="active", words_here=True, lan=lan,
        since_ms=town.clock.now_ms(), next_try_ms=0,
    )  # fmt: skip


def _bring_home(town: Town, host: bytes) -> None:
    for _ in range(VISITS_MAX):
        outcome = town.exchanges.visit(host)
        if outcome.outcome != "ok":
            raise RemoteProtocolError("undelivered", f"the visit ended with {outcome.outcome}")
        if not outcome.has_more:
            return


def _settle(town: Town) -> None:
    """Write what our own profile says of us into the settings that are still empty."""
    said = towns.find(town.id)
    if said is None or town.config.url != NOWHERE:
        return
    known = {
        "name": said.name,
        "insee": said.insee,
        "url": said.url,
        "manager": said.manager,
        "contact": said.contact,
        "language": said.lang,
    }
    change_config(town.home, **{name: value for name, value in known.items() if value})


def _told(town: Town, found: Found) -> dict[str, Any]:
    said = towns.find(town.id)
    live, buried = returned.since(town.id, 0)
    introduced = {each.town: each.name for each in introductions.received("")}
    others = introduced.keys() | returned.addressees(town.id)
    known = {row.town for row in partners.listed()}
    return {
        "town": town.id.hex(),
        "name": said.name if said else "",
        "from": found.name,
        "records": live,
        "withdrawn": buried,
        "photos": sum(1 for _ in (town.home / "photos").glob("??/*[0-9a-f].webp")),
        "other_partners": [
            {"town": each.hex(), "name": introduced.get(each, "")}
            for each in sorted(others - known)
        ],
    }


def _say(told: dict[str, Any]) -> None:
    click.echo(
        f"{told['name'] or told['town'][:12]} is back: {told['records']} records and "
        f"{told['withdrawn']} withdrawals came home from {told['from']}."
    )
    if not told["name"]:
        click.echo("Its profile did not come: write name, url and insee into lavoir.toml.")
    for each in told["other_partners"]:
        click.echo(f"It also knew {each['name'] or 'a town'} ({each['town'][:12]}).")
    click.echo(
        "Do this again for each other partner: `lavoir recover --from ITS_URL`. Then start it with "
        "`lavoir serve`. Residents' accounts and their messages were only on the lost disk and do "
        "not come back; `lavoir admin create` makes the first account."
    )
