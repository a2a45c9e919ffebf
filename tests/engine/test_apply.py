"""From an approved plan to its outcome, whatever the cloud, people and our own database do meanwhile."""

import pytest

from bot.core.errors import Fenced, Forbidden, Permanent, Refused, StoreError, Transient, Uncertain
from bot.core.request import LEFT_AS_IT_IS

ANA, BEN = "slack:U0ANA", "slack:U0BEN"
GOOD, BAD = "backend-00041-kex", "backend-00042-bad"
LOST = Uncertain("connection reset")
BUSY = Transient("quota", retry_after_s=30)


@pytest.mark.parametrize(
    "errors, writes, state",
    [
        ([LOST], 1, "applied"),
        ([LOST, LOST, LOST], 1, "applied"),
        ([BUSY, BUSY], 1, "applied"),
        ([LOST] * 6, 0, "uncertain"),
        ([BUSY] * 6, 0, "failed"),
        ([LOST] + [BUSY] * 5, 0, "uncertain"),
        ([LOST, Permanent("the request is malformed")], 0, "uncertain"),
        ([BUSY, Permanent("the request is malformed")], 0, "failed"),
        ([Permanent("the request is malformed")], 0, "failed"),
        ([Forbidden("aisq lacks run.services.update", permission="run.services.update")], 0, "failed"),
    ],
)
def test_errors_before_the_write_took_effect(bot, errors, writes, state):
    operation = bot.approved()
    bot.platform.fail("set_traffic", *errors)
    done = bot.work(operation)
    assert (done.state, len(bot.platform.writes)) == (state, writes)
    assert bot.ledger.claim(operation, "another") == "finished"


def test_what_was_never_carried_out_says_so(bot):
    operation = bot.approved()
    bot.platform.fail("set_traffic", *[BUSY] * 6)
    assert bot.work(operation).detail == "quota; nothing was done"


def test_a_refusal_after_a_lost_call_says_that_nobody_knows(bot):
    operation = bot.approved()
    bot.platform.lose("set_traffic", LOST)
    bot.platform.fail("find", Forbidden("aisq lacks run.operations.list"))
    done = bot.work(operation)
    said = "whether the change was made could not be looked up: aisq lacks run.operations.list; look at"
    assert (done.state, bot.platform.asked) == ("uncertain", {GOOD: 100})
    assert done.detail.startswith(said)


def test_a_second_life_that_may_not_look_does_not_call_again(bot, monkeypatch):
    operation = bot.approved()
    monkeypatch.setattr(bot.ledger, "issued", lambda *_: (_ for _ in ()).throw(Fenced("died here")))
    with pytest.raises(Fenced):
        bot.work(operation)
    monkeypatch.undo()
    bot.platform.fail("find", Permanent("the list is not to be had"))
    assert bot.work(operation).state == "uncertain"
    assert bot.platform.calls.count("set_traffic") == 1


def test_a_second_life_whose_call_is_refused_cannot_know_what_the_first_one_did(bot, monkeypatch):
    operation = bot.approved()
    monkeypatch.setattr(bot.applier._effector, "_call_until_known", lambda *_, **__: (_ for _ in ()).throw(Fenced("")))
    with pytest.raises(Fenced):
        bot.work(operation)
    monkeypatch.undo()
    bot.platform.fail("set_traffic", Permanent("no such release"))
    done = bot.work(operation)
    assert (done.state, bot.platform.writes) == ("uncertain", [])
    assert "a call got no answer, and the next one was refused: no such release" in done.detail


def test_retry_after_is_honoured(bot):
    operation = bot.approved()
    bot.platform.fail("set_traffic", BUSY)
    bot.work(operation)
    assert bot.clock.slept_s >= 30


def test_refused_because_our_own_lost_call_had_committed(bot):
    operation = bot.approved()
    bot.platform.lose("set_traffic", LOST)
    bot.platform.fail("find", Transient("not now"))
    assert bot.work(operation).state == "applied"
    assert bot.platform.writes == [f"{operation}/0/do"]


def test_adopted_by_the_stamp_when_operations_are_forgotten(bot):
    operation = bot.approved()
    bot.platform.forgets = True
    bot.platform.lose("set_traffic", LOST)
    assert bot.work(operation).state == "applied"


