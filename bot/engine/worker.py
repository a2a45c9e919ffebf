"""A process that takes work: its lease, its durable runs, its sweep, its observation of services, its tidying."""

import logging
from collections.abc import Callable
from datetime import timedelta

from bot.core.errors import Away, StoreError
from bot.core.rules import Limits
from bot.core.system import Clock
from bot.engine.observe import Observer
from bot.engine.sweep import Judging, Keeper, Repeating, Sweeper
from bot.engine.workflow import Workflows

log = logging.getLogger(__name__)
OBSERVE_EVERY_S, TIDY_EVERY_S = 60.0, 3600.0  # of the time that people see


class Worker:
    """Start it after all is put together; `stop` hands over what is unfinished."""

    def __init__(
        self,
        check: Callable[[], None],
        keeper: Keeper,
        workflows: Workflows,
        sweeper: Sweeper,
        judging: Judging,
        observer: Observer,
        tidy: Callable[[], object],
        release: Callable[[], object],
        *,
        sweep_every_s: float,
        rate: float,
    ) -> None:
        self._check, self._keeper, self._workflows, self._release = check, keeper, workflows, release
        self._sweep = Repeating("sweep", sweep_every_s, sweeper.round)
        self._judge = Repeating("judge", sweep_every_s, judging.round)
        self._observe = Repeating("observe", OBSERVE_EVERY_S / rate, observer.look)
        self._tidy = Repeating("tidy", TIDY_EVERY_S / rate, tidy)
        self._threads = (self._sweep, self._judge, self._observe, self._tidy)

    def start(self) -> None:
        """Take over what dead processes left, then take new work. The lease is kept first: a launch may be slow.

        Raises StoreError for another schema, with nothing held any more, and Away while the database is, with nothing
        begun: then it may be tried again.
        """
        try:
            self._check()
        except StoreError as error:
            if not isinstance(error, Away):
                self._release()
            raise
        self._keeper.start()
        self._workflows.launch()
        for thread in self._threads:
            thread.start()
        log.info("ready to work")

    def hurry(self) -> None:
        """Sweep now: something was approved."""
        self._sweep.hurry()

    def lease_age_s(self) -> float:
        """Real seconds since this process's lease was renewed."""
        return self._keeper.age_s()

    def stop(self, drain_s: int) -> bool:
        """Begin nothing more, wait `drain_s` seconds for what runs, let others take over the rest.

        False if something still runs: end the process at once, or it goes on beside them.
        """
        for thread in self._threads:
            thread.stop()
        ended = self._workflows.stop(drain_s)
        self._keeper.stop()
        self._release()
        return ended


class Tidier:
    """Lets go of what is older than the limits say."""

    def __init__(
        self,
        limits: Limits,
        clock: Clock,
        requests: Callable[..., int],
        audit: Callable[..., int],
        journal: Callable[..., int],
    ) -> None:
        self._limits, self._clock = limits, clock
        self._requests, self._audit, self._journal = requests, audit, journal

    def __call__(self) -> None:
        now = self._clock.now()
        gone = {
            "requests": self._requests(now - timedelta(days=self._limits.requests_kept_days)),
            "audit entries": self._audit(now - timedelta(days=self._limits.audit_kept_days), now),
            "runs": self._journal(now - timedelta(days=self._limits.journal_kept_days)),
        }
        if any(gone.values()):
            log.info("let go of %s", ", ".join(f"{count} {what}" for what, count in gone.items()))
