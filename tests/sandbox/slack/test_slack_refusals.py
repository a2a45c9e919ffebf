"""Everything that the Web API refuses, as a table, asked by the real SDK client and by plain HTTP."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack

CASES = YAML(typ="safe").load(Path(__file__).with_name("refusals.yaml").read_text(encoding="utf-8"))
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Deploy"}, "blocks": [{"type": "divider"}]}
HOME = {"type": "home", "blocks": [{"type": "divider"}]}


def filled(value: Any, names: dict[str, Any]) -> Any:
    """A case's arguments with $names replaced and {repeat, times} written out."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if isinstance(value, dict):
        if value.keys() == {"repeat", "times"}:
            return value["repeat"] * value["times"]
        return {name: filled(item, names) for name, item in value.items()}
    return value


@pytest.fixture
async def names(slack: FakeSlack, client: AsyncWebClient) -> dict[str, Any]:
    own = (await client.chat_postMessage(channel="C0OPS", text="own"))["ts"]
    whispered = await client.chat_postEphemeral(channel="C0OPS", user="U0ANA", text="psst")
    said = await slack.say("U0ANA", "C0OPS", "hello")
    return {
        "$own": own,
        "$ephemeral": whispered["message_ts"],
        "$ana": said.shown[0].ts,
        "$modal": MODAL,
        "$home": HOME,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
async def test_refused(case: dict[str, Any], slack: FakeSlack, names: dict[str, Any]) -> None:
    slack.workspace.app.scopes -= set(case.get("without", []))
    token = case.get("token", "xoxb-sandbox")
    before = len(slack.workspace.in_channel("C0OPS"))
    async with httpx.AsyncClient(trust_env=False) as http:
        response = await http.post(
            f"{slack.base_url}/api/{case['method']}",
            json=filled(case.get("args", {}), names),
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
    body = response.json()
    assert (response.status_code, body["ok"], body["error"]) == (200, False, case["error"])
    if "messages" in case:
        assert body["response_metadata"]["messages"] == case["messages"]
    if "needed" in case:
        assert body["needed"] == case["needed"] and case["needed"] not in body["provided"].split(",")
    assert len(slack.workspace.in_channel("C0OPS")) == before
    assert slack.workspace.calls[-1].error == case["error"]


def test_every_refusal_has_its_own_name() -> None:
    names = [case["name"] for case in CASES]
    assert len(set(names)) == len(names)


async def test_the_sdk_raises_what_the_fake_refuses(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C0OPS", text="a", blocks=[{"type": "header"}])
    assert refused.value.response["error"] == "invalid_blocks"
    assert refused.value.response["response_metadata"]["messages"] == [
        "[ERROR] missing required field: text [json-pointer:/blocks/0]"
    ]


@pytest.mark.parametrize(
    ("content", "kind", "error"),
    [
        (b"{", "application/json", "invalid_json"),
        (b"[1]", "application/json", "json_not_object"),
        (b"text=\xff\xfe", "application/x-www-form-urlencoded", "invalid_form_data"),
        (b"--x--", "multipart/form-data; boundary=x", "invalid_post_type"),
    ],
)
async def test_a_body_that_cannot_be_read(slack: FakeSlack, content: bytes, kind: str, error: str) -> None:
    headers = {"Authorization": "Bearer xoxb-sandbox", "Content-Type": kind}
    async with httpx.AsyncClient(trust_env=False) as http:
        response = await http.post(f"{slack.base_url}/api/auth.test", content=content, headers=headers)
    assert response.json() == {"ok": False, "error": error}


@pytest.mark.parametrize("way", ["query", "form", "json", "token in form"])
async def test_arguments_come_in_every_form(slack: FakeSlack, way: str) -> None:
    args, bearer = {"user": "U0ANA"}, {"Authorization": "Bearer xoxb-sandbox"}
    url = f"{slack.base_url}/api/users.info"
    async with httpx.AsyncClient(trust_env=False) as http:
        response = {
            "query": lambda: http.get(url, params=args, headers=bearer),
            "form": lambda: http.post(url, data=args, headers=bearer),
            "json": lambda: http.post(url, json=args, headers=bearer),
            "token in form": lambda: http.post(url, data={**args, "token": "xoxb-sandbox"}),
        }[way]()
        answer = await response
    assert answer.json()["user"]["name"] == "ana"
    assert "token" not in slack.workspace.calls[-1].args
    assert "users:read" in answer.headers["x-oauth-scopes"].split(",")
