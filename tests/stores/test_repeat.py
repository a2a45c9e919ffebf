"""A database that is away, held, full or raced for; nobody waits in these tests but where it says so."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy import exc as sql
from sqlalchemy.orm import Session

from bot.core.errors import Denied, Fenced, StoreError, UserError
from bot.stores import database, repeat
from bot.stores.leases import SqlLeases
from bot.stores.repeat import DELAYS_S, SOON_S, repeatable, told
from bot.stores.tables import HeardRow
from tests.stores.harness import NOON, Books, another_process, file_of, line_of, tell

Connect = Callable[[str], Engine]
HELD = "Another process holds aisq's database; end it, or wait and ask again."
FULL = "The disk with aisq's database is full; free some space, nothing else is needed."


def of_database(kind: type[sql.DBAPIError], text: str = "server closed the connection unexpectedly") -> Exception:
    return kind("SELECT 1", {}, Exception(text))


AWAY = of_database(sql.OperationalError)


class Store:
    """Fails as it is told to, then answers."""

    attribute = 3

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.tries = list(errors), 0

    def read(self, what: str, *, times: int = 1) -> str:
        """Says it back."""
        return self._try(what * times)

    def accept(self) -> str:
        return self._try("accepted")

    def heard(self) -> str:
        return self._try("heard")

    def _try(self, answer: str) -> str:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return answer


Repeated = repeatable(type("Repeated", (), dict(vars(Store))))
Told = told(type("Told", (), dict(vars(Store))))


def test_what_works_is_called_once_with_what_was_said(waits: list[float]) -> None:
    store = Repeated()
    assert store.read("a", times=3) == "aaa"
    assert (store.tries, waits) == (1, [])
    assert (Repeated.read.__name__, Repeated.read.__doc__, Repeated.attribute) == ("read", "Says it back.", 3)


@pytest.mark.parametrize("kind", [sql.OperationalError, sql.InterfaceError, sql.InternalError, sql.IntegrityError])
@pytest.mark.parametrize("failures", [1, 3, len(DELAYS_S)])
def test_what_may_pass_is_repeated(waits: list[float], kind: type[sql.DBAPIError], failures: int) -> None:
    store = Repeated(*[of_database(kind)] * failures)
    assert store.read("a") == "a"
    assert (store.tries, waits) == (failures + 1, list(DELAYS_S[:failures]))


def test_a_database_that_stays_away_is_said_after_half_a_minute(waits: list[float]) -> None:
    store = Repeated(*[AWAY] * 99)
    with pytest.raises(StoreError) as raised:
        store.read("a")
    assert str(raised.value) == (
        "aisq's database cannot be used now (server closed the connection unexpectedly); ask again in a moment."
    )
    assert raised.value.__cause__ is AWAY
    assert (store.tries, waits) == (len(DELAYS_S) + 1, list(DELAYS_S))
    assert 30 <= sum(DELAYS_S) < 60


@pytest.mark.parametrize("name", ["accept", "heard"])
def test_who_waits_for_an_acknowledgement_is_told_soon(waits: list[float], name: str) -> None:
    with pytest.raises(StoreError):
        getattr(Repeated(*[AWAY] * 99), name)()
    assert waits == list(SOON_S)
    tries = 2 + len(SOON_S) + 1  # of those before it and its own among others, then alone
    longest = sum(SOON_S) + tries * database.HURRIED_MS / 1000
    assert longest < 2.3  # of the 2.5 s in which the Slack door answers


def test_an_acknowledgement_waits_less_for_other_writers(books: Books) -> None:
    begun: list[int | None] = []

    @event.listens_for(books.engine, "begin")
    def note(connection: Connection) -> None:
        begun.append(connection.get_execution_options().get("busy_ms"))

    books.accept("a")
    books.propose("a")
    assert begun == [database.HURRIED_MS, None]


def test_away_for_ten_seconds_is_ridden_out(waits: list[float]) -> None:
    class Database:
        def read(self) -> str:
            if sum(waits) < 10:
                raise AWAY
            return "here"

    assert repeatable(Database)().read() == "here"
    assert 10 <= sum(waits) < 16


@pytest.mark.parametrize(
    "error",
    [
        TypeError("a bug"),
        KeyError("a bug"),
        UserError("no such operation"),
        Denied("a replay"),
        Fenced("taken over"),
        of_database(sql.ProgrammingError, "syntax error"),
        of_database(sql.DataError, "a text with a zero"),
        of_database(sql.NotSupportedError, "no such feature"),
    ],
)
@pytest.mark.parametrize("kind", [Repeated, Told])
def test_what_cannot_pass_is_raised_as_it_is_at_once(waits: list[float], error: Exception, kind: Any) -> None:
    store = kind(error)
    with pytest.raises(type(error)) as raised:
        store.read("a")
    assert raised.value is error
    assert (store.tries, waits) == (1, [])


@pytest.mark.parametrize(
    "error, sentence",
    [
        (of_database(sql.DatabaseError, "database disk image is malformed"), "(database disk image is malformed)"),
        (sql.TimeoutError("QueuePool limit of size 10 reached\n"), "(QueuePool limit of size 10 reached)"),
    ],
)
@pytest.mark.parametrize("kind", [Repeated, Told])
def test_what_a_moment_will_not_heal_is_said_at_once(
    waits: list[float], error: Exception, sentence: str, kind: Any
) -> None:
    with pytest.raises(StoreError) as raised:
        kind(error).read("a")
    assert sentence in str(raised.value)
    assert waits == []


def test_told_tries_once(waits: list[float]) -> None:
    store = Told(AWAY)
    with pytest.raises(StoreError, match="cannot be used now"):
        store.read("a")
    assert (store.tries, waits, store.read("b")) == (1, [], "b")


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("database is locked", HELD),
        ("database table is locked: serving", HELD),
        ("database or disk is full", FULL),
        ('could not extend file "base/1": No space left on device\nHINT:  Check free disk space.', FULL),
        ("disk I/O error", "aisq's database cannot be used now (disk I/O error); ask again in a moment."),
        ("a\nb", "aisq's database cannot be used now (a); ask again in a moment."),
        ("x" * 500, f"aisq's database cannot be used now ({'x' * 120}); ask again in a moment."),
    ],
)
def test_one_sentence_for_each(waits: list[float], text: str, sentence: str) -> None:
    with pytest.raises(StoreError) as raised:
        Told(of_database(sql.OperationalError, text)).read("a")
    assert str(raised.value) == sentence


def test_the_wait_is_real(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(repeat.threading.Event, "wait", lambda _, seconds: waited.append(seconds))
    assert Repeated(AWAY, AWAY).read("a") == "a"
    assert waited == list(DELAYS_S[:2])


# --- real databases

HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
held.execute("COMMIT")
print("free", flush=True)
"""


