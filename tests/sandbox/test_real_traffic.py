"""Real traffic: releases as processes, a proxy that splits, visitors, and metrics of what happened."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import aiohttp
import httpx
import pytest
from google.cloud import monitoring_v3, run_v2
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from ruamel.yaml import YAML

from bot.sandbox.blueprint import Blueprint
from bot.sandbox.clock import ManualClock, ScaledClock
from bot.sandbox.process import SandboxProcess
from bot.sandbox.real import releases as processes
from bot.sandbox.real.proxy import BROKEN, NOBODY, Proxy
from bot.sandbox.real.releases import Releases
from bot.sandbox.real.traffic import RealTraffic, full_name
from bot.sandbox.real.visitors import Visitors
from bot.sandbox.world import World
from tests.sandbox.harness import Cloud, client, targets, until

PATIENCE_S = 60.0
SHORT = "shop/europe-west1/web"
GOOD, BAD = "web-00001-abe", "web-00002-bec"
FAST = {"p95_ms": 1}
WEB = {
    "rps": 0,  # only the tests come
    "releases": [
        {"name": "00001-abe", "age": "20d", "error_rate": 0, **FAST},
        {"name": "00002-bec", "age": "10d", "error_rate": 1, **FAST},
        {"name": "00003-cid", "age": "2d", "error_rate": 0, **FAST},
    ],
    "traffic": {"00001-abe": 100},
}
PLAN: dict[str, Any] = {
    "rollout_s": 10,
    "metrics_lag_s": 150,
    "projects": {"shop": {"number": 4711, "location": "europe-west1", "services": {"web": WEB}}},
}
NAME = full_name(SHORT)


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(Blueprint.model_validate(PLAN), clock, seed=7)


@pytest.fixture
def real(world: World) -> Iterator[RealTraffic]:
    with RealTraffic(world, [SHORT]) as running:
        yield running


@pytest.fixture
def visit(real: RealTraffic) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=real.urls[SHORT], trust_env=False, timeout=PATIENCE_S) as client:
        yield client


def route(cloud: Cloud, split: dict[str, int], **tags: str) -> None:
    """Serve that; tags lead to releases without a share."""
    tagged = [(target, tag) for tag, release in tags.items() for target in targets({release: 0})]
    for target, tag in tagged:
        target.tag = tag
    service = run_v2.Service(name=NAME, traffic=[*targets(split), *(target for target, _ in tagged)])
    mask = {"paths": ["traffic"]}
    cloud.services.update_service(request={"service": service, "update_mask": mask})
    cloud.clock.advance(10)


def pids(real: RealTraffic) -> dict[str, int]:
    return {release: one["pid"] for release, one in real.processes()[SHORT].items()}


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def requests(cloud: Cloud) -> dict[tuple[str, str], int]:
    """What the metrics say, by release and code, once they are not late any more."""
    now = cloud.clock.now()
    cloud.clock.advance(300)
    found = cloud.metrics.list_time_series(
        request={
            "name": "projects/shop",
            "filter": 'metric.type="run.googleapis.com/request_count" AND resource.type="cloud_run_revision"',
            "interval": monitoring_v3.TimeInterval(
                start_time=now.replace(second=0, microsecond=0), end_time=cloud.clock.now()
            ),
        }
    )
    return {
        (one.resource.labels["revision_name"], one.metric.labels["response_code"]): sum(
            point.value.int64_value for point in one.points
        )
        for one in found
    }


def test_a_release_that_serves_is_a_process_and_answers(real: RealTraffic, visit: httpx.Client) -> None:
    assert list(pids(real)) == [GOOD]
    answer = visit.get("/api/orders?page=2")
    assert (answer.status_code, answer.json()) == (200, {"release": GOOD, "status": 200})
    assert visit.get("/wp-login.php").status_code == 404
    assert visit.post("/api/orders", json={"chairs": 2}).status_code == 200


def test_requests_are_split_and_counted_as_they_happened(cloud: Cloud, visit: httpx.Client, real: RealTraffic) -> None:
    route(cloud, {GOOD: 70, BAD: 30})
    seen = Counter[tuple[str, str]]()
    for _ in range(200):
        answer = visit.get("/")
        seen[answer.json()["release"], str(answer.status_code)] += 1
    assert set(seen) == {(GOOD, "200"), (BAD, "500")}
    assert 35 < seen[BAD, "500"] < 90
    assert requests(cloud) == dict(seen)
    assert set(pids(real)) == {GOOD, BAD}


def test_a_tag_leads_to_a_release_without_a_share(cloud: Cloud, visit: httpx.Client) -> None:
    route(cloud, {GOOD: 100}, next="web-00003-cid")
    for _ in range(3):
        answer = visit.get("/", headers={"host": "next---web.localhost"})
        assert answer.json()["release"] == "web-00003-cid"
    assert visit.get("/").json()["release"] == GOOD
    none = visit.get("/", headers={"host": "other---web.localhost"})
    assert (none.status_code, none.text) == (404, NOBODY)
    assert requests(cloud) == {("web-00003-cid", "200"): 3, (GOOD, "200"): 1}


def test_a_release_whose_process_dies_is_started_again(real: RealTraffic, visit: httpx.Client) -> None:
    visit.get("/")
    before = pids(real)[GOOD]
    os.kill(before, signal.SIGKILL)
    until(lambda: visit.get("/").status_code == 200 and pids(real)[GOOD] != before, PATIENCE_S)


def test_a_release_that_becomes_bad_fails(cloud: Cloud, visit: httpx.Client) -> None:
    assert visit.get("/").status_code == 200
    with cloud.world.settled() as now:
        cloud.world.cloud_run.services[NAME].truths[GOOD].error_rates.append((now, 1.0))
    until(lambda: visit.get("/").status_code == 500, PATIENCE_S)


def test_what_nothing_leads_to_any_more_is_ended_after_a_while(
    cloud: Cloud, real: RealTraffic, visit: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "IDLE_S", 0.05)
    gone = pids(real)[GOOD]
    route(cloud, {"web-00003-cid": 100})
    until(lambda: set(pids(real)) == {"web-00003-cid"} and not lives(gone), PATIENCE_S)
    assert visit.get("/").json()["release"] == "web-00003-cid"


def test_no_process_is_left(world: World) -> None:
    with RealTraffic(world, [SHORT]) as real:
        (pid,) = pids(real).values()
        assert lives(pid)
    assert not lives(pid)


def test_a_service_that_was_deleted_answers_nobody(cloud: Cloud, visit: httpx.Client) -> None:
    with cloud.world.settled():
        del cloud.world.cloud_run.services[NAME]
    assert visit.get("/").status_code == 404


def test_logs_tell_of_what_happened(cloud: Cloud, visit: httpx.Client) -> None:
    visit.get("/")
    visit.get("/nowhere")
    cloud.clock.advance(60)
    logs = client(LoggingServiceV2Client, cloud.channel)
    asked = {"resource_names": ["projects/shop"], "filter": 'logName:"requests" AND timestamp>="2026-09-21T00:00:00Z"'}
    found = [one.http_request.status for one in logs.list_log_entries(request=asked)]
    assert found == [200, 404]


@pytest.mark.parametrize(
    ("service", "error", "words"),
    [
        ("shop/web", ValueError, "write a service as"),
        ("shop//web", ValueError, "write a"),
        ("a/b/c", KeyError, "a/b/c"),
    ],
)
def test_services_that_cannot_be(world: World, service: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        RealTraffic(world, [service])


# --- what does not come up, or breaks off


class Nowhere(Releases):
    """Leads where nobody listens, or to nothing."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    async def url(self, key: Any, quality: Any) -> str:
        if not self._url:
            raise OSError("did not start")
        return self._url


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", ""])
async def test_a_release_that_cannot_be_reached(world: World, url: str) -> None:
    async with aiohttp.ClientSession() as client:
        proxy = Proxy(world, NAME, Nowhere(url), client, Random(1))
        server = aiohttp.web.Server(proxy.handle)
        runner = aiohttp.web.ServerRunner(server)
        await runner.setup()
        await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
        address = runner.addresses[0]
        async with client.get(f"http://{address[0]}:{address[1]}/") as answer:
            assert (answer.status, await answer.text()) == (503, BROKEN)
        await runner.cleanup()


