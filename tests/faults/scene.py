"""A real bot beside a small cloud and a small Slack: a bad release, two people, and whatever goes wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from bot.sandbox.crash_town import GOOD, SERVICE, Town
from bot.sandbox.incident import Incident, Json
from bot.sandbox.transcript import lines

STAMP = "aisq.dev/effect"


@dataclass(frozen=True)
class Outcome:
    """What became of a change: its row, what people were told, which updates reached the cloud, what serves."""

    state: str
    judged: str
    told: str
    fates: list[str]
    serves: dict[str, int]


class Whole(Incident):
    """One after which nothing may be left behind. Construct it through `played_in`."""

    def nothing_is_left(self) -> None:
        """Whatever went wrong: no write twice, no mutex, nothing unfinished, a chain that verifies."""
        committed = [call["annotations"][STAMP] for call in self.updates() if call["committed"]]
        assert len(set(committed)) == len(committed)
        assert self.books.ours("select 1 from mutexes where holder is not null") == []
        assert self.books.running() == []
        assert self.books.is_chain_whole()


Kind = TypeVar("Kind", bound=Whole)


@contextmanager
def played_in(town: Town, kind: type[Kind]) -> Iterator[Kind]:
    """The bot is gone afterwards, and what it left behind was looked at."""
    made = kind(town)
    try:
        yield made
        made.nothing_is_left()
    finally:
        town.bot.kill()
        town.cloud.clear_faults()


class Scene(Whole):
    """One bad release and what is done about it."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.spare = ""
        self._alone = {user: len(self.people.ephemerals(user)) for user in ("U0ANA", "U0BEN")}

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
        self.spare = self.settled(self.cloud.release, SERVICE)
        self.deploy_bad()
        before()
        if not self.town.bot.is_running():
            self.town.bot.start()
        self.town.bot.wait_ready()

    def plan(self, text: str) -> Json | None:
        """ana types it; the plan to approve, or nothing when it needs no approval or will not happen."""
        self.ask(text)
        self.until(lambda: self.waiting() or self._has_ended())
        return self.waiting()

    def outcome(self) -> Outcome:
        """When all is done, judged and shown."""
        self.until(self._has_ended)
        (_, state, judged), *others = self.books.changes()
        assert not others
        serves = {name: share for name, share in self.cloud.service(SERVICE)["traffic"].items() if share}
        return Outcome(state, judged, self.told(), [call["fate"] for call in self.updates()], serves)

    def told(self) -> str:
        """The message in the channel; what ana alone was told when there is none."""
        shown = self.messages() or self.told_alone("U0ANA")
        assert len(shown) == 1, "one request has one message"
        return "\n".join(lines(shown[0]))

    def told_alone(self, user: str) -> list[Json]:
        """What only this person was shown."""
        return self.people.ephemerals(user)[self._alone[user] :]

    def _has_ended(self) -> bool:
        return self.books.is_quiet() and bool(self.messages() or self.told_alone("U0ANA"))
