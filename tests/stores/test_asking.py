"""Requests that come at the same moment: one commit, and each is answered as if it had come alone."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, exc

from bot.core.errors import Away, Denied
from bot.core.request import State
from bot.core.system import Accepted
from bot.stores import database
from bot.stores.asking import HEARD, Asked
from bot.stores.repeat import SOON_S
from tests.stores.harness import NOON, Books, another_process, line_of, request
from tests.stores.test_group import until

USED = "that delivery was used before; ask again"
Made = Sequence[Future[Accepted]]


def asked(id: str, heard_as: str = "", signature: str = "", state: State = "accepted", **more: Any) -> Asked:
    return Asked(request(id, **more), heard_as or f"heard {id}", signature or f"signed {id}", state, "why", NOON)


def new(id: str) -> Accepted:
    return Accepted(id=id, verb="plan", new=True)


class Counter:
    """Of the commits of an engine."""

    def __init__(self, engine: Engine) -> None:
        self.commits = 0
        event.listen(engine, "commit", self._count)

    def _count(self, _: Connection) -> None:
        self.commits += 1


def together(books: Books, *all_asked: Asked, begun: Callable[[], object] = lambda: None) -> Made:
    """Ask in this order while another one is being written; then they are written. `begun` is called before that."""
    asking = books.ledger._asking
    group = asking._together
    assert not group._led
    group._led = True  # somebody else is at it
    with ThreadPoolExecutor(len(all_asked)) as pool:
        made = []
        for count, one in enumerate(all_asked, start=1):
            made.append(pool.submit(asking.soon, one))
            until(lambda count=count: len(group._waiting) == count)  # type: ignore[misc]
        begun()
        group._waiting[0].turn.set()  # whose turn it is next
    assert (group._led, group._waiting) == (False, [])
    return made


def test_many_at_once_are_one_commit_and_one_chain(books: Books) -> None:
    count, ids = Counter(books.engine), [f"{number:04}many" for number in range(12)]
    made = together(books, *map(asked, ids))
    assert [one.result() for one in made] == [new(id) for id in ids]
    assert count.commits == 1
    assert books.events() == ["asked"] * 12
    assert [one.operation for one in reversed(books.audit.entries(limit=20))] == ids
    assert [books.heard(f"heard {id}") for id in ids] == ids


def test_each_is_kept_as_if_it_had_come_alone(books: Books) -> None:
    ways: list[dict[str, Any]] = [{}, {"target": None}, {"verb": "answer"}, {"text": "a\x00🔥"}, {"state": "denied"}]
    ways.append({"verb": "answer", "state": "denied"})
    together(books, *(asked(f"{n}many", **way) for n, way in enumerate(ways)))
    for number, way in enumerate(ways):
        books.ledger._asking.soon(asked(f"{number}alone", **way))
    for number in range(len(ways)):
        many, alone = (books.record(f"{number}{how}") for how in ("many", "alone"))
        renamed = {"id": alone.id, "request": many.request.model_copy(update={"id": alone.id})}
        assert many.model_copy(update=renamed) == alone
        assert books.events(many.id) == books.events(alone.id)
    assert books.events()[:7] == ["asked", "asked", "asked", "asked", "denied", "denied", "asked"]


def test_looks_alone_leave_the_chain_alone(books: Books) -> None:
    count = Counter(books.engine)
    together(books, *(asked(f"000{number}", verb="answer") for number in range(3)))
    assert count.commits == 1
    assert books.events() == []


def test_the_same_delivery_twice_is_one_operation(books: Books) -> None:
    made = together(books, asked("a", "one", "sig"), asked("b", "one", "sig"), asked("c"), asked("d", "one", "other"))
    answers = [one.result() for one in made]
    assert {answers[0].id, answers[1].id, answers[3].id} == {"a"}
    assert [one.new for one in answers] == [True, False, True, False]
    assert books.events() == ["asked"] * 2


def test_what_was_heard_before_is_that_operation(books: Books) -> None:
    books.ledger._asking.soon(asked("a", "one", "sig"))
    made = together(books, asked("b", "one", "sig"), asked("c"))
    assert [one.result() for one in made] == [Accepted(id="a", verb="plan", new=False), new("c")]
    assert books.events() == ["asked"] * 2


@pytest.mark.parametrize("before", [True, False])
def test_a_replay_is_refused_alone(books: Books, before: bool) -> None:
    first = asked("a", "a", "sig")
    if before:
        books.ledger._asking.soon(first)
    replay, other = asked("b", "b", "sig"), asked("c", "c")
    made = together(books, *([other, replay] if before else [first, replay, other]))
    (refused,) = [one.exception() for one in made if one.exception()]
    assert isinstance(refused, Denied) and str(refused) == USED
    assert [one.result().new for one in made if not one.exception()] == [True] * (1 if before else 2)
    assert books.events() == ["asked"] * 2
    assert books.heard("b") is None


BROKEN = {
    "refused by the database": (asked("a", "another", "another"), Away),  # that id is somebody's
    "a bug": (asked("b", "another")._replace(at="no instant"), (exc.StatementError, AttributeError)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("broken", BROKEN)
def test_one_that_cannot_be_written_harms_no_other(books: Books, waits: list[float], broken: str) -> None:
    books.accept("a")
    bad, kind = BROKEN[broken]
    made = together(books, asked("c"), bad, asked("d"))
    assert isinstance(made[1].exception(), kind)
    assert [made[0].result(), made[2].result()] == [new("c"), new("d")]
    assert books.events() == ["asked"] * 3
    assert books.heard("another") is None


def test_a_commit_that_was_lost_counted(books: Books) -> None:
    """Each asks again, alone, and finds its own."""
    real, lost = books.engine.dialect.do_commit, list[int]()

    def lose(connection: Any) -> None:
        real(connection)
        if not lost:
            lost.append(1)
            raise books.engine.dialect.loaded_dbapi.OperationalError("server closed the connection unexpectedly")

    with replaced(books.engine, lose):
        made = together(books, asked("a"), asked("b"), asked("c"))
    assert [one.result() for one in made] == [new("a"), new("b"), new("c")]
    assert books.events() == ["asked"] * 3
    assert lost


@contextmanager
def replaced(engine: Engine, commit: Callable[[Any], None]) -> Iterator[None]:
    engine.dialect.do_commit = commit  # type: ignore[method-assign]
    try:
        yield
    finally:
        del engine.dialect.do_commit


def test_a_database_that_is_away_is_said_to_each_and_soon(books: Books, waits: list[float]) -> None:
    before = books.everything()

    def gone(*_: object) -> None:
        raise books.engine.dialect.loaded_dbapi.OperationalError("unable to open it")

    def cut() -> None:
        books.engine.dispose()
        event.listen(books.engine, "do_connect", gone)

    made = together(books, asked("a"), asked("b"), asked("c"), begun=cut)
    assert {str(one.exception()) for one in made} == {
        "aisq's database cannot be used now (unable to open it); ask again in a moment."
    }
    assert sorted(waits) == sorted(SOON_S * 3)
    event.remove(books.engine, "do_connect", gone)
    assert books.everything() == before
    assert [one.result() for one in together(books, asked("a"), asked("b"))] == [new("a"), new("b")]


def test_every_head_is_told_by_whoever_asked(books: Books, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bot.stores.audit")
    together(books, asked("a"), asked("b"), asked("c", state="denied"))
    told = {tuple(record.args) for record in caplog.records if record.msg == "audit head %s %s"}  # type: ignore[arg-type]
    with books.engine.connect() as connection:
        assert told == {tuple(row) for row in connection.exec_driver_sql("SELECT seq, hash FROM audit")}
    assert len(told) == 4


# --- killed

KILLED = """
import os, sys
from bot.stores import database
from tests.stores.harness import Books
from tests.stores.test_asking import asked
url, when = sys.argv[1:]
books = Books(database.connect(url))
real = books.engine.dialect.do_commit

