"""Following one operation until it has its outcome, by looking at its row."""

import signal
import threading
from collections.abc import Callable, Iterator
from typing import Protocol, Self

from rich.live import Live

from bot.core.request import OPEN
from bot.core.stages import StageRecord
from bot.core.system import OperationRecord
from bot.doors.cli.card import Cards
from bot.doors.cli.screen import Screen

LOOK_EVERY_S = 0.2
LOOKS_UNTIL_PLANNED_AGAIN = 15


class Watched(Protocol):
    """What following needs of the engine's front."""

    def record(self, operation: str) -> OperationRecord: ...
    def stages(self, operation: str) -> tuple[StageRecord, ...]: ...
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
        with _Interrupt() as interrupt:
            if not self._screen.err.is_terminal:
                return self._ended_in_lines(record, cards, interrupt)
            with Live(cards.progress(record), console=self._screen.err, auto_refresh=False) as live:
                for now in self._changes(record, interrupt):
                    live.update(cards.progress(now, self._stages(now)), refresh=True)
            return now

    def _ended_in_lines(self, record: OperationRecord, cards: Cards, interrupt: "_Interrupt") -> OperationRecord:
        said = ""
        for now in self._changes(record, interrupt):
            if now.state not in OPEN:
                self._screen.beside(cards.progress(now, self._stages(now)))
            elif (line := cards.line(now, self._stages(now))).plain != said:  # a row may move without what it says
                self._screen.beside(line)
                said = line.plain
        return now

    def _stages(self, record: OperationRecord) -> tuple[StageRecord, ...]:
        return self._front.stages(record.id) if record.plan and record.plan.asking else ()

    def _changes(self, record: OperationRecord, interrupt: "_Interrupt") -> Iterator[OperationRecord]:
        """The row, and again whenever it has changed, until it has an outcome. Raises KeyboardInterrupt."""
        shown = -1
        for now in self._rows(record.id):
            interrupt.check()
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


class _Interrupt:
    """Ctrl-C that waits until nothing is being drawn: inside a drawing it would leave the cursor hidden.

    The second one does not wait: the first may be waiting for a database.
    """

    def __init__(self) -> None:
        self._told = False

    def check(self) -> None:
        """Raises KeyboardInterrupt when Ctrl-C was pressed."""
        if self._told:
            raise KeyboardInterrupt

    def _note(self, *_: object) -> None:
        self.check()
        self._told = True  # no lock in here: it may run while this thread holds one

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)
