"""A rescue of several services, of which some are just being rolled out: all stop, and each goes back once."""

import pytest

from bot.core.errors import Fenced, Transient, Uncertain
from bot.engine.apply import MUTEX_WAIT_S, Applier
from bot.engine.effect import Effector
from bot.engine.registry import Registry
from tests.engine.toys.estate import settle
from tests.engine.toys.retreat import Retreat
from tests.engine.toys.stepwise import Stepwise

NEW, OLD, OLDER = "backend-00041-kex", "backend-00042-bad", "backend-00040-fom"
BACKEND, FRONTEND = "ai-square/prod/backend", "ai-square/prod/frontend"


@pytest.fixture
def bot(bot):
    """OLD serves all of both. `bot.rolling(NAME)` is a rollout whose process died at its first stage; `bot.other(ID)`
    is another process at an operation."""
    more = {"stepwise": Stepwise, "retreat": Retreat}
    bot.registry = Registry({**bot.registry.operations, **more})
    bot.first, bot.second = settle(bot, BACKEND, FRONTEND)

    def other(operation):
        effector = Effector(bot.binder, bot.ledger, bot.clock)
        applier = Applier(bot.engine.review, effector, bot.checker, bot.ledger, bot.clock, "another process")
        applier.apply(operation, lambda name, call, *args: call(*args))

    def rolling(name):
        operation, found = bot.approved(f"stepwise {name}"), bot.ledger.found
        bot.ledger.found = lambda *_: (_ for _ in ()).throw(Fenced("died"))
        with pytest.raises(Fenced):
            bot.work(operation)
        bot.ledger.found = found
        return operation

    bot.other, bot.rolling = other, rolling
    return bot


def serving(bot):
    return bot.first.serving, bot.second.serving


def stopping(bot, *deploys):
    """They are carried on by another process, long after the rescue began to wait."""
    left, sleep = list(deploys), bot.clock.sleep

    def sleeping(seconds):
        sleep(seconds)
        if left and bot.clock.monotonic() > 2 * MUTEX_WAIT_S:
            bot.other(left.pop())

    bot.clock.sleep = sleeping


@pytest.mark.parametrize("names", [["frontend"], ["backend"], ["frontend", "backend"]])
def test_it_waits_for_all_that_it_stops_and_then_goes_on(bot, names):
    deploys = [bot.rolling(name) for name in names]
    rescue = bot.approved("retreat backend")
    assert set(bot.ledger.operation(rescue).plan.preempts) == set(deploys)
    stopping(bot, *deploys)
    done = bot.work(rescue)
    assert (done.state, serving(bot)) == ("applied", ({OLDER: 100}, {OLDER: 100}))
    assert {bot.ledger.operation(deploy).state for deploy in deploys} == {"cancelled"}
    held = [one.target for one in bot.locks.locks()], [one.target for one in bot.pins.pins()]
    assert held == ([BACKEND, FRONTEND], [BACKEND, FRONTEND])
    writes = {"backend": bot.first.writes, "frontend": bot.second.writes}
    for name, deploy in zip(names, deploys, strict=True):
        assert writes[name][:2] == [f"{deploy}/0/do", f"{deploy}/0/undo"]
    assert [keys[-1] for keys in writes.values()] == [f"{rescue}/0/do", f"{rescue}/2/do"]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_one_of_them_went_back_by_itself(bot, elsewhere):
    """Nothing is left to do there, and it is held and locked all the same, with the words that were approved."""
    deploy = bot.rolling("frontend")
    if not elsewhere:
        bot.first.somebody_sets({OLD: 100})
    rescue = bot.approved(f"retreat backend --to {OLD if not elsewhere else OLDER}")
    plan = bot.ledger.operation(rescue).plan
    reason = {one.target: one.reason for one in plan.locks}[FRONTEND]
    bot.other(deploy)
    done = bot.work(rescue)
    to = OLDER if elsewhere else OLD
    assert (done.state, serving(bot)) == ("applied", ({to: 100}, {to: 100}))
    assert (reason, {one.target: one.reason for one in bot.locks.locks()}[FRONTEND]) == ("stopped 1", "stopped 1")
    assert {one.target: one.traffic for one in bot.pins.pins()}[FRONTEND] == {to: 100}
    assert [one for one in bot.second.writes if one.startswith(rescue)] == ([f"{rescue}/2/do"] if elsewhere else [])


def test_somebody_changed_the_one_that_nobody_rolled_out(bot):
    """What they did is not what was looked at when it was approved: it is not overwritten."""
    deploy = bot.rolling("frontend")
    rescue = bot.approved("retreat backend")
    bot.first.somebody_sets({NEW: 100})
    bot.other(deploy)
    done = bot.work(rescue)
    assert (done.state, serving(bot)) == ("failed", ({NEW: 100}, {OLD: 100}))
    assert f"the plan changed since it was approved (somebody changed {BACKEND} since)" in done.detail
    assert bot.locks.locks() == ()


def test_where_nobody_knows_what_the_stopped_one_left_it_is_changed_all_the_same(bot):
    deploy = bot.rolling("frontend")
    rescue = bot.approved("retreat backend")
    bot.second.fail("poll", Uncertain("no answer"), *[Transient("503")] * 2000)
    bot.other(deploy)
    assert bot.ledger.operation(deploy).state == "uncertain", "it was not seen to be put back"
    bot.second._failing.clear()
    assert (bot.work(rescue).state, serving(bot)) == ("applied", ({OLDER: 100}, {OLDER: 100}))


@pytest.mark.parametrize("when", ["while it runs", "afterwards"])
def test_somebody_changed_the_one_whose_rollout_was_stopped(bot, when):
    """Only what the rollout did is no news: what people did past it is not overwritten."""
    deploy, theirs = bot.rolling("frontend"), {OLD: 30, NEW: 70}
    rescue = bot.approved("retreat backend")
    if when == "while it runs":
        bot.second.somebody_sets(theirs)
    bot.other(deploy)
    if when == "afterwards":
        bot.second.somebody_sets(theirs)
    done = bot.work(rescue)
    assert (done.state, serving(bot)) == ("failed", ({OLD: 100}, theirs))
    assert f"the plan changed since it was approved (somebody changed {FRONTEND} since)" in done.detail


def test_the_second_fails_after_its_rollout_was_stopped(bot):
    """The first one goes back to where it was; the second is where its rollout had put it back to."""
    deploy = bot.rolling("frontend")
    rescue = bot.approved("retreat backend")
    bot.other(deploy)
    bot.second.rollout_fails = "did not start"
    done = bot.work(rescue)
    assert (done.state, serving(bot)) == ("failed", ({OLD: 100}, {OLD: 100}))
    assert done.detail == f"did not start; put back: {FRONTEND}, {BACKEND}"
    assert (bot.locks.locks(), bot.pins.pins()) == ((), ())
