"""Lines as phones, Slack and shells hand them over, and the words that they are."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.errors import UserError
from bot.core.text import LONGEST, line, words

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # one emoji, held together by joiners
PERSIAN = "\u0646\u0645\u06cc\u200c\u0634\u0648\u062f"  # cannot be read without its non-joiner
HEBREW = "\u05e9\u05d2\u05d9\u05d0\u05d5\u05ea \u200f5xx!"
TYPED_ALIKE = (
    "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2018\u2019\u201a\u201b\u00a0\u202f\u2007\u3000\u200b\u2060\ufeff\u2212"
)

CASES = [
    # spaces and quotes
    ("", []),
    (" \t \n ", []),
    ("rollback backend", ["rollback", "backend"]),
    ("  rollback \t backend\r\n", ["rollback", "backend"]),
    ('--reason "too many errors"', ["--reason", "too many errors"]),
    ("--reason 'too many errors'", ["--reason", "too many errors"]),
    ("--reason `too many errors`", ["--reason", "too many errors"]),
    ('--reason="too many errors"', ["--reason=too many errors"]),
    ("--reason='too many errors'", ["--reason=too many errors"]),
    ('a"b c"d', ["ab cd"]),
    ('""', [""]),
    ("'' x", ["", "x"]),
    (r'"say \"hi\" now"', ['say "hi" now']),
    (r'"C:\new\\"', ["C:\\new\\"]),
    ("'it's late'", ["it's late"]),
    ("don't can't", ["don't", "can't"]),
    ('"don\'t"', ["don't"]),
    ('"a `b` c"', ["a `b` c"]),
    # phones
    ("--reason \u201ctoo many\u201d", ["--reason", "too many"]),
    ("--reason \u201etoo many\u201c", ["--reason", "too many"]),
    ("--reason \u00abtoo many\u00bb", ["--reason", "too many"]),
    ("--reason \u2018too many\u2019", ["--reason", "too many"]),
    ("don\u2019t", ["don't"]),
    ("rollback\u00a0backend\u202f--to\u3000x", ["rollback", "backend", "--to", "x"]),
    ("\u2014to x", ["--to", "x"]),
    ("\u2013to x", ["--to", "x"]),
    ("\u2014\u2014to x", ["--to", "x"]),
    ("\u2013-to x", ["--to", "x"]),
    ("\u2212\u2212to x", ["--to", "x"]),
    ("\u2014", ["--"]),
    ("a\u2014b", ["a\u2014b"]),
    ('"\u2014to be\u2014"', ["\u2014to be\u2014"]),
    ('--reason="\u2014 x"', ["--reason=\u2014 x"]),
    # what is pasted unseen
    ("roll\u200bback \ufeffbackend\u2060", ["rollback", "backend"]),
    ("\u200b\u2014to x", ["--to", "x"]),
    ("backend\u200e \u200f--to back\u00adend", ["backend", "--to", "backend"]),
    ("backend \u200e --to", ["backend", "--to"]),
    # Slack
    ("a &amp; b", ["a", "&", "b"]),
    ("p99 &gt; 2s &lt; 3s", ["p99", ">", "2s", "<", "3s"]),
    ("&amp;lt;", ["&lt;"]),
    ("?a=1&amp;copy=2 &nbsp; &#39;", ["?a=1&copy=2", "&nbsp;", "&#39;"]),
    ("see <https://x.io/a?b=1&amp;c=2|the board>", ["see", "the", "board"]),
    ('"see <https://x.io/a?b=1&amp;c=2>"', ["see https://x.io/a?b=1&c=2"]),
    ("<http://backend.io|backend.io>", ["backend.io"]),
    ("<mailto:ana@x.io|ana@x.io>", ["ana@x.io"]),
    ("<mailto:ana@x.io>", ["ana@x.io"]),
    ("&lt;https://x.io|y&gt;", ["<https://x.io|y>"]),
    ("<@U0BEN> <!subteam^S1|@sre>", ["<@U0BEN>", "<!subteam^S1|@sre>"]),
    ("`rollback backend`", ["rollback", "backend"]),
    (' ```rollback backend --reason "5xx since 14:02"```\n', ["rollback", "backend", "--reason", "5xx since 14:02"]),
    ("`rollback` `backend`", ["rollback", "backend"]),
    # text in any language
    (f'--reason "{HEBREW}"', ["--reason", HEBREW]),
    (f'--reason "{PERSIAN} {FAMILY}"', ["--reason", f"{PERSIAN} {FAMILY}"]),
    (f"--reason {PERSIAN}", ["--reason", PERSIAN]),
    ("--reason 全部落ちた", ["--reason", "全部落ちた"]),
    ("--reason größer™", ["--reason", "größer™"]),
    # values
    ("traffic backend A=90 B=10", ["traffic", "backend", "A=90", "B=10"]),
    ("service=backend reason='a b'", ["service=backend", "reason=a b"]),
]

REFUSED = [
    ('--reason "5xx', 'The quote " is not closed; write the closing " too.'),
    ("--reason 'tis", "The quote ' is not closed; write the closing ' too."),
    ("--reason `x", "The quote ` is not closed; write the closing ` too."),
    ('--reason "5xx\\"', 'The quote " is not closed; write the closing " too.'),
    ("--reason \u201c5xx", 'The quote " is not closed; write the closing " too.'),
    ("roll\x07back", "There is a control character (U+0007) in that; type it again without it."),
    ("a\x00b", "There is a control character (U+0000) in that; type it again without it."),
    ('"\x1b[31mred"', "There is a control character (U+001B) in that; type it again without it."),
    ("a\x85b", "There is a control character (U+0085) in that; type it again without it."),
    ("half \ud83d", "There is a control character (U+D83D) in that; type it again without it."),
    ("x" * 20_480, "That is 20,480 characters; write at most 4,000."),
]


@pytest.mark.parametrize("typed, expected", CASES, ids=[ascii(typed) for typed, _ in CASES])
def test_words(typed: str, expected: list[str]) -> None:
    assert words(typed) == expected


@pytest.mark.parametrize("typed, says", REFUSED, ids=[ascii(says) for _, says in REFUSED])
def test_what_is_refused(typed: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        words(typed)
    assert str(caught.value) == says


def test_the_longest_line_is_still_read() -> None:
    assert words("x" * LONGEST) == ["x" * LONGEST]


anything = st.text(st.characters(codec=None), max_size=200)


@given(anything | st.text("\"'`\\ =-\u2014\u201c\u2019<>|&;amplt\u200b\u200e", max_size=60))
@example("`" * 9)
@example('"\\')
@example("='")
def test_any_line_is_words_or_a_sentence(typed: str) -> None:
    try:
        found = words(typed)
    except UserError as error:
        assert str(error).endswith(".")
    else:
        assert all(isinstance(word, str) for word in found)


def is_kept(char: str) -> bool:
    """What `words` has no reason to rewrite."""
    return (
        unicodedata.category(char) not in ("Cc", "Cs", "Cf")
        and char not in TYPED_ALIKE
        and char not in "\u2014\u2013\u2015\u2012"
    )


kept = st.text(st.characters(codec="utf-8"), max_size=20).map(lambda text: "".join(filter(is_kept, text)))


@given(st.lists(kept | st.text("\"'`\\& <>=-aé\n", max_size=12), max_size=6))
@example(["", "-", "a'b", "'", "\\", '\\"', "&amp;", "&amp;amp;", "<https://x|y>", "`rollback backend`", "a\nb"])
def test_words_of_a_shell_come_back(said: list[str]) -> None:
    try:
        assert words(line(said)) == said
    except UserError as error:
        assert "control character" in str(error) and "\n" not in str(error)


def test_a_pasted_text_in_quotes_of_a_phone_is_one_word_to_whoever_wrote_it() -> None:
    assert words(line(["--reason", "\u201ctoo", "many\u201d"])) == ["--reason", "too many"]
    assert words(line(["--reason", "\u201ctoo many\u201d"])) == ["--reason", '"too many"']


def has_letters(text: str) -> bool:
    return any(not char.isascii() and unicodedata.category(char) != "Cf" for char in text)


@given(st.text(f"{HEBREW}{PERSIAN}{FAMILY}\u26a0\ufe0f\u00e9\u200f", max_size=30).filter(has_letters))
def test_a_reason_in_any_script_arrives_unharmed(reason: str) -> None:
    assert words(f'--reason "{reason}"') == ["--reason", reason]
