"""Following one operation until it has its outcome, by looking at its row."""

import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from rich.live import Live

from bot.core.request import OPEN
from bot.core.system import OperationRecord
from bot.doors.cli.card import Cards
from bot.doors.cli.screen import Screen

LOOK_EVERY_S = 0.2
LOOKS_UNTIL_PLANNED_AGAIN = 15


class Watched(Protocol):
    """What following needs of the engine's front."""

    def record(self, operation: str) -> OperationRecord: ...
    def proceed(self, operation: str) -> None: ...
    def on_change(self, listener: Callable[[], None]) -> None: ...


class Follower:
    """Looks at rows, often; begins nothing."""

    def __init__(self, front: Watched, screen: Screen, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._front, self._screen, self._look_every_s = front, screen, look_every_s
        self._moved = threading.Event()
        front.on_change(self._moved.set)

    def planned(self, operation: str) -> OperationRecord:
        """The row once it is answered or planned. Raises StoreError when the database stays away."""
        for looks, record in enumerate(self._rows(operation), 1):
            if record.state != "accepted":
                return record
            if looks % LOOKS_UNTIL_PLANNED_AGAIN == 0:
                self._front.proceed(operation)  # the database may have been away when it was first planned
        raise AssertionError("rows never end")

    def ended(self, record: OperationRecord, cards: Cards) -> OperationRecord:
        """The row once it has an outcome, drawn as it moves. Raises StoreError as above."""
        if not self._screen.err.is_terminal:
            return self._ended_in_lines(record, cards)
        with Live(cards.progress(record), console=self._screen.err, auto_refresh=False) as live:
            for now in self._changes(record):
                live.update(cards.progress(now), refresh=True)
        return now

    def _ended_in_lines(self, record: OperationRecord, cards: Cards) -> OperationRecord:
        for now in self._changes(record):
            self._screen.beside(cards.standing(now) if now.state in OPEN else cards.progress(now))
        return now

    def _changes(self, record: OperationRecord) -> Iterator[OperationRecord]:
        """The row, and again whenever it has changed, until it has an outcome."""
        shown = -1
        for now in self._rows(record.id):
            if now.revision != shown:
                yield now
            if now.state not in OPEN:
                return
            shown = now.revision

    def _rows(self, operation: str) -> Iterator[OperationRecord]:
        while True:
            self._moved.clear()
            yield self._front.record(operation)
            self._moved.wait(self._look_every_s)
