"""What really happened to a service: every answer, by release and response code, when and after how long."""

from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

MINUTE_S = 60
Floats = npt.NDArray[np.float64]


def _numbers() -> "array[float]":
    return array("d")


@dataclass
class _Answers:
    """When each was given (seconds since 1970, never falling), and how long it took in ms."""

    at: "array[float]" = field(default_factory=_numbers)
    took_ms: "array[float]" = field(default_factory=_numbers)


class Recorded:
    """Answers from the instant `since` (seconds since 1970) on. Callers hold the world's lock."""

    def __init__(self, since: float) -> None:
        self.since = since
        self._answers: dict[tuple[str, str], _Answers] = {}

    def note(self, release: str, code: str, at: float, took_ms: float) -> None:
        """One answer. A clock that was set back does not change the order."""
        answers = self._answers.setdefault((release, code), _Answers())
        answers.at.append(max(at, answers.at[-1] if answers.at else self.since))
        answers.took_ms.append(took_ms)

    def codes(self, release: str) -> list[str]:
        """The response codes that a release has ever answered."""
        return sorted(code for one, code in self._answers if one == release)

    def between(self, release: str, code: str, first: int, last: int) -> tuple[Floats, Floats]:
        """When the answers in minutes `first` to `last` - 1 (since 1970) were given, and how long each took in ms."""
        answers = self._answers.get((release, code), _Answers())
        at = np.array(answers.at)
        begin, end = np.searchsorted(at, [first * MINUTE_S, last * MINUTE_S])
        return at[begin:end], np.array(answers.took_ms[begin:end])

    def span(self, release: str) -> tuple[float, float] | None:
        """When a release gave its first and its last answer."""
        found = [answers.at for (one, _), answers in self._answers.items() if one == release]
        return (min(at[0] for at in found), max(at[-1] for at in found)) if found else None


def minutes_of(at: Floats, first: int) -> npt.NDArray[np.int64]:
    """In which minute each instant is, counted from `first`."""
    return (np.floor(at / MINUTE_S) - first).astype(np.int64)
