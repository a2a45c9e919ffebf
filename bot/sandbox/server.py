"""The sandbox as a process: Google's gRPC services on one port, control over HTTP on another.

python -m bot.sandbox.server prints one line of JSON with its addresses, and serves until SIGTERM or until its
standard input closes.
"""

import argparse
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute

from bot.sandbox import blueprint, control
from bot.sandbox.clock import Clock, ManualClock, ScaledClock
from bot.sandbox.front import Front
from bot.sandbox.world import World

if TYPE_CHECKING:
    from bot.sandbox.real.traffic import RealTraffic

Room = Callable[[World, str], Sequence[BaseRoute]]  # the world, and the address of the HTTP side
HOST = "127.0.0.1"
KEEP_ALIVE_S = 60  # longer than callers keep an idle connection: else a request may meet its end
_THREADS = 32  # a held call keeps its thread


def app(routes: Sequence[BaseRoute]) -> Starlette:
    """The HTTP side, for callers on this machine only: a foreign Host header gets 400."""
    local = Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    return Starlette(routes=list(routes), middleware=[local])


def configured(served: Starlette, **more: Any) -> uvicorn.Config:
    """How it is served."""
    return uvicorn.Config(
        served, log_level="warning", timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=1, **more
    )


class Sandbox:
    """The two servers in this process. A context manager: it serves inside its block."""

    def __init__(self, world: World, grpc_port: int = 0, http_port: int = 0, rooms: Sequence[Room] = ()) -> None:
        self.world = world
        self._grpc = grpc.server(ThreadPoolExecutor(_THREADS), options=[("grpc.so_reuseport", 0)])
        self._grpc.add_generic_rpc_handlers((Front(world),))
        self.grpc = f"{HOST}:{self._grpc.add_insecure_port(f'{HOST}:{grpc_port}')}"
        self._socket = listening(http_port)
        self.http = f"http://{HOST}:{self._socket.getsockname()[1]}"
        routes = [*control.routes(world), *(route for room in rooms for route in room(world, self.http))]
        self._http = uvicorn.Server(configured(app(routes), ws="websockets-sansio"))
        self._thread = threading.Thread(target=self._http.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> "Sandbox":
        self._grpc.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.world.stopping.set()
        self._http.should_exit = True
        self._grpc.stop(grace=0.2).wait()
        self._thread.join()
        self._socket.close()

    def addresses(self) -> dict[str, Any]:
        clock = self.world.clock
        return {"grpc": self.grpc, "http": self.http, "origin_unix_s": clock.origin_unix_s, "rate": clock.rate}


def listening(port: int) -> socket.socket:
    """From here on nobody is refused, though answers wait for uvicorn. Raises OSError if the port is taken.

    With IPPROTO_TCP spelt out asyncio sets TCP_NODELAY; without it every answer waits for a delayed ACK.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


def main(arguments: Sequence[str] | None = None, rooms: Sequence[Room] = ()) -> None:
    """Serve until told to stop. `rooms` add routes to the HTTP side."""
    asked = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)  # gRPC keeps the sandbox's own errors to itself otherwise
    world = World(_load(asked.world), _clock(asked.rate, asked.now), asked.seed)
    real = _real(world, asked.real_traffic)
    with ExitStack() as stack:
        sandbox = stack.enter_context(_bind(world, asked, [*rooms, real.routes] if real else rooms))
        urls = stack.enter_context(real).urls if real else {}
        signal.signal(signal.SIGTERM, lambda *_: world.stopping.set())
        signal.signal(signal.SIGINT, lambda *_: world.stopping.set())
        print(json.dumps({**sandbox.addresses(), "urls": urls}), flush=True)
        threading.Thread(target=_stop_with_input, args=(world.stopping,), daemon=True).start()
        world.stopping.wait()


def _bind(world: World, asked: argparse.Namespace, rooms: Sequence[Room]) -> Sandbox:
    try:
        return Sandbox(world, asked.grpc_port, asked.http_port, rooms)
    except (OSError, RuntimeError) as error:
        _parser().error(f"cannot listen on ports {asked.grpc_port} and {asked.http_port}: {error}")


def _real(world: World, services: Sequence[str]) -> "RealTraffic | None":
    if not services:
        return None
    from bot.sandbox.real.traffic import RealTraffic  # with an HTTP client and server that nothing else here needs

    try:
        return RealTraffic(world, services)
    except (KeyError, ValueError) as error:
        _parser().error(str(error.args[0]))


def _clock(rate: float, now: datetime | None) -> Clock:
    if not rate:
        return ManualClock(now.timestamp() if now else None)
    try:
        return ScaledClock.starting_at(now, rate) if now else ScaledClock(rate)
    except ValueError as error:
        _parser().error(str(error))


def _load(path: Path) -> blueprint.Blueprint:
    try:
        return blueprint.load(path)
    except (OSError, ValueError) as error:
        _parser().error(str(error))


def _stop_with_input(stopping: threading.Event) -> None:
    """Without sys.stdin's buffer, whose lock would abort the interpreter when it ends first."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stopping.set()


def _rate(text: str) -> float:
    if (rate := float(text)) < 0:
        raise argparse.ArgumentTypeError("a rate is 0 (moved by hand) or more, in sandbox seconds a real second")
    return rate


def _instant(text: str) -> datetime:
    if (instant := datetime.fromisoformat(text)).tzinfo is None:
        raise argparse.ArgumentTypeError("an instant has a zone: 2026-11-21T08:00:00Z")
    return instant


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot.sandbox.server", description="A small cloud on this machine.")
    parser.add_argument("--grpc-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--http-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--rate", type=_rate, default=1.0, help="sandbox seconds a real second; 0: moved by hand")
    parser.add_argument("--now", type=_instant, help="the instant at which sandbox time begins; ISO, with its zone")
    parser.add_argument("--seed", type=int, default=1, help="of the traffic and of generated names")
    parser.add_argument(
        "--real-traffic", action="append", default=[], metavar="SERVICE",
        help="a service, project/location/name, whose requests really happen; may be repeated",
    )  # fmt: skip
    parser.add_argument("--world", type=Path, default=blueprint.SHIPPED, help="world file")
    return parser


if __name__ == "__main__":
    main()
