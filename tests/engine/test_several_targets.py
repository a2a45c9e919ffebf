"""One plan on two services: when one cannot follow, the other is put back, and what could not be is named."""

import pytest

from bot.core.errors import Fenced, Permanent, Refused, Uncertain
from bot.core.locks import Lock
from bot.core.request import LEFT_AS_IT_IS
from bot.engine.doable import check_doable
from bot.engine.registry import Registry
from tests.engine.conftest import ANA, BEN, NOON
from tests.engine.toys.estate import settle
from tests.engine.toys.together import Together

NEW, OLD = "backend-00041-kex", "backend-00042-bad"
BACKEND, FRONTEND = "ai-square/prod/backend", "ai-square/prod/frontend"


@pytest.fixture
def bot(bot):
    bot.registry = Registry({**bot.registry.operations, "together": Together})
    bot.first, bot.second = settle(bot, BACKEND, FRONTEND)
    bot.second.version = 40
    return bot


def serving(bot):
    return bot.first.serving, bot.second.serving


def test_both_go_each_at_its_own_version(bot):
    operation = bot.approved("together backend")
    done = bot.work(operation)
    assert (done.state, serving(bot)) == ("applied", ({NEW: 100}, {NEW: 100}))
    assert [one.effect.version for one in bot.ledger.effects(operation)] == ["7", "40"]
    assert (bot.first.writes, bot.second.writes) == ([f"{operation}/0/do"], [f"{operation}/2/do"])
    assert [(one.target, one.operation) for one in bot.pins.pins()] == [(BACKEND, operation), (FRONTEND, operation)]


def fails(bot):
    bot.second.rollout_fails = "did not start"


def is_refused_for_good(bot):
    bot.second.fail("set_traffic", Permanent("no such release"))


def never_arrives(bot):
    bot.second.never_arrives = True


@pytest.mark.parametrize(
    "trouble, says, second",
    [
        (fails, f"did not start; put back: {FRONTEND}, {BACKEND}", {OLD: 100}),
        (is_refused_for_good, f"no such release; put back: {BACKEND}", {OLD: 100}),
        (
            never_arrives,
            f"traffic was sent to {NEW} 100 %, but {OLD} 100 % serves; put back: {FRONTEND}, {BACKEND}",
            {OLD: 100},
        ),
    ],
)
def test_when_the_second_fails_the_first_is_put_back(bot, trouble, says, second):
    trouble(bot)
    operation = bot.approved("together backend")
    done = bot.work(operation)
    assert (done.state, done.detail, serving(bot)) == ("failed", says, ({OLD: 100}, second))
    assert bot.pins.pins() == ()


def test_when_the_first_fails_the_second_is_not_touched(bot):
    bot.first.rollout_fails = "did not start"
    done = bot.work(bot.approved("together backend"))
    assert (done.state, done.detail) == ("failed", f"did not start; put back: {BACKEND}")
    assert bot.second.writes == []


def test_somebody_changed_the_second_meanwhile(bot):
    """Theirs stays, ours goes back."""
    operation = bot.approved("together backend")
    bot.first.after.append(lambda: bot.second.somebody_sets({OLD: 50, NEW: 50}))
    done = bot.work(operation)
    assert done.state == "failed" and serving(bot) == ({OLD: 100}, {OLD: 50, NEW: 50})
    assert done.detail == f"{LEFT_AS_IT_IS}: {FRONTEND} is at version 41, not 40; put back: {BACKEND}"


def test_somebody_changed_the_first_while_the_second_failed(bot):
    fails(bot)
    operation = bot.approved("together backend")
    bot.second.after.append(
        lambda: bot.first.somebody_sets({OLD: 20, NEW: 80}) if len(bot.second.writes) == 1 else None
    )
    done = bot.work(operation)
    assert (done.state, serving(bot)) == ("failed", ({OLD: 20, NEW: 80}, {OLD: 100}))
    said = f"{BACKEND} was not put back: {BACKEND} is at version 9, not 8; put back: {FRONTEND}"
    assert done.detail == f"{LEFT_AS_IT_IS}: did not start; {said}"


def test_of_two_that_were_not_put_back_each_is_named_with_why(bot):
    """What somebody made of one is known, and of the other nothing is: so the whole is uncertain."""
    never_arrives(bot)
    operation = bot.approved("together backend")

    def meanwhile():
        if len(bot.second.writes) == 1:
            bot.first.somebody_sets({OLD: 20, NEW: 80})
            bot.second.fail("set_traffic", Permanent("no"))

    bot.second.after.append(meanwhile)
    done = bot.work(operation)
    assert done.state == "uncertain"
    assert f"putting {FRONTEND} back failed: no; {BACKEND} was not put back: {BACKEND} is at version 9" in done.detail


