"""What a form offers: names, operations and releases, and only to whom policy lets see them."""

import pytest

from bot.core.answer import Table
from bot.core.errors import Denied, StoreError, Transient, UserError
from bot.core.home import Choice
from bot.core.operation import Change, OperationRef, Risk, ServiceRef, param
from bot.core.plan import Plan
from bot.engine.choices import MOST, Choices, Question, matching
from bot.engine.registry import Registry
from tests.engine.conftest import ANA, BAD, BEN, DEV, EVE, GOOD, Bot

BACKEND = "ai-square/prod/backend"


def asked(bot: Bot, operation: str, field: str, begun: str = "", actor: str = ANA, **entered: str | bool) -> list[str]:
    question = Question(actor=actor, operation=operation, field=field, begun=begun, entered=entered, channel="C0AISQ")
    return [one.value for one in offered(bot, question)]


def offered(bot: Bot, question: Question) -> tuple[Choice, ...]:
    return matching(bot.front.choices.every(question), question.begun)


class TestNames:
    def test_those_of_the_channel_come_first(self, bot: Bot) -> None:
        found = bot.front.choices.named("service", "C0AISQ")
        places = [one.group for one in found]
        assert places[0] == "ai-square/prod" and len(set(places)) > 1
        assert places == sorted(places, key=lambda place: place != "ai-square/prod")
        assert BACKEND in [one.value for one in found]

    def test_a_channel_without_a_default(self, bot: Bot) -> None:
        assert {one.value for one in bot.front.choices.named("service", "C0OTHER")} == {
            one.value for one in bot.front.choices.named("service", "C0AISQ")
        }

    def test_only_of_the_kind(self, bot: Bot) -> None:
        kinds = {target.full_name: target.kind for target in bot.catalog.targets()}
        assert {kinds[one.value] for one in bot.front.choices.named("service", "")} == {"service"}
        assert {kinds[one.value] for one in bot.front.choices.named("database|cache", "")} <= {"database", "cache"}
        assert len(bot.front.choices.named("any", "")) == len(kinds)

    def test_searched(self, bot: Bot) -> None:
        assert asked(bot, "rollback", "service", "BACKEND")[0] == BACKEND
        assert asked(bot, "rollback", "service", "no such thing") == []

    def test_what_is_meant_without_a_word_only_when_it_is_the_only_one(self, bot: Bot) -> None:
        assert bot.front.choices.default("service", "C0AISQ") == ""
        assert bot.front.choices.default("service", "C0OTHER") == ""
        caches = [one for one in bot.front.choices.named("cache", "C0AISQ") if one.group == "ai-square/prod"]
        assert bot.front.choices.default("cache", "C0AISQ") == (caches[0].value if len(caches) == 1 else "")


class TestReleases:
    def test_are_those_that_the_look_lists(self, bot: Bot) -> None:
        found = asked(bot, "rollback", "to", service=BACKEND)
        assert found[:2] == [BAD, GOOD]

    def test_searched_by_what_is_known_of_them(self, bot: Bot) -> None:
        assert asked(bot, "rollback", "to", "kex", service="backend") == [GOOD]
        assert asked(bot, "rollback", "to", "100 %", service="backend") == [BAD]

    def test_of_nothing_there_are_none(self, bot: Bot) -> None:
        assert asked(bot, "rollback", "to") == []
        assert bot.platform.calls == []

    @pytest.mark.parametrize("actor", [DEV, EVE, "slack:U0NOBODY"])
    def test_are_for_those_who_may_look(self, bot: Bot, actor: str) -> None:
        try:
            bot.gate.permit(bot.people.actor(actor), bot.read("releases backend"))
        except Denied:
            with pytest.raises(Denied):
                asked(bot, "rollback", "to", actor=actor, service=BACKEND)
            assert bot.platform.calls == []
        else:
            assert asked(bot, "rollback", "to", actor=actor, service=BACKEND)

    def test_a_cloud_that_fails_is_said(self, bot: Bot) -> None:
        bot.platform.fail("releases", *[Transient("503")] * 99)
        with pytest.raises(Transient):
            asked(bot, "rollback", "to", service=BACKEND)

    def test_of_a_service_that_there_is_not(self, bot: Bot) -> None:
        with pytest.raises(UserError):
            asked(bot, "rollback", "to", service="bakend")


