"""The minutes of a service as people see them drawn, and a clock that changes its pace."""

import time
from datetime import timedelta

import httpx
import pytest

from bot.sandbox import control, server
from bot.sandbox.blueprint import Blueprint
from bot.sandbox.clock import ManualClock, ScaledClock
from bot.sandbox.monitoring import history
from bot.sandbox.quality import usual_p95_ms
from bot.sandbox.world import World
from tests.sandbox.harness import NAME, PLAN, Cloud

PATH = "/sandbox/services/shop/europe-west1/web"


def minutes(world: World, last: int = 30) -> list[dict[str, float]]:
    with world.settled() as now:
        return history.minutes(world.seed, world.cloud_run.state(NAME), now, last)


def test_minutes_follow_what_serves(cloud: Cloud, world: World, clock: ManualClock) -> None:
    before = minutes(world)
    assert len(before) == 30 and before[-1]["at"] + 60 <= clock.now().timestamp() < before[-1]["at"] + 120
    assert sum(one["requests"] for one in before) == pytest.approx(30 * 600, rel=0.05)
    cloud.route({"web-00002-bec": 100})  # fails 5 %
    clock.advance(20 * 60)
    after = minutes(world)[-15:]
    assert sum(one["failed"] for one in after) / sum(one["requests"] for one in after) == pytest.approx(0.05, abs=0.01)
    assert min(one["p95_ms"] for one in after) > usual_p95_ms("web-00002-bec") * 1.2, "what fails is slow"
    assert minutes(world) == minutes(world), "the past does not change"


def test_nothing_takes_time_where_nobody_asks(world: World) -> None:
    with world.settled() as now:
        state = world.cloud_run.state(NAME.replace("/web", "/quiet"))
        assert {(one["requests"], one["p95_ms"]) for one in history.minutes(1, state, now, 5)} == {(0, None)}


def asked(world: World) -> httpx.AsyncClient:
    app = server.app(control.routes(world))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


async def test_over_http(world: World) -> None:
    async with asked(world) as client:
        assert len((await client.get(f"{PATH}/minutes")).json()) == 45
        assert len((await client.get(f"{PATH}/minutes", params={"last": 3})).json()) == 3
        assert (await client.get(f"{PATH}/minutes", params={"last": 0})).status_code == 400
        assert (await client.get(f"{PATH}-not/minutes")).status_code == 404
        refused = await client.post("/sandbox/clock/rate", json={"rate": 60})
        assert refused.status_code == 400 and "moved by hand" in refused.json()["error"]


async def test_a_rate_is_changed_over_http() -> None:
    async with asked(World(Blueprint.model_validate(PLAN), ScaledClock(10.0))) as client:
        said = (await client.post("/sandbox/clock/rate", json={"rate": 60})).json()
        assert said["rate"] == 60.0 == (await client.get("/sandbox/clock")).json()["rate"]
        for rate in (0, -1, 1):
            assert (await client.post("/sandbox/clock/rate", json={"rate": rate})).status_code == 400


@pytest.mark.parametrize("rate", [0.5, 2, 60, 300])
def test_a_clock_goes_on_from_where_it_is(rate: float, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time()
    clock = ScaledClock(10.0, real - 100)
    monkeypatch.setattr(time, "time", lambda: real)
    before = clock.now()
    clock.run_at(rate)
    assert abs(clock.now() - before) < timedelta(milliseconds=10)
    monkeypatch.setattr(time, "time", lambda: real + 10)
    assert abs(clock.now() - before - timedelta(seconds=10 * rate)) < timedelta(milliseconds=10)
    other = ScaledClock(clock.rate, clock.origin_unix_s)
    assert abs(other.now() - clock.now()) < timedelta(milliseconds=10), "who knows origin and rate has the same time"


@pytest.mark.parametrize("rate", [0, -1, 1])
def test_a_rate_that_cannot_be(rate: float) -> None:
    clock = ScaledClock(10.0)
    with pytest.raises(ValueError, match="rate"):
        clock.run_at(rate)
    assert clock.rate == 10.0