def test_nobody_knows_of_the_second(bot):
    """Then nothing is undone: what it is at now cannot be known, and the first is named."""
    operation = bot.approved("together backend")
    bot.second.fail("set_traffic", *[Uncertain("no answer")] * 6)
    done = bot.work(operation)
    assert (done.state, serving(bot)) == ("uncertain", ({NEW: 100}, {OLD: 100}))
    assert done.detail == (
        f"no answer; look at {FRONTEND} before doing anything else; changed before it, and left so: {BACKEND}"
    )


def test_nobody_knows_of_the_first(bot):
    operation = bot.approved("together backend")
    bot.first.fail("set_traffic", *[Uncertain("no answer")] * 6)
    assert bot.work(operation).detail == f"no answer; look at {BACKEND} before doing anything else"
    assert bot.second.writes == []


def test_cancelled_between_the_two(bot):
    operation = bot.approved("together backend")
    bot.first.after.append(lambda: bot.ledger.cancel(operation, "ben"))
    done = bot.work(operation)
    assert (done.state, done.detail) == ("cancelled", f"cancelled by ben; put back: {BACKEND}")
    assert (bot.first.serving, bot.second.writes) == ({OLD: 100}, [])


CALLS = [("intend", 2), ("issued", 2), ("settle", 2), ("intend", 1), ("settle", 1), ("finish", 1)]


@pytest.mark.parametrize("method, occurrence", CALLS)
@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("ends", ["applied", "failed"])
def test_whoever_dies_between_the_two_each_is_written_once(bot, monkeypatch, method, occurrence, after, ends):
    operation = bot.approved("together backend")
    if ends == "failed":
        never_arrives(bot)
    real, calls = getattr(bot.ledger, method), []

    def call(*args, **kwargs):
        calls.append(args)
        if len(calls) == occurrence and not after:
            raise Fenced("died")
        result = real(*args, **kwargs)
        if len(calls) == occurrence:
            raise Fenced("died")
        return result

    with monkeypatch.context() as dying:
        dying.setattr(bot.ledger, method, call)
        with pytest.raises(Fenced):
            bot.work(operation)
    done = bot.work(operation)
    here = {NEW: 100} if ends == "applied" else {OLD: 100}
    assert (done.state, serving(bot)) == (ends, (here, here))
    back = [] if ends == "applied" else ["undo"]
    for platform, position in ((bot.first, 0), (bot.second, 2)):
        assert platform.writes == [f"{operation}/{position}/{way}" for way in ("do", *back)]


def test_cancelled_while_nobody_was_at_it_both_are_put_back(bot):
    """The second's write was on its way when the process died, and nothing is remembered but our rows."""
    operation = bot.approved("together backend")

    def die():
        bot.second.after.clear()
        raise Fenced("died")

    bot.second.after.append(die)
    with pytest.raises(Fenced):
        bot.work(operation)
    bot.ledger.cancel(operation, "ben")
    done = bot.work(operation)
    assert (done.state, done.detail) == ("cancelled", f"cancelled by ben; put back: {FRONTEND}, {BACKEND}")
    assert serving(bot) == ({OLD: 100}, {OLD: 100})


def test_while_one_of_them_is_busy_nothing_is_begun(bot):
    other = bot.approved(f"traffic frontend {NEW}=50 --rest")
    bot.ledger.claim(other, "another process")
    done = bot.work(bot.approved("together backend"))
    assert (done.state, bot.first.writes) == ("failed", [])
    assert "another operation changes the target" in done.detail


def test_the_second_moved_since_it_was_approved(bot):
    operation = bot.approved("together backend")
    bot.second.somebody_sets({OLD: 100})
    done = bot.work(operation)
    assert (done.state, bot.first.writes) == ("failed", [])
    assert f"the plan changed since it was approved (somebody changed {FRONTEND} since)" in done.detail


# --- what cannot be undone


def test_what_stays_and_what_may_is_told_apart(bot, monkeypatch):
    plan = bot.engine._plan

    def planned(may_stay):
        def made(*args):
            first, look, second, there = plan(*args).steps
            kept = first.model_copy(update={"undo": None, "may_stay": may_stay})
            return plan(*args).model_copy(update={"steps": (kept, look, second, there)})

        return made

    for may_stay, state, said in (
        (True, "failed", f"did not start; put back: {FRONTEND}; left, as it does no harm: move backend"),
        (
            False,
            "failed",
            f"{LEFT_AS_IT_IS}: did not start; cannot be undone: move backend; look at {BACKEND}; put back: {FRONTEND}",
        ),
    ):
        monkeypatch.setattr(bot.engine, "_plan", planned(may_stay))
        bot.first.somebody_sets({OLD: 100})
        fails(bot)
        done = bot.work(bot.approved("together backend"))
        assert (done.state, done.detail) == (state, said)


def test_what_may_stay_is_all_that_was_done(bot, monkeypatch):
    plan = bot.engine._plan

    def made(*args):
        first, *rest = plan(*args).steps
        kept = first.model_copy(update={"undo": None, "may_stay": True})
        return plan(*args).model_copy(update={"steps": (kept, *rest)})

    monkeypatch.setattr(bot.engine, "_plan", made)
    operation = bot.approved("together backend")
    bot.first.after.append(lambda: bot.ledger.cancel(operation, "ben"))
    done = bot.work(operation)
    assert (done.state, done.detail) == ("cancelled", "cancelled by ben; left, as it does no harm: move backend")


