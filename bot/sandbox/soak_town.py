"""A town for the long run: many services alike, and several replicas on one database."""

import json
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bot.sandbox.crash_town import POLICIES
from bot.sandbox.launcher import forked
from bot.sandbox.postgres import Databases
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.replica import Replica

SYSTEM, PROJECT, REGION, CHANNEL = "soak", "soak-prod", "us-central1", "C0OPS"
RELEASES = ("00001-old", "00002-mid", "00003-new")
LEASE_S = 4.0
Json = dict[str, Any]


def names(count: int) -> tuple[str, ...]:
    """s01, s02, …"""
    return tuple(f"s{number:02}" for number in range(1, count + 1))


def releases(service: str) -> tuple[str, ...]:
    """What a service has; the newest fails."""
    return tuple(f"{service}-{release}" for release in RELEASES)


def catalog(services: tuple[str, ...]) -> Json:
    """What the bot is told that there is."""
    made = {
        name: {"type": "cloud_run", "tier": 2, "image": f"gcr.io/{PROJECT}/{name}", "instances": {"min": 1, "max": 9}}
        for name in services
    }
    prod = {"stage": "prod", "project": PROJECT, "region": REGION, "services": made}
    return {
        "system": SYSTEM, "title": "Soak", "owner": "soak", "about": "Many services alike.",
        "default_environment": "prod", "channels": {CHANNEL: "prod"}, "environments": {"prod": prod},
        "slo": {"objective_pct": 99.5, "window": "30d"},
    }  # fmt: skip


def world(services: tuple[str, ...]) -> Json:
    """What there is: each service has two releases that served well, and a newer one that fails."""
    served = [{"name": RELEASES[0], "age": "9d"}, {"name": RELEASES[1], "age": "5d"}]
    made = {"rps": 5, "releases": [*served, {"name": RELEASES[2], "age": "1h", "error_rate": 0.08}]}
    each = {name: {**made, "image": f"gcr.io/{PROJECT}/{name}"} for name in services}
    return {"rollout_s": 40, "metrics_lag_s": 60, "projects": {PROJECT: {"services": each}}}


class Town(Rehearsal):
    """`bots` are the replicas; none runs yet. `server` has the database; without one it is SQLite, for one replica."""

    def __init__(
        self, folder: Path, settings: Mapping[str, str], *, services: int, replicas: int, rate: float, seed: int
    ) -> None:
        self.services = names(services)
        files = {"world.yaml": world(self.services), "catalog/soak.yaml": catalog(self.services)}
        for name, told in files.items():  # JSON is YAML
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(json.dumps(told))
        super().__init__(folder, rate=rate, seed=seed, world=folder / "world.yaml", start=forked, settings=settings)
        self.bots: tuple[Replica, ...] = tuple(self.another(f"replica{number}") for number in range(replicas))
        self.people.do("budgets", on=False)  # so many operations in one channel are far above Slack's rates
        self.upgrade()


@contextmanager
def town(
    server: Databases | None, *, services: int, replicas: int, rate: float, seed: int, expires_min: int
) -> Iterator[Town]:
    """A town with an empty database: on that server, or a SQLite of its own. Plans expire in the town's minutes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aisq-soak-")))
        settings = _settings(folder, expires_min)
        if server:
            name = f"soak_{uuid.uuid4().hex[:12]}"
            settings["AISQ_DATABASE_URL"] = server.create(name)
            stack.callback(server.drop, name)
        yield stack.enter_context(Town(folder, settings, services=services, replicas=replicas, rate=rate, seed=seed))


def _settings(folder: Path, expires_min: int) -> dict[str, str]:
    shutil.copytree(POLICIES, folder / "policies", ignore=shutil.ignore_patterns("tests"))
    limits = folder / "policies" / "limits.yaml"
    limits.write_text(re.sub(r"approval_expires_min: \d+", f"approval_expires_min: {expires_min}", limits.read_text()))
    return {
        "AISQ_CATALOG_DIR": str(folder / "catalog"),
        "AISQ_POLICIES_DIR": str(folder / "policies"),
        "AISQ_LEASE_S": str(LEASE_S),
        "AISQ_SWEEP_EVERY_S": "0.2",
        "AISQ_SLACK__RATE_FACTOR": "1000",
    }