def commit(connection):
    if when == "after":
        real(connection)
    print("killed", flush=True)
    os.kill(os.getpid(), 9)

books.accept("first")
books.engine.dialect.do_commit = commit
books.ledger._asking._write([asked(one) for one in "abcd"])
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_the_commit_it_is_all_or_nothing(books: Books, url: str, when: str) -> None:
    with another_process(KILLED, url, when) as process:
        assert line_of(process) == "killed"
        process.wait(10)
    assert len(books.events()) == (5 if when == "after" else 1)
    again = together(books, *(asked(f"{one}2", f"heard {one}", f"signed {one}") for one in "abcd"))  # as Slack does
    assert [one.result().new for one in again] == [when == "before"] * 4
    assert books.events() == ["asked"] * 5


# --- beside another process


WAIT = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_the_same_deliveries_at_two_processes_at_once(
    url: str, connect: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each replica gets them in another order, and both have to wait in the middle: not for each other in a ring."""
    monkeypatch.setattr(database, "HURRIED_MS", database.BUSY_MS)
    one, other, watch = (Books(connect(url)) for _ in range(3))

    def write(own: Books, by: str, names: str) -> list[str | None]:
        all_asked = [asked(f"{name}{by}", f"heard {name}", f"signed {name}") for name in names]
        return [answer.operation for answer in own.ledger._asking._write(all_asked)]

    def waiting() -> int:
        with watch.engine.connect() as connection:
            return connection.exec_driver_sql(WAIT).scalar_one()

    with ThreadPoolExecutor(2) as pool, connect(url).connect() as middle:
        middle.execute(HEARD.insert(), {"heard_as": "heard c", "operation": "c", "at": NOON})
        first, second = pool.submit(write, one, "1", "abcde"), pool.submit(write, other, "2", "edcba")
        until(lambda: waiting() == 2)
        middle.rollback()
        assert sorted(map(str, first.result())) == sorted(map(str, second.result()))
    assert watch.events() == ["asked"] * 5