def test_somebody_else_between_begin_and_write(bot):
    operation = bot.approved()
    bot.platform.fail("set_traffic", Refused("backend is at version 8, not 7"))
    done = bot.work(operation)
    assert (done.state, bot.platform.writes) == ("failed", [])
    assert "left as it is: backend is at version 8" in done.detail


def test_somebody_else_after_our_write_is_not_overwritten(bot):
    operation = bot.approved()
    bot.platform.after.append(lambda: bot.platform.somebody_sets({BAD: 50, GOOD: 50}))
    bot.platform.polls_needed = 3
    done = bot.work(operation)
    assert bot.platform.writes == [f"{operation}/0/do"]
    assert done.state == "failed" and "somebody else set traffic" in done.detail
    assert done.detail.startswith(LEFT_AS_IT_IS), "so that no exit code says that it was undone"


def test_an_operation_that_never_ends_is_uncertain(bot):
    operation = bot.approved()
    bot.platform.polls_needed = 10**9
    done = bot.work(operation)
    assert done.state == "uncertain" and "still works on it after 15 min" in done.detail


def test_polls_that_fail_are_repeated(bot):
    operation = bot.approved()
    bot.platform.fail("poll", LOST, BUSY, LOST)
    assert bot.work(operation).state == "applied"


def test_polls_that_never_answer_end_uncertain(bot):
    operation = bot.approved()
    bot.platform.fail("poll", *[LOST] * 2000)
    assert bot.work(operation).state == "uncertain"


def test_traffic_that_never_arrives_is_reported_not_undone(bot):
    operation = bot.approved()
    bot.platform.never_arrives = True
    done = bot.work(operation)
    assert (done.state, bot.platform.asked) == ("uncertain", {GOOD: 100})
    assert f"traffic was sent to {GOOD} 100 %, but {BAD} 100 % serves" in done.detail


def test_an_undo_that_fails_is_said(bot):
    operation = bot.approved()
    bot.platform.rollout_fails = "did not start"
    bot.platform.after.append(
        lambda: (
            bot.platform.fail("set_traffic", Permanent("no"))
            if not bot.platform.calls.count("set_traffic") > 1
            else None
        )
    )
    done = bot.work(operation)
    assert (done.state, done.detail) == ("uncertain", "did not start; putting it back failed: no")


@pytest.mark.parametrize("by", ["", "ben"])
def test_what_cannot_be_undone_is_not_said_to_be_put_back(bot, monkeypatch, by):
    """A step without an undo, then a look that fails or a cancel: what was done stays, and is said to stay."""
    plan = bot.engine._plan

    def without_undo(*args):
        made = plan(*args)
        go, look = made.steps
        steps = (go.model_copy(update={"undo": None}), look.model_copy(update={"if_broken": "undo"}))
        return made.model_copy(update={"steps": steps})

    monkeypatch.setattr(bot.engine, "_plan", without_undo)
    operation = bot.approved()
    change = (lambda: bot.ledger.cancel(operation, by)) if by else (lambda: bot.platform.somebody_sets({BAD: 100}))
    bot.platform.after.append(change)
    done = bot.work(operation)
    why = "cancelled by ben" if by else f"somebody else set traffic to {BAD} 100 % meanwhile"
    stays = f"cannot be undone: send all traffic to {GOOD}; look at ai-square/prod/backend"
    assert (done.state, done.detail) == ("failed", f"{LEFT_AS_IT_IS}: {why}; {stays}")
    assert bot.platform.writes == [f"{operation}/0/do"]


def test_cancelled_between_approval_and_begin(bot):
    operation = bot.approved()
    bot.say(BEN, f"ops cancel {operation}")
    done = bot.work(operation)
    assert (done.state, done.detail, bot.platform.writes) == ("cancelled", "cancelled by ben; nothing was done", [])


def test_cancelled_before_the_first_write(bot):
    operation = bot.approved()
    bot.platform.calls.clear()
    begin = bot.ledger.begin

    def cancel_then_begin(*args):
        begin(*args)
        bot.ledger.cancel(operation, "ben")

    bot.ledger.begin = cancel_then_begin
    done = bot.work(operation)
    assert (done.state, done.detail) == ("cancelled", "cancelled by ben; nothing was done")


