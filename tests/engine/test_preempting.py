"""A rescue on a target whose rollout runs: it makes way, whatever it is at, and the rescue does what is left to do."""

import time

import pytest

from bot.core.errors import Fenced, Transient, Uncertain
from bot.core.locks import Lock
from bot.core.plan import Finding, Verdict, Versioned
from bot.core.ports import LATEST
from bot.core.request import Target
from bot.engine.registry import Registry
from tests.engine.conftest import ANA, BEN
from tests.engine.toys.rescue import Rescue, rescue_during, rescue_in_stage
from tests.engine.toys.stepwise import Stepwise

NEW, OLD, OLDER = "backend-00041-kex", "backend-00042-bad", "backend-00040-fom"


@pytest.fixture
def bot(bot):
    """OLD serves all; a rollout of NEW is approved, and `bot.rescue()` is asked for and approved while it runs."""
    more = {"stepwise": Stepwise, "rescue": Rescue}
    bot.registry = Registry({**bot.registry.operations, **more})
    bot.deploy = bot.approved("stepwise backend")
    bot.rescues = []
    bot.rescue = lambda words="rescue backend": bot.rescues.append(bot.approved(words))
    return bot


def target(bot) -> Target:
    return bot.ledger.operation(bot.deploy).plan.target


def during(bot, count, act):
    """Act at the n-th nap of a check."""
    nap, naps = bot.clock.nap, []

    def napping(seconds):
        nap(seconds)
        naps.append(seconds)
        if len(naps) == count:
            act()

    bot.clock.nap = napping


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_at_every_stage_it_makes_way_and_ends_as_cancelled(bot, stage):
    rescue_in_stage(bot, stage)
    deploy = bot.work(bot.deploy)
    (rescue,) = bot.rescues
    assert (deploy.state, deploy.detail) == (
        "cancelled",
        f"cancelled by ana's rescue {rescue}; put back as it was",
    )
    assert bot.platform.serving == {OLD: 100}, "the good release serves before the rescue has its turn"
    done = bot.work(rescue)
    assert (done.state, bot.platform.serving) == ("applied", {OLD: 100})
    assert done.plan.preempts == (bot.deploy,)


