"""The whole bot as it is shipped: Google's clients to the sandbox's cloud, durable work, Slack's own requests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.app import App
from bot.doors.slack import SlackPeople
from bot.engine.clock import SystemClock
from bot.sandbox.process import SandboxProcess
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import Fault, Kind
from bot.settings import ClockSettings, GoogleSettings, Settings
from tests.both import url_of_sqlite as url
from tests.doors.slack.harness import TEAM, TOKEN
from tests.doors.slack.room import Room, room_of, until
from tests.engine.conftest import close

__all__ = ["url"]
SERVICE = "ai-square-prod/us-central1/backend"
GOOD = "backend-00041-kex"


@pytest.fixture
def cloud() -> Iterator[SandboxProcess]:
    """A small cloud in which a minute takes a second; a bad release has just taken all traffic of the backend."""
    with SandboxProcess(rate=60) as made:
        made.control.release(SERVICE, error_rate=0.05, traffic=100)
        yield made


@pytest.fixture
async def whole(cloud: SandboxProcess, live_slack: FakeSlack, tmp_path: Path, url: str) -> AsyncIterator[Room]:
    told = Settings(
        state_dir=tmp_path,
        database_url=SecretStr(url),
        google=GoogleSettings(endpoint=cloud.grpc),
        clock=ClockSettings(origin_unix_s=cloud.origin_unix_s, rate=cloud.rate),
        sweep_every_s=0.1,
    )
    people = SlackPeople(TOKEN, f"{live_slack.base_url}/api/", TEAM, [], SystemClock().monotonic)
    app = App(told, {"slack": people})
    worker = await asyncio.to_thread(lambda: (app.front, app.worker())[1])
    app.front.on_change(worker.hurry)
    await asyncio.to_thread(worker.start)
    async with room_of(app, live_slack) as room:
        yield room
    await asyncio.to_thread(worker.stop, 3)
    await asyncio.to_thread(close, app)


def traffic(cloud: SandboxProcess) -> Any:
    return cloud.control.service(SERVICE)["traffic"]


async def test_the_main_job_and_then_the_way_back_while_slack_is_down(whole: Room, cloud: SandboxProcess) -> None:
    await whole.asks("U0ANA", "rollback backend --reason “5xx since 14:02”")
    bad = traffic(cloud)
    assert GOOD not in bad
    assert "guard.own-request" in await whole.is_told("U0ANA", "aisq.approve")
    assert traffic(cloud) == bad
    await whole.clicks("U0BEN", "aisq.approve")
    await whole.shows("✅ Done: rollback ai-square/prod/backend")
    assert traffic(cloud) == {GOOD: 100}
    await whole.shows("✅ Done: rollback ai-square/prod/backend. Errors ")
    assert len(whole.cards) == 1
    await until(lambda: [one for one in whole.replies if "Errors " in one.text])
    (details,) = whole.replies
    assert "Ben Brooks approved" in details.text and "/operations/" in details.text and "succeeded" in details.text

    again = f"traffic backend {next(iter(bad))}=100"
    id = await whole.asks("U0ANA", again)
    whole.slack.faults.add(Fault(Kind.DOWN))
    await whole.clicks("U0BEN", "aisq.approve")
    async with asyncio.timeout(20):
        while (await asyncio.to_thread(whole.bot.ledger.operation, id)).state != "applied":
            await asyncio.sleep(0.05)
    assert traffic(cloud) == bad
    assert whole.card.text.startswith("✋ Waiting for approval")
    whole.slack.faults.clear()
    await whole.shows("✅ Done: traffic ai-square/prod/backend")
    assert len(whole.cards) == 2
