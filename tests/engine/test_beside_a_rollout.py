"""While a rollout in stages runs on a target, what would only wait for it is refused, and told what stops it."""

import pytest

from bot.engine.registry import Registry
from tests.engine.conftest import ANA, BEN, CHO
from tests.engine.toys.rescue import Rescue
from tests.engine.toys.stepwise import Stepwise

NEW, OLD, OLDER = "backend-00041-kex", "backend-00042-bad", "backend-00040-fom"
BACKEND = "ai-square/prod/backend"


@pytest.fixture
def bot(bot):
    more = {"stepwise": Stepwise, "rescue": Rescue}
    bot.registry = Registry({**bot.registry.operations, **more})
    return bot


def said_of(deploy):
    return (
        f"`{deploy}` (stepwise) runs on {BACKEND} and takes its time, and this plan does not stop it. Ask again: a"
        f" `rollback` stops it, all else is to wait until it is over, or for `ops cancel {deploy}`."
    )


@pytest.mark.parametrize("words", [f"traffic backend {NEW}=50 --rest", "stepwise backend"])
@pytest.mark.parametrize("begun", [True, False])
def test_another_change_is_refused_with_what_to_do(bot, words, begun):
    deploy = bot.approved("stepwise backend")
    if begun:
        bot.ledger.begin(deploy, bot.ledger.claim(deploy, "another process"), "in progress")
    record = bot.say(ANA, words)
    assert (record.state, record.detail) == ("rejected", said_of(deploy))


def test_what_is_only_planned_is_shown(bot):
    bot.approved("stepwise backend")
    assert bot.say(ANA, "stepwise backend --dry-run").state == "planned"


def test_what_stops_it_may_be_asked_for(bot):
    deploy = bot.approved("stepwise backend")
    rescue = bot.say(ANA, "rescue backend --to backend-00040-fom")
    assert (rescue.state, rescue.plan.preempts) == ("waiting", (deploy,))


def test_what_only_writes_to_our_books_may_too(bot):
    bot.approved("stepwise backend")
    assert bot.say(ANA, "lock backend --reason incident").state in ("queued", "waiting")


@pytest.mark.parametrize("words", ["frontend", "ai-square/staging/backend"])
def test_elsewhere_everything_goes_on(bot, words):
    bot.approved("stepwise backend")
    assert bot.say(ANA, f"traffic {words} {NEW}=50 --rest").state in ("queued", "waiting")


def test_what_takes_no_time_is_waited_for(bot):
    bot.approved(f"traffic backend {NEW}=50 --rest")
    assert bot.say(ANA, f"traffic backend {NEW}=60 --rest").state == "waiting"


def test_what_was_planned_before_it_began_is_not_approved_any_more(bot):
    """It would have waited for hours behind the rollout."""
    waits = bot.say(ANA, f"traffic backend {NEW}=50 --rest")
    deploy = bot.approved("stepwise backend")
    refused = bot.say(BEN, f"approve {waits.id}")
    assert (refused.state, refused.detail) == ("rejected", said_of(deploy))
    assert bot.ledger.operation(waits.id).approvals == ()
    bot.ledger.cancel(deploy, "cho")
    bot.work(deploy)
    bot.say(CHO, f"approve {waits.id}")
    assert bot.ledger.operation(waits.id).state == "queued", "it is over"


def meanwhile(bot, *acts):
    """What happens at the second nap of a check."""
    nap, naps = bot.clock.nap, []

    def napping(seconds):
        nap(seconds)
        naps.append(seconds)
        for act in acts if len(naps) == 2 else ():
            act()

    bot.clock.nap = napping


def test_a_rescue_that_was_planned_before_it_began_stops_it_all_the_same(bot):
    rescue = bot.say(ANA, f"rescue backend --to {OLDER}")
    deploy = bot.approved("stepwise backend")
    meanwhile(bot, lambda: bot.say(BEN, f"approve {rescue.id}"))
    stopped = bot.work(deploy)
    assert (stopped.state, stopped.cancel_by) == ("cancelled", f"ana's rescue {rescue.id}")
    done = bot.work(rescue.id)
    assert (done.state, bot.platform.serving) == ("applied", {OLDER: 100})
    assert (done.plan.preempts, done.plan.stops, done.digest) == ((), (deploy,), rescue.digest)


def test_what_somebody_changed_beside_such_a_rollout_is_not_overwritten(bot):
    rescue = bot.say(ANA, f"rescue backend --to {OLDER}")
    deploy = bot.approved("stepwise backend")
    theirs = {OLD: 30, NEW: 70}
    meanwhile(bot, lambda: bot.platform.somebody_sets(theirs), lambda: bot.say(BEN, f"approve {rescue.id}"))
    bot.work(deploy)
    done = bot.work(rescue.id)
    assert (done.state, bot.platform.serving) == ("failed", theirs)
    assert f"somebody changed {BACKEND} since" in done.detail


def test_a_rollout_that_was_queued_just_when_the_rescue_was_is_stopped_by_the_sweep(bot):
    """Neither saw the other when it was looked whether the target is free."""
    rescue = bot.say(ANA, f"rescue backend --to {OLDER}")
    bot.say(BEN, f"approve {rescue.id}")
    deploy = bot.approved("stepwise backend")
    meanwhile(bot, bot.ledger.make_way)
    assert bot.work(deploy).state == "cancelled"
    done = bot.work(rescue.id)
    assert (done.state, done.plan.stops, bot.platform.serving) == ("applied", (deploy,), {OLDER: 100})


def test_however_much_waits_there_what_runs_is_found(bot):
    deploy = bot.approved("stepwise backend")
    for _ in range(21):
        bot.say(ANA, f"rescue backend --to {OLDER}")
    assert bot.say(ANA, "rollback backend --to backend-00040-fom").plan.preempts == (deploy,)
    assert bot.say(ANA, f"traffic backend {NEW}=50 --rest").detail == said_of(deploy)


def test_a_rollout_that_waits_for_approval_is_in_nobodys_way(bot):
    first, second = (bot.say(ANA, "stepwise backend").id for _ in range(2))
    bot.say(BEN, f"approve {first}")
    assert bot.say(BEN, f"approve {second}").detail == said_of(first)
