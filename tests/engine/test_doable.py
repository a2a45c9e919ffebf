"""A plan that cannot be carried out is refused before anybody approves it."""

from typing import Any

import pytest

from bot.core.plan import Plan, Step
from bot.engine.bind import Providers
from bot.engine.doable import check_doable

ANA = "slack:U0ANA"
ROLLBACK = "rollback backend --to backend-00041-kex"  # which needs nothing of the platform but to look at the service


class OnlyReads:
    """A platform that shows services, and changes none."""

    def service(self) -> None: ...
    def releases(self) -> None: ...
    def by_hand_traffic(self) -> None: ...


class Unwatched(OnlyReads):
    """It makes the write, but nobody could tell how that ended."""

    def set_traffic(self) -> None: ...


@pytest.mark.parametrize(
    "platform, lacks", [(OnlyReads, "changing services (set_traffic)"), (Unwatched, "following changes (find)")]
)
def test_a_platform_that_lacks_a_step_is_said_before_the_write(bot: Any, platform: type, lacks: str) -> None:
    bot.binder.providers._classes["cloud_run"] = platform
    record = bot.say(ANA, ROLLBACK)
    said = f"nothing done: ai-square/prod/backend is of type cloud_run, for which aisq does not offer {lacks}"
    assert (record.state, record.detail, bot.platform.writes) == ("failed", said, [])


def test_it_is_asked_again_before_anything_is_done(bot: Any) -> None:
    operation = bot.approved(ROLLBACK)
    bot.binder.providers._classes["cloud_run"] = OnlyReads
    done = bot.work(operation)
    assert (done.state, "does not offer changing services" in done.detail, bot.platform.writes) == ("failed", True, [])


def changed(plan: Plan, **step: Any) -> Plan:
    return plan.model_copy(update={"steps": (plan.steps[0].model_copy(update=step), *plan.steps[1:])})


@pytest.mark.parametrize(
    "step, error, says",
    [
        ({"verb": "Compute.delete"}, ValueError, "Compute.delete is not a write that a port declares"),
        ({"undo": Step(verb="ComputeReads.service")}, ValueError, "is not a write that a port declares"),
        ({"args": {"traffic": {"a": "many"}}}, ValueError, "valid integer"),
        ({"kind": "check", "verb": "swallows"}, TypeError, "rollback plans a step check_swallows, which it does not"),
        ({"kind": "judge", "verb": "weather"}, TypeError, "rollback plans a step judge_weather, which it does not"),
    ],
)
def test_a_step_that_is_a_bug_is_found_while_planning(bot: Any, step: Any, error: type[Exception], says: str) -> None:
    record = bot.say(ANA, "rollback backend")
    made = bot.registry.load(record.request)
    check_doable(made, record.plan, bot.platforms)
    with pytest.raises(error, match=says):
        check_doable(made, changed(record.plan, **step), bot.platforms)


def test_what_is_judged_afterwards_is_checked_too(bot: Any) -> None:
    record = bot.say(ANA, "rollback backend")
    plan = record.plan.model_copy(update={"afterwards": (Step(kind="judge", verb="weather"),)})
    with pytest.raises(TypeError, match="judge_weather"):
        check_doable(bot.registry.load(record.request), plan, Providers({"cloud_run": OnlyReads}, lambda kind: kind()))
