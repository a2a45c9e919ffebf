"""Sandbox time: a clock that runs at a rate, and one that stands still until it is moved."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol, Self


class Clock(Protocol):
    """`now` is an aware UTC instant. `origin_unix_s` is the real instant at which sandbox and real time agreed."""

    origin_unix_s: float
    rate: float

    def now(self) -> datetime: ...

    def real_s(self, sandbox_s: float) -> float:
        """How many real seconds a sandbox duration takes."""
        ...


class ScaledClock:
    """Sandbox time = origin + (real time - origin) * rate."""

    def __init__(self, rate: float = 1.0, origin_unix_s: float | None = None) -> None:
        if rate <= 0:
            raise ValueError(f"A clock's rate must be above 0, not {rate}; a ManualClock stands still.")
        self.rate = rate
        self.origin_unix_s = time.time() if origin_unix_s is None else origin_unix_s

    @classmethod
    def starting_at(cls, now: datetime, rate: float) -> Self:
        """A clock that shows `now` when it is made. Its origin lies ahead, or behind: where its rate meets real time.

        Raises ValueError for rate 1, which meets real time nowhere.
        """
        if rate == 1.0:
            raise ValueError("A clock that shows another time than the real one must run at another rate than 1.")
        real_unix_s = time.time()
        return cls(rate, real_unix_s + (real_unix_s - now.timestamp()) / (rate - 1.0))

    def run_at(self, rate: float) -> None:
        """From now on at another rate, from the instant that it shows.

        Raises ValueError for rate 1, as `starting_at` does, and for one that is not above 0.
        """
        changed = type(self)(rate) if rate <= 0 else self.starting_at(self.now(), rate)
        self.rate, self.origin_unix_s = changed.rate, changed.origin_unix_s

    def now(self) -> datetime:
        elapsed_s = (time.time() - self.origin_unix_s) * self.rate
        return datetime.fromtimestamp(self.origin_unix_s, UTC) + timedelta(seconds=elapsed_s)

    def real_s(self, sandbox_s: float) -> float:
        return sandbox_s / self.rate


class ManualClock:
    """Stands still; `advance` moves it. Its rate reads 0, and no real wait reaches any sandbox instant."""

    rate = 0.0

    def __init__(self, origin_unix_s: float | None = None) -> None:
        self.origin_unix_s = time.time() if origin_unix_s is None else origin_unix_s
        self._elapsed = timedelta()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.origin_unix_s, UTC) + self._elapsed

    def advance(self, seconds: float) -> None:
        """Move `seconds` (of sandbox time, not negative) forward."""
        if seconds < 0:
            raise ValueError(f"Sandbox time cannot go back: {seconds} s.")
        self._elapsed += timedelta(seconds=seconds)

    def real_s(self, sandbox_s: float) -> float:
        return float("inf") if sandbox_s > 0 else 0.0
