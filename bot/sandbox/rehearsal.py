"""A town, a bot beside it, and people who talk to it: what demos, crash matrices and end-to-end tests are made of.

The bot is only ever a process with an environment; nothing of it is imported here.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx

from bot.sandbox.process import SandboxProcess
from bot.sandbox.replica import NotReady, Replica, Starter, as_program
from bot.sandbox.town import BOT_TOKEN, SIGNING_SECRET

TEAM = "T0AISQ"


class People:
    """What people do and see in the town's Slack."""

    def __init__(self, http: str) -> None:
        self._client = httpx.Client(base_url=f"{http}/sandbox/slack", trust_env=False, timeout=15.0)

    def hear(self, bot: Replica) -> None:
        """Tell Slack which replica takes the next requests, as a load balancer would."""
        self.do("bot_url", url=f"{bot.url}/slack/events")

    def slash(self, user: str, channel: str, text: str) -> dict[str, Any]:
        """Type `/aisq TEXT`; what came back, and how long the acknowledgement took."""
        return self.do("slash", user=user, channel=channel, text=text)

    def click(self, user: str, channel: str, ts: str, action_id: str) -> dict[str, Any]:
        return self.do("click", user=user, channel=channel, ts=ts, action_id=action_id)

    def messages(self, channel: str, after: str = "") -> list[dict[str, Any]]:
        """What everybody sees in a channel, oldest first; only what was posted after the message `after` (its ts)."""
        found = self._said(channel, after)
        return [message for message in found if message.get("thread_ts", message["ts"]) == message["ts"]]

    def replies(self, channel: str, ts: str) -> list[dict[str, Any]]:
        """What everybody sees in the thread of a message, oldest first."""
        found = self._said(channel, ts)
        return [message for message in found if message.get("thread_ts") == ts]

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

    def _said(self, channel: str, after: str) -> list[dict[str, Any]]:
        return list(self.look("messages", channel=channel, after=after, brief="1")["messages"])


class Rehearsal:
    """A context manager. `folder` keeps the bot's state and its log; `settings` are more of its environment.

    `world` is the file that says what runs where; the shipped one unless given. Of services in `real_traffic`,
    "project/location/name", releases are processes and requests happen.

    `bot` is the one replica that Slack knows from the beginning; `another` makes more. The town's time begins at `now`,
    else at the real one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rate: float = 60.0,
        seed: int = 1,
        now: datetime | None = None,
        world: Path | None = None,
        start: Starter = as_program,
        settings: Mapping[str, str] | None = None,
        real_traffic: Sequence[str] = (),
    ) -> None:
        self.folder, self._starter = folder, start
        self.town = SandboxProcess(
            rate=rate, seed=seed, now=now, world=world, module="bot.sandbox.town", real_traffic=real_traffic
        )
        self.cloud, self.people = self.town.control, People(self.town.http)
        self.settings = {**self._settings(), **(settings or {})}
        self._replicas: list[Replica] = []
        self.bot = self.another("bot")
        self.people.hear(self.bot)

    def another(self, name: str, **settings: str) -> Replica:
        """One more replica, not started, on the same state; `settings` are more of its environment."""
        made = Replica({**self.settings, **settings}, self.folder / f"{name}.log", self._starter)
        self._replicas.append(made)
        return made

    @property
    def database(self) -> str:
        """The URL of the bot's database."""
        return self.settings.get("AISQ_DATABASE_URL") or f"sqlite:///{self.folder / 'state' / 'aisq.sqlite'}"

    def upgrade(self) -> None:
        """Bring the bot's database into being. Raises NotReady."""
        if (ran := self.aisq("db", "upgrade")).returncode:
            raise NotReady(f"`aisq db upgrade` failed: {ran.stderr}{ran.stdout}")

    def aisq(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `aisq WORDS` beside the bot, on the same database."""
        command, whole = [sys.executable, "-m", "bot", *words], {**os.environ, **self.settings}
        return subprocess.run(command, env=whole, capture_output=True, text=True, check=False, timeout=120)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for replica in self._replicas:
            replica.close()
        self.people.close()
        self.town.stop()

    def _settings(self) -> dict[str, str]:
        return {
            "AISQ_STATE_DIR": str(self.folder / "state"),
            "AISQ_SANDBOX": "true",
            "AISQ_GOOGLE__ENDPOINT": self.town.grpc,
            "AISQ_CLOCK__ORIGIN_UNIX_S": repr(self.town.origin_unix_s),
            "AISQ_CLOCK__RATE": repr(self.town.rate),
            "AISQ_SLACK__API_URL": f"{self.town.http}/api/",
            "AISQ_SLACK__SIGNING_SECRET": SIGNING_SECRET,
            "AISQ_SLACK__BOT_TOKEN": BOT_TOKEN,
            "AISQ_SLACK__TEAM_ID": TEAM,
            "NO_PROXY": "*",
        }
