"""Replicas under attack: what hits them as planned, and a platform that starts again whatever has ended."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.sandbox.process import Control
from bot.sandbox.replica import NotReady, Replica
from bot.sandbox.soak_plan import AT_A_WRITE, PAUSED, Blow

STEP_S, RESTART_S = 0.05, 0.5
ENDS_WITHIN_S = 12.0  # a replica that was continued: until it sees that its lease is lost
WRITES_WITHIN_S = 6.0  # until somebody writes; then a third of the writes is of the replica that is killed
LOST = (70, 71)  # exit codes of a replica that may not go on
EXPECTED = {"SIGKILL": (-signal.SIGKILL,), AT_A_WRITE: (-signal.SIGKILL,), "SIGTERM": (0,)}


@dataclass(frozen=True)
class End:
    """How a replica ended; `blow` is empty when nothing of ours had hit it."""

    replica: int
    blow: str
    code: int | None
    at: float

    @property
    def wrong(self) -> str:
        expected = EXPECTED.get(self.blow, LOST)
        return (
            "" if self.code in expected else f"replica {self.replica} ended with {self.code} ({self.blow or 'alone'})"
        )


class Platform(threading.Thread):
    """One replica's. `hit` is told each blow as it falls; `ends` and `wrong` are what came of them.

    `sole`: nobody else can take over (SQLite), so whoever stood still goes on.
    """

    def __init__(
        self,
        number: int,
        bot: Replica,
        cloud: Control,
        blows: Sequence[Blow],
        hit: Callable[[str], None],
        *,
        sole: bool,
    ) -> None:
        super().__init__(daemon=True, name=f"platform {number}")
        self._number, self._bot, self._cloud, self._hit, self._sole = number, bot, cloud, hit, sole
        self._blows = [one for one in blows if one.replica == number]
        self._stopping = threading.Event()
        self.ends, self.wrong = list[End](), list[str]()

    def run(self) -> None:
        began = time.monotonic()
        while not self._stopping.wait(STEP_S):
            if self._bot.exit_code() is not None:
                self._ended("")
                self._again(RESTART_S)
            elif self._blows and time.monotonic() - began >= self._blows[0].at_s:
                self._strike(self._blows.pop(0))

    def finish(self) -> None:
        """No blow any more; what runs goes on."""
        self._stopping.set()
        self.join()
        if not self._bot.is_running():
            self._again(0)

    def _strike(self, blow: Blow) -> None:
        if blow.kind == AT_A_WRITE:
            self._wait_for_a_write()
        self._hit(blow.kind)
        if blow.kind in ("SIGKILL", AT_A_WRITE):
            self._bot.kill()
        elif blow.kind == "SIGTERM":
            self._bot.stop()
        else:
            return self._freeze(blow)
        self._ended(blow.kind)
        self._again(blow.for_s)

    def _wait_for_a_write(self) -> None:
        """Until the cloud has killed it between committing somebody's change and answering, or nobody writes."""
        self._cloud.fault("kill", method="UpdateService", when="after_commit", pid=self._bot.pid)
        deadline = time.monotonic() + WRITES_WITHIN_S
        while self._bot.is_running() and time.monotonic() < deadline:
            time.sleep(STEP_S)

    def _freeze(self, blow: Blow) -> None:
        self._bot.freeze()
        time.sleep(blow.for_s)
        self._bot.thaw()
        if blow.kind == PAUSED or self._sole:
            return
        deadline = time.monotonic() + ENDS_WITHIN_S
        while self._bot.is_running():
            if time.monotonic() > deadline:
                self.wrong.append(f"replica {self._number} went on though its lease was lost")
                self._bot.kill()
            time.sleep(STEP_S)
        self._ended(blow.kind)
        self._again(RESTART_S)

    def _ended(self, blow: str) -> None:
        end = End(self._number, blow, self._bot.exit_code(), time.monotonic())
        self.ends.append(end)
        if end.wrong:
            self.wrong.append(end.wrong)

    def _again(self, after_s: float) -> None:
        time.sleep(after_s)
        self._bot.start()
        try:
            self._bot.wait_ready()
        except NotReady as error:
            self.wrong.append(f"replica {self._number}: {error}")
