"""Our own PostgreSQL restarts, is away for longer than a lease, is full, has no connection left, or answers late or
never: people hear it, and all is done once afterwards."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from bot.doors.slack.listeners import UNWRITTEN
from bot.sandbox import crash_town
from bot.sandbox.crash_town import Town
from bot.sandbox.link import Link
from bot.sandbox.postgres import QUICK, PostgresProcess
from bot.sandbox.transcript import lines
from tests.faults.outage import LATE, ROLLBACK, Outage, outage_in, plain

LEASE_LOST, DATABASE_LOST = 70, 71  # exit codes of a process that may not go on
AWAY, ASK_AGAIN = UNWRITTEN.format("aisq's database cannot be used now ("), "); ask again in a moment."
RESCUES = ("status backend", "rollback backend", "ops cancel 0123456789", "deny 0123456789")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresProcess]:
    """Of this file alone, because it is ended in the midst."""
    with PostgresProcess({**QUICK, "max_connections": "60"}) as made:
        yield made


@pytest.fixture(scope="module")
def town(server: PostgresProcess) -> Iterator[Town]:
    with crash_town.town(server.databases) as made:
        yield made


class Away:
    """The server is away in here, for so many seconds at least."""

    def __init__(self, server: PostgresProcess, seconds: float) -> None:
        self._server, self._seconds = server, seconds

    def __enter__(self) -> None:
        self._server.halt()
        self._until = time.monotonic() + self._seconds

    def __exit__(self, *_: object) -> None:
        time.sleep(max(0.0, self._until - time.monotonic()))
        self._server.start()


def all_hear_it(outage: Outage) -> None:
    for text in RESCUES:
        heard = outage.is_told(text)
        assert heard.startswith(AWAY) and heard.endswith(ASK_AGAIN), heard
    assert outage.health("/healthz").status_code == 200
    ready = outage.health("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert "database" in ready.json()["why"]


def one_line(town: Town, *words: str) -> str:
    """What a terminal says."""
    ran = town.aisq(*words, "--as", "U0ANA")
    assert (ran.returncode, ran.stdout) == (5, ""), ran
    (line,) = ran.stderr.splitlines()
    return line


@pytest.mark.slow
@pytest.mark.parametrize(
    "when", [Outage.planning, Outage.waiting_for_approval, Outage.applying], ids=lambda one: one.__name__
)
def test_restarted(outage: Outage, server: PostgresProcess, when: Callable[[Outage], None]) -> None:
    when(outage)
    with Away(server, 0):
        pass
    if when is not Outage.applying:
        outage.approve_it()
    assert outage.wrong() == ()
    assert outage.platform.ends == []


def away(outage: Outage, server: PostgresProcess, town: Town, seconds: float) -> None:
    """For longer than a lease: the process ends, and the next one begins without a database."""
    with Away(server, seconds):
        all_hear_it(outage)
        if card := outage.waiting():
            heard = outage.clicker_hears(card)
            assert heard.startswith(plain(AWAY)) and heard.endswith(ASK_AGAIN), heard
        outage.until(lambda: outage.platform.ends)
        outage.until(outage.answers)
        all_hear_it(outage)
        for words in (("rollback", "backend"), ("ops", "cancel", "0123456789")):
            assert one_line(town, *words).startswith("the database does not answer: ")


@pytest.mark.parametrize(
    "when",
    [
        Outage.applying,
        *(pytest.param(one, marks=pytest.mark.slow) for one in (Outage.planning, Outage.waiting_for_approval)),
    ],
    ids=lambda one: one.__name__,
)
def test_away_for_ten_seconds(
    outage: Outage, server: PostgresProcess, town: Town, when: Callable[[Outage], None]
) -> None:
    when(outage)
    away(outage, server, town, 10)
    if when is not Outage.applying:
        outage.approve_it()
    assert outage.wrong() == ()
    assert outage.platform.ends == [DATABASE_LOST], "whoever began without a database did not have to end"


@pytest.mark.slow
def test_away_for_five_minutes(outage: Outage, server: PostgresProcess, town: Town) -> None:
    outage.applying()
    away(outage, server, town, 300)
    assert outage.wrong() == ()
    assert outage.platform.ends == [DATABASE_LOST]


@pytest.mark.slow
def test_begun_and_told_to_stop_while_it_is_away(outage: Outage, server: PostgresProcess) -> None:
    """Nothing was begun, so there is nothing to hand over; nobody is frightened by a traceback."""
    outage.platform.leave()
    outage.bot.stop()
    with Away(server, 0):
        outage.bot.start()
        outage.until(outage.answers)
        assert outage.bot.stop() == 0
    assert "Traceback" not in outage.bot.log_end()


# --- full, or with too many who ask

FULL = UNWRITTEN.format("The disk with aisq's database is full; free some space, nothing else is needed.")
TABLES = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'dbos')"
FILL = """
CREATE FUNCTION public.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file "base/16384/16385": No space left on device'
    USING ERRCODE = 'disk_full', HINT = 'Check free disk space.';
