"""The shortest path through the fake: command, message, click, edit, as the real SDK and Bolt see it."""

import httpx
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack

CARD = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "Roll back *backend*?"}},
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "approve",
                "value": "op1",
                "text": {"type": "plain_text", "text": "Approve"},
            }
        ],
    },
]


async def test_a_command_a_card_and_a_click(slack: FakeSlack, bolt: AsyncApp, control: httpx.AsyncClient) -> None:
    @bolt.command("/aisq")
    async def on_command(ack, command, client):
        await client.chat_postMessage(channel=command["channel_id"], text="Roll back?", blocks=CARD)
        await ack("planned")

    @bolt.action("approve")
    async def on_approve(ack, body, client):
        where = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        await client.chat_update(**where, text=f"approved by <@{body['user']['id']}>", blocks=[])
        await ack()

    typed = (
        await control.post("/slash", json={"user": "U0ANA", "channel": "C0OPS", "text": "rollback backend"})
    ).json()
    assert typed["ok"] and typed["shown"][0]["text"] == "planned" and typed["shown"][0]["visible_to"] == "U0ANA"
    card = (await control.get("/messages", params={"channel": "C0OPS"})).json()["messages"][0]
    clicked = await control.post(
        "/click", json={"user": "U0BEN", "channel": "C0OPS", "ts": card["ts"], "action_id": "approve"}
    )
    assert clicked.json()["ok"]
    after = (await control.get("/messages", params={"channel": "C0OPS"})).json()["messages"][0]
    assert after["text"] == "approved by <@U0BEN>" and after["edit_count"] == 1
    assert after["edits"][0]["text"] == "Roll back?"


async def test_the_sdk_reads_back_what_it_posted(client: AsyncWebClient) -> None:
    me = await client.auth_test()
    assert me["user_id"] == "U0AISQ" and me["team_id"] == "T0AISQ"
    metadata = {"event_type": "aisq_operation", "event_payload": {"id": "op1"}}
    posted = await client.chat_postMessage(channel="C0OPS", text="hello", metadata=metadata)
    history = await client.conversations_history(channel="C0OPS", include_all_metadata=True)
    assert [m["ts"] for m in history["messages"]] == [posted["ts"]]
    assert history["messages"][0]["metadata"] == metadata
    person = await client.users_info(user="U0ANA")
    assert person["user"]["tz"] == "Europe/Berlin" and person["user"]["profile"]["email"] == "ana@aisq.example"
