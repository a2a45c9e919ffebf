"""How soon the good release serves after a rollback is approved, by the clock that people see: beside a deploy hardly
later than without one, whatever the deploy is at."""

from datetime import timedelta
from heapq import heappop, heappush
from itertools import count

import pytest

from bot.core.ports import LATEST, Progress
from tests.engine.conftest import ANA, BEN, GOOD, NOON
from tests.whole.test_whole_deploy import release

ROLLOUT_S, MOVED_AT = 4.0, 0.8  # as in the small cloud: how long a rollout takes, and when in it traffic moves
AT_MOST = 1.5  # times as long as a rollback alone
STAGES = range(1, 5)
WRITES = [0, 2, 4, 6, 8, 10]  # their positions: the release, each shift, and at last traffic follows the newest
NEVER_S = 7200.0  # of a rollout that is stuck


def seldom(*every):
    """Only in `make test-all`."""
    return [pytest.param(one, marks=pytest.mark.slow) for one in every]


class Timed:
    """A platform whose rollouts take their time: a newer write takes the place of one that is still rolled out. `moved`
    is when, in seconds, which split began to serve; `deploy` is one that runs."""

    def __init__(self, bot):
        self.bot, self.clock, self.platform = bot, bot.clock, bot.platform
        self.takes_s = dict[str, float]()  # by keys of writes
        self.ends, self.moved, self._due, self._order = {}, [], [], count()
        self.asked_at, self.rescues, self.deploy = None, [], ""
        self.platform.after.append(self._written)
        self.platform.poll = self._poll
        self.clock.advance = self._advance

    def _written(self):
        key, split = self.platform.writes[-1], dict(self.platform.asked)
        takes_s, began = self.takes_s.get(key, ROLLOUT_S), self.clock.monotonic()
        self.ends[key] = began + takes_s
        self.at(began + MOVED_AT * takes_s, lambda: self._move(key, split))

    def _move(self, key, split):
        if key == self.platform.writes[-1]:
            named = {self.platform.latest_ready if name == LATEST else name: share for name, share in split.items()}
            self.platform.serving = named
            self.moved.append((self.clock.monotonic(), named))

    def _poll(self, target, name):
        """Like Cloud Run it tells the version of what it still works on, and takes another write over that."""
        operation = self.platform._operations[name]
        ended = self.clock.monotonic() >= self.ends[operation["key"]]
        return Progress(state="succeeded" if ended else "running", version=str(operation["version"]))

    def at(self, second, act):
        heappush(self._due, (second, next(self._order), act))

    def _advance(self, seconds):
        """What is due meanwhile happens at its time."""
        until = self.clock.instant + timedelta(seconds=seconds)
        while self._due and NOON + timedelta(seconds=self._due[0][0]) <= until:
            second, _, act = heappop(self._due)
            self.clock.instant = max(self.clock.instant, NOON + timedelta(seconds=second))
            act()
        self.clock.instant = max(self.clock.instant, until)

    def rescue(self):
        """A rollback is asked for and approved, now."""
        self.asked_at = self.clock.monotonic()
        self.rescues.append(self.bot.approved("rollback backend"))

    def took_s(self):
        """From the approval until the good release serves all, and goes on to do so; 0 when it did all the time."""
        there = [at for at, split in self.moved if split == {GOOD: 100}]
        other = [at for at, split in self.moved if split != {GOOD: 100}]
        assert self.platform.serving == {GOOD: 100}
        return max(0.0, there[-1] - self.asked_at) if other and there else 0.0

    def advanced_to(self, stage, act):
        """Each stage before that one is let pass as soon as it has begun; then act, once."""
        nap, acted = self.clock.nap, []

        def napping(seconds):
            nap(seconds)
            begun = len(self.bot.ledger.stages(self.deploy))
            if begun < stage and not self.rescues:
                self.bot.say(ANA, f"ops advance {self.deploy} --stage {max(1, begun)}")
            elif not acted:
                acted.append(act())

        self.clock.nap = napping