END $$
"""


@contextmanager
def full(url: str) -> Iterator[None]:
    """In here no table can grow: each write ends as PostgreSQL ends it then, in its words and with its SQLSTATE."""
    with psycopg.connect(url, autocommit=True, options="-c client_min_messages=error") as connection:
        connection.execute(FILL)
        for name in connection.execute(TABLES).fetchall():
            made = "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {} EXECUTE FUNCTION public.full_disk()"
            connection.execute(sql.SQL(made).format(sql.Identifier(*name)))
        yield
        connection.execute("DROP FUNCTION public.full_disk CASCADE")


@pytest.mark.slow
@pytest.mark.parametrize(
    "when", [Outage.planning, Outage.waiting_for_approval, Outage.applying], ids=lambda one: one.__name__
)
def test_its_disk_is_full(outage: Outage, town: Town, when: Callable[[Outage], None]) -> None:
    """Also the lease cannot be renewed then: the process ends, and the next one begins once there is room."""
    when(outage)
    with full(town.database):
        for text in ("status backend", "rollback backend", "ops list"):
            assert outage.is_told(text) == FULL
        if card := outage.waiting():
            assert outage.clicker_hears(card) == plain(FULL)
        outage.until(lambda: outage.platform.ends)
        outage.until(outage.answers)
        assert outage.is_told("rollback backend") == FULL
        assert outage.health("/readyz").json()["why"] == FULL.removeprefix(UNWRITTEN.format(""))
    if when is not Outage.applying:
        outage.approve_it()
    assert outage.wrong() == ()
    assert outage.platform.ends == [DATABASE_LOST]


@contextmanager
def crowded(url: str) -> Iterator[None]:
    """In here somebody has every connection that was left."""
    with ExitStack() as stack:
        with suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(psycopg.connect(url))
        yield


@pytest.mark.slow
def test_somebody_takes_all_its_connections(outage: Outage, town: Town) -> None:
    """The bot goes on with those it has; the next one says what is the matter, until there are some."""
    outage.applying()
    with crowded(town.database):
        outage.until(lambda: any("Done: " in " ".join(lines(one)) for one in outage.messages()))
        assert outage.platform.ends == []
        outage.platform.leave()
        outage.bot.kill()
    with crowded(town.database):
        outage.bot.start()
        outage.until(outage.answers)
        heard = outage.is_told("status backend")
        assert heard.startswith(AWAY) and "too many clients already" in heard
        assert one_line(town, "rollback", "backend").endswith("sorry, too many clients already")
    outage.until(outage.bot.ready)
    assert outage.wrong() == ()


# --- on the way to it


@pytest.fixture
def link(town: Town) -> Iterator[Link]:
    there = urlsplit(town.database)
    assert there.hostname and there.port
    with Link(there.hostname, there.port) as made:
        yield made


@pytest.fixture
def linked(town: Town, link: Link) -> Iterator[Outage]:
    """The bot reaches its database through the link."""
    url = urlsplit(town.database)
    through = town.database.replace(f":{url.port}", f":{link.port}")
    with outage_in(town, town.another("linked", AISQ_DATABASE_URL=through)) as made:
        yield made


@pytest.mark.slow
def test_it_swallows_every_question(linked: Outage, link: Link) -> None:
    """As a machine that stands still does: no error ever comes, and the bot does not wait for one."""
    linked.applying()
    link.cut()
    assert linked.hears("status backend") in LATE
    linked.until(lambda: linked.platform.ends)
    linked.until(linked.answers)
    assert linked.hears("rollback backend") in LATE
    assert linked.health("/readyz").json()["why"] == "the database does not answer: connection timeout expired"
    link.mend()
    assert linked.wrong() == ()
    assert linked.platform.ends == [DATABASE_LOST]


@pytest.mark.slow
def test_it_is_slow_for_one_of_two(linked: Outage, link: Link, town: Town) -> None:
    """Whoever asks there is told late or not at all, and it is true; the other one works.

    It keeps its lease; one that lasts four seconds it may lose on a busy machine, and then it ends, as it must.
    """
    other = town.bots[1]
    with ExitStack() as stack:
        stack.callback(other.kill)
        other.start()
        other.wait_ready()
        link.delay_s = 0.3
        assert linked.hears(ROLLBACK.ask) in ("", *LATE)
        linked.until(linked.waiting)
        linked.people.hear(other)
        linked.approve_it()
        assert linked.wrong() == ()
        assert set(linked.platform.ends) <= {LEASE_LOST, DATABASE_LOST}
        assert other.exit_code() is None
