"""Riding out a database that is away for a moment."""

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from bot.core.errors import StoreError

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C")
DELAYS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 2.0, 5.0, 5.0, 5.0, 10.0)  # half a minute: a restart, a failover
SOON = frozenset({"accept", "heard"})  # somebody waits for the acknowledgement
SOON_S = (0.05, 0.2)


def repeatable(cls: type[C]) -> type[C]:
    """Repeat every public method that lost its connection, or a race to insert the same row.

    Each must be one transaction that may run twice: after a lost commit nobody knows whether it counted.
    What stays away becomes a StoreError that says what to do.
    """
    for name, method in list(vars(cls).items()):
        if not name.startswith("_") and callable(method):
            setattr(cls, name, _repeated(method, SOON_S if name in SOON else DELAYS_S))
    return cls


def _repeated(method: Callable[P, T], delays_s: tuple[float, ...]) -> Callable[P, T]:
    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        for delay_s in (*delays_s, None):
            try:
                return method(*args, **kwargs)
            except (OperationalError, IntegrityError) as error:
                if delay_s is None:
                    raise StoreError(_sentence(error)) from error
            threading.Event().wait(delay_s)
        raise AssertionError("the last delay is None, so the loop has returned or raised")

    return call


def _sentence(error: DBAPIError) -> str:
    text = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
    if "disk is full" in text or "No space left" in text:
        return "The disk with aisq's database is full; free some space, nothing else is needed."
    if "locked" in text:
        return "Another process holds aisq's database; end it, or wait and ask again."
    return f"aisq's database cannot be used now ({text[:120]}); ask again in a moment."
