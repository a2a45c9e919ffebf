"""What can be asked, and what policy says of it."""

import pytest

from bot.core.errors import UserError

ANA, DEV = "slack:U0ANA", "slack:U0DEV"


def said(bot, who, text):
    return " ".join(part.text for part in bot.say(who, text).answer.parts)


@pytest.mark.parametrize(
    "who, text, says",
    [
        (ANA, "why rollback backend", "You may, once one other person approves (policy grant.prod.rollout)"),
        (ANA, 'why rollback backend --break-glass "all down"', "You may, at once, alone"),
        (DEV, "why rollback backend", "needs role sre-oncall"),
        (DEV, "why rollback ai-square/staging/backend", "You may, at once, alone (policy grant.outside-prod.rollout)"),
        ("slack:U0EVE", "why help", "Deactivated people, guests and strangers may do nothing"),
    ],
)
def test_why(bot, who, text, says):
    if who == "slack:U0EVE":
        bot.everybody.gone.clear()
        record = bot.say(who, "why help")
        bot.everybody.gone.add("U0EVE")
        answer = bot.engine._answer(record.model_copy(update={"request": record.request.model_copy(
            update={"actor": bot.people.actor(who)})}), bot.registry.load(record.request))  # fmt: skip
        assert says in answer.parts[0].text and "Nothing that aisq knows of" in answer.parts[1].text
    else:
        assert says in said(bot, who, text)


def test_help_lists_and_explains(bot):
    rows = bot.say(ANA, "help").answer.parts[0].rows
    assert ("rollback", "Send all traffic back to the last release that served well.") in rows
    assert bot.say(ANA, "help rollback").answer.parts[1].lines[0].startswith("rollback <service> [--to RELEASE|TIME]")
    record = bot.say(ANA, "help rolback")
    assert (record.state, "Did you mean `rollback`" in record.detail) == ("rejected", True)


def test_aliases_are_words_too(bot):
    assert bot.say(ANA, "ops").answer.title == "Operations"
    assert bot.registry.command("OPS  List").command() == "ops list"


def test_unknown_commands_are_wrong_input(bot):
    with pytest.raises(UserError, match="I don't know `zzz`"):
        bot.registry.command("zzz")
