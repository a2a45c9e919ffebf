"""Health over HTTP, and a process that ends in time when it is told to."""

import asyncio
import contextlib
import signal
import socket
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from bot.core.errors import Away, ConfigError, StoreError
from bot.doors import http
from bot.doors.http import Beginning, Health, Life, Server, application, bound, serve, stopped_within

HEAD = "1082d6fad87f8266"
AWAY = Away("the database does not answer: connection refused")


class FakeWorker:
    """Notes what became of it; `age_s` is how old its lease is, `stopping` what its end waits for.

    Its starts meet `errors`, one each, before one succeeds.
    """

    def __init__(
        self, age_s: float = 1.0, stopping: threading.Event | None = None, errors: Sequence[Exception] = ()
    ) -> None:
        self.age_s, self.stopping, self.notes = age_s, stopping, list[str]()
        self.errors, self.ended = list(errors), True

    def start(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.notes.append("started")

    def lease_age_s(self) -> float:
        return self.age_s

    def stop(self, drain_s: int) -> bool:
        self.notes.append(f"stop within {drain_s}")
        if self.stopping:
            self.stopping.wait()
        return self.ended


class FakeDoor:
    """Another door, with one route and two reasons to refuse."""

    def __init__(self, notes: list[str] | None = None) -> None:
        self.notes = [] if notes is None else notes
        self.refusals = Counter({"signature": 2, "timestamp": 1})

    def routes(self) -> Sequence[BaseRoute]:
        async def hello(_: Request) -> PlainTextResponse:
            return PlainTextResponse("hello")

        return [Route("/slack/events", hello, methods=["POST"])]

    async def start(self) -> None:
        self.notes.append("door opened")

    async def stop(self) -> None:
        self.notes.append("door closed")


def a_life(
    worker: FakeWorker | None = None, look: Callable[[], str] = lambda: HEAD, doors: Sequence[FakeDoor] = ()
) -> Life:
    return Life("7b5f151c", 15.0, worker or FakeWorker(), look, doors)


def started(life: Life, **how: Any) -> Health:
    health = Health(life, **how)
    health.started = True
    return health


async def get(health: Health, path: str, doors: Sequence[FakeDoor] = (), method: str = "GET") -> httpx.Response:
    app = httpx.ASGITransport(application(health, doors))
    async with httpx.AsyncClient(transport=app, base_url="http://aisq") as client:
        return await client.request(method, path)


# --- /healthz


@pytest.mark.parametrize(("age_s", "status"), [(0.0, 200), (14.9, 200), (15.0, 503), (600.0, 503)])
async def test_a_process_lives_while_its_lease_is_renewed(age_s: float, status: int) -> None:
    answer = await get(started(a_life(FakeWorker(age_s))), "/healthz")
    assert (answer.status_code, answer.json()) == (status, {"alive": status == 200, "lease_age_s": age_s})


async def test_it_lives_also_without_a_database_or_while_it_stops() -> None:
    """A restart would not bring a database back."""

    def away() -> str:
        raise AssertionError("nobody asks")

    health = started(a_life(look=away))
    health.stopping = True
    assert (await get(health, "/healthz")).status_code == 200


# --- /readyz


async def test_ready() -> None:
    answer = await get(started(a_life()), "/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "executor": "7b5f151c", "audit_head": HEAD, "refused": {}}


async def test_ready_counts_what_other_doors_refused() -> None:
    answer = await get(started(a_life(doors=[FakeDoor()])), "/readyz")
    assert answer.json()["refused"] == {"signature": 2, "timestamp": 1}
    assert "connected" not in answer.json()


@pytest.mark.parametrize(
    ("doors", "said"), [([True], True), ([False], False), ([True, False], False), ([None, True], True), ([None], None)]
)
async def test_ready_says_whether_a_door_is_connected_that_opens_its_own_connection(
    doors: list[bool | None], said: bool | None
) -> None:
    class Connecting(FakeDoor):
        def __init__(self, connected: bool | None) -> None:
            super().__init__()
            self.is_connected = connected

        def connected(self) -> bool | None:
            return self.is_connected

    answer = await get(started(a_life(doors=[*map(Connecting, doors), FakeDoor()])), "/readyz")
    assert answer.status_code == 200, "what was approved is done all the same"
    assert answer.json().get("connected") == said


async def test_not_ready_before_the_worker_is_started() -> None:
    answer = await get(Health(a_life()), "/readyz")
    assert (answer.status_code, answer.json()["why"]) == (503, "the worker is not started yet")


async def test_a_process_that_could_not_begin_yet_lives_and_says_why() -> None:
    """It has no lease that could be too old; and a restart would not bring its database back."""
    health = Health(a_life(FakeWorker(age_s=600.0, errors=[AWAY])))
    assert not Beginning(health._life.worker, health).now()
    assert (await get(health, "/healthz")).status_code == 200
    answer = await get(health, "/readyz")
    assert (answer.status_code, answer.json()["why"]) == (503, str(AWAY))


async def test_not_ready_once_told_to_stop() -> None:
    health = started(a_life())
    health.stopping = True
    answer = await get(health, "/readyz")
    assert (answer.status_code, answer.json()["why"]) == (503, "it was told to stop")


async def test_not_ready_with_another_schema() -> None:
    def other() -> str:
        raise StoreError("the database has schema 0001, this version of aisq needs 0002; run `aisq db upgrade`")

    answer = await get(started(a_life(look=other)), "/readyz")
    assert answer.status_code == 503
    assert answer.json()["why"].endswith("run `aisq db upgrade`")
    assert answer.json()["audit_head"] == ""


async def test_not_ready_when_the_database_hangs_and_only_one_thread_waits_for_it() -> None:
    hang, looks = threading.Event(), list[int]()

    def hanging() -> str:
        looks.append(1)
        hang.wait()
        return HEAD

    health = started(a_life(look=hanging), look_within_s=0.02)
    try:
        answers = await asyncio.gather(*(get(health, "/readyz") for _ in range(5)))
        assert {answer.status_code for answer in answers} == {503}
        assert answers[0].json()["why"] == "the database did not answer within 0.02 s"
        assert len(looks) == 1
    finally:
        hang.set()


async def test_ready_again_when_the_database_is_back() -> None:
    looks = iter([StoreError("away"), HEAD])

    def look() -> str:
        found = next(looks)
        if isinstance(found, StoreError):
            raise found
        return found

    health = started(a_life(look=look))
    assert [(await get(health, "/readyz")).status_code for _ in range(2)] == [503, 200]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_is_only_looked_at(path: str) -> None:
    assert (await get(started(a_life()), path, method="POST")).status_code == 405


@pytest.mark.parametrize("path", ["/", "/metrics", "/slack/events"])
async def test_there_is_nothing_else(path: str) -> None:
    assert (await get(started(a_life()), path)).status_code == 404


async def test_other_doors_have_their_routes_beside_it() -> None:
    doors = [FakeDoor()]
    assert (await get(started(a_life(doors=doors)), "/slack/events", doors, "POST")).text == "hello"


async def test_other_doors_are_open_as_long_as_the_process_serves() -> None:
    door = FakeDoor()
    app = application(started(a_life()), [door])
    async with app.router.lifespan_context(app):
        assert door.notes == ["door opened"]
    assert door.notes == ["door opened", "door closed"]


async def test_a_door_that_does_not_close_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(FakeDoor):
        async def stop(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(http, "LAST_WORDS_S", 0.01)
    last = FakeDoor()
    doors = [Stuck(), last]
    app = application(started(a_life(doors=doors)), doors)
    async with app.router.lifespan_context(app):
        pass
    assert last.notes == ["door opened", "door closed"]


# --- the address


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen at 127.0.0.1:{port}: Address already in use; set PORT"):
            bound("127.0.0.1", port)


def test_a_host_that_is_none_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen at 256\.1\.1\.1:80"):
        bound("256.1.1.1", 80)


def test_any_free_port_will_do() -> None:
    with bound("127.0.0.1", 0) as listening:
        assert listening.getsockname()[1] > 0


def test_nothing_is_begun_without_the_address() -> None:
    worker = FakeWorker()
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError):
        serve(a_life(worker), "127.0.0.1", taken.getsockname()[1])
    assert worker.notes == []


# --- the beginning


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between tries."""
    monkeypatch.setattr(http, "BEGIN_EVERY_S", 0.001)


@pytest.mark.usefixtures("quick")
def test_it_begins_when_the_database_is_back(caplog: pytest.LogCaptureFixture) -> None:
    worker = FakeWorker(errors=[AWAY] * 3)
    beginning = Beginning(worker, Health(a_life(worker)))
    assert not beginning.now()
    beginning.start()
    beginning.join(20)
    assert (worker.notes, worker.errors) == (["started"], [])
    assert beginning._health.started
    assert caplog.text.count(f"nothing can be done yet: {AWAY}") == 3


def test_what_waiting_will_not_mend_is_said_at_once() -> None:
    other = StoreError("the database has schema none; run `aisq db upgrade`")
    with pytest.raises(StoreError, match="run `aisq db upgrade`"):
        serve(a_life(FakeWorker(errors=[other])), "127.0.0.1", 0)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("error", [StoreError("the database has schema none"), ZeroDivisionError("half begun")])
def test_what_waiting_did_not_mend_ends_the_process(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    worker, ends = FakeWorker(errors=[AWAY, error]), list[tuple[int, str]]()
    beginning = Beginning(worker, Health(a_life(worker)))

    def end(code: int, why: str) -> None:
        ends.append((code, why))
        beginning._stopping.set()

    monkeypatch.setattr(http, "end", end)
    beginning.start()
    beginning.join(20)
    assert (ends, worker.notes) == ([(http.NOT_BEGUN, str(error))], [])


@pytest.mark.usefixtures("quick")
def test_told_to_stop_it_begins_nothing() -> None:
    worker = FakeWorker()
    beginning = Beginning(worker, Health(a_life(worker)))
    beginning.stop()
    beginning.start()
    beginning.join(20)
    assert (worker.notes, beginning._health.started) == ([], False)


def test_it_answers_while_its_database_is_away_and_works_once_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = FakeWorker(errors=[AWAY])
    served = Served(monkeypatch, signal.SIGTERM, worker=worker)
    assert (served.code, served.answers) == (0, [503])
    assert served.notes[:2] == ["door opened", "answered"]
    assert served.notes[-1] == "stop within 3"


# --- the end


def test_a_worker_that_stops_in_time() -> None:
    worker = FakeWorker()
    assert stopped_within(worker, 5.0)
    assert worker.notes == ["stop within 3"]


def test_a_worker_that_does_not_is_left_behind() -> None:
    hang = threading.Event()
    assert not stopped_within(FakeWorker(stopping=hang), 0.01)
    hang.set()


def test_a_worker_of_which_something_goes_on_has_not_stopped() -> None:
    worker = FakeWorker()
    worker.ended = False
    assert not stopped_within(worker, 5.0)


def test_all_ends_within_cloud_runs_ten_seconds() -> None:
    assert http.LAST_ANSWERS_S + http.LAST_WORDS_S + http.LAST_STEP_S + http.GRACE_S < 10


class Served:
    """A process that serves, in this one: what it was when it answered, and what became of it."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *told: signal.Signals,
        worker: FakeWorker,
        door: FakeDoor | None = None,
    ) -> None:
        self.answers: list[int] = []
        self.notes = worker.notes
        self.servers: list[Server] = []
        original = Server.startup

        async def startup(server: Server, sockets: list[socket.socket] | None = None) -> None:
            await original(server, sockets)
            assert sockets
            url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/readyz"
            self.servers.append(server)
            loop = asyncio.get_running_loop()
            self.answers.append(await loop.run_in_executor(None, _status, url))
            self.notes.append("answered")
            for one in told:
                server.handle_exit(one, None)

        monkeypatch.setattr(Server, "startup", startup)
        self.code = serve(a_life(worker, doors=[door or FakeDoor(worker.notes)]), "127.0.0.1", 0)


def _status(url: str) -> int:
    with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(url, timeout=10) as answer:
        return int(answer.status)
    return 503


def test_it_serves_until_told_to_stop_and_then_hands_over(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(monkeypatch, signal.SIGTERM, worker=FakeWorker())
    assert (served.code, served.answers) == (0, [200])
    assert served.notes == ["started", "door opened", "answered", "door closed", "stop within 3"]
    assert served.servers[0]._health.stopping
    assert not served.servers[0].force_exit


def test_told_twice_it_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(monkeypatch, signal.SIGINT, signal.SIGINT, worker=FakeWorker())
    assert served.servers[0].force_exit
    assert served.notes[-1] == "stop within 3"


def test_what_does_not_stop_in_time_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    hang, ends = threading.Event(), list[tuple[int, str]]()
    monkeypatch.setattr(http, "LAST_STEP_S", 0)
    monkeypatch.setattr(http, "GRACE_S", 0.01)
    monkeypatch.setattr(http, "end", lambda code, why: ends.append((code, why)))
    Served(monkeypatch, signal.SIGTERM, worker=FakeWorker(stopping=hang))
    hang.set()
    ((code, why),) = ends
    assert code == 0
    assert "others take it over" in why


def test_a_thread_that_waits_for_the_database_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop joins its threads when it ends, and one of them may wait for half a minute."""
    hang, ends = threading.Event(), list[tuple[int, str]]()

    class Waiting(FakeDoor):
        async def start(self) -> None:
            asyncio.get_running_loop().run_in_executor(None, hang.wait)

    def end(code: int, why: str) -> None:
        ends.append((code, why))
        hang.set()

    monkeypatch.setattr(http, "LAST_STEP_S", 0)
    monkeypatch.setattr(http, "LAST_ANSWERS_S", 0)
    monkeypatch.setattr(http, "end", end)
    Served(monkeypatch, signal.SIGTERM, worker=FakeWorker(), door=Waiting())
    assert ends == [(0, http.LATE)]


def test_the_worker_is_stopped_also_when_serving_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = FakeWorker()

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Server, "run", fail)
    with pytest.raises(ZeroDivisionError):
        serve(a_life(worker), "127.0.0.1", 0)
    assert worker.notes == ["started", "stop within 3"]


def test_an_idle_connection_is_kept_longer_than_those_before_it_keep_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's front ends keep theirs for 600 s; a request on one that ends meanwhile would be answered by nobody."""
    served = Served(monkeypatch, signal.SIGTERM, worker=FakeWorker())
    assert served.servers[0].config.timeout_keep_alive > 600
