"""Answers that stay good for a while, from somebody who cannot always be asked."""

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

FRESH_S = 300.0  # real seconds for which an answer is good
RETRY_S = 5.0  # after a failure nobody is asked again for so long: each call may take seconds
T = TypeVar("T")
log = logging.getLogger(__name__)


class Memory:
    """By key. `failures` are what asking may raise. Safe from several threads; two may ask the same at once."""

    def __init__(self, monotonic: Callable[[], float], failures: tuple[type[Exception], ...]) -> None:
        self._now, self._failures, self._lock = monotonic, failures, threading.Lock()
        self._known: dict[str, tuple[Any, float]] = {}
        self._failed_at: float | None = None
        self._doubts = 0  # an answer that was on its way when doubt arose may be of before

    def doubt(self, key: str) -> None:
        """Ask again before trusting what is known; it stays what was known last."""
        with self._lock:
            self._doubts += 1
            if key in self._known:
                self._known[key] = (self._known[key][0], float("-inf"))

    def recall(self, key: str, ask: Callable[[], T]) -> tuple[T | None, bool]:
        """The newest answer (None: there never was one), and whether it is still good."""
        with self._lock:
            value, at = self._known.get(key, (None, 0.0))
            is_failing = self._failed_at is not None and self._now() - self._failed_at < RETRY_S
            doubts = self._doubts
        if value is not None and self._now() - at < FRESH_S:
            return value, True
        if is_failing:
            return value, False
        try:
            return self._learnt(key, ask(), doubts), True
        except self._failures as error:
            log.warning("%s could not be looked up: %s", key, error)
            with self._lock:
                self._failed_at = self._now()
            return value, False

    def _learnt(self, key: str, value: T, doubts: int) -> T:
        with self._lock:
            at = self._now() if doubts == self._doubts else float("-inf")
            self._known[key], self._failed_at = (value, at), None
        return value
