"""A release that fails, in a town that is used again and again: what people do about it, and what can be seen of it."""

import time
from collections.abc import Callable
from typing import Any

from bot.sandbox.books import Books
from bot.sandbox.crash_town import CHANNEL, GOOD, IMAGE, NEW, SERVICE, Town
from bot.sandbox.transcript import buttons

PATIENCE_S, STEP_S = 120.0, 0.1
QUICK_MS = 90.0  # GOOD's is 151: what chance makes of so quick a release never looks worse
Json = dict[str, Any]


class NotHappened(Exception):
    """What was waited for; the message has the end of the bot's log."""


class Incident:
    """An empty database, GOOD alone serving, no fault; `bad` once it is deployed. No bot runs yet.

    What earlier incidents in the town left behind is not seen. Raises NotHappened whenever something lasts too long.
    """

    def __init__(self, town: Town) -> None:
        self.town, self.cloud, self.people = town, town.cloud, town.people
        self.books, self.bad = Books(town.database), ""
        town.fresh()
        self.cloud.clear_faults()
        self.people.clear_faults()
        self.settled(self.cloud.traffic, SERVICE, {GOOD: 100})
        town.clear()
        self.forget()

    def forget(self) -> None:
        """From here on only what is new is seen."""
        said = self.people.messages(CHANNEL)
        self._after = str(said[-1]["ts"]) if said else "0"
        self._since = int(self.cloud.calls()[-1]["seq"])

    def deploy_bad(self) -> None:
        """A release that fails takes all traffic."""
        self.bad = self.settled(self.cloud.release, SERVICE, error_rate=0.08, traffic=100)
        self.forget()

    def push_new(self, failing: float) -> None:
        """The pipeline builds a version, quick, of whose answers such a share are errors, and nobody deploys it."""
        self.cloud.push(IMAGE, NEW, error_rate=failing, p95_ms=QUICK_MS)
        self.forget()

    @property
    def number(self) -> int:
        """That of the bad release; 0 without one."""
        return int(self.bad.split("-")[1]) if self.bad else 0

    def settled(self, act: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """Something that people do in a console, until its rollout is over."""
        done = act(*args, **more)
        self.until(self.serving)
        return done

    # --- people

    def ask(self, text: str, user: str = "U0ANA") -> bool:
        """Type `/aisq TEXT`; whether it was acknowledged without a complaint."""
        said = self.people.slash(user, CHANNEL, text)
        return bool(said.get("ok")) and not said.get("shown")

    def approve(self, card: Json, user: str = "U0BEN") -> bool:
        """Click; whether that was acknowledged."""
        action = next(filter(_approves, buttons(card)))
        return bool(self.people.click(user, CHANNEL, card["ts"], action).get("ok"))

    # --- what can be seen

    def waiting(self) -> Json | None:
        """The plan that waits for approval."""
        return next((card for card in self.messages() if any(map(_approves, buttons(card)))), None)

    def messages(self) -> list[Json]:
        return self.people.messages(CHANNEL, after=self._after)

    def calls(self, method: str = "") -> list[Json]:
        """The bots' calls that reached the cloud, of one method or of all."""
        found = self.cloud.calls(method=method, since=self._since)
        return [call for call in found if call["api"] != "console"]

    def updates(self) -> list[Json]:
        """The bots' attempts to change the service."""
        return self.calls("UpdateService")

    def serving(self) -> dict[str, int]:
        """The split that serves; nothing while one is rolled out."""
        now = self.cloud.service(SERVICE)
        return {} if now["reconciling"] else {name: share for name, share in now["traffic"].items() if share}

    def until(self, true: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        """Wait for it."""
        deadline = time.monotonic() + patience_s
        while not true():
            if time.monotonic() > deadline:
                said = "\n".join(bot.log_end() for bot in self.town.bots)
                raise NotHappened(f"waited {patience_s:.0f} s in vain:\n{said}")
            time.sleep(STEP_S)


def _approves(action: str) -> bool:
    return action.endswith("approve")
