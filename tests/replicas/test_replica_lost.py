"""One of two replicas dies, stands still, is told to stop or is cut off: the other finishes, and all is done once."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from bot.sandbox import crash_town
from bot.sandbox.crash_town import GOOD, Town
from bot.sandbox.crash_verdict import seen, wrong
from bot.sandbox.incident import Incident
from bot.sandbox.link import Link
from bot.sandbox.postgres import Databases
from bot.sandbox.replica import Replica
from bot.sandbox.story import stories

ROLLBACK = stories()["rollback"]
HELD_S = 4.0
LEASE_S = 4.0  # AISQ_LEASE_S of a town
LEASE_LOST, DATABASE_LOST = 70, 71  # exit codes of a replica that may not go on


@pytest.fixture(scope="module")
def pair(databases: Databases) -> Iterator[Town]:
    with crash_town.town(databases) as made:
        yield made


class Loss(Incident):
    """A bad release, and two replicas; the first is about to be lost. All its ways lead through `links`."""

    def __init__(self, town: Town, stack: ExitStack) -> None:
        super().__init__(town)
        self.links: list[Link] = []
        self.first = town.another("first", **self._through_links(stack))
        self.second = town.bots[1]
        stack.callback(self.first.close)
        stack.callback(self.second.kill)
        stack.callback(self.cloud.clear_faults)
        self.deploy_bad()
        for replica in (self.first, self.second):
            replica.start()
            replica.wait_ready()
        self.people.hear(self.first)

    def _through_links(self, stack: ExitStack) -> dict[str, str]:
        def through(url: str) -> str:
            there = urlsplit(url if "//" in url else f"//{url}")
            assert there.hostname and there.port
            link = stack.enter_context(Link(there.hostname, there.port))
            self.links.append(link)
            return url.replace(f":{there.port}", f":{link.port}")

        names = ("AISQ_DATABASE_URL", "AISQ_GOOGLE__ENDPOINT", "AISQ_SLACK__API_URL")
        return {name: through(self.town.settings[name]) for name in names}

    def rollback(self) -> None:
        assert self.ask(ROLLBACK.ask)

    def approve_it(self) -> None:
        self.until(self.waiting)
        assert self.approve(self.waiting() or {})

    def wrong(self) -> tuple[str, ...]:
        """What is not as it must be, once all is done, judged and shown."""
        self.until(self.books.is_quiet)
        return wrong(seen(self), self.books, ROLLBACK.named(good=GOOD, bad=self.bad, before=""))


@pytest.fixture
def loss(pair: Town) -> Iterator[Loss]:
    with ExitStack() as stack:
        yield Loss(pair, stack)


# --- when


def planning(loss: Loss) -> None:
    loss.cloud.fault("hold", method="GetService", seconds=HELD_S)
    loss.rollback()
    loss.until(lambda: loss.calls("GetService"))


def waiting_for_approval(loss: Loss) -> None:
    loss.rollback()
    loss.until(loss.waiting)


def applying(loss: Loss, held_s: float = HELD_S) -> None:
    loss.rollback()
    loss.until(loss.waiting)
    loss.cloud.fault("hold", method="UpdateService", seconds=held_s)
    loss.approve_it()
    loss.until(lambda: loss.calls("UpdateService"))


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


@pytest.mark.slow
def test_told_to_stop_it_does_not_wait_for_the_cloud(loss: Loss) -> None:
    """Its call is answered when it is long gone; the other one has made its own by then."""
    applying(loss, held_s=25.0)
    assert loss.first.stop() == 0, "Cloud Run would have killed it"
    loss.people.hear(loss.second)
    loss.until(lambda: all(call["fate"] != "arrived" for call in loss.updates()))
    assert loss.wrong() == ()
    assert "met a bug" not in loss.first.log_end()


@pytest.mark.parametrize(
    "lost",
    [killed, *(pytest.param(one, marks=pytest.mark.slow) for one in (told_to_stop, frozen, cut_off))],
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
        loss.approve_it()
    assert loss.wrong() == ()
    in_the_end()
    assert loss.wrong() == (), "a replica that came back changed something"