@pytest.fixture
def timed(bot):
    """GOOD serves all, and is followed."""
    bot.platform.only_good()
    bot.platform.serve(GOOD, minutes=90, until=NOON, error_rate=0.001)
    return Timed(bot)


@pytest.fixture
def alone_s(timed):
    """How long a rollback takes when nothing else is going on, from a release that has all traffic."""
    bad = timed.platform.releases_[0].model_copy(update={"name": "backend-00042-bad"})
    timed.platform.releases_.insert(0, bad)
    timed.platform.asked = timed.platform.serving = {"backend-00042-bad": 100}
    timed.rescue()
    assert timed.bot.work(timed.rescues.pop()).state == "applied"
    took_s = timed.moved[-1][0] - timed.asked_at
    del timed.platform.releases_[0]
    timed.platform.asked = {LATEST: 100}
    timed.bot.work(timed.bot.approved("unpin backend"))
    timed.bot.work(timed.bot.approved("unlock backend"))
    timed.moved.clear()
    return took_s


def test_a_rollback_alone_takes_as_long_as_the_platform(alone_s):
    assert alone_s == pytest.approx(MOVED_AT * ROLLOUT_S)


def begin(timed):
    timed.deploy = timed.bot.approved("deploy backend v43")


def stopped(timed):
    """The deploy, and then the rollback, to their outcomes."""
    deploy = timed.bot.work(timed.deploy)
    done = timed.bot.work(timed.rescues[0])
    assert (deploy.state, done.state) == ("cancelled", "applied")
    assert timed.platform.asked == timed.platform.serving == {GOOD: 100}
    return timed.took_s()


@pytest.mark.parametrize("after_s", [0.4, 30.0])
@pytest.mark.parametrize("stage", STAGES)
def test_at_every_stage(timed, alone_s, stage, after_s):
    begin(timed)
    timed.advanced_to(stage, lambda: timed.at(timed.clock.monotonic() + after_s, timed.rescue))
    took_s = stopped(timed)
    assert 0 < took_s <= AT_MOST * alone_s


@pytest.mark.parametrize("after_s", [0.0, *seldom(2.6, 3.6)])
@pytest.mark.parametrize("write", WRITES)
def test_while_a_call_is_in_flight(timed, alone_s, write, after_s):
    """It was committed so long ago."""
    begin(timed)
    during(timed, write, after_s)
    took_s = stopped(timed)
    assert took_s <= AT_MOST * alone_s
    assert took_s > 0 or write <= 2, "before the first of them arrived, the good release served all the time"


@pytest.mark.parametrize("after_s", [60.0, *seldom(10.6)])
@pytest.mark.parametrize("write", WRITES)
def test_while_a_call_is_stuck(timed, alone_s, write, after_s):
    """Nobody waits for it, however long ago it began."""
    begin(timed)
    timed.takes_s[f"{timed.deploy}/{write}/do"] = NEVER_S
    during(timed, write, after_s)
    assert stopped(timed) <= AT_MOST * alone_s


def during(timed, write, after_s):
    """Let every stage pass, and rescue so long after that write was committed."""
    timed.advanced_to(9, lambda: None)

    def written():
        if timed.platform.writes[-1] == f"{timed.deploy}/{write}/do":
            timed.at(timed.clock.monotonic() + after_s, timed.rescue)

    timed.platform.after.append(written)


def test_a_cancel_is_as_quick(timed, alone_s):
    begin(timed)

    def cancel():
        timed.asked_at = timed.clock.monotonic()
        timed.bot.say(BEN, f"ops cancel {timed.deploy}")

    timed.advanced_to(2, cancel)
    assert timed.bot.work(timed.deploy).state == "cancelled"
    assert 0 < timed.took_s() <= AT_MOST * alone_s
    assert release(timed.deploy) in {name for _, split in timed.moved for name in split}, "it had some traffic before"
