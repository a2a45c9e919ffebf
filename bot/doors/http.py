"""The HTTP side of `serve`: health for whoever runs the process, other doors' routes beside it, and its end in time.

/healthz   the process lives: its lease was renewed not long ago. Asks nothing of the database: a restart would not
           bring one back.
/readyz    it can work: the database answers and has our schema or a newer one, the worker is started, nobody told it
           to stop.

A process that finds no database answers all the same, so that people get our sentence about it; it begins to work
when the database is back.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from types import FrameType
from typing import Any, NamedTuple, Protocol, runtime_checkable

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from bot.core.errors import Away, BotError, ConfigError
from bot.engine.sweep import end

LOOK_WITHIN_S, BEGIN_EVERY_S = 2.0, 1.0
NOT_BEGUN = 72  # exit code of a process that could not begin to work when its database was back
KEEP_ALIVE_S = 620  # longer than Google's front ends keep an idle connection (600 s), or a request may meet its end
log = logging.getLogger(__name__)
LAST_ANSWERS_S, LAST_WORDS_S, LAST_STEP_S, GRACE_S = 2, 1, 3, 2  # of Cloud Run's 10 s from SIGTERM to SIGKILL
LATE = "what runs did not come to a stop in time; others take it over"


class Worker(Protocol):
    """What this process does beside answering."""

    def start(self) -> None:
        """Raises Away, with nothing begun, while the database is."""
        ...

    def lease_age_s(self) -> float: ...
    def stop(self, drain_s: int) -> bool:
        """Whether nothing goes on any more."""
        ...


class Inbound(Protocol):
    """Another door that is reached over HTTP. `refusals` counts what it turned away, by why."""

    @property
    def refusals(self) -> Mapping[Any, int]: ...
    def routes(self) -> Sequence[BaseRoute]: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


@runtime_checkable
class Connecting(Protocol):
    """A door that may open a connection of its own."""

    def connected(self) -> bool | None:
        """Whether it is there; None when the door is reached instead."""
        ...


class Life(NamedTuple):
    """What health asks. `look` is the head of the audit chain as the database has it now; it raises StoreError.

    `lease_s` is how long the process may go on without a renewal.
    """

    executor: str
    lease_s: float
    worker: Worker
    look: Callable[[], str]
    doors: Sequence[Inbound] = ()


class Health:
    """Answers /healthz and /readyz."""

    def __init__(self, life: Life, *, look_within_s: float = LOOK_WITHIN_S) -> None:
        self._life, self._look_within_s = life, look_within_s
        self._looker = ThreadPoolExecutor(1, thread_name_prefix="health")  # a database that hangs holds one thread
        self.started = self.stopping = False
        self.waits_for = ""  # what keeps the worker from being started

    def routes(self) -> tuple[Route, ...]:
        return Route("/healthz", self._alive, methods=["GET"]), Route("/readyz", self._ready, methods=["GET"])

    async def _alive(self, _: Request) -> JSONResponse:
        age_s = self._life.worker.lease_age_s() if self.started else 0.0  # it has none before
        alive = age_s < self._life.lease_s
        return JSONResponse({"alive": alive, "lease_age_s": round(age_s, 1)}, 200 if alive else 503)

    async def _ready(self, _: Request) -> JSONResponse:
        head, trouble = "", self._trouble()
        if not trouble:
            head, trouble = await self._look()
        body: dict[str, Any] = {"ready": not trouble, "executor": self._life.executor, "audit_head": head}
        body["refused"] = {why: count for door in self._life.doors for why, count in door.refusals.items()}
        told = [door.connected() for door in self._life.doors if isinstance(door, Connecting)]
        if connections := [one for one in told if one is not None]:
            body["connected"] = all(connections)
        body |= {"why": trouble} if trouble else {}
        return JSONResponse(body, 503 if trouble else 200)

    def _trouble(self) -> str:
        if self.stopping:
            return "it was told to stop"
        return "" if self.started else self.waits_for or "the worker is not started yet"

    async def _look(self) -> tuple[str, str]:
        """The audit head, and what keeps the database from us; one of the two is empty."""
        looking = asyncio.get_running_loop().run_in_executor(self._looker, self._life.look)
        try:
            return await asyncio.wait_for(looking, self._look_within_s), ""
        except TimeoutError:
            return "", f"the database did not answer within {self._look_within_s:g} s"
        except BotError as error:
            return "", str(error)


class Beginning(threading.Thread):
    """Starts the worker as soon as there is a database."""

    def __init__(self, worker: Worker, health: Health) -> None:
        super().__init__(daemon=True, name="beginning")
        self._worker, self._health, self._stopping = worker, health, threading.Event()

    def now(self) -> bool:
        """Whether it is started. Raises StoreError for what waiting will not mend."""
        try:
            self._worker.start()
        except Away as error:
            self._health.waits_for = str(error)
            log.warning("nothing can be done yet: %s", error)
            return False
        self._health.started = True
        return True

    def run(self) -> None:
        """Until it is started. Ends the process, for a new one to begin, when it cannot be."""
        while not self._stopping.wait(BEGIN_EVERY_S):
            try:
                if self.now():
                    return
            except Exception as error:  # half begun, or of no use with this database
                log.exception("the worker could not be started")
                end(NOT_BEGUN, str(error))

    def stop(self) -> None:
        """Begin nothing any more; return when a try in progress has ended, or soon."""
        self._stopping.set()
        if self.is_alive():
            self.join(GRACE_S)


class Server(uvicorn.Server):
    """Ends when it is told to, instead of raising the signal again: there is a worker to stop afterwards.

    `late` begins to run then. Its end waits for threads that doors have, and those for a database that may be away.
    """

    def __init__(self, app: Starlette, health: Health, late: threading.Timer) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http="httptools",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=LAST_ANSWERS_S,
            )
        )
        self._health, self._late = health, late

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            self._late.start()
        self._health.stopping = True
        self.force_exit = self.should_exit  # told twice: do not wait for anybody
        self.should_exit = True


def application(health: Health, doors: Sequence[Inbound] = ()) -> Starlette:
    """All routes of the process; the other doors run as long as it does."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        for door in doors:
            await door.start()
        yield
        for door in doors:
            with suppress(TimeoutError):
                await asyncio.wait_for(door.stop(), LAST_WORDS_S)

    routes = [*health.routes(), *(route for door in doors for route in door.routes())]
    return Starlette(routes=routes, lifespan=lifespan)


