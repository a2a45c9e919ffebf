"""So many calls a minute and no more, where a platform counts them and others need theirs too."""

import math
import threading
from collections import deque

from bot.core.errors import UserError
from bot.core.system import Clock

WINDOW_S = 60.0


class Rate:
    """At most `most` calls in any minute for each key, in this process. Safe from several threads."""

    def __init__(self, clock: Clock, subject: str, most: int) -> None:
        self._clock, self._subject, self._most = clock, subject, most
        self._calls: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, key: str) -> None:
        """Count one call. Raises UserError, with how long to wait, when there were too many."""
        now = self._clock.monotonic()
        with self._lock:
            calls = self._calls.setdefault(key, deque())
            while calls and calls[0] <= now - WINDOW_S:
                calls.popleft()
            if len(calls) >= self._most:
                wait_s = math.ceil(calls[0] + WINDOW_S - now)
                often = f"{self._subject} of {key} were read {self._most} times in the last minute"
                raise UserError(f"{often}, which others have to share: ask again in {wait_s} s.")
            calls.append(now)
