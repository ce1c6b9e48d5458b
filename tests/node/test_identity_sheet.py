"""The recovery sheet: what stands on it founds the town again, and only its owner may read it."""

import re
from html import unescape
from pathlib import Path

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import LocalProtocolError, ProtocolError
from federation.words import RECOVERY_WORDS, from_sheet, from_words, to_sheet, to_words
from node.app import ROOT
from node.cli.words import read_root
from node.identity.sheet import Sheet, drawing
from node.pages.language import Catalogues, _, locale_folders, speaking

SEED, TOWN = bytes(range(32)), bytes(range(100, 132))
SHEET = Sheet(SEED, TOWN, "Auray <b>", "L’Atelier & Cie", "lundi 23 novembre 2026")
CATALOGUES = Catalogues(locale_folders(ROOT))


def page(language: str) -> str:
    with speaking(CATALOGUES.language(language)):
        return SHEET.html(_, language)


@pytest.mark.parametrize("language", ["fr", "br", "en"])
def test_the_words_stand_on_the_sheet_in_their_order(language: str) -> None:
    words = re.findall(r"<li>(.*?)</li>", page(language))
    assert len(words) == RECOVERY_WORDS and from_words(words) == SEED


def test_the_square_says_the_seed_and_the_town() -> None:
    """Read module by module and held to the code of the expected words, made independently."""
    expected = segno.make(to_sheet(SEED, TOWN), error="q", micro=False)
    assert modules(drawing(SEED, TOWN)) == [list(row) for row in expected.matrix]
    assert drawing(SEED, TOWN) in page("fr")


def modules(svg: str, border: int = 2) -> list[list[int]]:
    """Return the dark modules of a drawing: its path is rows of strokes, one module high."""
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])  # type: ignore[index]
    dark = [[0] * side for _row in range(side)]
    path = re.search(r' d="([^"]+)"', svg)[1]  # type: ignore[index]
    x, y = 0.0, 0.0
    for step, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        parts = [float(each) for each in re.findall(r"-?\d*\.?\d+", numbers)]
        if step == "h":
            for at in range(int(x), int(x + parts[0])):
                dark[int(y)][at] = 1
            x += parts[0]
        elif step == "M":
            x, y = parts
        else:
            x, y = x + parts[0], y + parts[1]
    inner = slice(border, side - border)
    return [row[inner] for row in dark[inner]]


@pytest.mark.parametrize("language", ["fr", "br", "en"])
def test_the_sheet_needs_nothing_but_itself(language: str) -> None:
    text = page(language)
    assert not re.search(r"(?:src|href|url\()=?", text.replace("http://www.w3.org/2000/svg", ""))
    assert "<script" not in text and f'<html lang="{language}"' in text
    for word in ("lavoir key rotate --compromised", "lavoir key recover", "lavoir restore"):
        assert f"<kbd>{word}</kbd>" in text
    assert TOWN.hex() in unescape(text).replace(" ", "")


def test_the_three_languages_say_different_things() -> None:
    assert len({page(language) for language in ("fr", "br", "en")}) == 3


def test_names_of_people_break_nothing() -> None:
    assert "Auray &lt;b&gt;" in page("en") and "Atelier &amp; Cie" in page("en")
    assert "<b>" not in page("en")


def test_the_sheet_is_for_its_owner_alone_and_never_over_another_file(tmp_path: Path) -> None:
    path = tmp_path / "sheet.html"
    SHEET.write(path, _, "en")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        SHEET.write(path, _, "en")


# ── the line of the square ───────────────────────────────────────────────────────────────────────


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_the_square_of_a_sheet_reads_back(seed: bytes, town: bytes) -> None:
    said = to_sheet(seed, town)
    assert from_sheet(said) == from_sheet(f" {said.lower()}\n") == (seed, town)
    assert re.fullmatch(r"[0-9A-Z/:-]+", said)  # the small alphabet of a square


@pytest.mark.parametrize(
    "said",
    [
        "",
        "LAVOIR-ROOT/1",
        to_sheet(SEED, TOWN)[:-1],
        to_sheet(SEED, TOWN) + "0",
        to_sheet(SEED, TOWN).replace("/1", "/2"),
        to_sheet(SEED, TOWN).replace(":", ";"),
    ],
)
def test_another_line_is_no_square_of_a_sheet(said: str) -> None:
    with pytest.raises(LocalProtocolError) as refused:
        from_sheet(said)
    assert refused.value.code == "bad_words"


@pytest.mark.parametrize("size", [0, 31, 33])
def test_no_sheet_is_made_of_half_a_root(size: int) -> None:
    with pytest.raises(LocalProtocolError):
        to_sheet(bytes(size), TOWN)
    with pytest.raises(LocalProtocolError):
        to_sheet(SEED, bytes(size))


# ── what a file of words may look like ───────────────────────────────────────────────────────────


def test_words_are_read_from_a_file_numbered_or_not_or_from_the_square() -> None:
    words = to_words(SEED)
    plain = " ".join(words)
    numbered = "\n".join(f"{at}. {word}" for at, word in enumerate(words, 1))
    bare = "\r\n".join(f"{at} {word.upper()}" for at, word in enumerate(words, 1))
    for text in (plain, numbered, bare, to_sheet(SEED, TOWN), " ".join(to_words(SEED, "english"))):
        assert read_root(text) == SEED


@pytest.mark.parametrize("text", ["", "\x00" * 500, "1 2 3", "abandon " * 24, "LAVOIR-ROOT/1:zz"])
def test_other_files_of_words_are_refused(text: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        read_root(text)
    assert refused.value.code == "bad_words"
