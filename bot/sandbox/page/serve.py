"""Serves the page on this machine, in a thread of the process that owns the bot."""

import asyncio
import secrets
import threading
from typing import Self

import uvicorn

from bot.sandbox.page.app import Page
from bot.sandbox.page.keeper import Keeper
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.server import HOST, configured, listening

TOKEN_BYTES = 24


class Served:
    """A context manager. `address` is what one opens: it holds the token."""

    def __init__(self, rehearsal: Rehearsal, keeper: Keeper, port: int = 0) -> None:
        self._socket = listening(port)
        self.port = int(self._socket.getsockname()[1])
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self.origin = f"http://{HOST}:{self.port}"
        self.address = f"{self.origin}/?token={token}"
        self.page = Page(rehearsal, keeper, self.port, token)
        self._server = uvicorn.Server(configured(self.page.app, server_header=False))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.page.stop(), self._loop).result(5)
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._server.serve(sockets=[self._socket]))
