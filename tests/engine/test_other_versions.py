"""Requests that another version of the program accepted, while both are rolled over one another."""

import pytest

from bot.core.operation import Risk, param
from bot.engine.registry import Registry
from bot.operations.rollback import Rollback

ANA, BEN = "slack:U0ANA", "slack:U0BEN"


@pytest.fixture
def newer(bot, monkeypatch):
    """The bot, hearing requests as a newer version does, whose rollback has one more parameter."""

    class Newer(Rollback, risk=Risk.ROLLOUT):
        """Send all traffic back to the last release that served well."""

        slowly: bool = param("Whether to take one's time.", default=False)

    Newer.__module__ = Rollback.__module__
    acceptor = bot.front._acceptor
    monkeypatch.setattr(acceptor, "_registry", Registry({**bot.registry.operations, "rollback": Newer}))
    return bot


def test_a_request_keeps_what_was_said_and_no_defaults(bot):
    assert bot.say(ANA, "rollback backend").request.params.keys() == {"service"}
    assert bot.say(ANA, "rollback backend --reason 5xx").request.params.keys() == {"service", "reason"}


def test_what_a_newer_version_accepted_an_older_one_plans_and_applies(newer):
    operation = newer.approved()
    assert newer.work(operation).state == "applied"


def test_but_not_what_only_the_newer_one_understands(newer):
    record = newer.say(ANA, "rollback backend --slowly")
    assert (record.state, record.plan) == ("rejected", None)
    assert "slowly" in record.detail
    assert newer.platform.writes == []


def test_what_only_the_newer_one_understands_is_not_applied_either(newer, bot, monkeypatch):
    with monkeypatch.context() as planned_by_the_newer:
        planned_by_the_newer.setattr(bot.engine, "_registry", newer.front._acceptor._registry)
        operation = newer.approved("rollback backend --slowly")
    record = newer.work(operation)
    assert record.state == "failed" and "nothing done" in record.detail and "slowly" in record.detail
    assert newer.platform.writes == []


def test_a_rollback_that_a_newer_version_planned_is_applied_by_one_that_knows_no_locks(bot, monkeypatch):
    operation, plan = bot.approved(), bot.engine._plan
    assert bot.ledger.operation(operation).plan.locks
    monkeypatch.setattr(bot.engine, "_plan", lambda *args: plan(*args).model_copy(update={"locks": ()}))
    assert bot.work(operation).state == "applied"
