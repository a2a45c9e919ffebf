"""Who may say yes to what, and when: each refusal with its reason, and nothing done."""

from datetime import timedelta

import pytest

from bot.core.errors import Denied, UserError
from bot.core.rules import Role, Roles

ANA, BEN, CHO, DEV, EVE = "slack:U0ANA", "slack:U0BEN", "slack:U0CHO", "slack:U0DEV", "slack:U0EVE"


def waiting(bot, text="rollback backend"):
    record = bot.say(ANA, text)
    assert record.state == "waiting"
    return record


def refused(bot, who, text, says):
    with pytest.raises(Denied, match=says):
        bot.say(who, text)


def test_self(bot):
    record = waiting(bot)
    refused(bot, ANA, f"approve {record.id}", r"Nobody approves their own request \(guard.own-request\)")


def test_no_role(bot):
    record = waiting(bot)
    refused(bot, "slack:U0NEW", f"approve {record.id}", r"No policy lets new \(no role\) do `approve`")


def test_deactivated_approver(bot):
    record = waiting(bot)
    refused(bot, EVE, f"approve {record.id}", "Deactivated people, guests and strangers may do nothing")


def test_stale_digest(bot):
    record = waiting(bot)
    done = bot.say(BEN, f"approve {record.id} --digest 0000")
    assert (done.state, done.detail[:21]) == ("denied", "that was another plan")
    assert bot.ledger.operation(record.id).state == "waiting"


def test_double_click_counts_once(bot):
    record = waiting(bot)
    bot.say(BEN, f"approve {record.id}", heard_as="click-1")
    bot.say(BEN, f"approve {record.id}", heard_as="click-1")
    again = bot.say(BEN, f"approve {record.id}", heard_as="click-2")
    assert (again.state, again.answer.parts[0].text) == ("answered", "rollback backend; it begins now")
    assert [one.actor.id for one in bot.ledger.operation(record.id).approvals] == [BEN]


def test_a_yes_too_many(bot):
    operation = bot.approved()
    late = bot.say(CHO, f"approve {operation}")
    assert (late.state, "has its approvals already" in late.detail) == ("rejected", True)


def test_a_yes_to_what_is_done(bot):
    record = waiting(bot)
    bot.say(BEN, f"approve {record.id}")
    bot.work(record.id)
    assert "it is done already" in bot.say(BEN, f"approve {record.id}").detail


def test_expired(bot):
    record = waiting(bot)
    bot.clock.advance(31 * 60)
    said = bot.say(BEN, f"approve {record.id}")
    assert (said.state, "time to be approved has passed" in said.detail) == ("denied", True)
    assert bot.ledger.expire() == 1
    assert bot.ledger.operation(record.id).state == "expired"
    assert "its time to be approved has passed" in bot.say(BEN, f"approve {record.id}").detail


def test_requester_was_deactivated(bot):
    record = waiting(bot)
    bot.everybody.gone.add("U0ANA")
    said = bot.say(BEN, f"approve {record.id}")
    assert (said.state, "ana, who asked for it, was deactivated" in said.detail) == ("denied", True)


def test_requester_is_deactivated_after_the_approval(bot):
    operation = bot.approved()
    bot.everybody.gone.add("U0ANA")
    done = bot.work(operation)
    assert (done.state, bot.platform.writes) == ("denied", [])
    assert "Deactivated people, guests and strangers may do nothing" in done.detail


def test_approver_lost_the_role_after_the_approval(bot):
    operation = bot.approved()
    roles = dict(bot.files.roles.roles)
    roles["sre-oncall"] = Role(description="less", slack_users=("U0ANA",))
    bot.people._roles = Roles(roles=roles)
    done = bot.work(operation)
    assert (done.state, bot.platform.writes) == ("denied", [])


def test_policy_changed_while_people_thought(bot):
    record = waiting(bot)
    bot.people._roles = Roles(roles={"sre-oncall": Role(description="only ben", slack_users=("U0BEN",))})
    said = bot.say(BEN, f"approve {record.id}")
    assert (said.state, "No policy lets ana" in said.detail) == ("denied", True)


