"""A fake Slack on a real port, slack_sdk's client to it, and a small Bolt app as the bot."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.sandbox.slack import FakeSlack, routes

SECRET, TOKEN = "sandbox-signing-secret", "xoxb-sandbox"


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """Serve an app by uvicorn on a free port of loopback, without its slow main loop; yields the address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", access_log=False, lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.servers[0].close()
    for connection in list(server.server_state.connections):
        connection.transport.abort()


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.seconds = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[FakeSlack]:
    """A fresh fake Slack that listens."""
    fake = FakeSlack(SECRET, TOKEN, "", now=clock)
    async with served(Starlette(routes=routes(fake))) as address:
        fake.base_url = address
        yield fake
        await fake.close()


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    """The real SDK client, which retries nothing, so that each call is one."""
    return AsyncWebClient(token=TOKEN, base_url=f"{slack.base_url}/api/", retry_handlers=[], timeout=5)


@pytest.fixture
async def control(slack: FakeSlack) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the control door."""
    async with httpx.AsyncClient(base_url=f"{slack.base_url}/sandbox/slack", trust_env=False) as http:
        yield http


@pytest.fixture
async def bolt(slack: FakeSlack, client: AsyncWebClient) -> AsyncIterator[AsyncApp]:
    """A Bolt app that Slack can reach; tests add listeners to it."""
    app = AsyncApp(client=client, signing_secret=SECRET, process_before_response=True)
    handler = AsyncSlackRequestHandler(app)
    async with served(Starlette(routes=[Route("/slack/events", handler.handle, methods=["POST"])])) as address:
        slack.bot_url = f"{address}/slack/events"
        yield app


Answer = Callable[[Request, bytes], Response]


class RawBot:
    """A bot that keeps what arrives and answers what it is told to."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[int], Any] = lambda number: Response()

    async def __call__(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        self.headers.append(dict(request.headers))
        answer = self.answer(len(self.bodies))
        return await answer if asyncio.iscoroutine(answer) else answer


@pytest.fixture
async def raw_bot(slack: FakeSlack) -> AsyncIterator[RawBot]:
    bot = RawBot()
    async with served(Starlette(routes=[Route("/in", bot.__call__, methods=["POST"])])) as address:
        slack.bot_url = f"{address}/in"
        yield bot
