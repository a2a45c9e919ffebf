"""Do the looks stay as fast when a thousand times as many operations were asked?"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from benchmarks import databases
from benchmarks.asked import Asked
from benchmarks.filling import fill, newest
from benchmarks.measure import Row, alternating, beside, elapsed_ms
from benchmarks.town import town
from bot import settings
from bot.__main__ import composed
from bot.sandbox.rehearsal import Rehearsal
from bot.stores import database

FEW, MANY, AIM, FILL_WITHIN_S = 1_000, 1_000_000, 2.0, 100.0


def rows(rounds: int = 15, many: int = MANY, few: int = FEW) -> list[Row]:
    with databases.every() as kinds, town() as here:
        return [row for kind, make in kinds.items() for row in _on(here, kind, make, rounds, (few, many))]


def _on(here: Rehearsal, kind: str, make: databases.Maker, rounds: int, sizes: tuple[int, int]) -> list[Row]:
    with _filled(here, make(), sizes[0]) as (little, few), _filled(here, make(), sizes[1]) as (much, many):
        found: list[Row] = []
        for word, little_word, much_word in _looks(few, many):
            calls = partial(much.look, much_word), partial(little.look, little_word)
            for call in calls:
                call()
            ours, floor = alternating(rounds, *(partial(elapsed_ms, call) for call in calls))
            name = f"`{word}` at {many:,} operations, {kind}"
            found.append(beside(name, "ms", ours, floor, f"at {few:,}", at_most=AIM))
        return found


def _looks(few: int, many: int) -> Iterator[tuple[str, str, str]]:
    """What it is called, and what is asked of the small and of the large database."""
    yield "ops list", "ops list", "ops list"
    yield "ops list --open", "ops list --open", "ops list --open"
    yield "ops list --service", "ops list --service backend", "ops list --service backend"
    yield "status backend", "status backend", "status backend"
    yield "audit OPERATION", f"audit {newest(few)}", f"audit {newest(many)}"
    yield "audit BEGINNING", f"audit {newest(few)[:-1]}", f"audit {newest(many)[:-1]}"


@contextmanager
def _filled(here: Rehearsal, url: str, count: int) -> Iterator[tuple[Asked, int]]:
    """A bot whose database has so many operations, or as many as could be made in time."""
    database.upgrade(url)
    with patch.dict(os.environ, {**here.settings, "AISQ_DATABASE_URL": url}):
        app = composed(settings.load())
    try:
        asked, engine = Asked(app), database.connect(url)
        made = fill(engine, asked.ask("rollback backend --to backend-00040-fom"), count, FILL_WITHIN_S)
        engine.dispose()
        yield asked, made
    finally:
        app.front.stop()
        app._engine.dispose()  # which a bot leaves to the end of its process