def test_slack_silent_at_the_click_is_a_no(bot):
    record = waiting(bot)
    bot.everybody.silent = True
    refused(bot, BEN, f"approve {record.id}", "nobody could be asked whether you are still active")


def test_slack_silent_at_apply_trusts_what_was_known_at_the_approval(bot):
    operation = bot.approved()
    bot.everybody.silent = True
    assert bot.work(operation).state == "applied"


def test_slack_falls_silent_between_the_click_and_the_count(bot):
    record = waiting(bot)
    click = bot.read(f"approve {record.id}")
    bot.everybody.silent = True
    actor = record.request.actor.model_copy(update={"id": BEN, "name": "ben"})
    with pytest.raises(Denied, match="nobody could be asked"):
        bot.binder.arguments(click)["desk"].approve(record.id, "", actor)


def test_a_no_is_enough(bot):
    record = waiting(bot)
    bot.say(BEN, f'deny {record.id} --reason "wait for cho"')
    denied = bot.ledger.operation(record.id)
    assert (denied.state, denied.detail) == ("denied", "denied by ben: wait for cho; nothing was done")
    assert "it was denied" in bot.say(CHO, f"approve {record.id}").detail
    again = bot.say(BEN, f"deny {record.id}")
    assert (again.state, again.answer.parts[0].text) == ("answered", f"rollback backend: {denied.detail}")
    assert bot.ledger.operation(record.id) == denied


@pytest.mark.parametrize("who, says", [(ANA, "cancelled by ana"), (BEN, "cancelled by ben")])
def test_cancel_before_it_begins(bot, who, says):
    record = waiting(bot)
    bot.say(who, f"ops cancel {record.id}")
    cancelled = bot.ledger.operation(record.id)
    assert (cancelled.state, cancelled.detail) == ("cancelled", f"{says}; nothing was done")
    again = bot.say(who, f"ops cancel {record.id}")
    assert again.state == "answered" and "cancelled by" in str(again.answer)


def test_what_is_done_is_not_cancelled(bot):
    operation = bot.approved()
    bot.work(operation)
    late = bot.say(BEN, f"ops cancel {operation}")
    assert (late.state, late.detail) == ("rejected", f"`{operation}` cannot be cancelled: it is done already.")


def test_a_stranger_may_not_cancel(bot):
    record = waiting(bot)
    refused(bot, DEV, f"ops cancel {record.id}", "No policy lets dev")


def test_break_glass_needs_nobody_and_says_so(bot):
    record = bot.say(ANA, 'rollback backend --break-glass "site is down, nobody answers"')
    assert (record.state, record.approvals_needed, record.permitted_by) == ("queued", 0, "grant.prod.rollback-alone")
    assert bot.work(record.id).state == "applied"
    asked = [one for one in bot.audit.entries(operation=record.id) if one.event == "asked"]
    assert "nobody answers" in str(asked[0].body["text"])


def test_break_glass_is_no_bypass(bot):
    refused(bot, DEV, 'rollback backend --break-glass "I want to"', "No policy lets dev")
    traffic = bot.say(ANA, 'traffic backend backend-00041-kex=100 --break-glass "hurry"')
    assert (traffic.state, traffic.approvals_needed) == ("waiting", 1)


def test_an_unknown_operation_is_named(bot):
    with pytest.raises(UserError, match="there is no operation `zzzz`"):
        bot.say(BEN, "approve zzzz")


def test_policy_that_asks_for_more_than_was_shown(bot, monkeypatch):
    record = waiting(bot)
    real = bot.gate.permit

    def stricter(actor, operation, **facts):
        permit = real(actor, operation, **facts)
        return permit.model_copy(update={"approvals": 2}) if operation.command() == "rollback" else permit

    monkeypatch.setattr(bot.gate, "permit", stricter)
    said = bot.say(BEN, f"approve {record.id}")
    assert (said.state, "policy now asks for 2 approvals" in said.detail) == ("denied", True)


def test_approvals_expire_with_the_plan_not_with_the_day(bot):
    record = waiting(bot)
    assert record.expires_at - bot.clock.now() == timedelta(minutes=30)
