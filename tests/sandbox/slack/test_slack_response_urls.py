"""response_url: five uses in half an hour, as slack_sdk's webhook client and Bolt's respond use it."""

from typing import Any

import httpx
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.handles import new_hook
from bot.sandbox.slack.state import Hook

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_000}}


def webhook(slack: FakeSlack, message_ts: str | None = None) -> AsyncWebhookClient:
    hook = Hook(slack.workspace.now(), "U0ANA", "C0OPS", message_ts)
    return AsyncWebhookClient(new_hook(slack.workspace, hook), retry_handlers=[])


@pytest.mark.parametrize(("kind", "visible_to"), [(None, "U0ANA"), ("ephemeral", "U0ANA"), ("in_channel", None)])
async def test_who_sees_it(slack: FakeSlack, kind: str | None, visible_to: str | None) -> None:
    assert (await webhook(slack).send(text="a", response_type=kind)).body == "ok"
    shown = slack.workspace.in_channel("C0OPS") + slack.workspace.ephemerals
    assert [(message.text, message.visible_to) for message in shown] == [("a", visible_to)]


async def test_five_uses(slack: FakeSlack) -> None:
    hook = webhook(slack)
    answers = [await hook.send(text=str(number)) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert "used_url" in answers[5].body and len(slack.workspace.ephemerals) == 5


async def test_half_an_hour(slack: FakeSlack, clock: Any) -> None:
    hook = webhook(slack)
    clock.advance(1_800)
    assert (await hook.send(text="a")).status_code == 200
    clock.advance(1)
    late = await hook.send(text="b")
    assert late.status_code == 404 and "expired_url" in late.body


async def test_replace_and_delete(slack: FakeSlack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C0OPS", text="old")
    await webhook(slack, posted["ts"]).send(text="new", replace_original=True)
    kept = slack.workspace.find_message("C0OPS", posted["ts"])
    assert kept is not None and kept.text == "new" and [edit.text for edit in kept.edits] == ["old"]
    await webhook(slack, posted["ts"]).send(delete_original=True)
    assert slack.workspace.in_channel("C0OPS") == []
    await webhook(slack, posted["ts"]).send(delete_original=True)
    assert [message.text for message in slack.workspace.deleted] == ["new"], "deleting twice is fine"


async def test_an_ephemeral_changes_only_this_way(slack: FakeSlack, client: AsyncWebClient) -> None:
    sent = await client.chat_postEphemeral(channel="C0OPS", user="U0ANA", text="old")
    await webhook(slack, sent["message_ts"]).send(text="new", replace_original=True)
    assert [message.text for message in slack.workspace.ephemerals] == ["new"]
    await webhook(slack, sent["message_ts"]).send(delete_original=True)
    assert slack.workspace.ephemerals == [] and slack.workspace.deleted[0].text == "new"


async def test_nothing_to_replace_is_a_new_message(slack: FakeSlack) -> None:
    await webhook(slack).send(text="new", replace_original=True)
    assert [message.text for message in slack.workspace.ephemerals] == ["new"]


async def test_the_hidden_total_does_not_hold_here(slack: FakeSlack) -> None:
    assert (await webhook(slack).send(text="a", blocks=[SECTION] * 5)).status_code == 200


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"{", 400, "invalid_payload"),
        (b"{}", 400, "no_text"),
        (b'{"blocks":[{"type":"banner"}]}', 400, "invalid_blocks"),
    ],
)
async def test_what_cannot_be_shown(slack: FakeSlack, content: bytes, status: int, told: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(webhook(slack).url, content=content)
    assert answer.status_code == status and told in answer.text and slack.workspace.ephemerals == []


async def test_an_unknown_address(slack: FakeSlack) -> None:
    answer = await AsyncWebhookClient(f"{slack.base_url}/hooks/none", retry_handlers=[]).send(text="a")
    assert (answer.status_code, answer.body) == (404, "no_service")


async def test_a_thread(slack: FakeSlack, client: AsyncWebClient) -> None:
    parent = await client.chat_postMessage(channel="C0OPS", text="a")
    await webhook(slack).send_dict({"text": "b", "response_type": "in_channel", "thread_ts": parent["ts"]})
    assert slack.workspace.in_channel("C0OPS")[1].thread_ts == parent["ts"]


async def test_bolts_respond(slack: FakeSlack, bolt: AsyncApp) -> None:
    @bolt.command("/aisq")
    async def on_command(ack: Any, respond: Any) -> None:
        await ack("working on it")
        await respond("done")

    await slack.slash("U0ANA", "C0OPS", "status")
    assert [message.text for message in slack.workspace.ephemerals] == ["done", "working on it"]
