"""Serving history: what is seen at every look, and a look at every service each minute."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.errors import CloudError
from bot.core.ports import ComputeReads, MetricReads, ServiceState
from bot.core.request import Target
from bot.core.system import Clock, History, Serving
from bot.engine.bind import Binder

log = logging.getLogger(__name__)
STEP_S = 60


class Watch:
    """Keeps the history of what was looked at; a rollout in progress is no state to remember."""

    def __init__(self, history: History) -> None:
        self._history = history

    def __call__(self, target: Target, state: ServiceState) -> None:
        if not state.busy and sum(state.serving.values()) == 100:
            self._history.observed(target, state.serving, state.version)


class Observer:
    """Looks at every service, so that a rollback needs neither luck nor monitoring to know what served well."""

    def __init__(self, targets: Sequence[Target], binder: Binder, history: History, clock: Clock) -> None:
        self._targets, self._history, self._clock = targets, history, clock
        self._compute: ComputeReads = binder.port(ComputeReads)
        self._metrics: MetricReads = binder.port(MetricReads)

    def look(self) -> None:
        """One round; what cannot be read is left for the next one."""
        for target in self._targets:
            try:
                self._compute.service(target)  # the binder tells Watch
                self._count(target)
            except CloudError as error:
                log.info("%s was not observed: %s", target, error)

    def _count(self, target: Target) -> None:
        """Adds what monitoring has counted since the last round to the spans of one release that may still grow."""
        counted_to = self._clock.now() - timedelta(seconds=self._metrics.lag_s(target))
        for span in self._history.served(target)[:3]:
            since, until = span.counted_until or span.since, min(span.until, counted_to)
            if len(span.split) == 1 and (until - since).total_seconds() >= STEP_S:
                self._add(target, span, since, until)

    def _add(self, target: Target, span: Serving, since: datetime, until: datetime) -> None:
        release = next(iter(span.split))
        until = since + (until - since) // timedelta(seconds=STEP_S) * timedelta(seconds=STEP_S)
        found = [one for one in self._metrics.requests(target, since, until, STEP_S) if one.release == release]
        total, errors = sum(one.total for one in found), sum(one.errors for one in found)
        self._history.counted(target, span.since, total, errors, until)
