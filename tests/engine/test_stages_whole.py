"""A rollout in stages, from an approved plan to its outcome: whoever dies, holds, advances or cancels meanwhile."""

import pytest

from bot.core.errors import Denied, Fenced, StoreError, Transient
from bot.core.plan import Checked
from bot.engine import waiting
from bot.engine.registry import Registry
from tests.engine.conftest import ANA, BEN, DEV, NOON
from tests.engine.toys.stepwise import BAKE_S, HOLD_S, LOOK_S, Stepwise

NEW, OLD = "backend-00041-kex", "backend-00042-bad"
BAKES = (1, 3, 5)  # positions
SHIFTS = [{OLD: 90, NEW: 10}, {OLD: 50, NEW: 50}, {NEW: 100}]


class Died(Fenced):
    """The process is gone, and wrote nothing down."""


@pytest.fixture
def bot(bot):
    """Which knows the rollout; OLD serves all. `bot.at(seconds, act)` acts while somebody naps."""
    bot.registry = Registry({**bot.registry.operations, "stepwise": Stepwise})
    bot.platform.counts.clear()
    bot.meanwhile, nap = [], bot.clock.nap

    def napping(seconds):
        nap(seconds)
        due = [one for one in bot.meanwhile if one[0] <= bot.clock.monotonic()]
        bot.meanwhile = [one for one in bot.meanwhile if one not in due]
        for _, act in due:
            act()

    bot.clock.nap = napping
    bot.at = lambda seconds, act: bot.meanwhile.append((seconds, act))
    return bot


def well(bot, minutes=60, error_rate=0.0):
    """What the new release answers from now on."""
    for second in range(0, minutes * 60, LOOK_S):
        at = bot.clock.now() + waiting.timedelta(seconds=second)
        bot.platform.serve(NEW, minutes=1, until=at, per_minute=20, error_rate=error_rate)


def states(bot, operation):
    return [stage.state for stage in bot.ledger.stages(operation)]


# --- by itself


def test_a_good_release_gets_all_traffic_stage_by_stage(bot):
    operation = bot.approved("stepwise backend")
    well(bot)
    done = bot.work(operation)
    assert (done.state, bot.platform.serving) == ("applied", {NEW: 100})
    assert bot.platform.writes == [f"{operation}/{n}/do" for n in (0, 2, 4)]
    first, second, third = bot.front.stages(operation)
    assert {one.state for one in (first, second, third)} == {"passed"}
    assert (second.started_at - first.started_at).total_seconds() >= BAKE_S
    assert first.sentence == "0 errors in 60 requests" and first.evidence == {"total": 60, "errors": 0}
    assert done.plan.facts == {"by": operation}, "a plan may name things after its operation"


def test_a_bad_one_is_put_back_by_one_write_from_whatever_stage(bot):
    operation = bot.approved("stepwise backend")
    well(bot)
    bot.at(2 * BAKE_S + 2, lambda: well(bot, error_rate=0.5))
    done = bot.work(operation)
    assert (done.state, bot.platform.serving) == ("failed", {OLD: 100})
    assert states(bot, operation) == ["passed", "passed", "broken"]
    assert bot.platform.writes[-1:] == [f"{operation}/4/undo"]
    assert [one for one in bot.platform.writes if one.endswith("undo")] == [f"{operation}/4/undo"]
    assert done.detail.endswith("requests; put back as it was")


