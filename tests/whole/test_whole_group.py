"""Two services back to a moment in one plan: one fails, one changes meanwhile, the bot dies between the two."""

from datetime import timedelta

import pytest

from bot.core.errors import Fenced
from bot.core.request import LEFT_AS_IT_IS
from bot.core.traffic import describe
from tests.engine.conftest import ANA, BAD, BEN, GOOD, NOON
from tests.engine.toys.estate import settle

BACKEND, FRONTEND = "ai-square/prod/backend", "ai-square/prod/frontend"
ASK = "rollback app --to 2026-11-20 12:30"  # by ana's clock, which is an hour ahead of UTC: half an hour ago


@pytest.fixture
def bot(bot):
    """GOOD served both until ten minutes ago, BAD since."""
    bot.backend, bot.frontend = settle(bot, BACKEND, FRONTEND)
    for platform in (bot.backend, bot.frontend):
        platform.serve(GOOD, minutes=120, until=NOON - timedelta(minutes=10))
        platform.serve(BAD, minutes=10, until=NOON, error_rate=0.1)
    return bot


def serving(bot):
    """What runs what, backend and frontend: the truth, which is also what the one table of `status` says."""
    bot.clock.advance(60)
    rows = bot.say(ANA, "status").answer.parts[0].rows
    truth = bot.backend.serving, bot.frontend.serving
    shown = {row[0]: row[1] for row in rows}
    assert (shown[BACKEND], shown[FRONTEND]) == tuple(map(describe, truth))
    return truth


def test_both_go_back_the_one_that_needs_the_other_first(bot):
    operation = bot.approved(ASK)
    record = bot.ledger.operation(operation)
    assert record.plan.summary == (
        f"ai-square/prod/app: as at 2026-11-20 11:30 UTC: frontend to {GOOD}; backend to {GOOD}"
    )
    assert record.approvals_needed == 1, "one plan, one approval"
    done = bot.work(operation)
    assert (done.state, serving(bot)) == ("applied", ({GOOD: 100}, {GOOD: 100}))
    assert (bot.frontend.writes, bot.backend.writes) == ([f"{operation}/0/do"], [f"{operation}/2/do"])
    assert [one.target for one in bot.pins.pins()] == [BACKEND, FRONTEND]
    assert [one.target for one in bot.locks.locks()] == [BACKEND, FRONTEND]


def test_how_each_does_afterwards_is_told(bot):
    operation = bot.approved(ASK)
    bot.work(operation)
    bot.checker.judge(operation)
    assert bot.ledger.operation(operation).judged == "pending", "monitoring is late"
    bot.clock.advance(600)
    for platform, rate in ((bot.backend, 0.0), (bot.frontend, 0.2)):
        platform.serve(GOOD, minutes=10, until=bot.clock.now(), error_rate=rate)
    bot.checker.judge(operation)
    record = bot.ledger.operation(operation)
    assert record.judged == "broken"
    assert record.judgement == (
        "frontend: Errors did not fall (10 % to 20 %): the release is probably not the cause."
        " backend: Errors fell from 10 % to 0 %."
    )


def test_a_system_is_its_usual_environment(bot):
    record = bot.say(ANA, "rollback ai-square --to 2026-11-20 12:30")
    assert record.state == "waiting"
    assert {str(one.target) for one in record.plan.others} == {BACKEND, FRONTEND}


def test_when_the_second_fails_all_is_as_it_was(bot):
    bot.backend.rollout_fails = "did not start"
    done = bot.work(bot.approved(ASK))
    assert (done.state, serving(bot)) == ("failed", ({BAD: 100}, {BAD: 100}))
    assert done.detail == f"did not start; put back: {BACKEND}, {FRONTEND}"
    assert (bot.pins.pins(), bot.locks.locks()) == ((), ())


def test_when_one_changes_meanwhile_theirs_stays_and_is_named(bot):
    operation = bot.approved(ASK)
    theirs = {BAD: 50, GOOD: 50}
    bot.frontend.after.append(lambda: bot.backend.somebody_sets(theirs))
    done = bot.work(operation)
    assert (done.state, serving(bot)) == ("failed", (theirs, {BAD: 100}))
    assert done.detail.startswith(f"{LEFT_AS_IT_IS}: {BACKEND} is at version")
    assert done.detail.endswith(f"; put back: {FRONTEND}")


@pytest.mark.parametrize("dies_at", ["settle", "issued", "finish"])
def test_when_the_bot_dies_between_two_the_next_one_goes_on(bot, monkeypatch, dies_at):
    operation = bot.approved(ASK)
    real = getattr(bot.ledger, dies_at)

    def dies(*args, **more):
        real(*args, **more)
        raise Fenced("the process is gone")

    with monkeypatch.context() as dying:
        dying.setattr(bot.ledger, dies_at, dies)
        with pytest.raises(Fenced):
            bot.work(operation)
    done = bot.work(operation)
    assert (done.state, serving(bot)) == ("applied", ({GOOD: 100}, {GOOD: 100}))
    assert (bot.frontend.writes, bot.backend.writes) == ([f"{operation}/0/do"], [f"{operation}/2/do"])


def test_one_that_moved_since_it_was_approved_stops_it_before_it_begins(bot):
    operation = bot.approved(ASK)
    bot.backend.somebody_sets({BAD: 100})
    done = bot.work(operation)
    assert (done.state, serving(bot), bot.frontend.writes) == ("failed", ({BAD: 100}, {BAD: 100}), [])


def test_a_deploy_to_one_of_them_is_stopped(bot):
    bot.backend.asked = bot.backend.serving = {GOOD: 100}
    deploy = bot.say(ANA, "deploy backend sha256:" + "7" * 64 + " --unpin --fix")
    bot.say(BEN, f"approve {deploy.id}")
    nap, rescues = bot.clock.nap, []

    def napping(seconds):
        nap(seconds)
        if not rescues and bot.ledger.stages(deploy.id):
            rescues.append(bot.approved(ASK))

    bot.clock.nap = napping
    assert bot.work(deploy.id).state == "cancelled"
    done = bot.work(rescues[0])
    assert (done.state, serving(bot)) == ("applied", ({GOOD: 100}, {GOOD: 100}))
    assert [one.target for one in bot.locks.locks()] == [BACKEND, FRONTEND]