# --- policy, and what a plan may say


def test_policy_is_asked_for_each_of_them(bot):
    """Staging needs no approval, but production does, and somebody who may not there may not at all."""
    record = bot.say(ANA, "together ai-square/staging/backend --other staging")
    assert (record.state, record.approvals_needed) == ("queued", 0)
    mixed = bot.say(ANA, "together ai-square/staging/backend --other prod")
    assert (mixed.state, mixed.approvals_needed) == ("waiting", 1)
    assert mixed.permitted_by == "grant.outside-prod.rollout, grant.prod.rollout"
    refused = bot.say("slack:U0DEV", "together ai-square/staging/backend --other prod")
    assert refused.state == "denied" and f"do `together` on {FRONTEND}" in refused.detail


@pytest.mark.parametrize("kind", ["deploys", "freeze"])
@pytest.mark.parametrize("place, counts", [(FRONTEND, True), ("ai-square/prod", True), ("ai-square/dev", False)])
def test_a_lock_of_any_of_them_is_a_fact(bot, monkeypatch, kind, place, counts):
    record = bot.say(ANA, "together backend")
    made = bot.registry.load(record.request)
    lock = Lock(target=place, kind=kind, by="ben", since=NOON)
    monkeypatch.setattr(bot.locks, "locks", lambda: (lock,))
    facts = bot.gate._facts.of(made, plan=record.plan)
    assert (facts.locked, facts.frozen) == (counts and kind == "deploys", counts and kind == "freeze")
    alone = bot.gate._facts.of(made)
    assert (alone.locked or alone.frozen) is (counts and place != FRONTEND)


def test_a_freeze_in_our_books_stops_a_rollout_and_no_rescue(bot, monkeypatch):
    lock = Lock(target="ai-square", kind="freeze", by="ben", since=NOON)
    monkeypatch.setattr(bot.locks, "locks", lambda: (lock,))
    stopped = bot.say(ANA, "together backend")
    assert (stopped.state, stopped.permitted_by) == ("denied", "guard.freeze")
    assert bot.say(ANA, f"rollback backend --to {NEW}").state == "waiting"


def test_a_pin_of_the_other_is_a_fact_too(bot):
    bot.work(bot.approved(f"rollback frontend --to {NEW}"))
    record = bot.say(ANA, "together backend")
    made = bot.registry.load(record.request)
    assert bot.gate._facts.of(made).pinned is False
    assert bot.gate._facts.of(made, plan=record.plan).pinned is True


def test_a_step_on_what_the_plan_does_not_name_is_a_bug(bot):
    record = bot.say(ANA, "together backend")
    plan = record.plan.model_copy(update={"others": ()})
    with pytest.raises(ValueError, match=f"together plans a step on {FRONTEND}, which its plan does not name"):
        check_doable(bot.registry.load(record.request), plan, bot.platforms)


def test_a_platform_of_the_other_that_lacks_a_step_is_said_before_the_write(bot):
    frontend = bot.catalog.target("ai-square", "prod", "frontend")
    record = bot.say(ANA, "together backend")
    other = frontend.model_copy(update={"type": "paper", "cloud": "paper"})
    steps = tuple(
        one.model_copy(update={"args": {**one.args, "target": other.model_dump(mode="json")}, "undo": None})
        for one in record.plan.steps[2:]
    )
    others = tuple(one.model_copy(update={"target": other}) for one in record.plan.others)
    plan = record.plan.model_copy(update={"steps": steps, "others": others})
    with pytest.raises(Permanent, match=f"{FRONTEND} is of type paper, for which aisq does not offer"):
        check_doable(bot.registry.load(record.request), plan, bot.platforms)


def test_a_plan_that_only_locks_is_carried_out(bot, monkeypatch):
    plan = bot.engine._plan

    def only_locks(*args):
        none = {"steps": (), "others": (), "hold": None, "locks": (Lock(target=BACKEND),)}
        return plan(*args).model_copy(update=none)

    monkeypatch.setattr(bot.engine, "_plan", only_locks)
    record = bot.say(ANA, "together backend --reason incident")
    assert record.state == "waiting"
    bot.say(BEN, f"approve {record.id}")
    assert (bot.work(record.id).state, bot.first.writes) == ("applied", [])
    assert [(one.by, one.reason) for one in bot.locks.locks()] == [("ana", "incident")]


def test_refused_before_any_write_nothing_is_put_back(bot):
    bot.first.fail("set_traffic", Refused("backend is at version 8, not 7"))
    done = bot.work(bot.approved("together backend"))
    assert done.detail == f"{LEFT_AS_IT_IS}: backend is at version 8, not 7"
