"""What will happen, and when: events at sandbox instants, run in order when somebody looks."""

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count

Event = Callable[[datetime], None]


class Agenda:
    """Nothing runs in the background: `settle` runs what has become due, each event with its own instant.

    So a world that nobody watched for an hour shows the same history as one that was watched.
    """

    def __init__(self) -> None:
        self._due: list[tuple[datetime, int, Event]] = []
        self._order = count()

    def at(self, due: datetime, event: Event) -> None:
        heapq.heappush(self._due, (due, next(self._order), event))

    def settle(self, now: datetime) -> None:
        while self._due and self._due[0][0] <= now:
            due, _, event = heapq.heappop(self._due)
            event(due)
