"""Which processes take work. Time is the database's own, so that two machines' clocks need not agree."""

import fcntl
import math
from pathlib import Path
from typing import IO

from sqlalchemy import ColumnElement, Engine, Float, Insert, cast, delete, func, insert, or_, select, update

from bot.core.errors import StoreError
from bot.stores.database import hurried, reading
from bot.stores.repeat import told
from bot.stores.tables import LeaseRow

# What this version can carry out: raise it when plans get what versions before could not carry on after a takeover.
PROGRAM = 1


@told  # never repeated: whoever waits for a lease longer than it lasts has lost it
class SqlLeases:
    """Leases of `ttl_s` seconds. An expired one is never renewed: its owner must end.

    `lost_after_s` is how long an owner who cannot renew may go on.
    """

    def __init__(self, engine: Engine, ttl_s: float) -> None:
        self._engine, self._reading, self.ttl_s = engine, reading(engine), ttl_s
        self.lost_after_s = ttl_s
        self._now = _database_now(engine)
        self._alive = LeaseRow.beat_s > self._now - ttl_s

    def acquire(self, executor: str, host: str) -> None:
        """May be called again when nobody knows whether it counted; waits for nobody, as its caller tries again."""
        gone = or_(LeaseRow.executor == executor, LeaseRow.beat_s < self._now - 86_400)
        with hurried(self._engine).begin() as connection:
            connection.execute(delete(LeaseRow).where(gone))
            connection.execute(self._lease(executor, host))

    def renew(self, executor: str) -> bool:
        mine = update(LeaseRow).where(LeaseRow.executor == executor, self._alive).values(beat_s=self._now)
        with self._engine.begin() as connection:
            return connection.execute(mine).rowcount == 1

    def alive(self) -> set[str]:
        with self._reading.begin() as connection:
            return set(connection.scalars(select(LeaseRow.executor).where(self._alive)))

    def older(self) -> tuple[str, ...]:
        """Hosts of processes that take work and could not carry on all that this version begins."""
        before = or_(LeaseRow.program.is_(None), LeaseRow.program < PROGRAM)
        rows = select(LeaseRow.host).where(self._alive, before).order_by(LeaseRow.host)
        with self._reading.begin() as connection:
            return tuple(dict.fromkeys(connection.scalars(rows)))

    def release(self, executor: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(LeaseRow).where(LeaseRow.executor == executor))

    def _lease(self, executor: str, host: str) -> Insert:
        return insert(LeaseRow).values(executor=executor, beat_s=self._now, host=host, program=PROGRAM)


@told
class SoleLeases(SqlLeases):
    """For SQLite, where the kernel knows that nobody else works (`only_worker`), and no clock can say otherwise.

    While its owner lives nobody takes over from it, so it is never lost: not by a clock that is put forward, which
    is the database's too, and not by whoever holds the file for longer than a lease.
    """

    def __init__(self, engine: Engine, ttl_s: float) -> None:
        super().__init__(engine, ttl_s)
        self.lost_after_s = math.inf

    def acquire(self, executor: str, host: str) -> None:
        with hurried(self._engine).begin() as connection:
            connection.execute(delete(LeaseRow))
            connection.execute(self._lease(executor, host))

    def renew(self, executor: str) -> bool:
        with self._engine.begin() as connection:
            connection.execute(update(LeaseRow).where(LeaseRow.executor == executor).values(beat_s=self._now))
        return True


def leases_in(engine: Engine, ttl_s: float) -> SqlLeases:
    """Those that fit the kind of database."""
    return (SoleLeases if engine.dialect.name == "sqlite" else SqlLeases)(engine, ttl_s)


def _database_now(engine: Engine) -> ColumnElement[float]:
    if engine.dialect.name == "sqlite":
        return cast((func.julianday("now") - 2440587.5) * 86_400.0, Float)  # julianday of 1970-01-01
    return cast(func.extract("epoch", func.clock_timestamp()), Float)


def only_worker(database_file: str) -> IO[str]:
    """Make this process the one that works on a SQLite file; the kernel lets go of it when the process dies.

    Raises StoreError when another process is. Keep the handle as long as the process works.
    """
    file = Path(f"{Path(database_file).resolve()}.worker")
    try:
        handle = file.open("w")  # held until the process ends
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise StoreError("another aisq works on this SQLite file; use PostgreSQL for several") from None
    return handle
