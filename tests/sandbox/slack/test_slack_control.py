"""/sandbox/slack/…: every action and every look over HTTP, and what the door says to a bad request."""

import base64
import re
from typing import Any

import httpx
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.responses import JSONResponse, Response

from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.actions import ACTIONS
from bot.sandbox.slack.handles import new_trigger
from bot.sandbox.slack.looks import LOOKS

BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "go"}}
CARD = [{"type": "actions", "elements": [BUTTON]}]
MENU = {"type": "external_select", "action_id": "menu", "min_query_length": 0}
MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "a"},
    "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "a"}, "accessory": MENU}, *CARD],
}


@pytest.fixture
async def world(slack: FakeSlack, client: AsyncWebClient, raw_bot: Any) -> dict[str, str]:
    """A card, an open modal and a home, to act on."""
    card = await client.chat_postMessage(channel="C0OPS", text="card", blocks=CARD)
    modal = await client.views_open(trigger_id=new_trigger(slack.workspace, "U0ANA"), view=MODAL)
    await client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": CARD})
    return {"$ts": card["ts"], "$view": modal["view"]["id"]}


ANA = {"user": "U0ANA"}
DONE = {
    "slash": {**ANA, "channel": "C0OPS", "text": "status"},
    "say": {**ANA, "channel": "U0AISQ", "text": "status"},
    "click": {**ANA, "channel": "C0OPS", "ts": "$ts", "action_id": "go"},
    "submit": {**ANA, "view_id": "$view"},
    "close": {**ANA, "view_id": "$view"},
    "suggest": {**ANA, "view_id": "$view", "action_id": "menu", "typed": "v"},
    "shortcut": {**ANA, "callback_id": "here", "channel": "C0OPS", "ts": "$ts"},
    "home": ANA,
    "event": {"event": {"type": "user_change"}, "retries": 0},
    "verify_url": {},
    "raw": {"body": "ssl_check=1", "is_signed": False},
    "replay": {},
    "faults": {"kind": "down"},
    "user": {"id": "U0BEN", "deleted": True, "announce": True},
    "group": {"id": "S0ONCALL", "users": ["U0BEN"], "announce": True},
    "bot_url": {"url": "http://127.0.0.1:9/"},
    "token_scopes": {"scopes": ["chat:write"]},
    "budgets": {"on": False},
}