def serve(life: Life, host: str, port: int) -> int:
    """Work and answer until told to stop; then hand over what is unfinished, all within Cloud Run's ten seconds.

    Raises ConfigError, with nothing begun, when the address cannot be had.
    """
    health = Health(life)
    beginning = Beginning(life.worker, health)
    late = threading.Timer(LAST_ANSWERS_S + LAST_WORDS_S + LAST_STEP_S + GRACE_S, end, (0, LATE))
    late.daemon = True
    with bound(host, port) as listening:
        if not beginning.now():
            beginning.start()
        log.info("listening at %s:%s", *listening.getsockname()[:2])
        try:
            Server(application(health, life.doors), health, late).run([listening])
        finally:
            beginning.stop()
            stopped = stopped_within(life.worker, LAST_STEP_S + GRACE_S)
            late.cancel()
    if not stopped:
        end(0, LATE)
    return 0


def bound(host: str, port: int) -> socket.socket:
    """A socket at the address, which listens once the server runs. Raises ConfigError."""
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, kind)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        problem = f"cannot listen at {host}:{port}: {error.strerror}; set PORT, and AISQ_HOST, to others"
        raise ConfigError(problem, file="environment", field="PORT") from None
    return listening


def stopped_within(worker: Worker, within_s: float) -> bool:
    """Stop the worker; whether nothing of it goes on, and that was so within `within_s` real seconds."""
    ended = list[bool]()
    stopping = threading.Thread(target=lambda: ended.append(worker.stop(LAST_STEP_S)), daemon=True, name="stop")
    stopping.start()
    stopping.join(within_s)
    return ended == [True]
