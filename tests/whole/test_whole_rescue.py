"""A rollback while a deploy runs: at every stage, while a call is in flight, and what may be deployed afterwards."""

import pytest

from tests.engine.conftest import ANA, BEN, GOOD, NOON
from tests.engine.toys.rescue import rescue_during, rescue_in_stage
from tests.whole.test_whole_deploy import release

OTHER = "backend-00040-fom"
STAGES = 4


@pytest.fixture
def bot(bot):
    """GOOD serves all and is followed; a deploy is approved. `bot.rescue()` asks for a rollback, and approves it."""
    bot.platform.only_good()
    bot.platform.serve(GOOD, minutes=90, until=NOON, error_rate=0.001)
    bot.deploy = bot.approved("deploy backend v43")
    bot.rescues = []
    bot.rescue = lambda words="rollback backend": bot.rescues.append(bot.approved(words))
    return bot


@pytest.mark.parametrize("stage", range(1, STAGES + 1))
def test_at_every_stage_the_deploy_is_stopped_and_good_serves(bot, stage):
    rescue_in_stage(bot, stage)
    deploy = bot.work(bot.deploy)
    (rescue,) = bot.rescues
    assert deploy.state == "cancelled"
    assert deploy.detail.startswith(f"cancelled by ana's rollback {rescue}; put back as it was")
    assert bot.platform.serving == {GOOD: 100}, "the good release serves before the rescue has its turn"
    done = bot.work(rescue)
    assert (done.state, bot.platform.serving, bot.platform.asked) == ("applied", {GOOD: 100}, {GOOD: 100})
    assert done.plan.preempts == (bot.deploy,)
    (pin,), (lock,) = bot.pins.pins(), bot.locks.locks()
    assert (pin.traffic, pin.operation) == ({GOOD: 100}, rescue)
    assert release(bot.deploy) in pin.away_from
    assert (lock.target, lock.by, lock.operation) == ("ai-square/prod/backend", "ana", rescue)
    assert lock.reason == f"rolled back from {release(bot.deploy)}"


@pytest.mark.parametrize("write", [0, 2, 8])
def test_a_call_in_flight_is_brought_to_its_ending_or_left_where_that_does_no_harm(bot, write):
    bot.platform.polls_needed = 5
    rescue_during(bot, write)
    assert bot.work(bot.deploy).state == "cancelled"
    assert all(one.ending in ("succeeded", "cancelled") for one in bot.ledger.effects(bot.deploy))
    assert bot.work(bot.rescues[0]).state == "applied"
    assert bot.platform.serving == {GOOD: 100}


def test_before_it_began_nothing_is_made(bot):
    bot.rescue()
    assert (bot.work(bot.deploy).state, bot.platform.writes) == ("cancelled", [])
    done = bot.work(bot.rescues[0])
    assert (done.state, bot.platform.asked) == ("applied", {GOOD: 100}), "what serves is good, and is held and locked"
    assert [one.target for one in bot.locks.locks()] == ["ai-square/prod/backend"]


def test_one_may_go_further_back(bot):
    rescue_in_stage(bot, 2)
    bot.rescue = lambda: bot.rescues.append(bot.approved(f"rollback backend --to {OTHER}"))
    bot.work(bot.deploy)
    assert bot.work(bot.rescues[0]).state == "applied"
    assert bot.platform.serving == {OTHER: 100}


def test_after_it_deploys_wait_for_two_decisions(bot):
    """That the service is no longer locked, and that its traffic may move."""
    rescue_in_stage(bot, 1)
    bot.work(bot.deploy)
    bot.work(bot.rescues[0])
    bot.platform.digests["gcr.io/ai-square-prod/backend:v44"] = "sha256:" + "6" * 64
    refused = bot.say(ANA, "deploy backend v44")
    assert refused.state == "rejected"
    assert refused.detail.startswith(f"Traffic of ai-square/prod/backend is pinned to {GOOD} since 2026-11-20 12:")
    assert "Add `--unpin`" in refused.detail and "`--no-traffic`" in refused.detail
    denied = bot.say(ANA, "deploy backend v44 --unpin")
    assert denied.state == "denied" and "locked" in denied.detail
    bot.work(bot.approved("unlock backend"))
    allowed = bot.say(ANA, "deploy backend v44 --unpin")
    assert allowed.state == "waiting"
    assert "that ends with this release" in " ".join(allowed.plan.notes)


def test_undoing_the_rollback_lifts_its_lock(bot):
    rescue_in_stage(bot, 1)
    bot.rescue = lambda: bot.rescues.append(bot.approved(f"rollback backend --to {OTHER}"))
    bot.work(bot.deploy)
    rescue = bot.rescues[0]
    bot.work(rescue)
    undo = bot.say(ANA, f"ops undo {rescue}")
    bot.say(BEN, f"approve {undo.id}")
    assert bot.work(undo.id).state == "applied"
    assert (bot.locks.locks(), bot.platform.serving) == ((), {GOOD: 100})
