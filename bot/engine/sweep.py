"""Staying alive, and making true what our rows say: stateless, repeated, safe from several processes at once."""

import logging
import os
import threading
from collections.abc import Callable
from typing import Protocol

from bot.core.errors import BotError, StoreError
from bot.core.system import Ledger
from bot.engine.logs import about

LEASE_LOST, DATABASE_LOST = 70, 71  # exit codes
log = logging.getLogger(__name__)


class Leases(Protocol):
    """Which processes are alive."""

    ttl_s: float
    lost_after_s: float

    def acquire(self, executor: str, host: str) -> None: ...
    def renew(self, executor: str) -> bool: ...
    def alive(self) -> set[str]: ...
    def release(self, executor: str) -> None: ...


class Runs(Protocol):
    """What executes operations durably."""

    def start(self, operation: str, target: str) -> None: ...
    def take_over(self, alive: set[str]) -> list[str]: ...


class Sweeper:
    """One round over our rows: expire, plan what nobody planned, start what is due, take over from the dead."""

    def __init__(
        self,
        ledger: Ledger,
        runs: Runs,
        leases: Leases,
        executor: str,
        proceed: Callable[[str], object],
        *,
        patience_s: float,
    ) -> None:
        self._ledger, self._runs, self._leases, self._executor = ledger, runs, leases, executor
        self._proceed, self._patience_s = proceed, patience_s

    def round(self) -> None:
        """Everything, in the order of how much it hurts to wait."""
        self._ledger.make_way()
        for operation, target in self._ledger.due():
            self._runs.start(operation, target)
        # We live, whatever became of our lease: taking our own work over would do it twice at once.
        if taken := self._runs.take_over({*self._leases.alive(), self._executor}):
            log.warning("took over %s", ", ".join(taken))
        self._ledger.expire()
        for operation in self._ledger.accepted(older_than_s=self._patience_s):
            self._proceed(operation)


class Judging:
    """One round of judgements, beside the sweep: monitoring may hang, and nothing may wait for it."""

    def __init__(self, ledger: Ledger, judge: Callable[[str], None]) -> None:
        self._ledger, self._judge = ledger, judge

    def round(self) -> None:
        for operation in self._ledger.judging():
            with about(operation):
                try:
                    self._judge(operation)
                except BotError as error:
                    log.warning("operation %s was not judged yet: %s", operation, error)
                except Exception:  # one operation's bug may neither come back for ever nor keep others from judgement
                    log.exception("operation %s met a bug while it was judged", operation)
                    self._ledger.judged(operation, "unknown", "A bug in aisq kept the effect from being judged.")


class Repeating(threading.Thread):
    """Calls something every `every_s` seconds of real time until it is stopped; survives any one bad round."""

    def __init__(self, name: str, every_s: float, call: Callable[[], object]) -> None:
        super().__init__(daemon=True, name=name)
        self._every_s, self._call, self._stopping = every_s, call, threading.Event()
        self._hurry = threading.Event()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._call()
            except BotError as error:
                log.warning("%s: %s", self.name, error)
            except Exception:  # a thread that must outlive any one bad round
                log.exception("%s", self.name)
            self._hurry.wait(self._every_s)
            self._hurry.clear()

    def hurry(self) -> None:
        """Begin the next round now."""
        self._hurry.set()

    def stop(self) -> None:
        """Return when the round in progress has ended."""
        self._stopping.set()
        self._hurry.set()
        if self.is_alive():
            self.join()


class Keeper:
    """Renews this process's lease, and ends the process when the lease is lost.

    A second thread watches the first, because a database that swallows a question keeps it waiting for ever.
    """

    def __init__(self, leases: Leases, executor: str, host: str, monotonic: Callable[[], float]) -> None:
        self._leases, self._executor, self._host, self._monotonic = leases, executor, host, monotonic
        self._renewed = monotonic()
        self._beats = Repeating("lease", leases.ttl_s / 3, self.beat)
        self._watch = Repeating("lease watch", leases.ttl_s / 3, self.watch)

    def start(self) -> None:
        """Take the lease, and keep it. Raises StoreError, with nothing begun."""
        asked = self._monotonic()
        self._leases.acquire(self._executor, self._host)  # before work is taken: without a lease one counts as dead
        self._renewed = asked
        self._beats.start()
        self._watch.start()

    def beat(self) -> None:
        """One renewal. Ends the process when others may have taken over."""
        asked = self._monotonic()  # it lasts from some moment between the question and its answer
        if not self._leases.renew(self._executor):
            end(LEASE_LOST, "others have taken over; nothing here may touch the cloud any more")
        self._renewed = asked

    def watch(self) -> None:
        """Ends the process when its lease has run out, whatever keeps it from being renewed."""
        if self.age_s() > self._leases.lost_after_s:
            end(DATABASE_LOST, "the lease could not be renewed for as long as it lasts; others may have taken over")

    def age_s(self) -> float:
        """Real seconds since the lease was renewed."""
        return self._monotonic() - self._renewed

    def stop(self) -> None:
        """Let others take over at once what is still unfinished."""
        self._beats.stop()  # before the release: a renewal after it would look like a lost lease
        self._watch.stop()
        try:
            self._leases.release(self._executor)
        except StoreError as error:
            log.warning("the lease was not given back, and runs out by itself: %s", error)


def end(code: int, why: str) -> None:
    """End at once, without clean-up, which would run beside whoever has taken over."""
    log.critical("ending at once: %s", why)
    os._exit(code)