@pytest.mark.parametrize("write", [0, 2, 4])
def test_while_a_call_is_in_flight_it_is_brought_to_its_ending_first(bot, write):
    """The cloud works on the change of traffic when the rescue is approved."""
    bot.platform.polls_needed = 5
    rescue_during(bot, write)
    deploy = bot.work(bot.deploy)
    assert deploy.state == "cancelled"
    assert [one.ending for one in bot.ledger.effects(bot.deploy)] == ["succeeded"] * (write // 2 + 2)
    assert bot.platform.writes[-1] == f"{bot.deploy}/{write}/undo"
    assert bot.work(bot.rescues[0]).state == "applied"
    assert bot.platform.serving == {OLD: 100}


def test_before_its_first_write_nothing_was_done(bot):
    bot.rescue(f"rescue backend --to {OLDER}")
    deploy = bot.work(bot.deploy)
    assert (deploy.state, bot.platform.writes) == ("cancelled", [])
    assert deploy.detail.endswith("; nothing was done")
    assert bot.work(bot.rescues[0]).state == "applied"
    assert bot.platform.serving == {OLDER: 100}


def test_what_was_approved_is_what_is_left_to_do(bot):
    """The rollout had put it back by itself: then the lock and the pin are all that is left, and are set."""
    rescue_in_stage(bot, 2)
    bot.work(bot.deploy)
    writes = list(bot.platform.writes)
    done = bot.work(bot.rescues[0])
    assert (done.state, bot.platform.writes) == ("applied", writes)
    assert done.plan.steps == () and done.plan.why == f"{OLD} serves all traffic already"
    assert bot.locks.lock(target(bot)).reason == "after a rescue"
    assert bot.pins.pin(target(bot)).traffic == {OLD: 100}
    assert done.detail == f"ai-square/prod/backend: all traffic to {OLD}"


def test_to_another_release_than_the_rollout_came_from(bot):
    """Only its version and the way back differ from what was approved."""
    advancing_to = f"rescue backend --to {OLDER}"
    during(bot, 2, lambda: bot.rescue(advancing_to))
    bot.work(bot.deploy)
    approved = bot.ledger.operation(bot.rescues[0]).plan
    done = bot.work(bot.rescues[0])
    assert (done.state, bot.platform.serving) == ("applied", {OLDER: 100})
    assert approved.steps[0].undo.args["traffic"] == {OLD: 90, NEW: 10}
    assert done.plan.steps[0].undo.args["traffic"] == {OLD: 100}
    assert done.plan.version != approved.version and done.digest == bot.ledger.operation(bot.rescues[0]).digest


def test_a_second_life_carries_out_what_the_first_one_planned_afresh(bot, monkeypatch):
    during(bot, 2, lambda: bot.rescue(f"rescue backend --to {OLDER}"))
    bot.work(bot.deploy)
    monkeypatch.setattr(bot.applier._effector, "perform", lambda *_: (_ for _ in ()).throw(Fenced("died here")))
    with pytest.raises(Fenced):
        bot.work(bot.rescues[0])
    monkeypatch.undo()
    assert bot.work(bot.rescues[0]).state == "applied"
    assert bot.platform.serving == {OLDER: 100}


def twice(plan):
    return plan.model_copy(update={"steps": (*plan.steps, plan.steps[0])})


def elsewhere(plan):
    go, look = plan.steps
    return plan.model_copy(update={"steps": (go.model_copy(update={"args": {**go.args, "traffic": {NEW: 100}}}), look)})


def unsafe(plan):
    found = Finding(level="bad", subject="image", sentence="it is gone")
    return plan.model_copy(update={"verdict": Verdict(findings=(found,))})


def locked(plan):
    return plan.model_copy(update={"locks": (*plan.locks, Lock(target="ai-square/prod/frontend"))})


def unlocking(plan):
    return plan.model_copy(update={"unlocks": ("ai-square/prod/frontend",)})


def of_another(plan):
    other = plan.target.model_copy(update={"name": "frontend"})
    return plan.model_copy(update={"others": (Versioned(target=other, version="1"),)})


@pytest.mark.parametrize("change", [twice, elsewhere, unsafe, locked, unlocking, of_another])
def test_what_is_left_to_do_may_be_less_and_nothing_else(bot, monkeypatch, change):
    during(bot, 2, lambda: bot.rescue(f"rescue backend --to {OLDER}"))
    bot.work(bot.deploy)
    plan = bot.engine._plan
    monkeypatch.setattr(bot.engine, "_plan", lambda *args: change(plan(*args)))
    done = bot.work(bot.rescues[0])
    assert done.state == "failed" and "the plan changed since it was approved" in done.detail
    assert bot.locks.lock(target(bot)) is None


def test_what_the_stopped_rollout_left_unknown_keeps_nobody_from_the_rescue(bot):
    bot.platform.after.append(lambda: bot.rescue() if not bot.rescues else None)
    bot.platform.fail("poll", Uncertain("no answer"), *[Transient("503")] * 2000)
    deploy = bot.work(bot.deploy)
    assert deploy.state == "uncertain"
    bot.platform._failing.clear()
    assert bot.platform.asked == {OLD: 90, NEW: 10}
    done = bot.work(bot.rescues[0])
    assert (done.state, bot.platform.serving) == ("applied", {OLD: 100})


@pytest.mark.parametrize("stops", [True, False])
def test_it_waits_for_the_mutex_as_long_as_what_it_stops_takes(bot, monkeypatch, stops):
    """Which is longer than anybody waits for others: a call is on its way, and is brought to its ending first."""
    during(bot, 1, bot.rescue)
    claims, claim, operation = [], bot.ledger.claim, bot.ledger.operation

    def busy(id, owner):
        claims.append(id)
        return "busy" if len(claims) <= 400 else claim(id, owner)

    def running(id):
        record = operation(id)
        return record.model_copy(update={"state": "running"}) if stops and id == bot.deploy else record

    bot.work(bot.deploy)
    monkeypatch.setattr(bot.ledger, "claim", busy)
    monkeypatch.setattr(bot.ledger, "operation", running)
    done = bot.work(bot.rescues[0])
    assert done.state == ("applied" if stops else "failed")
    assert (len(claims) > 400) is stops


def test_a_rescue_that_is_cancelled_while_it_waits_waits_no_longer(bot):
    during(bot, 1, bot.rescue)
    with pytest.raises(Fenced):
        bot.clock.nap = fenced_after(bot, bot.clock.nap)
        bot.work(bot.deploy)
    sleep, began = bot.clock.sleep, bot.clock.monotonic()

    def sleeping(seconds):
        sleep(seconds)
        if bot.clock.monotonic() > began + 90:
            bot.ledger.cancel(bot.rescues[0], "ben")

    bot.clock.sleep = sleeping
    done = bot.work(bot.rescues[0])
    assert (done.state, done.detail) == ("cancelled", "cancelled by ben; nothing was done")
    assert 90 <= bot.clock.monotonic() - began < 92
    assert bot.ledger.operation(bot.deploy).state == "running", "what it stopped is another process's to put back"


def fenced_after(bot, nap):
    """The process dies when the rescue was approved."""

    def napping(seconds):
        nap(seconds)
        if bot.rescues:
            raise Fenced("died")

    return napping


def test_a_cancelled_rescue_does_nothing(bot):
    during(bot, 1, bot.rescue)
    bot.work(bot.deploy)
    bot.say(BEN, f"ops cancel {bot.rescues[0]}")
    done = bot.work(bot.rescues[0])
    assert (done.state, done.detail) == ("cancelled", "cancelled by ben; nothing was done")


def test_a_rescue_that_stops_nobody_is_bound_to_the_version(bot):
    bot.ledger.cancel(bot.deploy, "ben")
    bot.work(bot.deploy)
    record = bot.say(ANA, f"rescue backend --to {OLDER}")
    assert record.plan.preempts == ()
    bot.say(BEN, f"approve {record.id}")
    bot.platform.somebody_sets({LATEST: 100})
    assert "somebody changed ai-square/prod/backend since" in bot.work(record.id).detail


def test_by_the_durable_library_too(bot):
    """The rollout bakes in a thread of a worker; the rescue is queued behind it, and stops it all the same."""
    bot.clock.nap = lambda seconds: (time.sleep(0.01), bot.clock.advance(0.01))
    worker = bot.worker()
    worker.start()
    until(lambda: bot.ledger.stages(bot.deploy))
    bot.rescue(f"rescue backend --to {OLDER}")
    worker.hurry()
    until(lambda: bot.ledger.operation(bot.rescues[0]).state == "applied")
    worker.stop(2)
    assert bot.ledger.operation(bot.deploy).state == "cancelled"
    assert bot.platform.serving == {OLDER: 100}
    assert bot.platform.writes == [f"{bot.deploy}/0/do", f"{bot.deploy}/0/undo", f"{bot.rescues[0]}/0/do"]


def until(true, seconds=30):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