def with_names(body: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {key: names.get(value, value) if isinstance(value, str) else value for key, value in body.items()}


def echo(raw_bot: Any) -> dict[str, str]:
    """The challenge that the bot was asked to repeat, if it was."""
    found = re.search(rb'"challenge": "(\w+)"', raw_bot.bodies[-1])
    return {"challenge": found[1].decode()} if found else {}


@pytest.mark.parametrize("name", ACTIONS)
async def test_every_action(
    slack: FakeSlack, control: httpx.AsyncClient, world: dict[str, str], raw_bot: Any, name: str
) -> None:
    await slack.slash("U0ANA", "C0OPS", "before")
    raw_bot.answer = lambda _: JSONResponse({"options": []} if name == "suggest" else echo(raw_bot))
    answer = await control.post(f"/{name}", json=with_names(DONE[name], world))
    assert answer.status_code == 200 and answer.json()["ok"], answer.text
    if "ms" in answer.json() and answer.json()["status"]:
        assert answer.json()["ms"] > 0


async def test_a_button_of_a_view(control: httpx.AsyncClient, world: dict[str, str], raw_bot: Any) -> None:
    answer = await control.post("/click", json={**ANA, "view_id": world["$view"], "action_id": "go"})
    assert answer.json()["ok"] and len(raw_bot.bodies) == 1


async def test_a_failure_is_told_with_status_and_milliseconds(control: httpx.AsyncClient, raw_bot: Any) -> None:
    raw_bot.answer = lambda _: Response("no", 503)
    answer = (await control.post("/slash", json=DONE["slash"])).json()
    assert (answer["ok"], answer["error"], answer["status"]) == (False, "dispatch_failed", 503)
    assert answer["ms"] > 0 and answer["note"].startswith("/aisq failed") and answer["shown"] == []


class TestRaw:
    async def test_signed_by_default(self, control: httpx.AsyncClient, raw_bot: Any) -> None:
        await control.post("/raw", json={"body": "text=a"})
        assert raw_bot.headers[0]["x-slack-signature"].startswith("v0=")

    async def test_bytes_that_are_no_text(self, control: httpx.AsyncClient, raw_bot: Any) -> None:
        body = base64.b64encode(b"\xff\xfe").decode()
        await control.post("/raw", json={"body_base64": body, "timestamp": 7, "headers": {"X-Extra": "1"}})
        headers = raw_bot.headers[0]
        assert raw_bot.bodies == [b"\xff\xfe"]
        assert (headers["x-slack-request-timestamp"], headers["x-extra"]) == ("7", "1")

    async def test_without_a_signature(self, control: httpx.AsyncClient, raw_bot: Any) -> None:
        await control.post("/raw", json=DONE["raw"])
        assert "x-slack-signature" not in raw_bot.headers[0]


async def test_looks(control: httpx.AsyncClient, client: AsyncWebClient, world: dict[str, str], raw_bot: Any) -> None:
    raw_bot.answer = lambda _: Response("hello <!here>")
    await control.post("/slash", json=DONE["slash"])
    await client.chat_update(channel="C0OPS", ts=world["$ts"], text="changed")
    gone = await client.chat_postMessage(channel="C0OPS", text="gone")
    await client.chat_delete(channel="C0OPS", ts=gone["ts"])
    seen = (await control.get("/messages")).json()
    assert [(m["channel"], m["text"], m["edit_count"]) for m in seen["messages"]] == [("C0OPS", "changed", 1)]
    assert seen["messages"][0]["edits"][0]["text"] == "card" and [m["text"] for m in seen["deleted"]] == ["gone"]
    assert (await control.get("/messages", params={"channel": "C0AISQ"})).json() == {"messages": [], "deleted": []}
    whispered = (await control.get("/ephemerals", params=ANA)).json()["ephemerals"]
    assert [(m["text"], m["visible_to"], m["mentions"]) for m in whispered] == [("hello <!here>", "U0ANA", ["here"])]
    assert (await control.get("/ephemerals", params={"user": "U0BEN"})).json() == {"ephemerals": []}
    views = (await control.get("/views", params=ANA)).json()
    assert [view["id"] for view in views["modals"]] == [world["$view"]] and views["homes"]["U0ANA"]["type"] == "home"
    assert (await control.get("/views", params={"user": "U0BEN"})).json() == {"modals": [], "homes": {}, "owners": {}}
    calls = (await control.get("/calls", params={"method": "chat.update"})).json()["calls"]
    assert [(call["status"], call["args"]["text"]) for call in calls] == [(200, "changed")]


async def test_look_at_everything(slack: FakeSlack, control: httpx.AsyncClient) -> None:
    for name in LOOKS:
        assert (await control.get(f"/{name}")).status_code == 200
    people = (await control.get("/people")).json()
    assert {"U0ANA", "U0BEN", "U0CHO", "U0DEV", "U0EVE", "U0GST"} <= {person["id"] for person in people["people"]}
    assert {"C0OPS", "C0AISQ", "C0EAILI", "C0RANDOM"} <= {channel["id"] for channel in people["channels"]}
    assert {group["id"]: group["users"] for group in people["groups"]} == {
        "S0ONCALL": ["U0ANA", "U0BEN"], "S0LEADS": ["U0CHO"], "S0DEVS": ["U0DEV"],
    }  # fmt: skip
    assert people["scopes"] == sorted(slack.workspace.app.scopes)


class TestChanges:
    async def test_a_person_is_deactivated(self, control: httpx.AsyncClient, client: AsyncWebClient) -> None:
        await control.post("/user", json={"id": "U0BEN", "deleted": True})
        assert (await client.users_info(user="U0BEN"))["user"]["deleted"]

    async def test_a_change_is_announced_when_asked(self, control: httpx.AsyncClient, raw_bot: Any) -> None:
        await control.post("/user", json={"id": "U0BEN", "is_restricted": True})
        assert raw_bot.bodies == []
        await control.post("/user", json={"id": "U0BEN", "is_restricted": True, "announce": True})
        assert b'"user_change"' in raw_bot.bodies[0]

    async def test_a_group_changes(self, control: httpx.AsyncClient, client: AsyncWebClient, raw_bot: Any) -> None:
        await control.post("/group", json={"id": "S0ONCALL", "users": ["U0BEN", "U0CHO"], "announce": True})
        assert (await client.usergroups_users_list(usergroup="S0ONCALL"))["users"] == ["U0BEN", "U0CHO"]
        assert b'"added_users": ["U0CHO"]' in raw_bot.bodies[0] and b'"removed_users": ["U0ANA"]' in raw_bot.bodies[0]
        await control.post("/group", json={"id": "S0ONCALL", "is_disabled": True})
        with pytest.raises(Exception, match="no_such_subteam"):
            await client.usergroups_users_list(usergroup="S0ONCALL")

    async def test_scopes(self, control: httpx.AsyncClient, client: AsyncWebClient) -> None:
        await control.post("/token_scopes", json={"scopes": ["users:read"]})
        with pytest.raises(Exception, match="missing_scope"):
            await client.chat_postMessage(channel="C0OPS", text="a")

    async def test_faults_come_and_go(self, control: httpx.AsyncClient, client: AsyncWebClient) -> None:
        for method in ("chat.update", "auth.test"):
            await control.post("/faults", json={"kind": "server_error", "method": method, "times": 2})
        assert len((await control.get("/faults")).json()["faults"]) == 2
        await control.delete("/faults", params={"method": "auth.test"})
        assert (await client.auth_test())["ok"]
        await control.delete("/faults")
        assert (await control.get("/faults")).json() == {"faults": []}

    async def test_budgets(self, control: httpx.AsyncClient, client: AsyncWebClient) -> None:
        await control.post("/budgets", json={"on": False})
        for number in range(8):
            await client.chat_postMessage(channel="C0OPS", text=str(number))

    async def test_the_address_of_the_bot(self, slack: FakeSlack, control: httpx.AsyncClient) -> None:
        await control.post("/bot_url", json={"url": "http://127.0.0.1:9/in"})
        assert slack.bot_url == "http://127.0.0.1:9/in"


@pytest.mark.parametrize(
    ("name", "content", "status", "told"),
    [
        ("shout", b"{}", 404, "there is no action 'shout'; use one of slash, say"),
        ("slash", b"{", 400, "slash: the body is not JSON"),
        ("slash", b"", 400, "slash: user: Field required"),
        ("slash", b'{"user":"U0ANA","channel":"C0OPS","txt":"a"}', 400, "slash: txt: Extra inputs are not permitted"),
        ("slash", b'{"user":"U0NONE","channel":"C0OPS"}', 400, "slash: there is no person 'U0NONE'"),
        ("faults", b'{"kind":"gone"}', 400, "faults: kind: Input should be 'ratelimited'"),
        ("faults", b'{"kind":"down","times":0}', 400, "faults: times: "),
        ("group", b'{"id":"S0NONE"}', 400, "group: there is no user group 'S0NONE'; use one of S0ONCALL"),
        ("replay", b"{}", 400, "replay: nothing was sent to the bot yet"),
    ],
)
async def test_a_bad_request(control: httpx.AsyncClient, name: str, content: bytes, status: int, told: str) -> None:
    answer = await control.post(f"/{name}", content=content)
    assert answer.status_code == status and answer.json()["error"].startswith(told)


async def test_a_look_that_is_not_there(control: httpx.AsyncClient) -> None:
    answer = await control.get("/mails")
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("there is no view 'mails'; use one of messages")
