"""Delays, as data, and the loop that waits them out."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from bot.core.errors import Transient, Uncertain
from bot.core.system import Clock

T = TypeVar("T")


def delays(first_s: float, *, factor: float = 2.0, most_s: float = 5.0) -> Iterator[float]:
    """Seconds to wait between tries, growing, for ever."""
    delay_s = first_s
    while True:
        yield min(delay_s, most_s)
        delay_s *= factor


def patiently(read: Callable[[], T], clock: Clock, *, for_s: float, first_s: float = 0.2) -> T:
    """Repeat a read, which changes nothing, until it answers or `for_s` seconds have passed; then raise its error."""
    deadline = clock.monotonic() + for_s
    waits = delays(first_s)
    while True:
        try:
            return read()
        except (Transient, Uncertain) as error:
            wait_s = max(next(waits), error.retry_after_s if isinstance(error, Transient) else 0.0)
            if clock.monotonic() + wait_s > deadline:
                raise
        clock.sleep(wait_s)
