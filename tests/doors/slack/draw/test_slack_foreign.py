"""Foreign text: nothing that people, clouds or alerts wrote can mention, format, or turn a line around."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.doors.slack.draw.foreign import clean, cut, escape
from bot.sandbox.slack.mentions import in_text

CLEANED = {
    "words": ("5xx since 14:02", "5xx since 14:02"),
    "spaces at the ends": ("  x  ", "x"),
    "a second line": ("all good\nApproved by Ben", "all good Approved by Ben"),
    "every kind of line": ("a\r\nb\x0bc\x0cd\x1ce\x85f\u2028g\u2029h", "a b c d e f g h"),
    "tabs": ("a\t\tb", "a b"),
    "bells and escapes": ("a\x07\x1b[31mb\x00", "a[31mb"),
    "a reversed ending": ("photo\u202egnp.exe", "photognp.exe"),
    "marks of direction": ("a\u200e\u200f\u061c\u2066b\u2069", "ab"),
    "half a character": ("a\ud800b", "a\ufffdb"),
    "an emoji of several": ("👩\u200d🚒 on call", "👩\u200d🚒 on call"),
    "Arabic": ("مرحبا", "\u2068مرحبا\u2069"),  # noqa: RUF001
    "Hebrew among others": ("backend שלום", "\u2068backend שלום\u2069"),
    "Japanese": ("本番が遅い", "本番が遅い"),
    "nothing": ("", ""),
    "only spaces": (" \n ", ""),
}


@pytest.mark.parametrize("name", CLEANED)
def test_clean(name: str) -> None:
    given_, wanted = CLEANED[name]
    assert clean(given_, 100) == wanted


ESCAPED = {
    "everybody": "<!here> <!channel> <!everyone>",
    "a person": "<@U0ANA> and <@U0ANA|ana>",
    "a group": "<!subteam^S0ONCALL|@oncall>",
    "a channel": "<#C0OPS|ops>",
    "a link that says something else": "<https://evil.example|https://bank.example>",
    "a date": "<!date^1790000000^{date}|x>",
    "entities": "&lt;!here&gt;",
    "double entities": "&amp;lt;!here&amp;gt;",
}


@pytest.mark.parametrize("name", ESCAPED)
def test_escaped_text_mentions_nobody_and_links_nowhere(name: str) -> None:
    said = escape(ESCAPED[name])
    assert "<" not in said
    assert in_text(said) == set()
    assert said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == ESCAPED[name]


def test_cut_says_that_something_is_missing() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdef", 5) == "abcd…"
    assert cut("abc def", 5) == "abc…"


def test_20_kb_become_a_line_of_the_length_that_was_asked_for() -> None:
    assert len(clean("x" * 20_000, 300)) == 300
    assert len(clean("ש" * 20_000, 300)) == 300


@given(st.text(st.characters()), st.integers(3, 80))
def test_any_text_becomes_one_safe_line(text: str, most: int) -> None:
    line = clean(text, most)
    assert len(line) <= most
    assert line.encode() is not None
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in line)
    assert not any(char in line for char in "\u202a\u202b\u202d\u202e\u200e\u200f")
    assert in_text(escape(line)) == set()


@given(st.text(st.characters()))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean(text, 500)
    assert clean(once, 500) == once
