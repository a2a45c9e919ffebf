"""The floor of the Slack door: a Bolt app that answers a command, as its own process.

python -m benchmarks.bare_bolt PORT [--insert URL] [--sdks]: with --insert it answers after one committed insert,
with --sdks it has imported the cloud SDKs that aisq uses.
"""

import argparse
import asyncio
import importlib
import uuid
from collections.abc import Callable
from typing import Any

import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.sandbox.town import BOT_TOKEN, SIGNING_SECRET

SDKS = ("google.cloud.run_v2", "google.cloud.monitoring_v3", "google.cloud.artifactregistry_v1",
        "google.cloud.secretmanager_v1")  # fmt: skip


def application(work: Callable[[], None] | None = None) -> Starlette:
    """/slack/events as Bolt's own example has it, and /readyz."""

    async def authorize(enterprise_id: str | None, team_id: str | None, user_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, user_id=user_id, bot_token=BOT_TOKEN)

    bolt = AsyncApp(signing_secret=SIGNING_SECRET, authorize=authorize, process_before_response=True)

    async def command(ack: Any) -> None:
        if work:
            await asyncio.to_thread(work)
        await ack()

    bolt.command("/aisq")(command)
    handler = AsyncSlackRequestHandler(bolt)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    async def ready(_: Request) -> Response:
        return PlainTextResponse("ready")

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"]), Route("/readyz", ready)])


def inserting(url: str) -> Callable[[], None]:
    """One row in a transaction of its own, in a database that is set up as aisq's is."""
    from sqlalchemy import text

    from bot.stores.database import connect

    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS bare (id VARCHAR(32) PRIMARY KEY, body TEXT)"))
    insert = text("INSERT INTO bare (id, body) VALUES (:id, :body)")

    def work() -> None:
        with engine.begin() as connection:
            connection.execute(insert, {"id": uuid.uuid4().hex, "body": "x" * 600})

    return work


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--insert", default="")
    parser.add_argument("--sdks", action="store_true")
    asked = parser.parse_args()
    for name in SDKS if asked.sdks else ():
        importlib.import_module(name)
    app = application(inserting(asked.insert) if asked.insert else None)
    uvicorn.run(app, host="127.0.0.1", port=asked.port, loop="uvloop", http="httptools", ws="none", log_level="error")


if __name__ == "__main__":
    main()
