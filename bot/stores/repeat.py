"""Riding out a database that is away for a moment."""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    TimeoutError,
)

from bot.core.errors import Away

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C")
DELAYS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 2.0, 5.0, 5.0, 5.0, 10.0)  # half a minute: a restart, a failover
SOON = frozenset({"accept", "heard"})  # somebody waits for the acknowledgement
SOON_S = (0.05, 0.2)
AWAY = (OperationalError, InterfaceError, InternalError, IntegrityError)  # the last: a race to insert the same row
BUGS = (ProgrammingError, DataError, NotSupportedError)  # ours: another try cannot help


_SOMEBODY_WAITS = ContextVar("somebody_waits", default=False)


@contextmanager
def soon() -> Iterator[None]:
    """In here nothing is repeated for longer than somebody can wait for an acknowledgement."""
    before = _SOMEBODY_WAITS.set(True)
    try:
        yield
    finally:
        _SOMEBODY_WAITS.reset(before)


def repeatable(cls: type[C]) -> type[C]:
    """Repeat every public method that lost its connection, or a race to insert the same row.

    Each must be one transaction that may run twice: after a lost commit nobody knows whether it counted.
    What stays away becomes an Away that says what to do.
    """
    return _every(cls, lambda name, method: _told(_repeated(method, SOON_S if name in SOON else DELAYS_S)))


def told(cls: type[C]) -> type[C]:
    """Try every public method once; a database that is away becomes an Away that says what to do."""
    return _every(cls, lambda _, method: _told(method))


def _every(cls: type[C], change: Callable[[str, Callable[..., Any]], Callable[..., Any]]) -> type[C]:
    for name, method in list(vars(cls).items()):
        if not name.startswith("_") and callable(method):
            setattr(cls, name, change(name, method))
    return cls


def _repeated(method: Callable[P, T], delays_s: tuple[float, ...]) -> Callable[P, T]:
    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        for delay_s in SOON_S if _SOMEBODY_WAITS.get() else delays_s:
            try:
                return method(*args, **kwargs)
            except AWAY:
                _wait(delay_s)
        return method(*args, **kwargs)

    return call


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)  # real seconds, not a Clock's: a database restarts no faster in a rehearsal


def _told(method: Callable[P, T]) -> Callable[P, T]:
    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except BUGS:
            raise
        except (DBAPIError, TimeoutError) as error:
            raise Away(_sentence(error)) from error

    return call


def _sentence(error: DBAPIError | TimeoutError) -> str:
    text = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    if "disk is full" in text or "No space left" in text:
        return "The disk with aisq's database is full; free some space, nothing else is needed."
    if "locked" in text:
        return "Another process holds aisq's database; end it, or wait and ask again."
    return f"aisq's database cannot be used now ({text[:120]}); ask again in a moment."
