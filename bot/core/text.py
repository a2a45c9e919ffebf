"""One line as people type it on phones and in chat, cut into words.

Phones rewrite quotes and dashes, Slack escapes `&`, `<` and `>` and wraps links, people write commands as code: all
of that is undone here, and nothing else is changed, so that a reason in any language arrives as it was typed.
"""

import re
import unicodedata
from collections.abc import Iterable

from bot.core.errors import UserError

LONGEST = 4000  # characters; Slack's own limit for a message that people can still read
_QUOTES = str.maketrans(
    {
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
        **dict.fromkeys("\u00a0\u202f\u2007\u3000", " "),
        **dict.fromkeys("\u200b\u2060\ufeff"),  # of no width, and without a meaning in any script
        "\u2212": "-",
    }
)
_STRANGE = ("Cc", "Cs")  # control characters, and halves of characters, which no text can hold
_PLAIN = re.compile(r"[^\s\"'`\\]+")  # a word that cutting leaves as it is
_DASHES = "\u2014\u2013\u2015\u2012"
_LINK = re.compile(r"<(?:https?|mailto):[^>|]*\|([^>]*)>|<(https?:[^>|]*)>|<mailto:([^>|]*)>")
_ESCAPES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}  # docs.slack.dev, "Formatting message text": no others
_ESCAPE = re.compile("|".join(_ESCAPES))
_CODE = re.compile(r"\s*(`{1,3})([^`]+)\1\s*")


def words(line: str) -> list[str]:
    """The words of a line; quotes group words and vanish. Raises UserError, never anything else."""
    if len(line) > LONGEST:
        raise UserError(f"That is {len(line):,} characters; write at most {LONGEST:,}.")
    code = _CODE.fullmatch(line)
    said = _straight(_unescaped(code[2] if code else line))
    return [seen for word in _Cutter(said).words() if (seen := _visible(word)) or not word]


def plain(value: str) -> str:
    """One value, as it would have arrived had it been typed, in quotes, as a word of a line. Raises UserError."""
    if len(value) > LONGEST:
        raise UserError(f"That is {len(value):,} characters; write at most {LONGEST:,}.")
    return _visible(_straight(value))


def line(said: Iterable[str]) -> str:
    """Words that something else has cut already, a shell say, as one line that `words` cuts into the same words.

    A quote of a phone's that stands in a word without spaces is left as it is: “too many errors”, pasted, is three
    words to a shell and one to whoever wrote it.
    """
    return " ".join(_one_word(word) for word in said)


def exact_line(said: Iterable[str]) -> str:
    """The same of words that `words` has cut, or `plain` has made: a dash that one of them begins with is one."""
    return " ".join(f'"{word}"' if _PLAIN.fullmatch(word) and word[0] in _DASHES else _one_word(word) for word in said)


def _straight(text: str) -> str:
    """Without what phones make of quotes and dashes."""
    straight = text.translate(_QUOTES)
    if strange := next((c for c in straight if unicodedata.category(c) in _STRANGE and c not in "\t\n\r"), ""):
        raise UserError(f"There is a control character (U+{ord(strange):04X}) in that; type it again without it.")
    return straight


def _unescaped(line: str) -> str:
    """What was typed into Slack, of what Slack sends."""
    without_links = _LINK.sub(lambda link: link[1] or link[2] or link[3] or "", line)
    return _ESCAPE.sub(lambda escape: _ESCAPES[escape[0]], without_links)


def _visible(word: str) -> str:
    """Names and options without the invisible marks that are pasted with them; other scripts need theirs."""
    if word.isascii():
        return word
    visible = "".join(char for char in word if unicodedata.category(char) != "Cf")
    return visible if visible.isascii() else word


def _one_word(word: str) -> str:
    safe = _ESCAPE.sub(lambda escape: f"&amp;{escape[0][1:]}", word)
    safe = re.sub(r"<(?=https?:|mailto:)", "&lt;", safe)
    if _PLAIN.fullmatch(safe):
        return safe
    return '"' + re.sub(r'([\\"\u201c\u201d\u201e\u201f\u00ab\u00bb])', r"\\\1", safe) + '"'


class _Cutter:
    """Cuts one line. A `'` inside a word is an apostrophe; it groups only at the beginning of a value."""

    def __init__(self, line: str) -> None:
        self._line, self._at = line, 0
        self._words: list[str] = []
        self._word: str | None = None

    def words(self) -> list[str]:
        while self._at < len(self._line):
            self._step(self._line[self._at])
        self._end_word()
        return self._words

    def _step(self, char: str) -> None:
        if char.isspace():
            self._end_word()
        elif char in '"`' or (char == "'" and (self._word is None or self._word.endswith("="))):
            self._word = (self._word or "") + self._quoted(char)
        elif char in _DASHES and self._word is None:
            self._word = "--"
            while self._line[self._at + 1 : self._at + 2] in ("-", *_DASHES):
                self._at += 1
        else:
            self._word = (self._word or "") + char
        self._at += 1

    def _quoted(self, quote: str) -> str:
        end = self._at + 1
        while end < len(self._line) and not self._closes(quote, end):
            end += 2 if self._line[end] == "\\" else 1
        if end >= len(self._line):
            raise UserError(f"The quote {quote} is not closed; write the closing {quote} too.")
        inside = self._line[self._at + 1 : end]
        self._at = end
        return re.sub(rf"\\([{quote}\\])", r"\1", inside)

    def _closes(self, quote: str, at: int) -> bool:
        after = self._line[at + 1 : at + 2]
        return self._line[at] == quote and (quote != "'" or not after or after.isspace())

    def _end_word(self) -> None:
        if self._word is not None:
            self._words.append(self._word)
        self._word = None
