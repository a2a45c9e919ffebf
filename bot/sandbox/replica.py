"""One process of the bot: started, stopped, killed, frozen. It is only ever a process with an environment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import httpx

from bot.sandbox.loopback import free_port

READY_WITHIN_S, STOP_WITHIN_S = 60.0, 15.0
LOG_END = 3000  # characters of the log that an error shows


class NotReady(Exception):
    """The bot does not take work; the message has the end of its log."""


class Child(Protocol):
    """A process that runs."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int | None: ...
    def send_signal(self, sig: int) -> None: ...


Starter = Callable[[Mapping[str, str], Path], Child]


def as_program(environment: Mapping[str, str], log: Path) -> Child:
    """Start `aisq serve` as people do; what it says goes to the file `log`."""
    command, whole = [sys.executable, "-m", "bot", "serve"], {**os.environ, **environment}
    with log.open("ab") as said:  # Ctrl-C is for the rehearsal, which then ends the bot
        return subprocess.Popen(command, env=whole, stdout=said, stderr=said, start_new_session=True)


class Replica:
    """A bot at an address of its own, which it keeps however often it is started; `settings` are its environment."""

    def __init__(self, settings: Mapping[str, str], log: Path, starter: Starter = as_program) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.settings = {**settings, "AISQ_HOST": "127.0.0.1", "PORT": self.url.rpartition(":")[2]}
        self.log, self.starter = log, starter
        self._child: Child | None = None
        self._probe = httpx.Client(base_url=self.url, trust_env=False, timeout=2.0)

    def start(self, **more: str) -> None:
        """Start it; does not wait until it is ready."""
        self._child = self.starter({**self.settings, **more}, self.log)

    @property
    def pid(self) -> int:
        assert self._child is not None, "start it first"
        return self._child.pid

    def exit_code(self) -> int | None:
        """None while it runs, and before it was started."""
        return None if self._child is None else self._child.poll()

    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def wait_ready(self) -> None:
        """Until it takes work. Raises NotReady, with the end of its log, if it does not."""
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and self.is_running():
            if self.ready():
                return
            time.sleep(0.03)
        raise NotReady(f"the bot did not become ready:\n{self.log_end()}")

    def ready(self) -> bool:
        try:
            return self._probe.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def log_end(self) -> str:
        """What it said last."""
        return self.log.read_text(errors="replace")[-LOG_END:] if self.log.exists() else ""

    def stop(self) -> int | None:
        """End it as Cloud Run does; its exit code, or None if it does not run."""
        if not self.is_running():
            return None
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a machine that dies does."""
        if self.is_running():
            self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it stand still, as a machine does whose host takes its time away."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, unaware that it stood still."""
        self._send(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        self._probe.close()

    def _send(self, sig: signal.Signals) -> Child:
        assert self._child is not None, "start it first"
        self._child.send_signal(sig)
        return self._child

    def _end(self, sig: signal.Signals) -> int | None:
        return self._send(sig).wait(STOP_WITHIN_S)
