"""A real bot beside a small cloud and a small Slack: a bad release, two people, and whatever goes wrong."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot.sandbox import crash_town
from bot.sandbox.books import Books
from bot.sandbox.crash_town import CHANNEL, GOOD, SERVICE, Town
from bot.sandbox.transcript import buttons, lines

STAMP = "aisq.dev/effect"
WITHIN_S = 60.0
Json = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What became of a change: its row, what people were told, which updates reached the cloud, what serves."""

    state: str
    judged: str
    told: str
    fates: list[str]
    serves: dict[str, int]


class Incident:
    """One bad release and what is done about it. Construct it through `incident`.

    `before` is the ts of the channel's last message of earlier incidents.
    """

    def __init__(self, town: Town) -> None:
        self.town, self.cloud, self.people = town, town.cloud, town.people
        self.books = Books(town.database)
        town.fresh()
        self.cloud.clear_faults()
        self._settled(self.cloud.traffic, SERVICE, {GOOD: 100})
        crash_town.clear(town)
        self._seen = {user: len(self.people.ephemerals(user)) for user in ("U0ANA", "U0BEN")}
        said = self.people.messages(CHANNEL)
        self.before = said[-1]["ts"] if said else "0"
        self._since, self.bad, self.spare = 0, "", ""

    def good_release_is_known(self, requests: int) -> None:
        """Start the bot, and let it see what serves now, until it has counted so many requests."""
        self.town.bot.start()
        self.town.bot.wait_ready()
        seen = "select 1 from serving where split like :split and total >= :total"
        self.until(lambda: self.books.ours(seen, split=f"%{GOOD}%", total=requests))

    def begin(self, before: Callable[[], None] = lambda: None) -> None:
        """A release that nobody needs, then one that fails and takes all traffic; the bot runs, if it did not.

        `before` is called before it starts.
        """
        self.spare = self._settled(self.cloud.release, SERVICE)
        self.bad = self._settled(self.cloud.release, SERVICE, error_rate=0.08, traffic=100)
        self._since = self.cloud.calls()[-1]["seq"]
        before()
        if not self.town.bot.is_running():
            self.town.bot.start()
        self.town.bot.wait_ready()

    def ask(self, text: str) -> Json | None:
        """ana types it; the plan to approve, or nothing when it needs no approval or will not happen."""
        assert self.people.slash("U0ANA", CHANNEL, text)["ok"]
        self.until(lambda: self.waiting() or self._has_ended())
        return self.waiting()

    def approve(self, card: Json) -> None:
        """ben clicks."""
        action = next(name for name in buttons(card) if name.endswith("approve"))
        assert self.people.click("U0BEN", CHANNEL, card["ts"], action)["ok"]

    def outcome(self) -> Outcome:
        """When all is done, judged and shown."""
        self.until(self._has_ended)
        (_, state, judged), *others = self.books.changes()
        assert not others
        updates = self.updates()
        serves = {name: share for name, share in self.cloud.service(SERVICE)["traffic"].items() if share}
        return Outcome(state, judged, self.told(), [call["fate"] for call in updates], serves)

    def updates(self) -> list[Json]:
        """The bot's attempts to change the service."""
        found = self.cloud.calls(method="UpdateService", since=self._since)
        return [call for call in found if call["api"] != "console"]

    def waiting(self) -> Json | None:
        return next((card for card in self.messages() if buttons(card)), None)

    def messages(self) -> list[Json]:
        return self.people.messages(CHANNEL, after=self.before)

    def told(self) -> str:
        """The message in the channel; what ana alone was told when there is none."""
        shown = self.messages() or self.told_alone("U0ANA")
        assert len(shown) == 1, "one request has one message"
        return "\n".join(lines(shown[0]))

    def told_alone(self, user: str) -> list[Json]:
        """What only this person was shown."""
        return self.people.ephemerals(user)[self._seen[user] :]

    def nothing_is_left(self) -> None:
        """Whatever went wrong: no write twice, no mutex, nothing unfinished, a chain that verifies."""
        committed = [call["annotations"][STAMP] for call in self.updates() if call["committed"]]
        assert len(set(committed)) == len(committed)
        assert self.books.ours("select 1 from mutexes where holder is not null") == []
        assert self.books.running() == []
        assert self.books.is_chain_whole()

    def until(self, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not true():
            assert time.monotonic() < deadline, f"it did not happen:\n{self.town.bot.log_end()}"
            time.sleep(0.03)

    def _has_ended(self) -> bool:
        return self.books.is_quiet() and bool(self.messages() or self.told_alone("U0ANA"))

    def _settled(self, act: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """Something that people do in a console, until its rollout is over."""
        done = act(*args, **more)
        self.until(lambda: not self.cloud.service(SERVICE)["reconciling"])
        return done


@contextmanager
def incident(town: Town) -> Iterator[Incident]:
    """The bot is gone afterwards, and what it left behind was looked at."""
    made = Incident(town)
    try:
        yield made
        made.nothing_is_left()
    finally:
        town.bot.kill()
        town.cloud.clear_faults()
