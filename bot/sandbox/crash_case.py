"""One cell of the crash matrix: a bot on an empty database, a bad release, two people, a crash, another bot."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.sandbox import crash_town
from bot.sandbox.books import Books
from bot.sandbox.crash_town import CHANNEL, GOOD, SERVICE, Town
from bot.sandbox.crash_verdict import Seen, wrong
from bot.sandbox.replica import Replica
from bot.sandbox.transcript import buttons

PATIENCE_S = 120.0
QUIET_S = 0.3  # for so long nothing may be left to do: a sweep and a look at the messages fit in
LATE_S = 1.0  # how long a crash may come after everything seems done
STEP_S = 0.03
MOST_MISHAPS = 3


@dataclass(frozen=True)
class Boundary:
    """Where a bot is killed: at a commit, or at the n-th call of a method that reaches the cloud from its start on.

    `then` is where the bot that comes after it is killed.
    """

    commit: str = ""
    method: str = ""
    nth: int = 1
    when: str = ""
    then: "Boundary | None" = None

    def __str__(self) -> str:
        here = self.commit or f"{self.when.replace('_', ' ')} {self.method} #{self.nth}"
        return f"{here}, then {self.then}" if self.then else here


@dataclass(frozen=True)
class Result:
    """One row of the table; `wrong` is empty when all is right, `fates` are those of the updates in the cloud."""

    boundary: Boundary | None
    reached: bool
    wrong: tuple[str, ...]
    recovery_s: float
    fates: tuple[str, ...]


class Case:
    """Plays the story once: ana asks to go back, ben approves; whoever is not acknowledged asks again.

    `trace` is a file to which the first bot writes the commits that it comes by.
    """

    def __init__(self, town: Town, boundary: Boundary | None = None, trace: Path | None = None) -> None:
        self._town, self._boundary, self._trace = town, boundary, trace
        self._to_come = [] if boundary is None else [boundary, *([boundary.then] if boundary.then else [])]
        self._books = Books(town.database)
        self._asked = self._approved = self._is_ready = False
        self._armed: dict[Replica, Boundary | None] = {}
        self._now, self._missed, self._mishaps = town.bot, len(self._to_come), 0
        self._died_at = self._quiet_since = 0.0

    def play(self) -> Result:
        """The whole story. Raises RuntimeError if the town itself does not work."""
        self._prepare()
        self._start()
        give_up = time.monotonic() + PATIENCE_S
        while not self._over() and time.monotonic() < give_up:
            if self._now.exit_code() is not None:
                self._bury(self._now)
            self._act()
            time.sleep(STEP_S)
        recovery_s = max(0.0, self._quiet_since - self._died_at) if self._died_at else 0.0
        seen = self._seen()
        for bot in self._town.bots:
            bot.kill()
        fates = tuple(call["fate"] for call in seen.updates)
        return Result(self._boundary, not self._missed, wrong(seen, self._books, GOOD), recovery_s, fates)

    # --- the town

    def _prepare(self) -> None:
        self._town.fresh()
        cloud = self._town.cloud
        cloud.clear_faults()
        cloud.traffic(SERVICE, {GOOD: 100})
        self._until_serving(GOOD)
        crash_town.clear(self._town)
        self._until_serving(cloud.release(SERVICE, error_rate=0.08, traffic=100))
        self._since = cloud.calls()[-1]["seq"]
        last = self._town.people.messages(CHANNEL)
        self._after = str(last[-1]["ts"]) if last else "0"

    def _until_serving(self, release: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self._serving() != {release: 100}:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{release} never served all traffic of the sandbox's {SERVICE}")
            time.sleep(STEP_S)

    def _serving(self) -> dict[str, int]:
        now = self._town.cloud.service(SERVICE)
        return {} if now["reconciling"] else {name: share for name, share in now["traffic"].items() if share}

    # --- the bots

    def _start(self) -> None:
        """All that can work at once; the first to come gets the requests, until it is dead."""
        for bot in self._town.bots:
            if not bot.is_running():
                self._begin(bot)
        self._hear(self._town.bots[0])

    def _begin(self, bot: Replica) -> None:
        kill = self._to_come.pop(0) if self._to_come else None
        trace = {"LAUNCHER_TRACE": str(self._trace)} if self._trace and bot is self._town.bot else {}
        at = {"LAUNCHER_KILL_AT": kill.commit} if kill and kill.commit else {}
        bot.start(**trace, **at)
        self._armed[bot] = kill
        if kill and kill.method:
            self._town.cloud.fault("kill", method=kill.method, nth=kill.nth, when=kill.when, pid=bot.pid)

    def _hear(self, bot: Replica) -> None:
        self._now, self._is_ready = bot, False
        self._town.people.hear(bot)

    def _bury(self, bot: Replica) -> None:
        """Another one takes its place: one that runs already, else a new one."""
        if self._armed.pop(bot, None) and bot.exit_code() == -signal.SIGKILL:
            self._missed -= 1
        else:
            self._mishaps += 1  # on a slow machine a bot may lose its lease
        if self._mishaps > MOST_MISHAPS:
            raise RuntimeError(f"the bot does not stay alive:\n{bot.log_end()}")
        self._died_at, self._trace = time.monotonic(), None
        if others := [one for one in self._town.bots if one.is_running()]:
            return self._hear(others[0])
        self._town.cloud.clear_faults()
        self._start()

    # --- the people

    def _act(self) -> None:
        self._is_ready = self._is_ready or self._now.ready()
        if not self._is_ready:
            return
        people = self._town.people
        if not self._asked:
            said = people.slash("U0ANA", CHANNEL, "rollback backend")
            self._asked = bool(said.get("ok")) and not said.get("shown")
        elif not self._approved and (card := self._waiting()):
            action = next(name for name in buttons(card) if name.endswith("approve"))
            self._approved = bool(people.click("U0BEN", CHANNEL, card["ts"], action).get("ok"))

    def _waiting(self) -> dict[str, Any] | None:
        return next((card for card in self._messages() if buttons(card)), None)

    def _messages(self) -> list[dict[str, Any]]:
        return self._town.people.messages(CHANNEL, after=self._after)

    # --- the end

    def _over(self) -> bool:
        """Nothing has been left to do for a while, and no crash is to come any more."""
        quiet = self._approved and self._is_ready and self._books.is_quiet()
        now = time.monotonic()
        if not quiet or not self._quiet_since or self._quiet_since < self._died_at:
            self._quiet_since = now if quiet else 0.0
        is_late = not self._armed.get(self._now) or self._died_at or now - self._quiet_since >= LATE_S
        return bool(quiet and now - self._quiet_since >= QUIET_S and is_late)

    def _seen(self) -> Seen:
        updates = self._town.cloud.calls(method="UpdateService", since=self._since)
        return Seen(
            serving=self._serving(),
            updates=[call for call in updates if call["api"] != "console"],
            messages=self._messages(),
        )
