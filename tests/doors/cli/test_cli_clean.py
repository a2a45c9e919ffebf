"""Foreign text cannot act on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.doors.cli.clean import cleaned

HARMFUL = {
    "colour": ("\x1b[31mred\x1b[0m", "red"),
    "erase the screen": ("a\x1b[2J\x1b[Hb", "ab"),
    "move up and overwrite": ("denied\x1b[1A\x1b[2Kallowed", "deniedallowed"),
    "window title": ("\x1b]0;root@prod\x07ok", "ok"),
    "title ended the other way": ("\x1b]2;x\x1b\\ok", "ok"),
    "link": ("\x1b]8;;http://evil\x1b\\here\x1b]8;;\x1b\\", "here"),
    "clipboard": ("\x1b]52;c;cm0gLXJm\x07ok", "ok"),
    "device control": ("\x1bP1$r0m\x1b\\ok", "ok"),
    "title that never ends": ("ok\x1b]0;for ever", "ok"),
    "full reset": ("\x1bcok", "ok"),
    "character set": ("\x1b(0ok", "ok"),
    "one-character CSI": ("\x9b31mred", "red"),
    "one-character OSC": ("\x9d0;title\x9cok", "ok"),
    "lone escape at the end": ("ok\x1b", "ok"),
    "bell and backspace": ("o\x07x\x08k", "oxk"),
    "carriage return": ("allowed\rdenied ", "alloweddenied "),
    "null": ("o\x00k", "ok"),
    "delete": ("o\x7fk", "ok"),
    "reversed writing": ("abc\u202egpj.exe", "abcgpj.exe"),
    "isolates": ("\u2066x\u2069", "x"),
    "half a character": ("a\ud800b", "ab"),
    "next line": ("a\x85b", "ab"),
}
HARMLESS = [
    "two\nlines",
    "größer ≥ 5 %",
    "日本語",
    "🙂 👩‍👩‍👧",
    "العربية",
    "[bold]not markup[/bold]",
    ":smile:",
    "a\\b",
    "",
]


@pytest.mark.parametrize(("foreign", "shown"), HARMFUL.values(), ids=HARMFUL)
def test_what_acts_is_taken_out(foreign: str, shown: str) -> None:
    assert cleaned(foreign) == shown


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_shows_stays(text: str) -> None:
    assert cleaned(text) == text


def test_line_ends_and_tabs_are_made_plain() -> None:
    assert cleaned("a\r\nb\tc") == "a\nb   c"


@given(st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x9b\x9d[]0;m\x07\\\u202e")), max_size=60))
def test_nothing_that_acts_is_ever_left(text: str) -> None:
    left = cleaned(text)
    assert not [char for char in left if unicodedata.category(char) in ("Cc", "Cs") and char != "\n"]
    assert not set(left) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert cleaned(left) == left
