"""Group commit: whoever waits at the same moment is written down at once."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

A = TypeVar("A")
B = TypeVar("B")
log = logging.getLogger(__name__)


class _Call(Generic[A, B]):
    """One that waits for its turn, or for somebody to have made it too."""

    def __init__(self, asked: A) -> None:
        self.asked, self.answer = asked, list[B]()  # none yet, or one
        self.turn, self.tried = threading.Event(), False


class Group(Generic[A, B]):
    """Calls from any thread, made by one thread at a time, and all of them at once that wait for it.

    `together` takes some and answers each, in their order; it does all or nothing. Where the database refuses, each is
    made `alone`, in its own thread, so that none harms another. So a call waits for two tries, and then for its own.
    """

    def __init__(self, together: Callable[[Sequence[A]], Sequence[B]], alone: Callable[[A], B]) -> None:
        self._together, self._alone = together, alone
        self._waiting, self._led, self._lock = list[_Call[A, B]](), False, threading.Lock()

    def __call__(self, asked: A) -> B:
        """What it answers. Raises what `alone` raises."""
        mine = _Call[A, B](asked)
        if not self._is_first(mine):
            mine.turn.wait()
        if not mine.tried:
            self._lead()
        return mine.answer[0] if mine.answer else self._alone(asked)

    def _is_first(self, mine: _Call[A, B]) -> bool:
        with self._lock:
            self._waiting.append(mine)
            is_first, self._led = not self._led, True
            return is_first

    def _lead(self) -> None:
        """Make all that wait, and let the first of those that came meanwhile do the same."""
        with self._lock:
            calls, self._waiting = self._waiting, []
        try:
            self._make(calls)
        finally:
            with self._lock:
                following = self._waiting[:1]
                self._led = bool(following)
            for call in (*calls, *following):
                call.turn.set()

    def _make(self, calls: Sequence[_Call[A, B]]) -> None:
        for call in calls:
            call.tried = True
        try:
            answers = self._together([call.asked for call in calls])
        except SQLAlchemyError as error:  # the fault of any of them, who will hear it
            log.debug("%s calls could not be made together, each is made alone: %s", len(calls), error)
            return
        for call, answer in zip(calls, answers, strict=True):
            call.answer.append(answer)
