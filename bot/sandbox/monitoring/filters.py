"""The filter language of ListTimeSeries: comparisons of labels with AND, OR and one_of.

Source: cloud.google.com/monitoring/api/v3/filters. OR binds tighter than AND; terms side by side are ANDed. What is
not understood is refused, so that no test passes because a part of its filter was ignored.
"""

import re
from dataclasses import dataclass, field

from bot.sandbox.refusal import Refused, invalid

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_][\w.]*)|(?P<sign>!=|<=|>=|[=()<>,:]))""", re.VERBOSE
)
_KEY = re.compile(r"(resource|metric)\.(?:labels?\.(\w+)|(type))")
LABELS = {
    "resource": {"project_id", "location", "service_name", "revision_name", "configuration_name"},
    "metric": {"response_code", "response_code_class"},
}


@dataclass
class Filter:
    """Allowed values by key: "resource.type", "metric.type", "resource.labels.X", "metric.labels.X"."""

    allowed: dict[str, set[str]] = field(default_factory=dict)

    def one(self, key: str) -> str:
        """The only value allowed for a key, or ""."""
        values = self.allowed.get(key, set())
        return next(iter(values)) if len(values) == 1 else ""

    def accepts(self, labels: dict[str, str]) -> bool:
        return all(labels.get(key) in values for key, values in self.allowed.items())

    def add(self, key: str, values: set[str]) -> None:
        self.allowed[key] = self.allowed.get(key, values) & values


def parse(text: str) -> Filter:
    """Raises Refused: INVALID_ARGUMENT for what is not understood, with the place."""
    parser = _Parser(text, _tokens(text))
    found = Filter()
    while not parser.at_end():
        found.add(*parser.alternatives())
        parser.skip("AND")
    if not found.one("metric.type"):
        raise parser.error("The filter must specify exactly one metric type")
    return found


class _Parser:
    def __init__(self, text: str, tokens: list[str]) -> None:
        self._text, self._tokens, self._at = text, tokens, 0

    def error(self, why: str) -> Refused:
        return invalid("filter", f'Field filter had an invalid value of "{self._text}": {why}.')

    def at_end(self) -> bool:
        return self._at >= len(self._tokens)

    def skip(self, word: str) -> bool:
        if not self.at_end() and self._tokens[self._at] == word:
            self._at += 1
            return True
        return False

    def alternatives(self) -> tuple[str, set[str]]:
        """One comparison, or several of the same label joined by OR."""
        key, values = self._term()
        while self.skip("OR"):
            other, more = self._term()
            if other != key:
                raise self.error(f"OR of different labels ({key}, {other}) is not supported")
            values = values | more
        return key, values

    def _term(self) -> tuple[str, set[str]]:
        if self.skip("("):
            key, values = self.alternatives()
            self._expect(")")
            return key, values
        key = self._key()
        self._expect("=")
        if self.skip("one_of"):
            return key, self._several()
        return key, {self._string()}

    def _several(self) -> set[str]:
        self._expect("(")
        values = {self._string()}
        while self.skip(","):
            values.add(self._string())
        self._expect(")")
        return values

    def _key(self) -> str:
        match = _KEY.fullmatch(word := self._next())
        if not match:
            raise self.error(f"{word} is not resource.type, resource.labels.X, metric.type or metric.labels.X")
        if match[2] and match[2] not in LABELS[match[1]]:
            raise combination()
        return f"{match[1]}.labels.{match[2]}" if match[2] else f"{match[1]}.type"

    def _string(self) -> str:
        token = self._next()
        if not token.startswith('"'):
            raise self.error(f"a string in double quotes is needed, not {token}")
        return re.sub(r"\\(.)", r"\1", token[1:-1])

    def _expect(self, sign: str) -> None:
        if (found := self._next()) != sign:
            raise self.error(f"{sign} is needed, not {found}")

    def _next(self) -> str:
        if self.at_end():
            raise self.error("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]


def combination() -> Refused:
    """A metric that the resource does not have, or a label that neither has."""
    return Refused(
        "INVALID_ARGUMENT",
        "The supplied filter does not specify a valid combination of metric and monitored resource descriptors. "
        "The query will not return any time series.",
    )


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        if not (match := _TOKEN.match(text, at)):
            raise invalid(
                "filter", f'Field filter had an invalid value of "{text}": unexpected {text[at:].strip()[0]}.'
            )
        tokens.append(match[0].strip())
        at = match.end()
    return tokens
