"""Keeps a bot alive in the town: another one is started a moment after one has died."""

import threading
import time
from collections.abc import Mapping
from typing import Literal

from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.replica import NotReady

State = Literal["ready", "starting", "dead"]
LOOK_EVERY_S = 0.1
MOURNED_S = 2.0  # how long a dead bot is seen to be dead


class Keeper:
    """`state` is the bot's, `deaths` are the instants (time.monotonic) at which people killed it.

    One thread of its own watches the bot; all else may be called from any thread.
    """

    def __init__(self, town: Rehearsal, mourned_s: float = MOURNED_S) -> None:
        self._town, self._mourned_s = town, mourned_s
        self._settings: Mapping[str, str] = {}
        self._lock, self._stopping = threading.RLock(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.state: State = "starting"
        self.deaths: list[float] = []
        self.trouble = ""

    @property
    def pid(self) -> int:
        return self._town.bot.pid

    def start(self) -> None:
        """Bring the first bot up, and watch. Raises NotReady."""
        self._town.upgrade()
        self._begin()
        self._thread.start()

    def stop(self) -> None:
        """End the bot as Cloud Run does, and watch no longer."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._town.bot.stop()

    def kill(self) -> None:
        """kill -9, at any moment."""
        with self._lock:
            if self._town.bot.is_running():
                self.state = "dead"
                self.deaths.append(time.monotonic())
                self._town.bot.kill()

    def run_at(self, rate: float) -> None:
        """Let the town's clock run at another rate, and the bot, which reads it when it starts, begin anew."""
        with self._lock:
            clock = self._town.cloud.rate(rate)
            origin, rate_now = repr(float(clock["origin_unix_s"])), repr(float(clock["rate"]))
            self._settings = {"AISQ_CLOCK__ORIGIN_UNIX_S": origin, "AISQ_CLOCK__RATE": rate_now}
            self._town.settings.update(self._settings)
            self.state = "starting"
            self._town.bot.stop()
            self._begin()

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            if self._town.bot.exit_code() is not None:
                self._revive()

    def _revive(self) -> None:
        with self._lock:
            if self._town.bot.is_running():
                return
            self.state = "dead"
        if self._stopping.wait(self._mourned_s):
            return
        try:
            self._begin()
        except NotReady as failed:
            self.trouble = str(failed)

    def _begin(self) -> None:
        with self._lock:
            if self._town.bot.is_running():
                return
            self.state = "starting"
            self._town.bot.start(**self._settings)
            self._town.bot.wait_ready()
            self.state, self.trouble = "ready", ""
