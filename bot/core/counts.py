"""What monitoring counted of one service's requests. Who asked it in vain once asks no more: a rescue must not wait."""

from datetime import datetime, timedelta

from bot.core.errors import CloudError
from bot.core.lastgood import spans_of
from bot.core.ports import MetricReads, Requests
from bot.core.request import Target
from bot.core.system import Serving

COARSE_S, FINE_S = 3600, 60
FINE_FOR, RECENT = timedelta(hours=3), timedelta(minutes=5)


class Counts:
    """Counts up to `now`; `trouble` says why monitoring could not be read, and then everything is empty."""

    def __init__(self, metrics: MetricReads, target: Target, now: datetime) -> None:
        self._metrics, self._target, self._now = metrics, target, now
        self.trouble = ""

    def spans(self, max_age: timedelta, ignore: frozenset[str]) -> tuple[Serving, ...]:
        """What served when, newest first: coarse over the whole time, fine over the last hours."""
        fine = self._requests(FINE_FOR, timedelta(0), FINE_S)
        coarse = self._requests(max_age, FINE_FOR, COARSE_S)
        return (*spans_of(fine, FINE_S, ignore), *spans_of(coarse, COARSE_S, ignore))

    def recent(self) -> tuple[int, int]:
        """Requests and errors of the last minutes that monitoring has counted."""
        counted = self._requests(RECENT + self._lag(), timedelta(0), FINE_S)
        return sum(one.total for one in counted), sum(one.errors for one in counted)

    def _lag(self) -> timedelta:
        try:
            return timedelta(seconds=self._metrics.lag_s(self._target))
        except CloudError as error:  # nobody offers to count for this platform
            self.trouble = self.trouble or str(error)
            return timedelta(0)

    def _requests(self, since: timedelta, until: timedelta, step_s: int) -> tuple[Requests, ...]:
        """Counts from so long ago to so long ago."""
        if self.trouble:
            return ()
        try:
            return self._metrics.requests(self._target, self._now - since, self._now - until, step_s)
        except CloudError as error:
            self.trouble = str(error)
            return ()
