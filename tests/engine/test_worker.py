"""A process that takes work, with the real durable library."""

import threading
import time
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from bot.core.errors import Away, StoreError
from bot.engine import workflow
from bot.engine.worker import Tidier
from bot.stores import database
from bot.stores.tables import LeaseRow
from tests.both import postgres_always

ANA, BEN = "slack:U0ANA", "slack:U0BEN"
GOOD = "backend-00041-kex"


def until(true, seconds=20):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def worker(bot):
    made = bot.worker()
    made.start()
    yield made
    made.stop(2)


@pytest.fixture
def held_write(bot, monkeypatch):
    """Set when a write has begun; and what it waits for."""
    begun, gate, write = threading.Event(), threading.Event(), bot.platform.set_traffic

    def held(*args, **more):
        begun.set()
        assert gate.wait(20)
        return write(*args, **more)

    monkeypatch.setattr(bot.platform, "set_traffic", held)
    return begun, gate


@postgres_always
def test_takes_what_was_approved_to_its_outcome(bot, worker):
    operation = bot.approved()
    worker.hurry()
    until(lambda: bot.ledger.operation(operation).state == "applied")
    assert 0 <= worker.lease_age_s() < bot.settings.lease_s
    assert bot.platform.writes == [f"{operation}/0/do"]
    runs = workflow.DBOS.list_workflows(workflow_id_prefix=f"{operation}/")
    assert [run.workflow_id for run in runs] == [f"{operation}/1"]


@postgres_always
def test_a_run_that_ended_without_an_outcome_is_run_again(bot, worker, monkeypatch):
    real = bot.ledger.begin
    failures = [StoreError("the disk is full")]

    def failing(*args):
        if failures:
            raise failures.pop()
        real(*args)

    monkeypatch.setattr(bot.ledger, "begin", failing)
    operation = bot.approved()
    until(lambda: bot.ledger.operation(operation).state == "applied")

    def statuses():
        runs = workflow.DBOS.list_workflows(workflow_id_prefix=f"{operation}/")
        return {run.workflow_id: run.status for run in runs}

    until(lambda: statuses() == {f"{operation}/1": "ERROR", f"{operation}/2": "SUCCESS"})
    worker._tidy._call()


@pytest.fixture
def impatient(url, monkeypatch):
    """PostgreSQL waits for a lock for a second, from now on."""
    monkeypatch.setattr(database, "BUSY_MS", 1000)


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_somebody_holds_what_the_durable_library_writes(impatient, bot, worker):
    """Its questions end, as ours do; left alone, it would wait for as long as they are held."""
    with psycopg.connect(bot.settings.database) as somebody:
        somebody.execute("LOCK TABLE dbos.workflow_status")
        operation = bot.approved()
        with pytest.raises(OperationalError, match="lock timeout"):
            worker._workflows.start(operation, "ai-square/prod/backend")
        assert bot.ledger.operation(operation).state == "queued"
    until(lambda: bot.ledger.operation(operation).state == "applied")
    assert bot.platform.writes == [f"{operation}/0/do"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_only_one_process_works_on_a_sqlite_file(bot, worker):
    with pytest.raises(StoreError, match="another aisq works on this SQLite file"):
        bot.worker()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("error, is_free", [(StoreError("another schema"), True), (Away("the disk is gone"), False)])
def test_who_can_never_begin_holds_nothing_any_more(bot, monkeypatch, error, is_free):
    made = bot.worker()

    def fails():
        raise error

    with monkeypatch.context() as patched, pytest.raises(type(error)):
        patched.setattr(made, "_check", fails)
        made.start()
    if is_free:
        made = bot.worker()
    made.start()
    made.stop(2)


@postgres_always
def test_takes_over_what_a_dead_process_was_running(bot):
    first = bot.worker()
    first.start()
    bot.platform.polls_needed = 10**9
    sleep, bot.clock.sleep = bot.clock.sleep, lambda seconds: time.sleep(0.01)
    operation = bot.approved()
    first.hurry()
    until(lambda: "poll" in bot.platform.calls)
    runs = workflow.DBOS.list_workflows(status="PENDING")
    assert [run.workflow_id for run in runs] == [f"{operation}/1"]
    assert first._workflows.take_over({bot.executor}) == []
    assert first._workflows.take_over(set()) == [f"{operation}/1"]
    bot.platform.polls_needed = 1
    until(lambda: bot.ledger.operation(operation).state == "applied")
    bot.clock.sleep = sleep
    first.stop(2)
    assert bot.platform.writes == [f"{operation}/0/do"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_nobody_takes_over_from_itself(bot, worker, held_write, caplog):
    """Its lease may be older than it lasts: whoever holds the file, or a clock, can do that to it."""
    begun, gate = held_write
    operation = bot.approved()
    worker.hurry()
    assert begun.wait(20)
    with bot._engine.begin() as connection:
        connection.execute(update(LeaseRow).values(beat_s=0.0))
    worker._sweep._call()
    assert "took over" not in caplog.text
    gate.set()
    until(lambda: bot.ledger.operation(operation).state == "applied")
    assert bot.platform.writes == [f"{operation}/0/do"]


@postgres_always
def test_what_still_runs_when_it_is_told_to_stop_is_said(bot, held_write):
    begun, gate = held_write
    worker = bot.worker()
    worker.start()
    bot.approved()
    worker.hurry()
    assert begun.wait(20)
    assert worker.stop(1) is False
    gate.set()
    until(lambda: not worker._workflows._running)


def test_with_nothing_to_do_it_has_stopped(bot):
    worker = bot.worker()
    worker.start()
    assert worker.stop(1) is True


def test_tidies_up_to_its_limits(bot, caplog):
    caplog.set_level("INFO")
    asked = []

    def gone(count):
        return lambda *args: asked.append(args) or count

    limits = bot.files.limits
    Tidier(limits, bot.clock, gone(0), gone(0), gone(0))()
    assert "let go" not in caplog.text
    Tidier(limits, bot.clock, gone(2), gone(0), gone(1))()
    assert "let go of 2 requests, 0 audit entries, 1 runs" in caplog.text
    now = bot.clock.now()
    assert asked[3:] == [(now - timedelta(days=30),), (now - timedelta(days=400), now), (now - timedelta(days=30),)]


def test_a_worker_starts_what_is_queued_without_being_asked(bot, worker):
    record = bot.say(ANA, 'rollback backend --break-glass "down"')
    until(lambda: bot.ledger.operation(record.id).state == "applied")
    assert bot.platform.serving == {GOOD: 100}
