"""A town, a bot beside it, and people who talk to it: what demos, crash matrices and end-to-end tests are made of.

The bot is only ever a process with an environment; nothing of it is imported here.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import httpx

from bot.sandbox.process import SandboxProcess
from bot.sandbox.town import BOT_TOKEN, SIGNING_SECRET

TEAM = "T0AISQ"
READY_WITHIN_S, STOP_WITHIN_S = 30.0, 15.0
LOG_END = 3000  # characters of the log that an error shows


class NotReady(Exception):
    """The bot does not take work; the message has the end of its log."""


class Child(Protocol):
    """A bot that runs."""

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


class People:
    """What people do and see in the town's Slack."""

    def __init__(self, http: str) -> None:
        self._client = httpx.Client(base_url=f"{http}/sandbox/slack", trust_env=False, timeout=15.0)

    def hear(self, bot_url: str) -> None:
        """Tell Slack where the bot takes its requests."""
        self.do("bot_url", url=bot_url)

    def slash(self, user: str, channel: str, text: str) -> dict[str, Any]:
        """Type `/aisq TEXT`; what came back, and how long the acknowledgement took."""
        return self.do("slash", user=user, channel=channel, text=text)

    def click(self, user: str, channel: str, ts: str, action_id: str) -> dict[str, Any]:
        return self.do("click", user=user, channel=channel, ts=ts, action_id=action_id)

    def messages(self, channel: str, after: str = "") -> list[dict[str, Any]]:
        """What everybody sees in a channel, oldest first; only what was posted after the message `after` (its ts)."""
        return list(self.look("messages", channel=channel, after=after)["messages"])

    def ephemerals(self, user: str) -> list[dict[str, Any]]:
        """What `user` alone sees."""
        return list(self.look("ephemerals", user=user)["ephemerals"])

    def do(self, what: str, **body: Any) -> dict[str, Any]:
        return dict(self._client.post(f"/{what}", json=body).json())

    def look(self, what: str, **query: str) -> dict[str, Any]:
        return dict(self._client.get(f"/{what}", params=query).json())

    def clear_faults(self) -> None:
        """Slack works again."""
        self._client.delete("/faults")

    def close(self) -> None:
        self._client.close()


class Rehearsal:
    """A context manager. `folder` keeps the bot's state and its log; `settings` are more of its environment."""

    def __init__(
        self,
        folder: Path,
        *,
        rate: float = 60.0,
        seed: int = 1,
        start: Starter = as_program,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self.starter = folder, start
        self.town = SandboxProcess(rate=rate, seed=seed, module="bot.sandbox.town")
        self.cloud, self.people = self.town.control, People(self.town.http)
        self.log = folder / "bot.log"
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._probe = httpx.Client(base_url=self.url, trust_env=False, timeout=2.0)
        self.settings = {**self._settings(), **(settings or {})}
        self.people.hear(f"{self.url}/slack/events")
        self.bot: Child | None = None

    def upgrade(self) -> None:
        """Bring the bot's database into being. Raises NotReady."""
        if (ran := self.aisq("db", "upgrade")).returncode:
            raise NotReady(f"`aisq db upgrade` failed: {ran.stderr}{ran.stdout}")

    def aisq(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `aisq WORDS` beside the bot, on the same database."""
        command, whole = [sys.executable, "-m", "bot", *words], {**os.environ, **self.settings}
        return subprocess.run(command, env=whole, capture_output=True, text=True, check=False, timeout=120)

    def start(self, **more: str) -> Child:
        """Start the bot; does not wait until it is ready."""
        self.bot = self.starter({**self.settings, **more}, self.log)
        return self.bot

    def wait_ready(self) -> None:
        """Until the bot takes work. Raises NotReady, with the end of its log, if it does not."""
        assert self.bot is not None, "start it first"
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and self.bot.poll() is None:
            if self.ready():
                return
            time.sleep(0.03)
        raise NotReady(f"the bot did not become ready:\n{self.log_end()}")

    def log_end(self) -> str:
        """What the bot said last."""
        return self.log.read_text(errors="replace")[-LOG_END:] if self.log.exists() else ""

    def ready(self) -> bool:
        try:
            return self._probe.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def stop_bot(self) -> int | None:
        """End it as Cloud Run does."""
        if self.bot is None or self.bot.poll() is not None:
            return None
        self.bot.send_signal(signal.SIGTERM)
        return self.bot.wait(STOP_WITHIN_S)

    def kill_bot(self) -> None:
        """End it as a machine that dies does."""
        if self.bot is not None and self.bot.poll() is None:
            self.bot.send_signal(signal.SIGKILL)
            self.bot.wait(STOP_WITHIN_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_bot()
        self._probe.close()
        self.people.close()
        self.town.stop()

    def _settings(self) -> dict[str, str]:
        return {
            "AISQ_STATE_DIR": str(self.folder / "state"),
            "AISQ_SANDBOX": "true",
            "AISQ_HOST": "127.0.0.1",
            "PORT": self.url.rpartition(":")[2],
            "AISQ_GOOGLE__ENDPOINT": self.town.grpc,
            "AISQ_CLOCK__ORIGIN_UNIX_S": repr(self.town.origin_unix_s),
            "AISQ_CLOCK__RATE": repr(self.town.rate),
            "AISQ_SLACK__API_URL": f"{self.town.http}/api/",
            "AISQ_SLACK__SIGNING_SECRET": SIGNING_SECRET,
            "AISQ_SLACK__BOT_TOKEN": BOT_TOKEN,
            "AISQ_SLACK__TEAM_ID": TEAM,
            "NO_PROXY": "*",
        }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
