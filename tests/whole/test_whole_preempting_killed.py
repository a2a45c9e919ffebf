"""A rescue that stops a rollout, while either is killed at each point and another process carries it on."""

import threading
import time
from contextlib import contextmanager

import pytest

from bot.core.errors import Fenced
from bot.engine.apply import Applier
from bot.engine.effect import Effector
from bot.engine.registry import Registry
from tests.engine.toys.rescue import Rescue
from tests.engine.toys.stepwise import Stepwise

OLD, OLDER = "backend-00042-bad", "backend-00040-fom"


class Died(Fenced):
    """The process is gone, and wrote nothing down."""


@pytest.fixture
def bot(bot):
    """OLD serves all. `bot.other(ID)` is another process at an operation, which remembers nothing."""
    more = {"stepwise": Stepwise, "rescue": Rescue}
    bot.registry = Registry({**bot.registry.operations, **more})

    def other(operation):
        effector = Effector(bot.binder, bot.ledger, bot.clock)
        applier = Applier(bot.engine.review, effector, bot.checker, bot.ledger, bot.clock, "another process")
        applier.apply(operation, lambda name, call, *args: call(*args))

    bot.other = other
    return bot


@contextmanager
def dying(bot, monkeypatch, method, count, after):
    """Die at the n-th call of a method of the ledger: before it, or after its commit."""
    real, calls = getattr(bot.ledger, method), []

    def call(*args, **kwargs):
        calls.append(args)
        if len(calls) == count and not after:
            raise Died(method)
        result = real(*args, **kwargs)
        if len(calls) == count:
            raise Died(method)
        return result

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(bot.ledger, method, call)
        yield


@contextmanager
def asked_for(bot, words):
    """A rescue is asked for and approved at the second nap, or when that never came; its id."""
    nap, naps, asked = bot.clock.nap, [], []

    def napping(seconds):
        nap(seconds)
        naps.append(seconds)
        if len(naps) == 2:
            asked.append(bot.approved(words))

    bot.clock.nap = napping
    yield asked
    bot.clock.nap = nap
    if not asked:
        asked.append(bot.approved(words))


def check_whole(bot, deploy, rescue):
    """The deploy was cancelled and the rescue applied; each write was made once, and so was everything in the books."""
    stopped, done = bot.ledger.operation(deploy), bot.ledger.operation(rescue)
    assert (stopped.state, done.state) == ("cancelled", "applied")
    assert stopped.cancel_by == f"ana's rescue {rescue}"
    writes = bot.platform.writes
    assert len(set(writes)) == len(writes) and bot.platform.serving == {OLDER: 100}
    begun = [f"{deploy}/0/do", f"{deploy}/0/undo"] if bot.ledger.effects(deploy) else []
    assert writes == [*begun, f"{rescue}/0/do"]
    assert [one.operation for one in bot.locks.locks()] == [rescue]
    assert [(one.operation, one.traffic) for one in bot.pins.pins()] == [(rescue, {OLDER: 100})]
    told = [one.event for one in bot.audit.entries(limit=1000)]
    assert [told.count(event) for event in ("cancel asked", "cancelled", "applied", "locked")] == [1, 1, 1, 1]
    assert bot.audit.verify().problem == ""


TIMES = {"intend": 2, "issued": 2, "settle": 2, "stage": 1, "found": 1, "finish": 1, "begin": 1}
ROLLOUT = [(method, count + 1, after) for method, times in TIMES.items() for count in range(times) for after in (0, 1)]
RESCUE = [
    (method, 1, after) for method in ("claim", "begin", "intend", "issued", "settle", "finish") for after in (0, 1)
]


@pytest.mark.parametrize("method, count, after", ROLLOUT)
def test_the_rollout_is_killed(bot, monkeypatch, method, count, after):
    """What took it over finds that it is to stop; the rescue waits for that."""
    deploy = bot.approved("stepwise backend")
    with asked_for(bot, f"rescue backend --to {OLDER}") as asked, dying(bot, monkeypatch, method, count, after):
        bot.work(deploy)
    if bot.ledger.operation(deploy).state != "cancelled":
        assert bot.ledger.claim(asked[0], "another process") == ("busy" if method != "claim" else 1)
    bot.other(deploy)
    bot.other(asked[0])
    check_whole(bot, deploy, asked[0])


@pytest.mark.parametrize("method, count, after", RESCUE)
def test_the_rescue_is_killed(bot, monkeypatch, method, count, after):
    deploy = bot.approved("stepwise backend")
    with asked_for(bot, f"rescue backend --to {OLDER}") as asked:
        bot.work(deploy)
    with dying(bot, monkeypatch, method, count, after):
        bot.work(asked[0])
    bot.clock.advance(300)
    bot.other(asked[0])
    check_whole(bot, deploy, asked[0])


def test_both_at_once_in_two_processes(bot):
    """The rescue's process waits for the mutex while the other one's puts back what it changed."""
    deploy = bot.approved("stepwise backend")
    bot.clock.nap = bot.clock.sleep = lambda seconds: (time.sleep(0.002), bot.clock.advance(0.01))
    rollout = threading.Thread(target=bot.work, args=(deploy,))
    rollout.start()
    deadline = time.monotonic() + 30
    while not bot.ledger.stages(deploy) and time.monotonic() < deadline:
        time.sleep(0.002)
    rescue = bot.approved(f"rescue backend --to {OLDER}")
    bot.other(rescue)
    rollout.join()
    check_whole(bot, deploy, rescue)