async def test_a_process_that_does_not_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes.sys, "executable", "/bin/false")
    releases = Releases()
    with pytest.raises(OSError, match="release web-1 did not start"):
        await releases.url((NAME, "web-1"), processes.Quality())
    await releases.close()


# --- visitors


class Door:
    """Counts who comes; answers after a while."""

    def __init__(self, after_s: float = 0.0) -> None:
        self.paths, self.after_s = list[str](), after_s

    async def handle(self, request: aiohttp.web.BaseRequest) -> aiohttp.web.StreamResponse:
        self.paths.append(request.path)
        await asyncio.sleep(self.after_s)
        return aiohttp.web.Response()


async def came(door: Door, visitors_of: Any, enough: Callable[[], bool], after_s: float = 0.0) -> None:
    """Let them come until it is enough, and for some real seconds more."""
    runner = aiohttp.web.ServerRunner(aiohttp.web.Server(door.handle), shutdown_timeout=0.1)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as client:
        visitors: Visitors = visitors_of(f"http://127.0.0.1:{runner.addresses[0][1]}")
        task = asyncio.create_task(visitors.come(client))
        give_up = asyncio.get_running_loop().time() + PATIENCE_S
        while not enough() and asyncio.get_running_loop().time() < give_up:
            await asyncio.sleep(0.01)
        await asyncio.sleep(after_s)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await runner.cleanup()


