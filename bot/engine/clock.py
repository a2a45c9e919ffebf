"""The time that people see. In the sandbox it runs at the sandbox's rate, from the same origin."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Real time since `origin_unix_s`, `rate` times as fast; with rate 1 simply the time."""

    def __init__(self, origin_unix_s: float = 0.0, rate: float = 1.0) -> None:
        self._origin, self._rate = origin_unix_s, rate
        self._started = time.monotonic()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._origin + (time.time() - self._origin) * self._rate, UTC)

    def monotonic(self) -> float:
        return (time.monotonic() - self._started) * self._rate

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / self._rate)

    def nap(self, seconds: float) -> None:
        self.sleep(min(seconds, self._rate))
