"""A form becomes the same request as the line that says the same."""

import pytest

from bot.core.errors import Denied, UserError
from bot.core.request import Address, Ask, Form
from tests.engine.conftest import ANA, DEV, Bot


def asked(bot: Bot, actor: str = ANA, heard_as: str = "a form", **values: str | bool) -> str:
    form = Form(operation="rollback", values=values)
    ask = Ask(actor=actor, form=form, address=Address(door="test"), heard_as=heard_as, channel="C0AISQ")
    return bot.front._acceptor.accept(ask).id


def test_it_is_kept_and_audited_as_the_line_that_says_the_same(bot: Bot) -> None:
    id = asked(bot, service="ai-square/prod/backend", reason="5xx “since” 14:02", dry_run=False)
    line = r'rollback ai-square/prod/backend --reason "5xx \"since\" 14:02"'
    record = bot.ledger.operation(id)
    assert record.request.text == line
    assert bot.audit.entries(operation=id)[-1].body["text"] == line
    again = bot.say(ANA, line).request
    assert (again.params, again.target) == (record.request.params, record.request.target)


def test_it_knows_the_channel(bot: Bot) -> None:
    assert str(bot.ledger.operation(asked(bot, service="backend")).request.target) == "ai-square/prod/backend"


def test_one_form_is_one_operation(bot: Bot) -> None:
    assert asked(bot, service="backend") == asked(bot, service="backend")


def test_what_is_wrong_is_named_and_nothing_is_written(bot: Bot) -> None:
    with pytest.raises(UserError) as refused:
        asked(bot, service="bakend")
    assert "did you mean `backend`?" in refused.value.fields["service"]
    assert bot.heard("a form") is None


def test_it_is_refused_like_a_line(bot: Bot) -> None:
    with pytest.raises(Denied):
        asked(bot, DEV, service="backend")
    assert bot.heard("a form")