async def test_visitors_come_as_often_as_the_clock_runs() -> None:
    door, clock = Door(), ScaledClock(100)
    began = clock.now()
    await came(door, lambda url: Visitors(clock, url, 2.0, 0.5, Random(3)), lambda: len(door.paths) >= 100)
    passed_s = (clock.now() - began).total_seconds()
    assert 100 <= len(door.paths) < 1.5 * 2.0 * passed_s
    assert 0.2 < door.paths.count("/wp-login.php") / len(door.paths) < 0.8
    assert len(set(door.paths)) > 3


async def test_nobody_comes_where_nobody_is_expected_or_time_stands_still() -> None:
    door = Door()
    await came(door, lambda url: Visitors(ScaledClock(10), url, 0.0, 0.0, Random(3)), lambda: True, 0.05)
    await came(door, lambda url: Visitors(ManualClock(), url, 50.0, 0.0, Random(3)), lambda: True, 0.05)
    assert door.paths == []


class Watched(ManualClock):
    """Counts who looks at it."""

    looks = 0

    @property
    def began(self) -> datetime:
        return datetime.fromtimestamp(self.origin_unix_s, UTC)

    def now(self) -> datetime:
        self.looks += 1
        return super().now()


async def test_who_would_be_too_late_does_not_come() -> None:
    """After an hour in which nobody could come, not all come at once."""
    door, clock = Door(), Watched()

    def an_hour_later() -> bool:
        if clock.looks > 1 and clock.now() < clock.began + timedelta(hours=1):
            clock.advance(3600)
        return bool(door.paths)

    await came(door, lambda url: Visitors(clock, url, 50.0, 0.0, Random(3)), an_hour_later, 0.3)
    assert len(door.paths) == 1


async def test_a_full_house_takes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.sandbox.real.visitors.MOST_AT_ONCE", 3)
    door = Door(after_s=PATIENCE_S)
    clock = ScaledClock(100)
    await came(door, lambda url: Visitors(clock, url, 10.0, 0.0, Random(3)), lambda: len(door.paths) >= 3, 0.1)
    assert len(door.paths) == 3


async def test_who_finds_nobody_goes_away() -> None:
    clock = ScaledClock(100)
    visitors = Visitors(clock, "http://127.0.0.1:1", 10.0, 0.0, Random(3))
    async with aiohttp.ClientSession() as session:
        task = asyncio.create_task(visitors.come(session))
        await asyncio.sleep(0.2)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# --- as a process


def test_a_sandbox_with_real_traffic(tmp_path: Any) -> None:
    """Visitors come by themselves; the control says who answers them."""
    busy = {**PLAN, "projects": {"shop": {**PLAN["projects"]["shop"], "services": {"web": {**WEB, "rps": 5}}}}}
    path = tmp_path / "world.yaml"
    YAML().dump(busy, path)
    with SandboxProcess(rate=120, world=path, real_traffic=[SHORT]) as sandbox:
        assert sandbox.control.real()["urls"] == sandbox.urls
        (one,) = sandbox.control.real()["releases"][SHORT].values()
        until(lambda: any(m["requests"] > 50 for m in sandbox.control.minutes(SHORT, 1)), PATIENCE_S)
    assert not lives(one["pid"])
