"""Google's filter language, as Cloud Logging and Container Analysis take it: comparisons with AND, OR, NOT.

Source: cloud.google.com/logging/docs/view/logging-query-language. NOT binds tightest, then OR, then AND; terms side by
side are ANDed; text is compared without regard to case; a bare text is looked for in every field. What is not
understood is refused, so that no test passes because a part of its filter was ignored.

A filter can be asked of what is known in part: then the answer may be that it is open.
"""

import operator as op
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.refusal import Refused, invalid

OPEN = object()  # a value that is not known yet
Fields = Mapping[str, Any]
_TOKEN = re.compile(
    r"""(?:\s|--[^\n]*)*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<sign>!=|<=|>=|=~|!~|[=()<>:])|(?P<word>[^\s"=()<>:!]+))""",
    re.VERBOSE,
)
_SIGNS = {"=": op.eq, "!=": op.ne, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge}
SEVERITIES = {
    "DEFAULT": 0, "DEBUG": 100, "INFO": 200, "NOTICE": 300, "WARNING": 400, "ERROR": 500, "CRITICAL": 600,
    "ALERT": 700, "EMERGENCY": 800,
}  # fmt: skip


@dataclass(frozen=True)
class Node:
    """A part of a filter; `says` gives True, False, or None for open.

    Between two neighbours among `instants` it makes no difference when something happened.
    """

    says: Callable[[Fields], bool | None]
    instants: frozenset[datetime] = frozenset()

    def accepts(self, fields: Fields) -> bool:
        return self.says(fields) is True

    def may_accept(self, fields: Fields) -> bool:
        """Whether it could be so, once the fields that are open are known."""
        return self.says(fields) is not False


def both(parts: list[Node]) -> Node:
    return Node(lambda fields: _least([part.says(fields) for part in parts]), _instants(parts))


def either(parts: list[Node]) -> Node:
    return Node(lambda fields: _most([part.says(fields) for part in parts]), _instants(parts))


def negated(part: Node) -> Node:
    def says(fields: Fields) -> bool | None:
        said = part.says(fields)
        return None if said is None else not said

    return Node(says, part.instants)


def compared(path: str, sign: str, value: str) -> Node:
    def says(fields: Fields) -> bool | None:
        found = fields.get(path)
        return None if found is OPEN else found is not None and _holds(path, found, sign, value)

    return Node(says, frozenset({_instant(path, value)} if path == "timestamp" else ()))


def anywhere(text: str) -> Node:
    def says(fields: Fields) -> bool | None:
        if any(text.lower() in str(found).lower() for found in fields.values() if found is not OPEN):
            return True
        return None if OPEN in fields.values() else False

    return Node(says)


def parse(text: str) -> Node:
    """Raises Refused: INVALID_ARGUMENT for what is not understood."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._tokens = list(self._split())

    def whole(self) -> Node:
        found = self._all(closing="")
        if self._at < len(self._tokens):
            raise self._error(f"unexpected {self._tokens[self._at]}")
        return found

    def _split(self) -> Iterator[str]:
        at, text = 0, self._text.rstrip()
        while at < len(text):
            if not (match := _TOKEN.match(text, at)):
                raise self._error(f"unexpected {text[at:].strip()[:1]}")
            yield next(token for token in match.groups() if token is not None)
            at = match.end()

    def _all(self, closing: str) -> Node:
        parts: list[Node] = []
        while self._at < len(self._tokens) and self._tokens[self._at] != closing:
            parts.append(self._any())
            self._skip("AND")
        return both(parts)

    def _any(self) -> Node:
        parts = [self._term()]
        while self._skip("OR"):
            parts.append(self._term())
        return either(parts)

    def _term(self) -> Node:
        if self._skip("NOT"):
            return negated(self._term())
        if self._skip("("):
            found = self._all(closing=")")
            self._expect(")")
            return found
        word = self._next()
        if word in (*_SIGNS, ":", "=~", "!~", ")"):
            raise self._error(f"unexpected {word}")
        if word.startswith("-") and len(word) > 1:
            self._at -= 1
            self._tokens[self._at] = word[1:]
            return negated(self._term())
        sign = self._tokens[self._at] if self._at < len(self._tokens) else ""
        if sign in (*_SIGNS, ":"):
            self._at += 1
            return self._comparison(word, sign)
        if sign in ("=~", "!~"):
            raise self._error("the sandbox knows no regular expressions")
        return anywhere(_bare(word))

    def _comparison(self, path: str, sign: str) -> Node:
        if not self._skip("("):
            return compared(path, sign, _bare(self._next()))
        parts = [compared(path, sign, _bare(self._next()))]
        while self._skip("OR"):
            parts.append(compared(path, sign, _bare(self._next())))
        self._expect(")")
        return either(parts)

    def _skip(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == word:
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._skip(sign):
            raise self._error(f"{sign} is missing")

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise self._error("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _error(self, why: str) -> Refused:
        return invalid("filter", f"Unparseable filter: {why}; filter: {self._text}")


def _bare(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token


def _holds(path: str, found: Any, sign: str, value: str) -> bool:
    if sign == ":":
        return value.lower() in str(found).lower()
    mine, theirs = _comparable(path, found, value)
    return bool(_SIGNS[sign](mine, theirs))


def _comparable(path: str, found: Any, value: str) -> tuple[Any, Any]:
    """Both as instants, severities, numbers, or text without case. Refuses a value of another kind."""
    try:
        if isinstance(found, datetime):
            return found, _instant(path, value)
        if path == "severity":
            return SEVERITIES[found], SEVERITIES[value.upper()]
        if isinstance(found, (int, float)):
            return float(found), float(value)
    except (ValueError, KeyError) as error:
        raise invalid("filter", f"Unparseable filter: {value} cannot be compared with {path}") from error
    return str(found).lower(), value.lower()


def _instant(path: str, value: str) -> datetime:
    try:
        said = datetime.fromisoformat(value)
    except ValueError as error:
        raise invalid("filter", f"Unparseable filter: {value} cannot be compared with {path}") from error
    return said if said.tzinfo else said.replace(tzinfo=UTC)


def _instants(parts: list[Node]) -> frozenset[datetime]:
    return frozenset().union(*(part.instants for part in parts))


def _least(said: list[bool | None]) -> bool | None:
    return False if False in said else None if None in said else True


def _most(said: list[bool | None]) -> bool | None:
    return True if True in said else None if None in said else False
