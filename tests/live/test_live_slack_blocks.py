"""The live check itself, against the sandbox's Slack: it asks about everything, and tells what is refused."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from starlette.applications import Starlette

from bot.sandbox.slack import FakeSlack, routes
from tests.doors.slack.harness import TOKEN, served
from tests.live import slack_blocks

HEADER = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    fake = FakeSlack("secret", TOKEN, "", has_budgets=False)
    async with served(Starlette(routes=routes(fake))) as address:
        fake.base_url = address
        yield fake


def environment(slack: FakeSlack, token: str = TOKEN) -> dict[str, str]:
    return {"SLACK_BOT_TOKEN": token, "SLACK_API_URL": f"{slack.base_url}/api/"}


def test_all_kinds_are_asked_about() -> None:
    asked = list(slack_blocks.every())
    assert {kind for _, sent in asked for kind in sent} == {"blocks", "view"}
    assert len(asked) > 200


async def test_what_slack_takes(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    some = [*slack_blocks.every()][::25]
    monkeypatch.setattr(slack_blocks, "every", lambda: iter([*some, *some[:1]]))
    assert await asyncio.to_thread(slack_blocks.main, environment(slack)) == 0
    once = {str(sent) for _, sent in some}
    assert capsys.readouterr().out == f"{len(once)} messages and forms, 0 refused\n"
    assert {call.method for call in slack.workspace.calls} == {"blocks.validate"}


async def test_what_slack_refuses_is_told(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong() -> Iterator[tuple[str, dict[str, Any]]]:
        yield "a long header", {"blocks": [HEADER]}
        yield "no modal", {"view": {"type": "modal", "blocks": [HEADER]}}

    monkeypatch.setattr(slack_blocks, "every", wrong)
    assert await asyncio.to_thread(slack_blocks.main, environment(slack)) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("a long header: ") and "must be less than 151 characters" in said[0]
    assert said[1].startswith("no modal: ")
    assert said[2] == "2 messages and forms, 2 refused"


async def test_a_wrong_token_is_no_verdict_about_blocks(slack: FakeSlack) -> None:
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await asyncio.to_thread(slack_blocks.main, environment(slack, "xoxb-wrong"))


def test_without_a_token_it_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert slack_blocks.main({}) == 2
    assert "SLACK_BOT_TOKEN" in capsys.readouterr().err
