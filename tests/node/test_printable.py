"""The printable: what turns, hides or controls is left out; what languages need is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from node.pages.printable import MARKS_MAX, printable


@pytest.mark.parametrize(
    "text",
    ["L\u2019\u00e9t\u00e9 \u00e0 Lanv\u00e9n\u00e9gen\u00a0: 3\u202f\u20ac", "a\tb\r\nc",
     "\u05e9\u05dc\u05d5\u05dd",
     "\U0001f468\u200d\U0001f33e",
     "n\u0303", "Vi\u1ec7t", "c\u2019hwec\u2019h", ""],
)  # fmt: skip
def test_what_people_write_is_left_as_it_is(text: str) -> None:
    assert printable(text) is text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u202eecoles", "ecoles"),
        ("a\u200bb\ufeffc", "abc"),
        ("a\x00\x1b[31mb", "a[31mb"),
        ("one\u2028two", "onetwo"),
        ("\u2066left\u2069", "left"),
        ("Z" + "\u0301" * 500, "Z" + "\u0301" * MARKS_MAX),
        ("\ud800", ""),
    ],
)
def test_what_plays_tricks_is_left_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_is_markup_stays_markup_and_what_is_no_text_stays_what_it_is() -> None:
    assert isinstance(printable(Markup("<b>\u202ex</b>")), Markup)
    assert not isinstance(printable("<b>\u202ex</b>"), Markup)
    assert printable(7) == 7 and printable(None) is None


@given(st.text())
def test_what_was_cleaned_is_clean(text: str) -> None:
    assert printable(printable(text)) == printable(text)
