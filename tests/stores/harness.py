"""A ledger in a fresh database, and operations in whatever state a test needs, brought there as people would."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.orm import Session

from bot.core.plan import Hold, Plan, Step
from bot.core.ports import Effect
from bot.core.request import STATES, Actor, Address, Approval, Request, State, Target, Verb
from bot.core.system import Ending, OperationRecord, Proposal
from bot.stores import audit
from bot.stores.audit import SqlAudit
from bot.stores.history import SqlHistory, SqlPins
from bot.stores.ledger import SqlLedger
from bot.stores.locks import SqlLocks
from bot.stores.tables import Base, HeardRow

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANA, BEN, CHO = (Actor(id=f"slack:U0{name.upper()}", name=name) for name in ("ana", "ben", "cho"))
BACKEND, WORKER = (
    Target(system="shop", environment="prod", name=name, kind="service", type="cloud_run", cloud="gcp")
    for name in ("backend", "worker")
)
MOVE = Step(verb="Compute.set_traffic", args={"traffic": {"good": 100}}, undo=Step(verb="Compute.set_traffic"))
OUTCOMES = STATES[4:]
STEPS_TO = {"waiting": 1, "expired": 1, "queued": 2, "running": 3, "applied": 4, "failed": 4, "uncertain": 4}
LEFT: dict[str, Callable[["Books", str], object]] = {
    "denied": lambda books, id: books.ledger.end(id, "denied", "denied by ben", BEN.id),
    "cancelled": lambda books, id: books.ledger.cancel(id, "ben"),
    "expired": lambda books, id: books.expire(),
}


class HandClock:
    """Moves only by hand, in whatever direction."""

    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return (self.instant - NOON).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


def request(id: str, *, verb: Verb = "plan", target: Target | None = BACKEND, **more: Any) -> Request:
    """A request of ana's, as the acceptor hands it over."""
    told: dict[str, Any] = {
        "actor": ANA, "operation": "rollback", "params": {"reason": "it burns"}, "text": "rollback backend",
        "address": Address(door="test"), "received_at": NOON,
    }  # fmt: skip
    return Request(id=id, verb=verb, target=target, **(told | more))


def plan(*, target: Target = BACKEND, holds: bool = False, lets_go: bool = False, **more: Any) -> Plan:
    """One write, that may leave a pin or take one away."""
    hold = Hold(traffic={"good": 100}, away_from=("bad",)) if holds else None
    told = {"version": "7", "summary": "good serves", "steps": (MOVE,), **more}
    return Plan(target=target, hold=hold, lets_go=lets_go, **told)


class Books:
    """Everything that one database keeps. `at(state)` makes an operation and brings it there."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.clock = engine, HandClock()
        self.ledger = SqlLedger(engine, self.clock, timedelta(hours=8))
        self.audit, self.history, self.pins = SqlAudit(engine), SqlHistory(engine, self.clock), SqlPins(engine)
        self.locks = SqlLocks(engine)
        self._made = 0

    def accept(self, id: str = "", *, state: State = "accepted", detail: str = "", **more: Any) -> str:
        self._made += 1
        id = id or f"{self._made:04}made"
        heard = {"heard_as": f"heard {id}", "signature": f"signed {id}", "state": state, "detail": detail}
        return self.ledger.accept(request(id, **more), **heard).id

    def heard(self, heard_as: str) -> str | None:
        """The operation that a delivery began."""
        with self.ledger._reading() as session:
            row = session.get(HeardRow, heard_as)
            return row.operation if row else None

    def propose(self, id: str, state: State = "waiting", *, made: Plan | None = None, **more: Any) -> None:
        told: dict[str, Any] = {"detail": "good will serve", "plan": made or plan(), "digest": f"digest of {id}"}
        told |= {"approvals_needed": 1, "permitted_by": "grant.rollback"}
        told |= {"expires_at": self.clock.now() + timedelta(minutes=30)} if state == "waiting" else {}
        self.ledger.propose(id, Proposal(state=state, **(told | more)))

    def yes(self, id: str, who: Actor = BEN, digest: str = "") -> State:
        given = Approval(actor=who, digest=digest or f"digest of {id}", given_at=self.clock.now())
        return self.ledger.approve(id, given)

    def token(self, id: str, owner: str = "me") -> int:
        got = self.ledger.claim(id, owner)
        assert isinstance(got, int), got
        return got

    def at(self, state: State, *, made: Plan | None = None, **more: Any) -> str:
        """The id of a new operation in this state; no mutex is held."""
        id = self.accept(**more)
        way = (
            lambda: self.propose(id, made=made),
            lambda: self.yes(id),
            lambda: self._begin(id),
            lambda: self.ledger.finish(id, self.token(id), state, "it ended", judge=state == "applied"),
        )
        for step in way[: STEPS_TO.get(state, 0)]:
            step()
        if state in ("answered", "planned", "rejected", "nothing_to_do"):
            self.propose(id, state, made=made)
        elif state in LEFT:
            LEFT[state](self, id)
        assert self.ledger.operation(id).state == state
        return id

    def _begin(self, id: str) -> None:
        self.ledger.begin(id, self.token(id), "in progress")
        self.free(id)

    def expire(self) -> int:
        self.clock.advance(31 * 60)
        return self.ledger.expire()

    def free(self, id: str) -> None:
        """As if nobody had ever claimed its target."""
        with self.engine.begin() as connection:
            connection.execute(text("DELETE FROM mutexes WHERE holder = :id"), {"id": id})

    def record(self, id: str) -> OperationRecord:
        return self.ledger.operation(id)

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        with Session(self.engine) as session:
            return {
                name: sorted(tuple(map(str, row)) for row in session.execute(select(table)))
                for name, table in Base.metadata.tables.items()
            }

    def events(self, id: str = "") -> list[str]:
        """Of the audit chain, oldest first; the chain is whole."""
        assert self.audit.verify().problem == ""
        return [entry.event for entry in reversed(self.audit.entries(operation=id, limit=1000))]

    def sql(self, statement: str, **values: Any) -> None:
        """Past the stores: what somebody with the file could do."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)


def effect(id: str, position: int = 0, version: str = "7") -> Effect:
    return Effect(key=f"{id}/{position}/do", version=version)


def end_of(books: Books, id: str, token: int, ending: Ending = "succeeded", position: int = 0) -> None:
    """Settle one write."""
    made = books.ledger.effect(f"{id}/{position}/do")
    assert made is not None
    books.ledger.settle(id, token, made.model_copy(update={"ending": ending, "version": "8", "detail": "done"}))


def file_of(engine: Engine) -> Path:
    """The SQLite file behind an engine."""
    assert engine.url.database
    return Path(engine.url.database)


def tables_of(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


@contextmanager
def another_process(program: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A second Python; it is ended with the block. Speak with it over its stdin and stdout."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": root}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: "subprocess.Popen[str]") -> str:
    """The next line that another process says."""
    assert process.stdout
    return process.stdout.readline().strip()


def tell(process: "subprocess.Popen[str]", said: str = "") -> None:
    """One line for another process to read."""
    assert process.stdin
    process.stdin.write(f"{said}\n")
    process.stdin.flush()


def add(engine: Engine, *events: str, at: datetime = NOON, **body: Any) -> str:
    """Links of one transaction of the audit chain; the head."""
    with Session(engine) as session, session.begin():
        for event in events:
            head = audit.append(session, at, event, "op1", "slack:U0ANA", body)
    return head
