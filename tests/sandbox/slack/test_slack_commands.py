"""Slash commands: what arrives at the bot, and what the person sees of its answer."""

from typing import Any
from urllib.parse import parse_qs

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.commands import escaped
from bot.sandbox.slack.refusals import Unusable

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_000}}


async def test_the_payload(slack: FakeSlack, raw_bot: Any) -> None:
    await slack.slash("U0ANA", "C0OPS", "rollback backend --reason 'a & b'")
    sent = {name: values[0] for name, values in parse_qs(raw_bot.bodies[0].decode()).items()}
    trigger, hook = sent.pop("trigger_id"), sent.pop("response_url")
    assert sent == {
        "token": "legacy",
        "team_id": "T0AISQ",
        "team_domain": "aisq",
        "channel_id": "C0OPS",
        "channel_name": "ops",
        "user_id": "U0ANA",
        "user_name": "ana",
        "command": "/aisq",
        "text": "rollback backend --reason 'a &amp; b'",
        "api_app_id": "A0AISQ",
        "is_enterprise_install": "false",
    }
    assert len(trigger.split(".")) == 3 and hook.startswith(f"{slack.base_url}/hooks/")
    assert raw_bot.headers[0]["content-type"] == "application/x-www-form-urlencoded"


async def test_other_commands_and_places(slack: FakeSlack, raw_bot: Any) -> None:
    await slack.slash("U0FOX", "C0OPS", "", command="/other")
    sent = parse_qs(raw_bot.bodies[0].decode(), keep_blank_values=True)
    assert sent["command"] == ["/other"] and sent["text"] == [""] and sent["team_id"] == ["T0OTHER"]


@pytest.mark.parametrize(
    ("typed", "arrives"),
    [
        ("rollback backend", "rollback backend"),
        ("a < b > c & d", "a &lt; b &gt; c &amp; d"),
        ("&lt;", "&amp;lt;"),
        ("<!here>", "&lt;!here&gt;"),
        ("ask @ana", "ask <@U0ANA|ana>"),
        ("ask @ana, @ben.", "ask <@U0ANA|ana>, <@U0BEN|ben>."),
        ("ask @nobody", "ask @nobody"),
        ("ask @oncall", "ask <!subteam^S0ONCALL|@oncall>"),
        ("in #ops", "in <#C0OPS|ops>"),
        ("in #ai-square-ops", "in <#C0AISQ|ai-square-ops>"),
        ("in #nowhere", "in #nowhere"),
        ("@here", "<!here>"),
        ("mail ana@ben", "mail ana@ben"),
        ("see https://a.example/x?y=1&z=2", "see <https://a.example/x?y=1&amp;z=2>"),
        ("--reason “quoted” — done", "--reason “quoted” — done"),
        ("日本語 🚀", "日本語 🚀"),
    ],
)
def test_escaping(slack: FakeSlack, typed: str, arrives: str) -> None:
    assert escaped(slack.workspace, typed) == arrives


ANSWERS = [
    ("plain text", PlainTextResponse("done"), "done", "U0ANA"),
    ("JSON", JSONResponse({"text": "done"}), "done", "U0ANA"),
    ("ephemeral", JSONResponse({"response_type": "ephemeral", "text": "done"}), "done", "U0ANA"),
    ("in channel", JSONResponse({"response_type": "in_channel", "text": "done"}), "done", None),
    ("blocks beyond a message's budget", JSONResponse({"text": "x", "blocks": [SECTION] * 5}), "x", "U0ANA"),
]


@pytest.mark.parametrize(("answer", "text", "visible_to"), [a[1:] for a in ANSWERS], ids=[a[0] for a in ANSWERS])
async def test_an_answer_is_shown(
    slack: FakeSlack, raw_bot: Any, answer: Response, text: str, visible_to: str | None
) -> None:
    raw_bot.answer = lambda _: answer
    result = await slack.slash("U0ANA", "C0OPS", "status")
    assert result.ok and [(m.text, m.visible_to) for m in result.shown] == [(text, visible_to)]
    kept = slack.workspace.ephemerals if visible_to else slack.workspace.in_channel("C0OPS")
    assert kept == result.shown


@pytest.mark.parametrize(
    "answer",
    [Response(), JSONResponse({}), JSONResponse({"response_type": "in_channel"}), JSONResponse({"text": ""}),
     PlainTextResponse(" \n"), JSONResponse(["odd"]), Response("{", media_type="application/json")],
)  # fmt: skip
async def test_an_empty_answer_shows_nothing(slack: FakeSlack, raw_bot: Any, answer: Response) -> None:
    raw_bot.answer = lambda _: answer
    result = await slack.slash("U0ANA", "C0OPS", "status")
    assert result.ok and result.shown == [] and slack.workspace.ephemerals == []


async def test_an_answer_that_slack_would_not_show(slack: FakeSlack, raw_bot: Any) -> None:
    raw_bot.answer = lambda _: JSONResponse({"text": "a", "blocks": [{"type": "banner"}]})
    result = await slack.slash("U0ANA", "C0OPS", "status")
    assert result.error == "invalid_command_response" and "invalid_blocks" in result.note and result.shown == []


async def test_only_known_people_and_channels_can_type(slack: FakeSlack) -> None:
    with pytest.raises(Unusable, match="there is no person 'U0NONE'; use one of U0ANA"):
        await slack.slash("U0NONE", "C0OPS", "status")
    with pytest.raises(Unusable, match="there is no channel 'C0NONE'; use one of C0OPS"):
        await slack.slash("U0ANA", "C0NONE", "status")
