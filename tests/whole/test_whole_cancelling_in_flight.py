"""Cancelled while the cloud works on a call: nobody waits for what is not needed any more, nor leaves what is."""

import pytest

from bot.core.errors import Fenced
from bot.core.request import LEFT_AS_IT_IS, Target
from bot.engine.registry import Registry
from tests.engine.conftest import BEN
from tests.engine.toys.careful import Careful
from tests.engine.toys.rescue import Rescue
from tests.engine.toys.stepwise import Stepwise

NEW, OLD = "backend-00041-kex", "backend-00042-bad"
LONG = 10_000  # polls


@pytest.fixture
def bot(bot):
    """OLD serves all; `bot.platform` tells the version of what it still works on, for as long as `bot.tells`."""
    more = {"stepwise": Stepwise, "rescue": Rescue, "careful": Careful}
    bot.registry = Registry({**bot.registry.operations, **more})
    bot.tells, poll = True, bot.platform.poll

    def told(target, name):
        now = poll(target, name)
        version = str(bot.platform._operations[name]["version"])
        return now.model_copy(update={"version": version}) if now.state == "running" and bot.tells else now

    bot.platform.poll = told
    return bot


def when_written(bot, count, act):
    """Act as soon as the n-th write has committed, of which the cloud then does not see the end."""

    def written():
        if len(bot.platform.writes) == count:
            bot.platform.polls_needed = LONG
            act()
        elif len(bot.platform.writes) == count + 1:
            bot.platform.polls_needed = 1

    bot.platform.after.append(written)


def advancing(bot, operation):
    """Every stage is advanced as soon as it has begun."""
    nap = bot.clock.nap

    def napping(seconds):
        nap(seconds)
        bot.say(BEN, f"ops advance {operation} --stage {max(1, len(bot.ledger.stages(operation)))}")

    bot.clock.nap = napping


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_a_shift_of_traffic_is_replaced_at_once(bot, stage):
    operation, rescues = bot.approved("stepwise backend"), []
    advancing(bot, operation)

    def rescue():
        asked_at.append(bot.clock.monotonic())
        rescues.append(bot.approved("rescue backend"))

    asked_at = []
    when_written(bot, stage, rescue)
    done = bot.work(operation)
    assert (done.state, done.detail) == ("cancelled", f"cancelled by ana's rescue {rescues[0]}; put back as it was")
    assert bot.platform.serving == bot.platform.asked == {OLD: 100}
    assert bot.clock.monotonic() - asked_at[0] < 3, "the old release serves before the rescue has its turn"
    *passed, left, undo = bot.ledger.effects(operation)
    assert [one.ending for one in passed] == ["succeeded"] * (stage - 1)
    assert (left.ending, left.detail, undo.ending) == ("cancelled", "the cloud still worked on it", "succeeded")
    assert undo.effect.version == left.version, "it is undone at the version that it made"
    assert bot.work(rescues[0]).state == "applied"


@pytest.mark.parametrize("tells, polls", [(True, 1), (False, 7)])
def test_it_is_waited_for_where_no_other_write_may_be_made_over_it(bot, tells, polls):
    operation, bot.tells = bot.approved("stepwise backend"), tells
    bot.platform.polls_needed = 7
    bot.platform.after.append(lambda: bot.ledger.cancel(operation, "ben"))
    bot.work(operation)
    first, undo = bot.platform._operations.values()
    assert (first["polls"], undo["polls"]) == (polls, 7)
    assert bot.platform.serving == {OLD: 100}


def test_what_somebody_changed_meanwhile_is_not_overwritten(bot):
    operation = bot.approved("stepwise backend")

    def act():
        bot.platform.somebody_sets({NEW: 100})
        bot.ledger.cancel(operation, "ben")

    when_written(bot, 1, act)
    done = bot.work(operation)
    assert (done.state, bot.platform.asked) == ("failed", {NEW: 100})
    found = "it was not put back: ai-square/prod/backend is at version 9, not 8"
    assert done.detail == f"{LEFT_AS_IT_IS}: cancelled by ben; {found}"


# --- what has no undo


