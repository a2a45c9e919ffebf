"""From a line of text to a persisted operation: understood, named in full, permitted, once."""

import pytest

from bot.core.clocktime import Standpoint
from bot.core.errors import Denied, UserError
from bot.core.request import Address, Ask, Form

ANA, BEN, DEV = "slack:U0ANA", "slack:U0BEN", "slack:U0DEV"


def test_the_same_delivery_is_one_operation(bot):
    first = bot.ask(ANA, "rollback backend", heard_as="trigger-1", signature="v0=1")
    assert bot.ask(ANA, "rollback backend", heard_as="trigger-1", signature="v0=2") == first
    assert len(bot.ledger.operations()) == 1


def test_a_replay_is_refused(bot):
    bot.ask(ANA, "rollback backend", heard_as="trigger-1", signature="v0=1")
    with pytest.raises(Denied, match="that delivery was used before"):
        bot.ask(ANA, "rollback backend", heard_as="trigger-2", signature="v0=1")
    assert len(bot.ledger.operations()) == 1


def test_the_channel_names_the_system(bot):
    assert bot.say(ANA, "rollback backend", channel="C0AISQ").request.target.full_name == "ai-square/prod/backend"


def test_without_a_default_an_ambiguous_name_is_asked_back(bot):
    with pytest.raises(UserError) as asked:
        bot.say(ANA, "rollback backend", channel="C0OPS")
    assert "ai-square/prod/backend" in asked.value.choices


def test_what_policy_refuses_at_once_is_kept_as_a_refusal(bot):
    with pytest.raises(Denied) as denied:
        bot.say(DEV, "rollback backend")
    assert denied.value.remedy
    (record,) = bot.ledger.operations()
    assert (record.state, record.request.actor.name) == ("denied", "dev")
    assert [entry.event for entry in bot.audit.entries()] == ["denied", "asked"]


def test_a_refusal_heard_again_is_not_raised_again(bot):
    with pytest.raises(Denied):
        bot.ask(DEV, "rollback backend", heard_as="same")
    assert bot.ledger.operation(bot.ask(DEV, "rollback backend", heard_as="same")).state == "denied"


def test_what_is_not_understood_is_not_written(bot):
    with pytest.raises(UserError, match="Did you mean `rollback`"):
        bot.say(ANA, "rolback backend")
    assert not bot.audit.entries()


def test_a_dry_run_is_planned_and_never_applied(bot):
    record = bot.say(ANA, "rollback backend --dry-run")
    assert (record.state, record.plan.summary != "") == ("planned", True)
    assert bot.ledger.due() == ()


def test_nothing_to_do_says_why(bot):
    record = bot.say(ANA, "rollback backend --to backend-00042-bad")
    assert (record.state, "already serves all traffic" in record.detail) == ("nothing_to_do", True)


def test_wrong_names_are_rejected_with_the_nearest(bot):
    record = bot.say(ANA, "rollback backend --to backend-00041-key")
    assert (record.state, "Did you mean `backend-00041-kex`" in record.detail) == ("rejected", True)


def test_a_bug_while_planning_changes_nothing_and_ends(bot, monkeypatch):
    monkeypatch.setattr(bot.platform, "releases", lambda _: 1 / 0)
    record = bot.say(ANA, "rollback backend")
    assert (record.state, record.detail) == ("failed", "nothing done: a bug in aisq (ZeroDivisionError)")


def test_proceeding_twice_plans_once(bot):
    record = bot.say(ANA, "rollback backend")
    assert bot.engine.proceed(record.id) == record


def test_somebody_who_cannot_be_asked_for_may_still_look(bot):
    bot.everybody.silent = True
    assert bot.say(ANA, "status backend").state == "answered"
    with pytest.raises(Denied, match="nobody could be asked"):
        bot.say(ANA, "rollback backend")


def test_somebody_of_a_door_that_is_not_here(bot):
    assert bot.people.actor("teams:ana").active is None
    assert bot.people.actor("teams:ana").name == "ana"


@pytest.mark.parametrize(
    "who, text, says",
    [
        (ANA, "rollback backend --dry-run", "Without --dry-run you may, once one other person approves."),
        (DEV, "rollback backend --dry-run", "You could not run it: No policy lets dev"),
        (ANA, 'rollback backend --dry-run --break-glass "down"', "Without --dry-run you may, at once, alone."),
    ],
)
def test_a_dry_run_says_what_it_would_take(bot, who, text, says):
    assert says in bot.say(who, text).detail


def test_a_policy_that_fails_is_a_no_and_somebody_is_told(bot, monkeypatch, caplog):
    from bot.engine.policy import Decision, Probe

    broken = Probe(None, Decision(False, (), "a policy could not be evaluated: overflow.", "overflow"))
    monkeypatch.setattr(bot.policy, "probe", lambda *_: broken)
    monkeypatch.setattr(bot.policy, "decide", lambda *_: broken.decision)
    with pytest.raises(Denied, match="could not be evaluated"):
        bot.say(ANA, "rollback backend")
    assert "policy failed on rollback by slack:U0ANA: overflow" in caplog.text


@pytest.mark.parametrize("line", ["status backend", "why status backend"])
def test_a_time_is_by_the_clock_of_who_asks(bot, monkeypatch, line):
    read, heard = bot.registry.read, []
    monkeypatch.setattr(bot.registry, "read", lambda line, names, here: heard.append(here) or read(line, names, here))
    bot.say(ANA, line)
    assert set(heard) == {Standpoint("Europe/Berlin", bot.clock.now())}
    assert len(heard) == 1 + line.startswith("why")


def test_so_is_one_in_a_form(bot, monkeypatch):
    fill, heard = bot.registry.fill, []
    monkeypatch.setattr(bot.registry, "fill", lambda form, names, here: heard.append(here) or fill(form, names, here))
    form = Form(operation="status", values={"service": "ai-square/prod/backend"})
    bot.front._acceptor.accept(Ask(actor=ANA, form=form, address=Address(door="test"), heard_as="form"))
    assert heard == [Standpoint("Europe/Berlin", bot.clock.now())]