class TestOperations:
    def test_a_control_is_offered_what_the_asker_may_act_on(self, bot: Bot) -> None:
        id = bot.ask(ANA, "rollback backend")
        assert asked(bot, "approve", "operation", actor=BEN) == [id]
        assert asked(bot, "approve", "operation", actor=ANA) == [], "it is her own"
        assert asked(bot, "ops cancel", "operation", actor=ANA) == [id]
        bot.say(BEN, f"deny {id}")
        assert asked(bot, "approve", "operation", actor=BEN) == []

    def test_a_look_and_a_change_are_offered_all(self, bot: Bot) -> None:
        id = bot.ask(ANA, "rollback backend")
        bot.say(BEN, f"deny {id}")
        assert asked(bot, "ops show", "operation") == [id]
        assert asked(bot, "ops undo", "operation", begun="rollback") == [id]
        assert asked(bot, "ops undo", "operation", begun="traffic") == []

    def test_are_told_apart(self, bot: Bot) -> None:
        id = bot.ask(ANA, "rollback backend")
        question = Question(actor=BEN, operation="approve", field="operation")
        (found,) = offered(bot, question)
        assert (found.text, found.about) == (f"{id}: rollback backend", "waiting, asked by ana")


def test_a_field_that_nothing_is_known_of_and_one_that_there_is_not(bot: Bot) -> None:
    assert asked(bot, "rollback", "reason") == []
    assert asked(bot, "rollback", "colour") == []
    with pytest.raises(UserError):
        asked(bot, "rolback", "service")


class TestSensible:
    def test_what_acts_on_operations_needs_one(self, bot: Bot) -> None:
        none = bot.front.choices.sensible()
        assert {"rollback", "status", "help", "audit"} <= none.keys()
        assert none.keys().isdisjoint({"approve", "deny", "ops cancel", "ops show", "ops undo"})

    def test_controls_need_an_open_one(self, bot: Bot) -> None:
        id = bot.ask(ANA, "rollback backend")
        assert bot.front.choices.sensible().keys() == bot.front.commands().keys()
        bot.say(BEN, f"deny {id}")
        controls = {"approve", "deny", "ops cancel", "ops advance", "ops hold"}
        assert bot.front.commands().keys() - bot.front.choices.sensible().keys() == controls

    def test_a_database_that_is_away_is_said(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(**_: object) -> None:
            raise StoreError("away")

        monkeypatch.setattr(bot.ledger, "operations", away)
        with pytest.raises(StoreError):
            bot.front.choices.sensible()


def test_no_more_than_people_are_offered_at_once() -> None:
    many = [Choice(value=f"s/e/x{number}") for number in range(300)]
    assert len(matching(many, "")) == MOST
    assert matching(many, "x299")[0].value == "s/e/x299"


def test_what_begins_like_that_comes_first() -> None:
    assert [one.value for one in matching([Choice(value="a/b/old-api"), Choice(value="a/b/api")], "api")] == [
        "a/b/api",
        "a/b/old-api",
    ]


class Move(Change, risk=Risk.OPERATE):
    """Move something after an operation."""

    after: OperationRef = param("After which.", completes="operations")
    service: ServiceRef = param("What.")
    like: str = param("Like what.", default="", completes="status of service")

    def plan(self) -> Plan:
        raise NotImplementedError


Move.__module__ = "x.move"


def with_move(bot: Bot) -> Choices:
    registry = Registry({**bot.registry.operations, "move": Move})
    return Choices(registry, bot.names, bot.catalog, bot.people, bot.gate, bot.binder, bot.ledger, bot.clock)


def test_what_cannot_be_judged_by_the_operation_alone_is_offered(bot: Bot) -> None:
    id = bot.ask(ANA, "rollback backend")
    (found,) = with_move(bot).every(Question(actor=DEV, operation="move", field="after"))
    assert found.value == id, "policy will be asked when the rest is known"


def test_a_look_that_lists_all_it_has(bot: Bot) -> None:
    question = Question(actor=ANA, operation="move", field="like", entered={"service": BACKEND})
    status = bot.say(ANA, f"status {BACKEND}").answer
    tables = [part for part in status.parts if isinstance(part, Table)] if status else []
    assert [one.value for one in with_move(bot).every(question)] == [
        str(row[0]) for table in tables[:1] for row in table.rows
    ]


def test_while_nobody_can_be_asked_who_somebody_is_nothing_is_offered_to_act_on(bot: Bot) -> None:
    bot.ask(ANA, "rollback backend")
    bot.everybody.silent = True
    assert asked(bot, "approve", "operation", actor=BEN) == []
    assert len(asked(bot, "ops show", "operation", actor=BEN)) == 1


def test_systems_and_environments_where_they_can_be_named(bot: Bot) -> None:
    found = bot.front.choices.named("service|environment|system", "C0AISQ")
    here = [one.value for one in found if one.group == "ai-square/prod"]
    assert here == ["ai-square/prod/backend", "ai-square/prod/frontend", "ai-square/prod"]
    assert {one.value: one.group for one in found}["eaili5"] == "eaili5"
