"""The bot's two databases, read past the bot: ours, and the durable library's, which is beside it."""

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

PENDING = "select 1 from operations where state in ('accepted', 'queued', 'running') or judged = 'pending'"
CHANGES = "select id, state, judged from operations where verb = 'plan' order by created_at, id"
RUNNING = "select 1 from workflow_status where status in ('PENDING', 'ENQUEUED', 'DELAYED')"
OWED = (
    "select 1 from operations left join messages on messages.operation = operations.id"
    " where revision > coalesce(shown, 1)"
)


class Books:
    """`url` is the bot's AISQ_DATABASE_URL: sqlite:///FILE or postgresql://…"""

    def __init__(self, url: str) -> None:
        if url.startswith("sqlite"):
            self._ours, self._progress = _file(url), _file(f"{url.removesuffix('.sqlite')}-progress.sqlite")
        else:
            self._ours, self._progress = _schema(url, "public"), _schema(url, "dbos")

    def is_quiet(self) -> bool:
        """Whether a change has ended, and nothing is left to do, to judge or to show."""
        ended = any(state not in ("accepted", "waiting") for _, state, _ in self.changes())
        return ended and not self.ours(PENDING) and not self.ours(OWED) and not self.running()

    def is_to_begin(self) -> bool:
        """Whether a change waits, for its plan, for people or for a process to carry it out."""
        return any(state in ("accepted", "waiting", "queued") for _, state, _ in self.changes())

    def changes(self) -> list[tuple[str, str, str]]:
        """(id, state, judged) of every change."""
        return self.ours(CHANGES)

    def running(self) -> list[Any]:
        """What the durable library has not brought to its end."""
        return _rows(self._progress, RUNNING)

    def ours(self, query: str, **values: str | int) -> list[Any]:
        """The rows of a query with `:name` for values; none while there is no such database, or no such table yet."""
        return _rows(self._ours, query, **values)

    def is_chain_whole(self) -> bool:
        """Each link is SHA-256 over the hash before it and its own text; the ends are noted beside the links."""
        ends = dict(self.ours("select name, hash from audit_ends"))
        last = ends.get("root")
        for body, noted in self.ours("select body, hash from audit order by seq"):
            last = hashlib.sha256(f"{last}\n{body}".encode()).hexdigest()
            if last != noted:
                return False
        return bool(ends) and last == ends.get("head")


def _file(url: str) -> Engine:
    file = Path(str(make_url(url).database)).absolute()
    return create_engine(f"sqlite:///{file.as_uri()}?mode=ro&uri=true", poolclass=NullPool)


def _schema(url: str, name: str) -> Engine:
    address = make_url(url).set(drivername="postgresql+psycopg")
    return create_engine(address, poolclass=NullPool, connect_args={"options": f"-csearch_path={name}"})


def _rows(database: Engine, query: str, **values: str | int) -> list[Any]:
    try:
        with database.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]
    except (OperationalError, ProgrammingError) as error:
        if any(said in str(error.orig) for said in ("no such table", "unable to open", "does not exist")):
            return []
        raise
