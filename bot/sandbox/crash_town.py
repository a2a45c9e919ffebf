"""A town for crashes: one service, a fast clock, bots that are forked, and an empty database to begin from."""

import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bot.sandbox.blueprint import SHIPPED
from bot.sandbox.launcher import forked
from bot.sandbox.postgres import Databases
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.replica import Replica

SERVICE, CHANNEL, GOOD = "ai-square-prod/us-central1/backend", "C0AISQ", "backend-00041-kex"
IMAGE, NEW = "gcr.io/ai-square-prod/backend", "v43"  # where its images are, and the tag of what is built last
RATE = 300.0  # an outcome is judged seven of the town's minutes after it
LAG_S, RPS = 0, 100  # how late minutes are counted, and requests in one: so a stage is decided at an early look
POLICIES = Path(__file__).resolve().parents[2] / "policies"
# Small, because every bot reads it when it starts.
CATALOG = """\
system: ai-square
title: AI Square
owner: ai-square
about: What the crash matrix needs of the shipped system, under the same names.
default_environment: prod
channels: { C0AISQ: prod }
slo: { objective_pct: 99.5, window: 30d }
delivery: { strategy: canary, stages: { warm_up: 0s } }
environments:
  prod:
    stage: prod
    project: ai-square-prod
    region: us-central1
    services:
      backend:
        type: cloud_run
        tier: 0
        image: gcr.io/ai-square-prod/backend
        instances: { min: 2, max: 100 }
  staging:
    stage: staging
    project: ai-square-staging
    region: us-central1
    services:
      backend:
        type: cloud_run
        image: gcr.io/ai-square-prod/backend
        instances: { min: 0, max: 10 }
"""


class Town(Rehearsal):
    """A rehearsal that begins again and again; on SQLite. `bots` are those that work at once."""

    title = "SQLite"

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        super().__init__(folder, rate=RATE, start=forked, settings=settings, world=_world(folder))
        self.bots: tuple[Replica, ...] = (self.bot,)
        self.people.do("budgets", on=False)
        self.upgrade()
        self.keep()

    def keep(self) -> None:
        """Keep the database as it is, with its schema and nothing in it, to begin from."""
        (self.folder / "state").rename(self.folder / "template")

    def fresh(self) -> None:
        """Give the next bot an empty database; while none runs."""
        shutil.rmtree(self.folder / "state", ignore_errors=True)
        shutil.copytree(self.folder / "template", self.folder / "state")

    def clear(self) -> None:
        """Remove the releases of earlier stories; while GOOD serves. Cloud Run keeps the newest."""
        now = self.cloud.service(SERVICE)
        for release in (one["name"] for one in now["releases"]):
            if GOOD < release < now["latest_created"]:
                self.cloud.delete_release(SERVICE, release)


class TownOnPostgres(Town):
    """The same on a PostgreSQL server, with two replicas; the first is the quicker one, so that it gets the work."""

    title = "PostgreSQL with two replicas"

    def __init__(self, folder: Path, settings: Mapping[str, str], server: Databases) -> None:
        self._server, self._name = server, f"town_{uuid.uuid4().hex[:12]}"
        super().__init__(folder, {**settings, "AISQ_DATABASE_URL": server.create(self._name)})
        self.bots = (self.bot, self.another("second", AISQ_SWEEP_EVERY_S="2"))

    def keep(self) -> None:
        """The durable library makes its tables when a bot first starts."""
        self.bot.start()
        self.bot.wait_ready()
        self.bot.stop()
        self._server.create(f"{self._name}_empty", like=self._name)

    def fresh(self) -> None:
        self._server.drop(self._name)
        self._server.create(self._name, like=f"{self._name}_empty")


@contextmanager
def town(server: Databases | None = None) -> Iterator[Town]:
    """A town with an empty database: a SQLite of its own, or one on that server."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aisq-crash-")))
        settings = _quick(folder)
        yield stack.enter_context(TownOnPostgres(folder, settings, server) if server else Town(folder, settings))


def _world(folder: Path) -> Path:
    """The shipped one, in which monitoring is not as late, and its first service has more to do."""
    file = folder / "world.yaml"
    soon = re.sub(r"metrics_lag_s: \d+", f"metrics_lag_s: {LAG_S}", SHIPPED.read_text())
    file.write_text(re.sub(r"rps: \d+", f"rps: {RPS}", soon, count=1))
    return file


def _quick(folder: Path) -> dict[str, str]:
    """Settings of a bot that starts fast, and whose plans do not expire while the clock runs so fast."""
    (folder / "catalog").mkdir()
    (folder / "catalog" / "ai-square.yaml").write_text(CATALOG)
    shutil.copytree(POLICIES, folder / "policies", ignore=shutil.ignore_patterns("tests"))
    limits = folder / "policies" / "limits.yaml"
    limits.write_text(re.sub(r"approval_expires_min: \d+", "approval_expires_min: 1440", limits.read_text()))
    return {
        "AISQ_CATALOG_DIR": str(folder / "catalog"),
        "AISQ_POLICIES_DIR": str(folder / "policies"),
        "AISQ_LEASE_S": "4",
        "AISQ_SWEEP_EVERY_S": "0.2",
        "AISQ_SLACK__RATE_FACTOR": "10",  # as fast as the clock runs, messages cannot follow at Slack's own rates
    }
