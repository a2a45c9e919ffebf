"""One cell of the crash matrix: a bot on an empty database, a bad release, two people, a crash, another bot."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.crash_town import GOOD, Town
from bot.sandbox.crash_verdict import seen, wrong
from bot.sandbox.incident import PATIENCE_S, STEP_S, Incident, Json, NotHappened
from bot.sandbox.replica import Replica
from bot.sandbox.story import Story

QUIET_S = 0.3  # for so long nothing may be left to do: a sweep and a look at the messages fit in
LATE_S = 1.0  # how long a crash may come after everything seems done
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
    """Plays a story once: ana asks, ben approves; whoever is not acknowledged asks again.

    `trace` is a file to which the first bot writes the commits that it comes by.
    """

    def __init__(self, town: Town, story: Story, boundary: Boundary | None = None, trace: Path | None = None) -> None:
        self._town, self._story, self._boundary, self._trace = town, story, boundary, trace
        self._to_come = [] if boundary is None else [boundary, *([boundary.then] if boundary.then else [])]
        self._asked = self._approved = self._is_ready = False
        self._armed: dict[Replica, Boundary | None] = {}
        self._still: list[Replica] = []
        self._now, self._missed, self._mishaps = town.bot, len(self._to_come), 0
        self._died_at = self._quiet_since = 0.0

    def play(self) -> Result:
        """The whole story. Raises NotHappened if the town itself does not work."""
        self._incident = Incident(self._town)
        known = self._prepare()
        self._start()
        give_up = time.monotonic() + PATIENCE_S
        while not self._over() and time.monotonic() < give_up:
            if self._still and not self._incident.books.is_to_begin():
                self._let_go_on()
            if self._now.exit_code() is not None:
                self._bury(self._now)
            self._act()
            time.sleep(STEP_S)
        recovery_s = max(0.0, self._quiet_since - self._died_at) if self._died_at else 0.0
        found = seen(self._incident, known)
        for bot in self._town.bots:
            bot.kill()
        fates = tuple(call["fate"] for call in found.updates)
        return Result(
            self._boundary, not self._missed, wrong(found, self._incident.books, self._story), recovery_s, fates
        )

    def calls(self) -> list[Json]:
        """The bots' calls that reached the cloud."""
        return self._incident.calls()

    def _prepare(self) -> frozenset[str]:
        """What there is before anything dies; the changes that are over by then."""
        here = self._incident
        here.push_new(self._story.failing) if self._story.calm else here.deploy_bad()
        number = 10 + here.number % 90  # another one in every case: the cloud goes on, and is not reset
        names = {"good": GOOD, "bad": here.bad, "before": "", "number": str(number)}
        if before := self._story.named(**names).before:
            names["before"] = self._do(before)
        self._story = self._story.named(**names)
        here.forget()
        return frozenset(id for id, *_ in here.books.changes())

    def _do(self, before: str) -> str:
        """Ask and approve it, and let it end; the operation's id."""
        here, bot = self._incident, self._town.bot
        bot.start()
        bot.wait_ready()
        here.people.hear(bot)
        here.ask(before)
        here.until(lambda: here.waiting() or here.books.is_quiet())
        if card := here.waiting():
            here.approve(card)
        here.until(here.books.is_quiet)
        bot.kill()  # quicker than to stop it, and nothing is left to hand over
        return here.books.changes()[0][0]

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
        self._let_go_on()
        if self._armed.pop(bot, None) and bot.exit_code() == -signal.SIGKILL:
            self._missed -= 1
        else:
            self._mishaps += 1  # on a slow machine a bot may lose its lease
        if self._mishaps > MOST_MISHAPS:
            raise NotHappened(f"the bot does not stay alive:\n{bot.log_end()}")
        self._died_at, self._trace = time.monotonic(), None
        if others := [one for one in self._town.bots if one.is_running()]:
            return self._hear(others[0])
        self._town.cloud.clear_faults()
        self._start()

    def _stand_still(self) -> None:
        """All others, so that who hears the approval also gets the work: in its boundaries it is to die."""
        self._still = [one for one in self._town.bots if one is not self._now and one.is_running()]
        for one in self._still:
            one.freeze()

    def _let_go_on(self) -> None:
        for one in self._still:
            one.thaw()
        self._still = []

    # --- the people

    def _act(self) -> None:
        self._is_ready = self._is_ready or self._now.ready()
        if not self._is_ready:
            return
        if not self._asked:
            self._asked = self._incident.ask(self._story.ask)
            self._approved = self._asked and self._story.alone
        elif not self._approved and (card := self._incident.waiting()):
            self._stand_still()
            self._approved = self._incident.approve(card)

    # --- the end

    def _over(self) -> bool:
        """Nothing has been left to do for a while, and no crash is to come any more."""
        quiet = self._approved and self._is_ready and self._incident.books.is_quiet()
        now = time.monotonic()
        if not quiet or not self._quiet_since or self._quiet_since < self._died_at:
            self._quiet_since = now if quiet else 0.0
        is_late = not self._armed.get(self._now) or self._died_at or now - self._quiet_since >= LATE_S
        return bool(quiet and now - self._quiet_since >= QUIET_S and is_late)