def test_what_may_stay_is_left_to_the_cloud(bot):
    """A migration goes on by itself, and the rescue does not wait for it."""
    operation = bot.approved("careful backend")
    bot.tells = False
    when_written(bot, 1, lambda: bot.say(BEN, f"ops cancel {operation}"))
    done = bot.work(operation)
    assert done.state == "cancelled"
    assert done.detail == "cancelled by ben while the cloud worked on migrate; left, as it does no harm: migrate"
    assert bot.platform.writes == [f"{operation}/0/do"] and bot.clock.monotonic() < 3


def test_what_cannot_be_undone_and_may_not_stay_is_seen_to_its_end(bot):
    operation = bot.approved("careful backend --harmful")
    bot.platform.polls_needed = 5
    bot.platform.after.append(lambda: bot.ledger.cancel(operation, "ben"))
    done = bot.work(operation)
    assert (done.state, bot.platform.writes) == ("failed", [f"{operation}/0/do"])
    assert bot.platform._operations["operations/0"]["polls"] == 5
    assert done.detail.endswith("cannot be undone: migrate; look at ai-square/prod/backend")


def test_what_goes_on_by_itself_is_not_waited_for_though_nothing_leads_back_from_it(bot):
    """It is said to be there, and whoever rescues has the target within seconds."""
    operation, rescues = bot.approved("careful backend --harmful --left --patience 3600"), []
    bot.tells = False
    when_written(bot, 1, lambda: rescues.append(bot.approved(f"rescue backend --to {NEW}")))
    done = bot.work(operation)
    assert done.state == "failed" and bot.clock.monotonic() < 3
    by = f"cancelled by ana's rescue {rescues[0]} while the cloud worked on migrate"
    assert done.detail == f"{LEFT_AS_IT_IS}: {by}; cannot be undone: migrate; look at ai-square/prod/backend"
    assert (bot.work(rescues[0]).state, bot.platform.serving) == ("applied", {NEW: 100})


def test_what_somebody_changed_beside_it_is_not_overwritten(bot):
    """A job leaves the version of its target as it is, whenever it ends."""
    operation, rescues = bot.approved("careful backend --harmful --left"), []
    bot.tells = False
    theirs = {OLD: 30, NEW: 70}

    def act():
        rescues.append(bot.approved(f"rescue backend --to {NEW}"))
        bot.platform.somebody_sets(theirs)

    when_written(bot, 1, act)
    bot.work(operation)
    done = bot.work(rescues[0])
    assert (done.state, bot.platform.serving) == ("failed", theirs)
    assert "somebody changed ai-square/prod/backend since" in done.detail


@pytest.mark.parametrize("patience, minutes", [(0, 15), (3600, 60)])
def test_a_call_may_take_as_long_as_its_step_says(bot, patience, minutes):
    operation = bot.approved(f"careful backend --patience {patience}")
    bot.platform.polls_needed = LONG
    done = bot.work(operation)
    assert done.state == "uncertain"
    assert done.detail.startswith(f"the cloud still works on it after {minutes} min; look at ai-square/prod/backend")
    assert minutes * 60 <= bot.clock.monotonic() < minutes * 60 + 5


# --- killed


POINTS = [
    (method, count, after) for method in ("issued", "settle", "intend") for count in (1, 2) for after in (False, True)
]


@pytest.mark.parametrize("method, count, after", [*POINTS, ("finish", 1, False), ("finish", 1, True)])
def test_killed_meanwhile_it_is_put_back_all_the_same(bot, monkeypatch, method, count, after):
    """By another process, which finds it cancelled; each write is made once."""
    operation = bot.approved("stepwise backend")
    real, calls = getattr(bot.ledger, method), []

    def call(*args, **kwargs):
        calls.append(args)
        if len(calls) == count and not after:
            raise Fenced("died")
        result = real(*args, **kwargs)
        if len(calls) == count:
            raise Fenced("died")
        return result

    when_written(bot, 1, lambda: bot.ledger.cancel(operation, "ben"))
    with monkeypatch.context() as dying:
        dying.setattr(bot.ledger, method, call)
        with pytest.raises(Fenced):
            bot.work(operation)
    began = bool(bot.ledger.effects(operation))
    bot.ledger.cancel(operation, "ben")  # who died before its first write had nobody cancel it yet
    done = bot.work(operation)
    assert done.state == "cancelled"
    assert bot.platform.writes == ([f"{operation}/0/do", f"{operation}/0/undo"] if began else [])
    assert isinstance(done.plan.target, Target) and bot.platform.serving == {OLD: 100}
