"""A bot whose machine's clock can be put forward or back while it runs. What counts seconds goes on, as it really does.

The child's `time.time` is changed, and what SQLite calls now: both ask the machine. gRPC is left alone: it turns its
deadlines into counted seconds by one look at a clock that its other half, in C, has too.
"""

import mmap
import struct
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

from bot.sandbox.launcher import FORK, Forked, serve

WRONG_BY = struct.Struct("d")
DAY_S, JULIAN_1970 = 86_400.0, 2_440_587.5


class WrongClock:
    """One machine's clock, as a file; `start` is a Starter of bots on it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.write_bytes(WRONG_BY.pack(0.0))

    def put(self, seconds: float) -> None:
        """From now on it is wrong by so many seconds, for all who run on it; 0 puts it right."""
        with self._file.open("r+b") as file:
            file.write(WRONG_BY.pack(seconds))

    def start(self, environment: Mapping[str, str], log: Path) -> Forked:
        """Become `aisq serve` in a child."""
        args = (dict(environment), str(log), str(self._file))
        return Forked(FORK.Process(target=_serve, args=args, daemon=True))


def _serve(environment: dict[str, str], log: str, file: str) -> None:
    with open(file, "rb") as opened:
        shared = mmap.mmap(opened.fileno(), WRONG_BY.size, access=mmap.ACCESS_READ)
    right = time.time

    def wrong() -> float:
        return right() + float(WRONG_BY.unpack(shared[:])[0])

    _grpc_keeps(right)
    time.time = wrong
    event.listen(Pool, "connect", lambda connection, _: _sqlite_too(connection, wrong))
    serve(environment, log)


def _grpc_keeps(right: Callable[[], float]) -> None:
    from grpc import _channel

    _channel.time = SimpleNamespace(**{**vars(time), "time": right})


def _sqlite_too(connection: Any, now: Callable[[], float]) -> None:
    if hasattr(connection, "create_function"):
        connection.create_function("julianday", 1, lambda _: now() / DAY_S + JULIAN_1970)
