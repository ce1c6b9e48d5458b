"""The 24 words at a terminal: typed unseen in four lines of six, or read from a file."""

from pathlib import Path

import click

from federation.errors import ProtocolError
from federation.words import RECOVERY_WORDS, SHEET, from_sheet, from_words, unknown_at

A_LINE = 6
LINES = RECOVERY_WORDS // A_LINE
FILE_MAX_BYTES = 10_000

words_option = click.option(
    "--words-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file with the 24 words, or with what the square of the sheet says.",
)


def ask_root(words_file: Path | None) -> bytes:
    """Return the root seed that the words name, from a file or typed without being shown.

    Raises ProtocolError("bad_words") for a file, asks again at a terminal.
    """
    if words_file is not None:
        return read_root(words_file.read_bytes()[:FILE_MAX_BYTES].decode("utf-8", "replace"))
    click.echo("Type the 24 words of the recovery sheet, six a line. They are not shown.", err=True)
    while True:
        try:
            return from_words([word for line in range(LINES) for word in _ask_line(line)])
        except ProtocolError as error:
            click.echo(f"That is not it: {error.detail}. Once more, from the first.", err=True)


def read_root(text: str) -> bytes:
    """Return the root seed that a text names: the words, numbered or not, or the square's line.

    Raises ProtocolError("bad_words").
    """
    if text.strip().upper().startswith(SHEET):
        return from_sheet(text)[0]
    return from_words([word for word in text.split() if not word.rstrip(".").isdigit()])


def _ask_line(line: int) -> list[str]:
    first = line * A_LINE + 1
    while True:
        prompt = f"Words {first} to {first + A_LINE - 1}"
        typed = str(click.prompt(prompt, hide_input=True, err=True)).split()
        place = unknown_at(typed)
        if len(typed) != A_LINE:
            click.echo(f"{len(typed)} words instead of {A_LINE}; once more.", err=True)
        elif place is not None:
            click.echo(f"Word {first + place} is in no list; once more.", err=True)
        else:
            return typed