def test_cancelled_after_the_write_is_put_back(bot):
    operation = bot.approved()
    bot.platform.after.append(lambda: bot.ledger.cancel(operation, "ben"))
    done = bot.work(operation)
    assert (done.state, done.detail, bot.platform.asked) == (
        "cancelled",
        "cancelled by ben; put back as it was",
        {BAD: 100},
    )


def test_a_bug_ends_uncertain_and_frees_the_target(bot, monkeypatch):
    operation = bot.approved()
    monkeypatch.setattr(bot.applier._effector, "perform", lambda *_: 1 / 0)
    done = bot.work(operation)
    assert (done.state, "a bug in aisq (ZeroDivisionError)" in done.detail) == ("uncertain", True)


@pytest.mark.parametrize("error", [Fenced("taken over"), StoreError("away")])
def test_what_cannot_be_written_down_is_left_to_the_sweep(bot, monkeypatch, error):
    operation = bot.approved()

    def raising(*_):
        raise error

    monkeypatch.setattr(bot.applier._effector, "perform", raising)
    with pytest.raises(type(error)):
        bot.work(operation)
    assert bot.ledger.operation(operation).state == "running"
    assert [due for due, _ in bot.ledger.due()] == [operation]


def test_a_second_life_goes_on_where_the_first_one_died(bot, monkeypatch):
    operation = bot.approved()
    real = bot.applier._effector._wait
    monkeypatch.setattr(bot.applier._effector, "_wait", lambda *_: (_ for _ in ()).throw(Fenced("died here")))
    with pytest.raises(Fenced):
        bot.work(operation)
    monkeypatch.setattr(bot.applier._effector, "_wait", real)
    assert bot.work(operation).state == "applied"
    assert bot.platform.writes == [f"{operation}/0/do"]


def test_a_step_that_has_its_ending_is_not_made_again(bot):
    operation = bot.approved()
    memory = {}

    def forgetful(name, call, *args):
        memory[name] = call(*args)
        if name == "do 0":
            call(*args)  # the durable library forgot what it was told
        return memory[name]

    bot.applier.apply(operation, forgetful)
    assert bot.platform.writes == [f"{operation}/0/do"]


def test_a_target_that_stays_busy_is_left_alone(bot):
    first, second = bot.approved(), bot.approved("traffic backend backend-00041-kex=50 --rest")
    bot.ledger.claim(first, "another process")
    done = bot.work(second)
    assert (done.state, bot.platform.writes) == ("failed", [])
    assert "another operation changes the target" in done.detail


def test_nothing_left_to_do_when_its_turn_comes(bot):
    operation = bot.approved(f"rollback backend --to {GOOD}")
    bot.platform.somebody_sets({GOOD: 100})
    done = bot.work(operation)
    assert (done.state, bot.platform.writes) == ("nothing_to_do", [])


def test_the_target_moved_but_the_plan_reads_the_same(bot):
    operation = bot.approved()
    bot.platform.somebody_sets({BAD: 100})
    assert "somebody changed ai-square/prod/backend since" in bot.work(operation).detail


def test_the_verdict_changed(bot):
    operation = bot.approved()
    bot.platform.missing_images.add(f"us-docker.pkg.dev/p/r/backend@sha256:{GOOD}")
    assert "the verdict is now NO GO" in bot.work(operation).detail


def test_the_target_cannot_be_read_at_apply(bot):
    operation = bot.approved()
    bot.platform.fail("service", *[Transient("503")] * 50)
    done = bot.work(operation)
    assert (done.state, done.detail, bot.platform.writes) == ("failed", "nothing done: 503", [])


def test_a_verb_that_no_port_declares_is_never_called(bot):
    from bot.core.plan import Step

    for verb in ("Compute.delete_everything", "ComputeReads.service", "os.system"):
        with pytest.raises(ValueError, match="is not a write that a port declares"):
            bot.applier._effector._call(Step(verb=verb))


def test_traffic_op_that_does_not_arrive_is_reported(bot):
    operation = bot.approved("traffic backend backend-00041-kex=50 --rest")
    assert bot.work(operation).state == "applied"
    assert bot.platform.asked == {BAD: 50, GOOD: 50}