@pytest.fixture
def held(sqlite: str, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Books, Callable[[], None]]]:
    """Books whose file another process holds, and what makes it let go. SQLite itself waits only 20 ms."""
    monkeypatch.setattr(database, "BUSY_MS", 20)
    monkeypatch.setattr(database, "HURRIED_MS", 20)
    books = Books(connect(sqlite))
    books.propose(books.accept("0000waits"))
    with another_process(HOLDER, file_of(books.engine)) as process:
        assert line_of(process) == "held"

        def free() -> None:
            tell(process)
            assert line_of(process) == "free"

        yield books, free


def test_held_by_another_process_for_a_while(
    held: tuple[Books, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    books, free = held
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 4:
            free()

    monkeypatch.setattr(repeat, "_wait", wait)
    assert books.yes("0000waits") == "queued"
    assert waited == list(DELAYS_S[:4])
    assert books.events() == ["asked", "waiting", "approved", "queued"]


def test_held_for_too_long(held: tuple[Books, Callable[[], None]], waits: list[float]) -> None:
    books, free = held
    with pytest.raises(StoreError) as raised:
        books.yes("0000waits")
    assert (str(raised.value), waits) == (HELD, list(DELAYS_S))
    free()
    assert books.record("0000waits").state == "waiting"


def test_an_acknowledgement_of_a_held_database_is_soon_and_true(
    held: tuple[Books, Callable[[], None]], waits: list[float]
) -> None:
    books, free = held
    before = books.heard("heard a"), books.events()
    with pytest.raises(StoreError, match="Another process holds"):
        books.accept("a")
    assert waits == list(SOON_S)
    free()
    assert (books.heard("heard a"), books.events()) == before
    assert books.accept("a") == "a"


def test_what_only_reads_does_not_notice(held: tuple[Books, Callable[[], None]], waits: list[float]) -> None:
    books, _ = held
    database.check(books.engine)
    assert books.record("0000waits").state == "waiting"
    assert books.heard("heard 0000waits") == "0000waits"
    assert [one.id for one in books.ledger.operations()] == ["0000waits"]
    assert (books.ledger.due(), books.ledger.judging(), books.ledger.effects("0000waits")) == ((), (), ())
    assert books.ledger.accepted(older_than_s=0) == ()
    assert books.ledger.effect("none") is None
    assert books.audit.head() and books.events() == ["asked", "waiting"]
    assert (books.pins.pins(), SqlLeases(books.engine, 9.0).alive(), waits) == ((), set(), [])


def test_a_lease_is_not_waited_for(held: tuple[Books, Callable[[], None]], waits: list[float]) -> None:
    books, free = held
    leases = SqlLeases(books.engine, 9.0)
    with pytest.raises(StoreError, match="Another process holds"):
        leases.acquire("me", "here")
    free()
    leases.acquire("me", "here")
    assert (leases.alive(), waits) == ({"me"}, [])


@pytest.fixture
def full(sqlite: str, connect: Connect) -> Iterator[tuple[Books, Callable[[], None]]]:
    """Books on a disk that has no page left, and what makes room on it."""
    engine = connect(sqlite)
    books, pages = Books(engine), [0]

    @event.listens_for(engine, "checkout")
    def limited(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages[0]}")

    def make_room() -> None:
        pages[0] = 1_000_000

    make_room()
    books.propose(books.accept("0000waits"))
    pages[0] = 1  # SQLite takes what there is already as the least
    yield books, make_room


def test_a_full_disk_is_said_and_nothing_is_half_done(
    full: tuple[Books, Callable[[], None]], waits: list[float]
) -> None:
    books, make_room = full
    long = {"text": "x" * 100_000}
    before = books.everything()
    with pytest.raises(StoreError) as raised:
        books.accept("a", **long)
    assert (str(raised.value), waits) == (FULL, list(SOON_S))
    assert books.everything() == before
    assert books.audit.verify().problem == ""
    make_room()
    assert books.accept("a", **long) == "a"


def test_a_disk_that_gets_room_while_we_wait(
    full: tuple[Books, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    books, make_room = full
    monkeypatch.setattr(repeat, "_wait", lambda _: make_room())
    books.ledger.end("0000waits", "denied", "x" * 100_000, "ben")
    assert books.record("0000waits").detail == "x" * 100_000
    assert books.events() == ["asked", "waiting", "denied"]


def test_a_race_to_insert_the_same_row_is_run_again(engine: Engine, waits: list[float]) -> None:
    def insert(by: str) -> None:
        with Session(engine) as session, session.begin():
            session.add(HeardRow(heard_as="a", operation=by, at=NOON))

    @repeatable
    class Racer:
        def insert(self) -> str:
            with Session(engine) as session:
                found = session.scalars(select(HeardRow.operation)).first()
            if found is None:
                insert("other")  # between our look and our own insert
                insert("me")
            return str(found)

    assert Racer().insert() == "other"
    assert waits == [DELAYS_S[0]]
