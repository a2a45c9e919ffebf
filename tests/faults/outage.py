"""A bad release while our own database is away: what people ask meanwhile, what they hear, what is true in the end."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx

from bot.doors.slack.listeners import BUSY, UNSURE
from bot.sandbox.crash_town import CHANNEL, GOOD, Town
from bot.sandbox.crash_verdict import seen, wrong
from bot.sandbox.incident import Incident, Json
from bot.sandbox.replica import Replica
from bot.sandbox.story import stories
from bot.sandbox.transcript import lines

ROLLBACK = stories()["rollback"]
LATE, BUSY_AT_MOST = (UNSURE, BUSY), 5
HELD_S = 4.0  # how long the cloud keeps a call, so that something can happen meanwhile
STEP_S = 0.05


def plain(sentence: str) -> str:
    """As it is read where Slack draws code."""
    return sentence.replace("`", "")


class Platform:
    """Starts a bot again whenever it ends, as Cloud Run does; `ends` are its exit codes. A context manager."""

    def __init__(self, bot: Replica) -> None:
        self._bot, self._over = bot, threading.Event()
        self.ends: list[int | None] = []
        self._thread = threading.Thread(target=self._watch, daemon=True, name="platform")

    def _watch(self) -> None:
        while not self._over.wait(STEP_S):
            if not self._bot.is_running():
                self.ends.append(self._bot.exit_code())
                self._bot.start()

    def __enter__(self) -> "Platform":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Start it no more."""
        self._over.set()
        self._thread.join()


class Outage(Incident):
    """A bad release serves, and one bot runs on its platform. Construct it through `outage_in`."""

    def __init__(self, town: Town, bot: Replica) -> None:
        super().__init__(town)
        self.bot, self.platform = bot, Platform(bot)
        self.deploy_bad()
        bot.start()
        bot.wait_ready()
        self.people.hear(bot)

    # --- when

    def planning(self) -> None:
        self.cloud.fault("hold", method="GetService", seconds=HELD_S)
        assert self.ask(ROLLBACK.ask)
        self.until(lambda: self.calls("GetService"))

    def waiting_for_approval(self) -> None:
        assert self.ask(ROLLBACK.ask)
        self.until(self.waiting)

    def applying(self) -> None:
        self.waiting_for_approval()
        self.cloud.fault("hold", method="UpdateService", seconds=HELD_S)
        self.approve_it()
        self.until(lambda: self.calls("UpdateService"))

    # --- what people do, and what they hear

    def approve_it(self) -> None:
        """Click until it counts: whoever is told to ask again does."""
        self.until(self.waiting)
        card = self.waiting()
        assert card
        self.until(lambda: self.approve(card) and self._is_approved())

    def hears(self, text: str) -> str:
        """Type `/aisq TEXT`; the sentence that comes back at once, "" for an acknowledgement, else Slack's own."""
        said = self.people.slash("U0ANA", CHANNEL, text)
        return str(said["note"] or said["body"].get("text", ""))

    def is_told(self, text: str) -> str:
        """The same, by somebody who asks again when this machine was too busy for an answer within Slack's limit."""
        for _ in range(BUSY_AT_MOST):
            if (heard := self.hears(text)) not in LATE:
                break
        return heard

    def clicker_hears(self, card: Json) -> str:
        """Click on Approve; what only the clicker is shown then."""
        before = len(self.people.ephemerals("U0BEN"))
        assert self.approve(card)
        self.until(lambda: len(self.people.ephemerals("U0BEN")) > before)
        return "\n".join(lines(self.people.ephemerals("U0BEN")[-1]))

    def health(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.bot.url}{path}", trust_env=False, timeout=5.0)

    def answers(self) -> bool:
        """Whether the bot is there at all."""
        try:
            return self.health("/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    # --- in the end

    def wrong(self) -> tuple[str, ...]:
        """What is not as it must be, once all is done, judged and shown."""
        self.until(self.books.is_quiet)
        return wrong(seen(self), self.books, ROLLBACK.named(good=GOOD, bad=self.bad, before=""))

    def _is_approved(self) -> bool:
        deadline = time.monotonic() + 2.0
        while time.monotonic() < deadline:
            if self.books.ours("select 1 from approvals"):
                return True
            time.sleep(STEP_S)
        return False


@contextmanager
def outage_in(town: Town, bot: Replica) -> Iterator[Outage]:
    """The bot is gone afterwards."""
    with ExitStack() as stack:
        stack.callback(town.cloud.clear_faults)
        stack.callback(bot.kill)
        made = Outage(town, bot)
        stack.enter_context(made.platform)
        yield made
