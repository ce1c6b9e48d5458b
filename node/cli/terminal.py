"""How a command speaks: options all commands share, JSON or words, and exit codes that tell."""

import json
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from federation.errors import ProtocolError
from node.app import ROOT, Town, open_town
from node.config import ConfigError
from node.domain.errors import DomainError, Invalid
from node.journal.keyring import KeyringError
from node.store.database import StoreError, using

Command = TypeVar("Command", bound=Callable[..., Any])

console = Console(stderr=True)

home_option = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=lambda: Path(os.environ.get("LAVOIR_HOME") or ROOT.parent / "home"),
    show_default="$LAVOIR_HOME, or home/ beside the README",
    help="The folder that holds the town: settings, keys, database, photos.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer as JSON on stdout.")


def sentences(command: Command) -> Command:
    """Turn the errors a person can mend into one sentence and exit code 1."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (ConfigError, KeyringError, StoreError, ProtocolError) as error:
            raise click.ClickException(str(error)) from error
        except DomainError as error:
            raise click.ClickException(_worded(error)) from error

    return wrapped  # type: ignore[return-value]


def with_town(command: Command) -> Command:
    """Open the town of `--home` and hand it to the command, its database current."""

    @home_option
    @sentences
    @wraps(command)
    def wrapped(home: Path, **kwargs: Any) -> Any:
        town = open_town(home)
        try:
            with using(town.database):
                return command(town, **kwargs)
        finally:
            town.close()

    return wrapped  # type: ignore[return-value]


def report(answer: Any, as_json: bool, words: Callable[[Any], None]) -> None:
    """Print `answer` as JSON on stdout, or through `words`."""
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2, default=_spelled))
    else:
        words(answer)


def _spelled(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _worded(error: DomainError) -> str:
    if isinstance(error, Invalid):
        return "; ".join(f"{each.field}: {each.message % each.params}" for each in error.problems)
    return error.message % error.params


__all__ = ["Town", "console", "home_option", "json_option", "report", "sentences", "with_town"]
