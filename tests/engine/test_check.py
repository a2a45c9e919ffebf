"""Checks before the outcome and judgements after it."""

from datetime import timedelta

import pytest

from bot.core.errors import Permanent, Transient
from bot.core.plan import Moment, Step

GOOD, BAD = "backend-00041-kex", "backend-00042-bad"


def applied(bot):
    operation = bot.approved()
    bot.work(operation)
    return operation


def judged(bot, operation):
    bot.checker.judge(operation)
    record = bot.ledger.operation(operation)
    return record.judged, record.judgement


@pytest.mark.parametrize(
    "error_rate, finding, says",
    [
        (0.0, "holds", "Errors fell from 10 % to 0 %."),
        (0.09, "broken", "Errors did not fall (10 % to 9 %): the release is probably not the cause."),
    ],
)
def test_judgement(bot, error_rate, finding, says):
    operation = applied(bot)
    bot.platform.serve(GOOD, minutes=10, until=bot.clock.now() + timedelta(minutes=10), error_rate=error_rate)
    bot.clock.advance(600)
    assert judged(bot, operation) == (finding, says)


def test_after_a_crash_the_minutes_before_are_those_before_the_first_write(bot):
    """Between the write and the outcome the bot was away for half an hour, in which the good release served."""
    bot.platform.after.append(lambda: bot.clock.advance(1800))
    operation = applied(bot)
    bot.platform.serve(GOOD, minutes=40, until=bot.clock.now() + timedelta(minutes=10))
    bot.clock.advance(600)
    assert judged(bot, operation) == ("holds", "Errors fell from 10 % to 0 %.")


def test_late_metrics_are_waited_for_until_the_deadline(bot):
    operation = applied(bot)
    bot.platform.fail("requests", Transient("monitoring is away"))
    bot.clock.advance(600)
    assert judged(bot, operation) == ("pending", "")
    bot.clock.advance(1200)
    bot.platform.fail("requests", Permanent("monitoring is away"))
    assert judged(bot, operation) == ("unknown", "could not be checked: monitoring is away")


def test_an_operation_that_is_no_longer_there_is_not_judged_for_ever(bot):
    """Its file was taken away after it was applied."""
    operation = applied(bot)
    del bot.registry._words["rollback"]
    assert judged(bot, operation) == ("pending", "")
    bot.clock.advance(1300)
    finding, said = judged(bot, operation)
    assert finding == "unknown" and said.startswith("could not be checked: I don't know `rollback`.")


def test_no_requests_since(bot):
    operation = applied(bot)
    bot.clock.advance(1300)
    assert judged(bot, operation) == ("unknown", "Too few requests since to compare errors.")


def test_a_judgement_is_written_once(bot):
    operation = applied(bot)
    bot.clock.advance(1300)
    bot.checker.judge(operation)
    bot.ledger.judged(operation, "holds", "something else")
    assert bot.ledger.operation(operation).judged == "unknown"


def test_a_check_waits_until_it_holds(bot):
    operation = applied(bot)
    bot.platform.serving = {BAD: 100}
    step = bot.ledger.operation(operation).plan.steps[1]
    slept = bot.clock.sleep

    def arrive(seconds):
        slept(seconds)
        bot.platform.serving = {GOOD: 100}

    bot.clock.sleep = arrive
    assert bot.checker.check(operation, 0, 1, step).state == "holds"


def test_a_step_that_asks_for_what_nobody_has(bot):
    operation = applied(bot)
    record = bot.ledger.operation(operation)
    moment = Moment(started_at=bot.clock.now(), now=bot.clock.now())
    with pytest.raises(TypeError, match="asks for traffic, which nobody offers"):
        bot.checker._look(record, Step(kind="check", verb="serving"), moment)
