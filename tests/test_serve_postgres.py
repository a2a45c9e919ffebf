"""`aisq serve` on PostgreSQL, as a program: the main job over a kill -9 and a restart of the database."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.sandbox.postgres import PostgresProcess
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.transcript import buttons

SERVICE, CHANNEL, GOOD = "ai-square-prod/us-central1/backend", "C0AISQ", "backend-00041-kex"


@pytest.fixture
def server() -> Iterator[PostgresProcess]:
    """Of this test alone, because it is ended in the midst."""
    with PostgresProcess() as made:
        yield made


@pytest.fixture
def here(server: PostgresProcess, tmp_path: Path) -> Iterator[Rehearsal]:
    told = {"AISQ_DATABASE_URL": server.url, "AISQ_LEASE_S": "4", "AISQ_SWEEP_EVERY_S": "0.1"}
    with Rehearsal(tmp_path, rate=60.0, settings=told) as made:
        yield made


def until(true: Callable[[], Any], seconds: float = 40) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def columns(url: str, question: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(question)]


@pytest.mark.slow
def test_the_main_job_over_a_killed_bot_and_a_restarted_database(here: Rehearsal, server: PostgresProcess) -> None:
    assert "run `aisq db upgrade`" in here.aisq("ops", "list").stderr
    here.upgrade()
    here.upgrade()
    here.bot.start()
    here.bot.wait_ready()
    here.cloud.release(SERVICE, error_rate=0.08, traffic=100)
    asked = here.people.slash("U0ANA", CHANNEL, "rollback backend --reason “5xx ü”")
    assert asked["ok"], asked
    card = until(lambda: next((one for one in here.people.messages(CHANNEL) if buttons(one)), None))

    here.bot.kill()
    server.crash()
    server.start()
    here.bot.start()
    here.bot.wait_ready()
    server.halt()  # under a bot that works
    server.start()
    action = next(name for name in buttons(card) if name.endswith("approve"))
    until(lambda: here.people.click("U0BEN", CHANNEL, card["ts"], action)["ok"])
    until(lambda: here.cloud.service(SERVICE)["traffic"].get(GOOD) == 100)
    until(lambda: columns(server.url, "SELECT state FROM operations WHERE verb = 'plan'") == ["applied"])

    assert here.bot.is_running(), here.bot.log_end()
    updates = [call for call in here.cloud.calls() if call["method"] == "UpdateService" and call["committed"]]
    assert len(updates) == 1
    verified = here.aisq("audit", "verify", "--as", "U0ANA")
    assert verified.returncode == 0, verified
    assert set(columns(server.url, "SELECT schemaname FROM pg_tables WHERE schemaname !~ '^(pg_|information)'")) == {
        "public", "dbos",
    }  # fmt: skip
    assert here.bot.stop() == 0
    assert columns(server.url, "SELECT count(*) FROM leases") == [1]  # of the one that was killed