def test_looks_are_as_far_apart_as_the_check_says(bot):
    operation = bot.approved("stepwise backend")
    well(bot)
    bot.platform.calls.clear()
    bot.work(operation)
    looks = bot.platform.calls.count("requests")
    assert looks == 3 * (BAKE_S // LOOK_S + 1)
    assert bot.clock.slept_s >= 3 * BAKE_S


def test_what_is_found_is_told_when_it_is_news(bot):
    operation = bot.approved("stepwise backend")
    bot.platform.serve(NEW, minutes=1, until=bot.clock.now() + waiting.timedelta(seconds=5), per_minute=5)
    bot.at(BAKE_S + HOLD_S - 5, lambda: bot.ledger.cancel(operation, "ben"))
    bot.work(operation)
    told = [one.body for one in bot.audit.entries(operation=operation, limit=100) if one.event == "stage found"]
    assert [one["sentence"] for one in reversed(told)] == [
        "0 errors in 0 requests",
        "0 errors in 5 requests",
    ]


# --- nobody knows


def test_what_is_not_decided_in_time_waits_for_a_person(bot):
    operation = bot.approved("stepwise backend")
    bot.at(BAKE_S + HOLD_S + 1, lambda: seen.append(states(bot, operation)))
    bot.at(100, lambda: bot.say(BEN, f"ops cancel {operation}"))
    seen = []
    done = bot.work(operation)
    assert seen == [["held"]]
    assert (done.state, done.detail) == ("cancelled", "cancelled by ben; put back as it was")
    assert bot.clock.monotonic() >= 100


def test_what_cannot_be_read_decides_nothing(bot):
    operation = bot.approved("stepwise backend")
    bot.platform.fail("requests", *[Transient("monitoring is away")] * 1000)
    bot.at(40, lambda: seen.append(bot.ledger.stages(operation)[0]))
    bot.at(41, lambda: bot.ledger.cancel(operation, "ben"))
    seen = []
    bot.work(operation)
    assert (seen[0].state, seen[0].sentence) == ("held", "could not be checked: monitoring is away")


@pytest.mark.parametrize(
    "error, says",
    [(ZeroDivisionError(), "a bug in aisq (ZeroDivisionError)"), (StoreError("the disk is full"), "the disk is full")],
)
def test_a_look_that_is_not_to_be_had_leaves_the_decision_to_a_person(bot, monkeypatch, error, says):
    """What was changed is known as well as before: nothing is uncertain."""
    operation = bot.approved("stepwise backend")
    monkeypatch.setattr(bot.checker, "_look", lambda *_: (_ for _ in ()).throw(error))
    bot.at(BAKE_S + HOLD_S + 2, lambda: bot.ledger.cancel(operation, "ben"))
    assert bot.work(operation).state == "cancelled"
    (stage,) = bot.ledger.stages(operation)
    assert (stage.state, stage.sentence) == ("held", f"could not be checked: {says}")


# --- people


def test_a_stage_that_is_advanced_is_left_at_once(bot):
    operation = bot.approved("stepwise backend")
    for stage, second in enumerate((2, 4, 6), 1):
        bot.at(second, lambda stage=stage: said.append(bot.say(ANA, f"ops advance {operation} --stage {stage}")))
    said = []
    done = bot.work(operation)
    assert (done.state, bot.platform.serving) == ("applied", {NEW: 100})
    assert [one.state for one in said] == ["answered"] * 3
    assert bot.clock.monotonic() < BAKE_S + HOLD_S
    assert [(one.steered, one.steered_by) for one in bot.ledger.stages(operation)] == [("advance", "ana")] * 3


@pytest.mark.parametrize("after_s, passes", [(3, False), (59, False), (61, True)])
def test_to_advance_twice_without_saying_which_leaves_one_stage(bot, after_s, passes):
    """Typed again, or by somebody else who saw the same: not even for a moment would the next one be watched."""
    operation, said = bot.approved("stepwise backend"), []
    bot.at(2, lambda: said.append(bot.say(ANA, f"ops advance {operation}")))
    bot.at(2 + after_s, lambda: said.append(bot.say(BEN, f"ops advance {operation}")))
    bot.at(70, lambda: bot.ledger.cancel(operation, "ben"))
    bot.work(operation)
    assert [one.state for one in said] == ["answered", "answered" if passes else "rejected"]
    assert states(bot, operation) == (["passed", "passed", "baking"] if passes else ["passed", "held"])
    if not passes:
        assert said[1].detail == (
            "ana has just let stage 1 (10 %) pass, and stage 2 (50 %) has only begun:"
            f" to leave that too, write `ops advance {operation} --stage 2`."
        )


def test_to_hold_just_after_somebody_advanced_is_heard(bot):
    operation = bot.approved("stepwise backend")
    well(bot)
    bot.at(2, lambda: bot.say(ANA, f"ops advance {operation}"))
    bot.at(4, lambda: bot.say(BEN, f"ops hold {operation}"))
    bot.at(30, lambda: bot.ledger.cancel(operation, "ben"))
    bot.work(operation)
    assert states(bot, operation) == ["passed", "held"]


def test_a_stage_that_is_held_stays_until_somebody_advances_it(bot):
    operation = bot.approved("stepwise backend")
    well(bot)
    bot.at(2, lambda: bot.say(BEN, f"ops hold {operation} --stage 1"))
    bot.at(50, lambda: seen.append(states(bot, operation)))
    bot.at(51, lambda: bot.say(ANA, f"ops advance {operation} --stage 1"))
    seen = []
    assert bot.work(operation).state == "applied"
    assert seen == [["held"]]
    assert states(bot, operation) == ["passed"] * 3


def test_a_stage_that_is_held_is_put_back_when_it_breaks(bot):
    operation = bot.approved("stepwise backend")
    well(bot)
    bot.at(2, lambda: bot.say(BEN, f"ops hold {operation}"))
    bot.at(40, lambda: well(bot, error_rate=0.5))
    done = bot.work(operation)
    assert (done.state, states(bot, operation), bot.platform.serving) == ("failed", ["broken"], {OLD: 100})


@pytest.mark.parametrize("words", ["ops advance {} --stage 1", "ops hold {} --stage 1"])
def test_a_late_click_reaches_no_later_stage(bot, words):
    operation = bot.approved("stepwise backend")
    well(bot)
    bot.at(BAKE_S + 2, lambda: said.append(bot.say(ANA, words.format(operation))))
    said = []
    bot.work(operation)
    assert states(bot, operation) == ["passed"] * 3
    assert [one.steered for one in bot.ledger.stages(operation)] == [None] * 3
    assert [one.state for one in said] == ["answered" if "advance" in words else "rejected"]
    if "hold" in words:
        assert said[0].detail == f"Stage 1 (10 %) of `{operation}` is over: it passed."


def test_a_click_that_is_carried_out_twice_steers_the_stage_that_was_on_when_it_was_made(bot):
    operation = bot.approved("stepwise backend")
    well(bot)
    bot.at(2, lambda: said.append(bot.say(ANA, f"ops advance {operation}")))
    bot.at(5, lambda: again())
    said = []

    def again():
        """Another process had the same request in hand when the first one died."""
        made = bot.registry.load(said[0].request)
        answers.append(bot.engine._answer(said[0], made))

    answers = []
    bot.work(operation)
    assert [one.steered for one in bot.ledger.stages(operation)] == ["advance", None, None]
    assert answers[0].parts[0].text.endswith("stage 1 (10 %) is left, and it goes on")


def test_a_click_before_any_stage_has_begun(bot):
    operation = bot.approved("stepwise backend")
    said = bot.say(ANA, f"ops advance {operation}")
    assert (said.state, said.detail) == (
        "rejected",
        f"No stage of `{operation}` had begun when you asked; `ops show {operation}` shows it.",
    )
    said = bot.say(ANA, f"ops hold {operation} --stage 2")
    assert said.detail == f"Stage 2 (50 %) of `{operation}` has not begun yet."
    said = bot.say(ANA, f"ops hold {operation} --stage 4")
    assert said.detail == f"`{operation}` has 3 stages; write --stage 1 to 3."


def test_what_has_ended_or_goes_back_is_not_steered(bot):
    operation = bot.approved("stepwise backend")
    bot.at(2, lambda: bot.ledger.cancel(operation, "ben"))
    bot.at(2, lambda: said.append(bot.say(ANA, f"ops advance {operation}")))
    said = []
    bot.work(operation)
    name = f"Stage 1 (10 %) of `{operation}` cannot be steered"
    assert said[0].detail == f"{name}: it was cancelled by ben, and what it changed is put back."
    assert bot.say(ANA, f"ops advance {operation}").detail == f"{name}: it was cancelled."
    waits = bot.say(ANA, "stepwise backend")
    assert bot.say(BEN, f"ops hold {waits.id} --stage 1").detail.endswith("cannot be steered: it has not begun.")


def test_a_stage_that_broke_says_what_was_found(bot, monkeypatch):
    operation = bot.approved("stepwise backend")
    well(bot, error_rate=0.5)
    found = bot.ledger.found

    def finding(*args):
        stage = found(*args)
        if stage.state == "broken":
            said.append(bot.say(ANA, f"ops advance {operation}"))
        return stage

    said = []
    monkeypatch.setattr(bot.ledger, "found", finding)
    bot.work(operation)
    assert said[0].detail == f"Stage 1 (10 %) of `{operation}` is over: 10 errors in 20 requests."


def test_what_has_no_stages_is_not_steered(bot):
    operation = bot.approved(f"rollback backend --to {NEW}")
    said = bot.say(ANA, f"ops hold {operation}")
    assert said.detail == f"`{operation}` has no stages: it goes on by itself."
    assert bot.say(ANA, f"ops hold {said.id}").detail == f"`{said.id}` has no stages: it goes on by itself."


def test_who_may_not_steer_is_told_so(bot):
    operation = bot.approved("stepwise backend")

    def try_to():
        with pytest.raises(Denied, match=r"No policy lets dev .* do `ops advance`"):
            bot.say(DEV, f"ops advance {operation}")
        bot.ledger.cancel(operation, "ben")

    bot.at(2, try_to)
    assert bot.work(operation).state == "cancelled"
    assert states(bot, operation) == ["baking"]


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_cancelled_during_a_bake_it_is_put_back_within_a_second(bot, stage):
    operation = bot.approved("stepwise backend")
    for second in range(1, stage):
        bot.at(second, lambda second=second: bot.say(ANA, f"ops advance {operation} --stage {second}"))
    bot.at(10.5, lambda: bot.say(BEN, f"ops cancel {operation}"))
    done = bot.work(operation)
    assert (done.state, done.detail) == ("cancelled", "cancelled by ben; put back as it was")
    assert bot.platform.serving == {OLD: 100} and bot.clock.monotonic() < 13
    assert states(bot, operation) == ["passed"] * (stage - 1) + ["baking"]


def test_a_look_that_hangs_keeps_nobody_from_cancelling(bot, monkeypatch):
    """Monitoring does not answer: the rescue does not wait for it."""
    import threading

    operation, hangs = bot.approved("stepwise backend"), threading.Event()
    monkeypatch.setattr(waiting, "HEAR_EVERY_S", 0.01)
    steered = bot.ledger.steered

    def look(self, *_):
        hangs.wait(60)
        return Checked(state="holds", sentence="too late")

    def hearing(*args):
        asked.append(args)
        if len(asked) == 5:
            bot.ledger.cancel(operation, "ben")
        return steered(*args)

    asked = []
    monkeypatch.setattr(bot.checker, "_look", look)
    monkeypatch.setattr(bot.ledger, "steered", hearing)
    done = bot.work(operation)
    hangs.set()
    assert (done.state, bot.platform.serving, len(asked)) == ("cancelled", {OLD: 100}, 5)


# --- killed


def dying(bot, method, occurrence, after):
    """Let this process die at the n-th call of a method of the ledger: before it, or after its commit."""
    real, calls = getattr(bot.ledger, method), []

    def call(*args, **kwargs):
        calls.append(args)
        if len(calls) == occurrence and not after:
            raise Died(method)
        result = real(*args, **kwargs)
        if len(calls) == occurrence:
            raise Died(method)
        return result

    setattr(bot.ledger, method, call)


KILLS = [
    (method, occurrence, after)
    for method, times in {
        "begin": 1,
        "intend": 2,
        "issued": 2,
        "settle": 2,
        "stage": 2,
        "found": 5,
        "finish": 1,
    }.items()
    for occurrence in range(1, times + 1)
    for after in (False, True)
] + [("steered", occurrence, False) for occurrence in (1, 2, 8, 15, 20)]


@pytest.mark.parametrize(
    "remembers", [pytest.param(True, marks=pytest.mark.slow), False], ids=["remembering", "forgetful"]
)
@pytest.mark.parametrize("method, occurrence, after", KILLS)
def test_killed_anywhere_it_goes_on_where_it_was(bot, method, occurrence, after, remembers):
    """Each write once, each stage's start as it was; whether or not the durable library remembers."""
    operation, memory = bot.approved("stepwise backend"), {}
    well(bot)

    def durable(name, call, *args):
        if name not in memory or not remembers:
            memory[name] = call(*args)
        return memory[name]

    before = vars(bot.ledger).copy()
    dying(bot, method, occurrence, after)
    with pytest.raises(Died):
        bot.applier.apply(operation, durable)
    vars(bot.ledger).clear()
    vars(bot.ledger).update(before)
    began = bot.ledger.stages(operation)
    bot.clock.advance(7)
    bot.applier.apply(operation, durable)
    done = bot.ledger.operation(operation)
    assert (done.state, bot.platform.serving) == ("applied", {NEW: 100})
    assert bot.platform.writes == [f"{operation}/{n}/do" for n in (0, 2, 4)]
    assert [one.started_at for one in bot.ledger.stages(operation)][: len(began)] == [one.started_at for one in began]


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_cancelled_while_nobody_was_at_it_it_goes_back_from_where_it_was(bot, stage):
    """The durable library has forgotten how far that was; our own rows have not."""
    operation = bot.approved("stepwise backend")
    for second in range(1, stage):
        bot.at(second, lambda second=second: bot.say(ANA, f"ops advance {operation} --stage {second}"))

    def die():
        raise Died("just now")

    bot.at(10.5, die)
    with pytest.raises(Died):
        bot.work(operation)
    bot.say(BEN, f"ops cancel {operation}")
    done = bot.work(operation)
    assert (done.state, done.detail) == ("cancelled", "cancelled by ben; put back as it was")
    assert bot.platform.serving == {OLD: 100}
    begun = [f"{operation}/{n}/do" for n in (0, 2, 4)][:stage]
    assert bot.platform.writes == [*begun, begun[-1].replace("do", "undo")]


@pytest.mark.parametrize("second", [2, BAKE_S + 2, 2 * BAKE_S + 3])
def test_a_hold_survives_whoever_dies(bot, second):
    operation = bot.approved("stepwise backend")
    well(bot)

    def hold_and_die():
        bot.say(BEN, f"ops hold {operation}")
        raise Died("just now")

    bot.at(second, hold_and_die)
    with pytest.raises(Died):
        bot.work(operation)
    (*_, held) = bot.ledger.stages(operation)
    bot.clock.advance(300)
    bot.at(400, lambda: bot.say(ANA, f"ops advance {operation}"))
    assert bot.work(operation).state == "applied"
    (again,) = (one for one in bot.ledger.stages(operation) if one.position == held.position)
    assert (again.started_at, held.state, again.steered) == (held.started_at, "held", "advance")
    assert bot.clock.monotonic() >= 400


def test_what_waits_for_a_person_still_waits_after_a_restart(bot):
    operation = bot.approved("stepwise backend")

    def die():
        raise Died("just now")

    bot.at(BAKE_S + HOLD_S + 5, die)
    with pytest.raises(Died):
        bot.work(operation)
    assert states(bot, operation) == ["held"]
    well(bot)
    bot.at(60, lambda: seen.append(states(bot, operation)))
    bot.at(61, lambda: bot.say(BEN, f"ops cancel {operation}"))
    seen = []
    assert bot.work(operation).state == "cancelled"
    assert seen == [["held"]], "a person was asked, and answers"
    assert bot.ledger.stages(operation)[0].started_at == NOON


def test_whoever_was_taken_over_stops_looking(bot):
    operation = bot.approved("stepwise backend")
    well(bot)
    bot.at(3, lambda: bot.ledger.claim(operation, "another process"))
    with pytest.raises(Fenced, match="taken over"):
        bot.work(operation)
    assert bot.platform.writes == [f"{operation}/0/do"]
