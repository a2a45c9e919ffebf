"""A way to a server that can be cut or slow, as networks are: nobody is told, and what was sent arrives later."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Self

CHUNK = 65_536


class Link:
    """A TCP port here that leads to `host`:`port`. A context manager; runs in a thread of its own.

    `delay_s` is how long whatever the server sends is on its way; it may be changed at any time.
    """

    delay_s = 0.0

    def __init__(self, host: str, port: int) -> None:
        self._there = host, port
        self._loop = asyncio.new_event_loop()
        self._whole = asyncio.Event()
        self._whole.set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="link")
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """From now on nothing goes through, neither way."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        """All that was sent meanwhile arrives, as TCP sends it again."""
        self._loop.call_soon_threadsafe(self._whole.set)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(asyncio.sleep(0))  # what was aborted hears of it
        self._loop.close()

    def _run(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._note()
        ends = [writer]
        try:
            await self._whole.wait()
            back, there = await asyncio.open_connection(*self._there)
            ends.append(there)
            await asyncio.gather(self._pump(reader, there), self._pump(back, writer, slow=True))
        except (OSError, asyncio.CancelledError):
            pass  # nobody is there, or this link goes away: the caller sees its connection end
        finally:
            for end in ends:
                end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, slow: bool = False) -> None:
        """One direction, until its sender closes it; closes both ways then."""
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await asyncio.sleep(self.delay_s if slow else 0.0)
                await self._whole.wait()
                writer.write(data)
                await writer.drain()
        await self._whole.wait()
        writer.close()

    def _note(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "called by the server, in a task"
        self._pumps.add(task)
        task.add_done_callback(self._pumps.discard)

    async def _close(self) -> None:
        self._server.close()
        for task in tuple(self._pumps):
            task.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
