"""The recovery sheet: one A4 page that founds its town again, made to be printed and put away.

The page needs nothing but itself: style and drawing are inside it, so it can be opened from a stick
on a machine without a network. The words are in it: whoever has the file has the town.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import segno

from federation.words import to_sheet, to_words
from node.domain.words import N_

STYLE = Path(__file__).with_name("sheet.css")
Say = Callable[..., str]  # a message id and its values -> the sentence in the reader's language

WHEN = (
    (
        N_("The box is dead"),
        N_(
            "Install Lavoir on another machine. With a backup: %(restore)s. Without one, from a"
            " partner town: %(recover)s. You will be asked for the words."
        ),
    ),
    (
        N_("The key was stolen"),
        N_(
            "The box, its disk or its key file is in foreign hands: the same day, type %(stolen)s,"
            " then call the partner towns. What was signed with the old key dies at once."
        ),
    ),
    (
        N_("Only the key file is lost"),
        N_("The machine runs and its database is whole: type %(key)s."),
    ),
    (
        N_("The association changes hands"),
        N_(
            "Hand this sheet over in person, then type %(rotate)s. Whoever knew the words still"
            " knows them: if that is no longer right, found a new town and link it with the"
            " partners again."
        ),
    ),
    (
        N_("A stranger has seen this sheet, or both copies are lost"),
        N_(
            "These words cannot be changed. Found a new town, meet the partners again, and let each"
            " of them write down that the new town replaces this one."
        ),
    ),
)
COMMANDS = {
    "restore": "lavoir restore",
    "recover": "lavoir recover --from",
    "stolen": "lavoir key rotate --compromised",
    "key": "lavoir key recover",
    "rotate": "lavoir key rotate",
}


@dataclass(frozen=True)
class Sheet:
    """What stands on the sheet of one town; `root_seed` is the secret.

    made_on is the day as the reader's language writes it.
    """

    root_seed: bytes
    town: bytes
    name: str
    manager: str
    made_on: str

    def html(self, say: Say, language: str) -> str:
        """Return the whole page, said by `say` in `language` (its code)."""
        title = say(N_("Recovery sheet of %(town)s"), town=self.name)
        return (
            f'<!doctype html>\n<html lang="{escape(language)}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            '<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">'
            f"<title>{escape(title)}</title><style>{STYLE.read_text('utf-8')}</style></head>\n"
            f"<body><main>{self._head(title, say)}{self._secret(say)}{_when(say)}{_where(say)}"
            "</main></body></html>\n"
        )

    def write(self, path: Path, say: Say, language: str) -> None:
        """Write the page where no file is yet, for its owner's eyes alone; raises OSError."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(self.html(say, language))
            file.flush()
            os.fsync(file.fileno())

    def _head(self, title: str, say: Say) -> str:
        lead = say(
            N_(
                "The 24 words below are the root of this town. Whoever has them can speak in its"
                " name; without them a dead or stolen machine cannot be mended. They are kept on no"
                " server: they are only here."
            )
        )
        facts = (
            (say(N_("Town")), self.name),
            (say(N_("Kept by")), self.manager),
            (say(N_("Printed on")), self.made_on),
        )
        rows = "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in facts if said
        )
        number = escape(say(N_("Number of the town")))
        return (
            f"<header><h1>{escape(title)}</h1><p>{escape(lead)}</p><dl>{rows}"
            f'<dt>{number}</dt><dd class="id">{_in_groups(self.town.hex())}</dd></dl></header>\n'
        )

    def _secret(self, say: Say) -> str:
        words = "".join(f"<li>{escape(word)}</li>" for word in to_words(self.root_seed))
        caption = say(
            N_("The same for a machine. Never take it in a photo with a telephone of your own.")
        )
        label = escape(say(N_("Square with the words, for a machine")))
        return (
            f'<section class="secret"><ol>{words}</ol>'
            f'<figure><div role="img" aria-label="{label}">{drawing(self.root_seed, self.town)}'
            f"</div><figcaption>{escape(caption)}</figcaption></figure></section>\n"
        )


def drawing(root_seed: bytes, town: bytes) -> str:
    """Return the square of the sheet as SVG markup (SPEC 3.2)."""
    square = segno.make(to_sheet(root_seed, town), error="q", micro=False)
    return square.svg_inline(omitsize=True, border=2)


def _when(say: Say) -> str:
    typed = {name: f"\x00{command}\x01" for name, command in COMMANDS.items()}
    items = "".join(
        f"<dt>{escape(say(title))}</dt><dd>{_with_commands(say(advice, **typed))}</dd>"
        for title, advice in WHEN
    )
    title = escape(say(N_("When to use it")))
    return f"<section><h2>{title}</h2><dl>{items}</dl></section>\n"


def _with_commands(sentence: str) -> str:
    return escape(sentence).replace("\x00", "<kbd>").replace("\x01", "</kbd>")


def _where(say: Say) -> str:
    advice = _sentences(
        say,
        (
            N_("Print it twice, then delete the file and empty the printer's memory."),
            N_("Keep the two copies in two houses, in closed envelopes, with two people."),
            N_("No mailbox, no photo, no cloud."),
            N_("Once a year, see that both are still there."),
        ),
    )
    kept = [say(N_("Copy %(number)s is kept by"), number=number) for number in (1, 2)]
    places = "".join(f"<p>{escape(each)}<span></span></p>" for each in kept)
    title = escape(say(N_("Where to keep it")))
    return f"<section><h2>{title}</h2><p>{advice}</p></section>\n<footer>{places}</footer>"


def _sentences(say: Say, said: Iterable[str]) -> str:
    return escape(" ".join(say(each) for each in said))


def _in_groups(text: str, size: int = 8) -> str:
    groups: Sequence[str] = [text[at : at + size] for at in range(0, len(text), size)]
    return " ".join(groups)
