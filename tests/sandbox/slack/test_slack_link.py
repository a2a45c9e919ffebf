"""Socket Mode of the fake: who may open a connection, how often, and what goes through it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette

from bot.sandbox.slack import FakeSlack, routes
from bot.sandbox.slack.limits import CONNECTIONS
from tests.doors.slack.harness import served

APP, BOT = "xapp-1", "xoxb-1"


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    fake = FakeSlack("secret", BOT, "", has_budgets=False, app_token=APP)
    async with served(Starlette(routes=routes(fake))) as address:
        fake.base_url = address
        yield fake
        await fake.close()


async def asked(slack: FakeSlack, token: str, method: str = "apps.connections.open") -> Any:
    async with aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bearer {token}"}
        async with http.post(f"{slack.base_url}/api/{method}", headers=headers) as answer:
            return await answer.json()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        yield socket


@pytest.mark.parametrize(
    ("token", "method", "error"),
    [
        (BOT, "apps.connections.open", "not_allowed_token_type"),
        (APP, "auth.test", "not_allowed_token_type"),
        ("xapp-2", "apps.connections.open", "invalid_auth"),
    ],
)
async def test_each_token_is_for_its_own_methods(token: str, method: str, error: str, slack: FakeSlack) -> None:
    assert (await asked(slack, token, method))["error"] == error


async def test_connections_opened_too_often_have_to_wait(slack: FakeSlack) -> None:
    slack.budgets.on = True
    assert [(await asked(slack, APP))["ok"] for _ in range(2)] == [True, False]


async def test_an_address_is_good_once(slack: FakeSlack) -> None:
    url = (await asked(slack, APP))["url"]
    async with opened(url):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with opened(url):
                pass
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with opened(f"{url.partition('?')[0]}?ticket=guessed"):
            pass


async def test_an_app_has_ten_connections(slack: FakeSlack) -> None:
    slack.link.open = [None] * CONNECTIONS  # type: ignore[list-item]
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with opened((await asked(slack, APP))["url"]):
            pass


async def test_envelopes_go_to_connections_in_turn_and_their_answers_come_back(slack: FakeSlack) -> None:
    async with opened((await asked(slack, APP))["url"]) as one, opened((await asked(slack, APP))["url"]) as other:
        seen = []
        for socket in (one, other):
            typing = asyncio.ensure_future(slack.slash("U0ANA", "C0OPS", "whoami"))
            sent = json.loads((await socket.receive()).data)
            seen.append((sent["type"], sent["accepts_response_payload"], sent["payload"]["text"]))
            await socket.send_json({"envelope_id": sent["envelope_id"], "payload": {"text": "hello"}})
            assert [message.text for message in (await typing).shown] == ["hello"]
        assert seen == [("slash_commands", True, "whoami")] * 2


async def test_without_a_connection_nothing_is_delivered(slack: FakeSlack) -> None:
    assert (await slack.slash("U0ANA", "C0OPS", "whoami")).error == "dispatch_failed"


async def test_a_connection_is_told_before_it_ends(slack: FakeSlack) -> None:
    async with opened((await asked(slack, APP))["url"]) as socket:
        assert await slack.link.disconnect("refresh_requested") == 1
        assert (await socket.receive_json())["reason"] == "refresh_requested"
        assert (await socket.receive()).type == aiohttp.WSMsgType.CLOSE
    assert slack.link.open == []


async def test_a_connection_that_is_gone_answers_nothing(slack: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.sandbox.slack.link.ACK_DEADLINE_S", 0.1)
    async with opened((await asked(slack, APP))["url"]) as socket:
        typing = asyncio.ensure_future(slack.slash("U0ANA", "C0OPS", "whoami"))
        await socket.receive()
        await socket.send_json({"envelope_id": "of nobody"})
        assert (await typing).error == "operation_timeout"
