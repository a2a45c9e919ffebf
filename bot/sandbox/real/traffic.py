"""Real traffic for chosen services of a world: proxies, visitors and processes of releases, on one thread."""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from random import Random
from typing import Any, Self

import aiohttp
from aiohttp import web
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from bot.sandbox.cloud_run.state import ServiceState
from bot.sandbox.monitoring.recorded import Recorded
from bot.sandbox.quality import Quality
from bot.sandbox.real.proxy import ATTEMPT_S, Proxy, tagged
from bot.sandbox.real.releases import Key, Releases
from bot.sandbox.real.visitors import Visitors
from bot.sandbox.world import World

HOST = "127.0.0.1"
LOOK_EVERY_S = 0.2
CONNECTIONS = 400


class RealTraffic:
    """A context manager. `services` are "project/location/name"; `urls` are their proxies, by the same names.

    From its start on, metrics and logs of these services tell what happened; before, what the world made up.
    Raises ValueError for another form of a name, KeyError for a service that is not there.
    """

    def __init__(self, world: World, services: Sequence[str]) -> None:
        self._world, self._services = world, {full_name(one): one for one in services}
        for name, short in self._services.items():
            if name not in world.cloud_run.services:
                raise KeyError(f"there is no service {short}")
        self._releases, self.urls = Releases(), dict[str, str]()
        self._stack = AsyncExitStack()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        """Raises OSError when a release does not come up."""
        self._thread.start()
        with ExitStack() as unless:
            unless.callback(self._close)
            self._there(self._open(self._stack))
            unless.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        self._there(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _there(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it on the thread's loop, and wait for its end."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def routes(self, _: World, __: str) -> Sequence[BaseRoute]:
        """A room of the sandbox's HTTP side: what `urls` and `processes` say."""

        async def real(_: Request) -> JSONResponse:
            return JSONResponse({"urls": self.urls, "releases": self.processes()})

        return [Route("/sandbox/real", real)]

    def processes(self) -> dict[str, dict[str, dict[str, Any]]]:
        """By service and release: the process's pid, and where it listens."""
        found: dict[str, dict[str, dict[str, Any]]] = {one: {} for one in self._services.values()}
        for (service, release), one in list(self._releases.running.items()):
            found[self._services[service]][release] = {"pid": one.process.pid, "url": one.url}
        return found

    async def _open(self, stack: AsyncExitStack) -> None:
        stack.push_async_callback(self._releases.close)
        await self._keep()
        client = await stack.enter_async_context(_client())
        for name, short in self._services.items():
            self.urls[short] = await self._serve(stack, client, name)
        self._record()
        for name, short in self._services.items():
            _begin(stack, self._visitors(name, self.urls[short]).come(client))
        _begin(stack, self._keep_on())

    async def _serve(self, stack: AsyncExitStack, client: aiohttp.ClientSession, name: str) -> str:
        proxy = Proxy(self._world, name, self._releases, client, Random(f"{self._world.seed} {name}"))
        runner = web.ServerRunner(web.Server(proxy.handle), shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, HOST, 0).start()
        return f"http://{HOST}:{runner.addresses[0][1]}"

    def _record(self) -> None:
        with self._world.settled() as now:
            for name in self._services:
                self._world.cloud_run.services[name].recorded = Recorded(now.timestamp())

    def _visitors(self, name: str, url: str) -> Visitors:
        state = self._world.cloud_run.services[name]
        random = Random(f"{self._world.seed} {name} visitors")
        return Visitors(self._world.clock, url, state.rps, state.not_found_rate, random)

    async def _keep_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            with suppress(OSError):  # one that died or did not come up; the next look tries again
                await self._keep()

    async def _keep(self) -> None:
        with self._world.settled():
            states = [self._world.cloud_run.services.get(name) for name in self._services]
            wanted = {key: quality for state in states if state for key, quality in _needed(state).items()}
        await self._releases.keep(wanted)


def full_name(service: str) -> str:
    """Raises ValueError when it is not "project/location/name"."""
    parts = service.split("/")
    if len(parts) != 3 or not all(parts):
        raise ValueError(f"write a service as project/location/name, not {service!r}")
    return "projects/{}/locations/{}/services/{}".format(*parts)


def _needed(state: ServiceState) -> dict[Key, Quality]:
    """Releases that a request could reach: by the split, or by a tag."""
    names = {*state.split, *tagged(state).values()}
    return {(state.name, name): state.truths[name].quality for name in names if name in state.truths}


def _client() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    return aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=ATTEMPT_S), auto_decompress=False
    )


def _begin(stack: AsyncExitStack, work: Any) -> None:
    """Work that goes on until the stack is closed."""
    task = asyncio.create_task(work)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
