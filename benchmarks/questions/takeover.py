"""When a replica is lost in the middle of a change, how soon does another one go on with it?"""

import time
from collections.abc import Callable

import httpx

from benchmarks import databases
from benchmarks.measure import Row, alone
from bot.sandbox import crash_town
from bot.sandbox.crash_town import Town
from bot.sandbox.incident import Incident
from bot.sandbox.postgres import PostgresProcess
from bot.sandbox.replica import Replica

LEASE_S = 4.0  # AISQ_LEASE_S of a town
LATE_S = 5.0  # how much longer than a lease it may take
CLOUD_RUN_WAITS_S = 10.0  # from SIGTERM to SIGKILL
HELD_S = 20.0  # for so long the cloud does not answer the write
CLAIM = "select owner, token from mutexes"
LOSSES: dict[str, Callable[[Replica], object]] = {
    "kill -9": Replica.kill,
    "SIGSTOP": Replica.freeze,
    "SIGTERM": Replica.stop,
}


def rows(rounds: int = 3) -> list[Row]:
    """Nothing where there is no PostgreSQL."""
    if not databases.has_postgres():
        return []
    with PostgresProcess() as server, crash_town.town(server.databases) as town:
        lost = {way: [_loss(town, lose) for _ in range(rounds)] for way, lose in LOSSES.items()}
    told = [
        alone(f"after {way}, until it is gone on with (leases of {LEASE_S:g} s)", "s", [taken for taken, _ in found],
              below=LEASE_S + LATE_S)
        for way, found in lost.items()
    ]  # fmt: skip
    gone = [gone for _, gone in lost["SIGTERM"]]
    return [*told, alone("after SIGTERM, until the process is gone", "s", gone, below=CLOUD_RUN_WAITS_S)]


def _loss(town: Town, lose: Callable[[Replica], object]) -> tuple[float, float]:
    """Seconds until another replica claimed the change, and until `lose` was done with who had it."""
    here = Incident(town)
    here.deploy_bad()
    try:
        for replica in town.bots:
            replica.start()
            replica.wait_ready()
        here.people.hear(town.bot)
        here.ask("rollback backend")
        here.until(here.waiting)
        here.cloud.fault("hold", method="UpdateService", seconds=HELD_S)
        here.approve(here.waiting() or {})
        here.until(here.updates)
        ((owner, _),) = before = here.books.ours(CLAIM)
        at_work = next(replica for replica in town.bots if _executor(replica) == owner)
        began = time.monotonic()
        lose(at_work)
        gone_s = time.monotonic() - began
        here.until(lambda: here.books.ours(CLAIM) != before)
        return time.monotonic() - began, gone_s
    finally:
        for replica in town.bots:
            replica.kill()
        here.cloud.clear_faults()


def _executor(replica: Replica) -> str:
    return str(httpx.get(f"{replica.url}/readyz", trust_env=False).json()["executor"])
