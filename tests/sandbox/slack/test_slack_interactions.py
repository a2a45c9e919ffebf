"""Clicks and shortcuts: what arrives, what Slack lets a person do, and the real Bolt app on the other side."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.refusals import Unusable


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.title()), "value": value}


CONFIRM = {"title": plain("Sure?"), "text": plain("All traffic."), "confirm": plain("Yes"), "deny": plain("No")}
CARD = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "Roll back?"},
     "accessory": {"type": "overflow", "action_id": "more", "options": [option("log"), option("help")]}},
    {"type": "actions", "block_id": "first", "elements": [
        {"type": "button", "action_id": "approve", "value": "op1", "text": plain("Approve 1"), "style": "primary"},
        {"type": "button", "action_id": "deny", "text": plain("Deny"), "confirm": CONFIRM}]},
    {"type": "actions", "block_id": "second", "elements": [
        {"type": "button", "action_id": "approve", "value": "op2", "text": plain("Approve 2")},
        {"type": "static_select", "action_id": "release", "options": [option("v1"), option("v2")],
         "initial_option": option("v1")},
        {"type": "multi_static_select", "action_id": "regions", "options": [option("eu"), option("us")]},
        {"type": "datepicker", "action_id": "day", "initial_date": "2026-11-20"},
        {"type": "users_select", "action_id": "who"}]},
]  # fmt: skip


@pytest.fixture
async def card(client: AsyncWebClient) -> str:
    return str((await client.chat_postMessage(channel="C0OPS", text="Roll back?", blocks=CARD))["ts"])


def payload(raw_bot: Any, at: int = -1) -> dict[str, Any]:
    return json.loads(parse_qs(raw_bot.bodies[at].decode())["payload"][0])


async def test_the_payload_of_a_click(slack: FakeSlack, raw_bot: Any, card: str) -> None:
    await slack.click("U0BEN", "C0OPS", card, "approve")
    sent = payload(raw_bot)
    assert sent["type"] == "block_actions" and sent["team"] == {"id": "T0AISQ", "domain": "aisq"}
    assert sent["user"] == {"id": "U0BEN", "username": "ben", "name": "ben", "team_id": "T0AISQ"}
    assert sent["container"] == {
        "type": "message", "message_ts": card, "channel_id": "C0OPS", "is_ephemeral": False,
    }  # fmt: skip
    assert sent["channel"] == {"id": "C0OPS", "name": "ops"} and sent["message"]["ts"] == card
    action = sent["actions"][0]
    assert float(action.pop("action_ts")) > float(card)
    assert action == {
        "action_id": "approve", "block_id": "first", "type": "button",
        "text": plain("Approve 1"), "value": "op1", "style": "primary",
    }  # fmt: skip
    assert sent["trigger_id"] in slack.workspace.triggers and "/hooks/" in sent["response_url"]


@pytest.mark.parametrize(
    ("how", "value", "block_id"),
    [
        ({"value": "op2"}, "op2", "second"),
        ({"block_id": "second"}, "op2", "second"),
        ({"value": "op1"}, "op1", "first"),
    ],
)
async def test_one_of_several_buttons(
    slack: FakeSlack, raw_bot: Any, card: str, how: dict[str, str], value: str, block_id: str
) -> None:
    await slack.click("U0BEN", "C0OPS", card, "approve", **how)
    action = payload(raw_bot)["actions"][0]
    assert (action["value"], action["block_id"]) == (value, block_id)


@pytest.mark.parametrize(
    ("action_id", "value", "field", "carried"),
    [
        ("more", "help", "selected_option", option("help")),
        ("release", "v2", "selected_option", option("v2")),
        ("release", option("v2"), "selected_option", option("v2")),
        ("release", None, "selected_option", option("v1")),
        ("regions", ["eu", "us"], "selected_options", [option("eu"), option("us")]),
        ("day", "2026-12-24", "selected_date", "2026-12-24"),
        ("who", "U0CHO", "selected_user", "U0CHO"),
    ],
)
async def test_menus_carry_what_was_chosen(
    slack: FakeSlack, raw_bot: Any, card: str, action_id: str, value: Any, field: str, carried: Any
) -> None:
    await slack.click("U0BEN", "C0OPS", card, action_id, value)
    sent = payload(raw_bot)
    assert sent["actions"][0][field] == carried
    if action_id != "more":
        assert sent["state"]["values"]["second"][action_id][field] == carried
    assert "approve" not in sent["state"]["values"]["second"], "buttons have no state"


async def test_a_confirm_dialog(slack: FakeSlack, raw_bot: Any, card: str) -> None:
    no = await slack.click("U0BEN", "C0OPS", card, "deny", confirmed=False)
    assert no.ok and no.note == "Sure?: answered 'No', nothing was sent." and raw_bot.bodies == []
    yes = await slack.click("U0BEN", "C0OPS", card, "deny")
    assert yes.ok and len(raw_bot.bodies) == 1
    other = await slack.click("U0BEN", "C0OPS", card, "approve", confirmed=False)
    assert other.ok and len(raw_bot.bodies) == 2, "a button without a dialog asks nothing"


async def test_an_ephemeral_card_is_clicked_by_whoever_sees_it(
    slack: FakeSlack, client: AsyncWebClient, raw_bot: Any
) -> None:
    sent = await client.chat_postEphemeral(channel="C0OPS", user="U0ANA", text="a", blocks=CARD)
    with pytest.raises(Unusable, match="is shown to U0ANA only"):
        await slack.click("U0BEN", "C0OPS", sent["message_ts"], "approve")
    await slack.click("U0ANA", "C0OPS", sent["message_ts"], "approve")
    clicked = payload(raw_bot)
    assert clicked["container"]["is_ephemeral"] and "blocks" not in clicked["message"], "Slack keeps no ephemeral"


@pytest.mark.parametrize(
    ("ts", "action_id", "told"),
    [
        ("1.000001", "approve", "there is no message 1.000001 in C0OPS"),
        (None, "undo", "there is nothing with action_id"),
    ],
)
async def test_what_is_not_there(slack: FakeSlack, card: str, ts: str | None, action_id: str, told: str) -> None:
    with pytest.raises(Unusable, match=told):
        await slack.click("U0BEN", "C0OPS", ts or card, action_id)


async def test_a_reply_says_which_thread(slack: FakeSlack, client: AsyncWebClient, raw_bot: Any, card: str) -> None:
    reply = await client.chat_postMessage(channel="C0OPS", text="a", blocks=CARD, thread_ts=card)
    await slack.click("U0BEN", "C0OPS", reply["ts"], "approve")
    assert payload(raw_bot)["container"]["thread_ts"] == card


async def test_a_double_click_is_two_deliveries(slack: FakeSlack, raw_bot: Any, card: str) -> None:
    for _ in range(2):
        await slack.click("U0BEN", "C0OPS", card, "approve")
    first, second = payload(raw_bot, 0), payload(raw_bot, 1)
    assert first["actions"][0]["action_ts"] != second["actions"][0]["action_ts"]
    assert first["trigger_id"] != second["trigger_id"]


async def test_deactivated_and_foreign_people_reach_the_bot_too(slack: FakeSlack, raw_bot: Any, card: str) -> None:
    """The fake does not protect the bot from people whom it must refuse itself."""
    for user in ("U0EVE", "U0GST", "U0FOX", "U0CIBOT"):
        assert (await slack.click(user, "C0OPS", card, "approve")).ok
    assert payload(raw_bot, 2)["user"]["team_id"] == "T0OTHER"


async def test_bolt_edits_the_card(slack: FakeSlack, bolt: AsyncApp, card: str) -> None:
    @bolt.action("approve")
    async def on_approve(ack: Any, body: Any, respond: Any) -> None:
        await ack()
        await respond(text=f"approved by <@{body['user']['id']}>", replace_original=True)

    assert (await slack.click("U0BEN", "C0OPS", card, "approve")).ok
    edited = slack.workspace.find_message("C0OPS", card)
    assert edited is not None and edited.text == "approved by <@U0BEN>" and edited.blocks == []


async def test_a_failing_button(slack: FakeSlack, bolt: AsyncApp, card: str) -> None:
    result = await slack.click("U0BEN", "C0OPS", card, "approve")
    assert (result.error, result.note) == ("dispatch_failed", 'The button failed with the error "dispatch_failed".')


async def test_a_message_shortcut(slack: FakeSlack, bolt: AsyncApp, card: str) -> None:
    seen = []

    @bolt.shortcut({"type": "message_action", "callback_id": "here"})
    async def on_shortcut(ack: Any, shortcut: Any, client: Any) -> None:
        seen.append((shortcut["message"]["text"], shortcut["channel"]["id"], shortcut["message_ts"]))
        view = {"type": "modal", "title": plain("aisq"), "blocks": [{"type": "divider"}]}
        await client.views_open(trigger_id=shortcut["trigger_id"], view=view)
        await ack()

    assert (await slack.shortcut("U0ANA", "here", "C0OPS", card)).ok
    assert seen == [("Roll back?", "C0OPS", card)]
    assert [view.user for view in slack.workspace.modals.values()] == ["U0ANA"]


async def test_a_global_shortcut(slack: FakeSlack, raw_bot: Any) -> None:
    assert (await slack.shortcut("U0ANA", "incident")).ok
    sent = payload(raw_bot)
    assert (sent["type"], sent["callback_id"]) == ("shortcut", "incident") and "response_url" not in sent
