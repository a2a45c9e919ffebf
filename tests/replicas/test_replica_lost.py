"""One of two replicas dies, stands still, is told to stop or is cut off: the other finishes, and all is done once."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.sandbox import crash_matrix, crash_town
from bot.sandbox.books import Books
from bot.sandbox.crash_town import CHANNEL, GOOD, SERVICE, Town
from bot.sandbox.crash_verdict import Seen, wrong
from bot.sandbox.link import Link
from bot.sandbox.postgres import Databases
from bot.sandbox.replica import Replica
from bot.sandbox.transcript import buttons

WITHIN_S = 60.0
HELD_S = 4.0
LEASE_S = 4.0  # AISQ_LEASE_S of a town
LEASE_LOST, DATABASE_LOST = 70, 71  # exit codes of a replica that may not go on


@pytest.fixture(scope="module")
def pair(databases: Databases) -> Iterator[Town]:
    with crash_matrix.town(databases) as made:
        yield made


class Loss:
    """One bad release, two people, and a first replica that is about to be lost. All its ways lead through `links`."""

    def __init__(self, town: Town, stack: ExitStack) -> None:
        self.town, self.cloud, self.people = town, town.cloud, town.people
        self.links: list[Link] = []
        self.first = town.another("first", **self._through_links(town, stack))
        self.second = town.bots[1]
        stack.callback(self.first.close)
        stack.callback(self.second.kill)
        stack.callback(self.cloud.clear_faults)
        self.books = Books(town.database)
        self._begin()

    def _through_links(self, town: Town, stack: ExitStack) -> dict[str, str]:
        def through(url: str) -> str:
            there = urlsplit(url if "//" in url else f"//{url}")
            assert there.hostname and there.port
            link = stack.enter_context(Link(there.hostname, there.port))
            self.links.append(link)
            return url.replace(f":{there.port}", f":{link.port}")

        names = ("AISQ_DATABASE_URL", "AISQ_GOOGLE__ENDPOINT", "AISQ_SLACK__API_URL")
        return {name: through(town.settings[name]) for name in names}

    def _begin(self) -> None:
        self.town.fresh()
        self.cloud.clear_faults()
        self.cloud.traffic(SERVICE, {GOOD: 100})
        self.until(lambda: self.serving() == {GOOD: 100})
        crash_town.clear(self.town)
        bad = self.cloud.release(SERVICE, error_rate=0.08, traffic=100)
        self.until(lambda: self.serving() == {bad: 100})
        self._since = self.cloud.calls()[-1]["seq"]
        said = self.people.messages(CHANNEL)
        self._after = said[-1]["ts"] if said else "0"
        for replica in (self.first, self.second):
            replica.start()
            replica.wait_ready()
        self.people.hear(self.first)

    def ask(self) -> None:
        assert self.people.slash("U0ANA", CHANNEL, "rollback backend")["ok"]

    def approve(self) -> None:
        self.until(self.waiting)
        card = self.waiting()
        assert card
        action = next(name for name in buttons(card) if name.endswith("approve"))
        assert self.people.click("U0BEN", CHANNEL, card["ts"], action)["ok"]

    def waiting(self) -> dict[str, Any] | None:
        return next((card for card in self.people.messages(CHANNEL, after=self._after) if buttons(card)), None)

    def arrived(self, method: str) -> bool:
        return any(call["api"] != "console" for call in self.cloud.calls(method=method, since=self._since))

    def serving(self) -> dict[str, int]:
        now = self.cloud.service(SERVICE)
        return {} if now["reconciling"] else {name: share for name, share in now["traffic"].items() if share}

    def wrong(self) -> tuple[str, ...]:
        """What is not as it must be, once all is done, judged and shown."""
        self.until(self.books.is_quiet)
        updates = self.cloud.calls(method="UpdateService", since=self._since)
        seen = Seen(
            serving=self.serving(),
            updates=[call for call in updates if call["api"] != "console"],
            messages=self.people.messages(CHANNEL, after=self._after),
        )
        return wrong(seen, self.books, GOOD)

    def until(self, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not true():
            assert time.monotonic() < deadline, f"it did not happen:\n{self.second.log_end()}"
            time.sleep(0.03)


@pytest.fixture
def loss(pair: Town) -> Iterator[Loss]:
    with ExitStack() as stack:
        yield Loss(pair, stack)


# --- when


def planning(loss: Loss) -> None:
    loss.cloud.fault("hold", method="GetService", seconds=HELD_S)
    loss.ask()
    loss.until(lambda: loss.arrived("GetService"))


def waiting_for_approval(loss: Loss) -> None:
    loss.ask()
    loss.until(loss.waiting)


def applying(loss: Loss) -> None:
    loss.ask()
    loss.until(loss.waiting)
    loss.cloud.fault("hold", method="UpdateService", seconds=HELD_S)
    loss.approve()
    loss.until(lambda: loss.arrived("UpdateService"))


# --- how; each gives what must come of the first replica in the end


def killed(loss: Loss) -> Callable[[], None]:
    loss.first.kill()
    return lambda: None


def told_to_stop(loss: Loss) -> Callable[[], None]:
    assert loss.first.stop() == 0
    return lambda: None


def frozen(loss: Loss) -> Callable[[], None]:
    loss.first.freeze()

    def thawed() -> None:
        time.sleep(LEASE_S)  # else it is still a replica like any other
        loss.first.thaw()
        ends(loss, loss.first)

    return thawed


def cut_off(loss: Loss) -> Callable[[], None]:
    for link in loss.links:
        link.cut()

    def mended() -> None:
        time.sleep(LEASE_S)
        for link in loss.links:
            link.mend()
        ends(loss, loss.first)

    return mended


def ends(loss: Loss, replica: Replica) -> None:
    """Who lost the lease ends, by itself, and says so."""
    loss.until(lambda: not replica.is_running())
    assert replica.exit_code() in (LEASE_LOST, DATABASE_LOST), signal.strsignal(-(replica.exit_code() or 0))


@pytest.mark.parametrize(
    "lost",
    [killed, told_to_stop, frozen, pytest.param(cut_off, marks=pytest.mark.slow)],
    ids=lambda one: one.__name__,
)
@pytest.mark.parametrize(
    "when",
    [applying, *(pytest.param(one, marks=pytest.mark.slow) for one in (planning, waiting_for_approval))],
    ids=lambda one: one.__name__,
)
def test_the_other_replica_finishes(
    loss: Loss, when: Callable[[Loss], None], lost: Callable[[Loss], Callable[[], None]]
) -> None:
    when(loss)
    in_the_end = lost(loss)
    loss.people.hear(loss.second)
    if when is not applying:
        loss.approve()
    assert loss.wrong() == ()
    in_the_end()
    assert loss.wrong() == (), "a replica that came back changed something"
