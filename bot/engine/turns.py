"""Who goes first in a process that has more to do than it can: whoever waits for an acknowledgement."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

HEAD_START_S = 1.0  # of whoever waits for an acknowledgement, before anything else is begun beside them


class Turns:
    """While somebody waits for an acknowledgement, other work waits; after `HEAD_START_S` a `few` of each kind go on.

    Threads share one interpreter lock and the head of the audit chain: a dozen plans at once would keep a hundred
    people waiting beyond what Slack allows, though writing their requests down is a fraction of the work.
    """

    def __init__(self, few: int) -> None:
        self._few, self._waiting, self._working = few, 0, Counter[str]()
        self._changed = threading.Condition()
        self._ended = False

    def end(self) -> None:
        """Nobody is answered here any more: what has begun goes on at once."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @contextmanager
    def first(self) -> Iterator[None]:
        """While somebody waits."""
        with self._changed:
            self._waiting += 1
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                if not self._waiting:
                    self._changed.notify_all()  # before that they would only wake each other

    @contextmanager
    def after(self, kind: str) -> Iterator[None]:
        """Work that can wait for its turn; waits for it, in this thread."""
        with self._changed:
            self._changed.wait_for(self._nobody_waits, HEAD_START_S)
            self._changed.wait_for(lambda: self._nobody_waits() or self._working[kind] < self._few)
            self._working[kind] += 1
        try:
            yield
        finally:
            with self._changed:
                self._working[kind] -= 1
                self._changed.notify_all()

    def _nobody_waits(self) -> bool:
        return self._ended or not self._waiting
