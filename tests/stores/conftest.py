"""Every test of a store runs on SQLite and on PostgreSQL, but for those that ask for `sqlite` or `postgres`."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from bot.stores import database, repeat
from tests.both import url
from tests.stores.harness import NOON, Books, add

__all__ = ["url"]


@pytest.fixture
def connect() -> Iterator[Callable[[str], Engine]]:
    """Engines that are let go of after the test."""
    made: list[Engine] = []

    def connect_and_note(url: str) -> Engine:
        made.append(database.connect(url))
        return made[-1]

    yield connect_and_note
    for engine in made:
        engine.dispose()


@pytest.fixture
def engine(url: str, connect: Callable[[str], Engine]) -> Engine:
    return connect(url)


@pytest.fixture
def books(engine: Engine) -> Books:
    return Books(engine)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What repeating would have waited, in seconds; nobody waits."""
    waited: list[float] = []
    monkeypatch.setattr(repeat, "_wait", waited.append)
    return waited


@pytest.fixture
def chain(books: Books) -> Books:
    """Books with ten links in the audit chain, a minute apart."""
    for number in range(10):
        add(books.engine, f"event {number}", at=NOON + timedelta(minutes=number), number=number)
    return books
