"""One sandbox for all provider tests, a service of its own for each, and a clock that is moved by hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.core.ports import Effect, Progress
from bot.core.request import Target
from bot.providers._google import Google
from bot.providers.cloud_run import CloudRun
from bot.sandbox.process import Control, SandboxProcess

POOL, REGION = "pool", "us-central1"
SERVICES, CLEAN = 260, 150
RELEASES = ({"name": "00001-abc", "age": "9d"}, {"name": "00002-def", "age": "5d", "error_rate": 0.02})
NEWEST = ({"name": "00003-ghi", "age": "2d"}, {"name": "00004-bad", "age": "1d", "ready": False})


def target_for(name: str) -> Target:
    place = {"project": POOL, "region": REGION, "service": name}
    return Target(system="s", environment="prod", name=name, kind="service", type="cloud_run", cloud="gcp", place=place)


@dataclass
class Rig:
    """One service of the sandbox, and what a test does with it."""

    sandbox: SandboxProcess
    name: str

    @property
    def target(self) -> Target:
        return target_for(self.name)

    @property
    def control(self) -> Control:
        return self.sandbox.control

    @property
    def path(self) -> str:
        return f"{POOL}/{REGION}/{self.name}"

    @property
    def full(self) -> str:
        return f"projects/{POOL}/locations/{REGION}/services/{self.name}"

    @property
    def job(self) -> str:
        """A job that no other test runs."""
        return f"m{self.name}"

    @property
    def job_path(self) -> str:
        return f"{POOL}/{REGION}/{self.job}"

    def runs(self) -> list[dict[str, Any]]:
        return list(self.control.job(self.job_path)["executions"])

    def release(self, number: int) -> str:
        suffix = {1: "00001-abc", 2: "00002-def", 3: "00003-ghi", 4: "00004-bad"}[number]
        return f"{self.name}-{suffix}"

    def google(self, **timeouts: float) -> Google:
        return Google(self.sandbox.grpc, **timeouts)

    def fault(self, kind: str, method: str = "UpdateService", **fields: Any) -> None:
        self.control.fault(kind, self.full, method=method, **fields)

    def calls(self, method: str) -> list[dict[str, Any]]:
        return self.control.calls(self.full, method)

    def commits(self) -> list[dict[str, Any]]:
        return [call for call in self.calls("UpdateService") if call["committed"]]

    def by_hand(self, split: dict[int, int]) -> None:
        """Somebody else changes the split."""
        self.control.traffic(self.path, {self.release(number): percent for number, percent in split.items()})

    def settle(self) -> None:
        self.control.advance(10)

    def now(self) -> datetime:
        return datetime.fromisoformat(self.control.clock()["now"])

    def effect(self, run: CloudRun, key: str = "op/0/do") -> Effect:
        return Effect(key=key, version=run.service(self.target).version)

    def finished(self, run: CloudRun, operation: str) -> Progress:
        self.settle()
        return run.poll(self.target, operation)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """Its clock stands still: `control.advance` moves it."""
    path = tmp_path_factory.mktemp("world") / "world.yaml"
    write_world(path, SERVICES, CLEAN)
    with SandboxProcess(rate=0, world=path) as running:
        yield running


def write_world(path: Path, services: int, clean: int) -> None:
    """As many services that no test has touched, s000 … and c000 …, each beside a job of its own."""
    yaml = YAML()
    world = yaml.load(Path(__file__).with_name("world.yaml"))
    pool = world["projects"][POOL]
    jobs = pool.setdefault("jobs", {})
    for number in range(services):
        pool["services"][f"s{number:03d}"] = {
            "rps": 2,
            "releases": [dict(one) for one in (*RELEASES, *NEWEST)],
            "secrets": {"TOKEN": "token:3"},
        }
        jobs[f"ms{number:03d}"] = {"seconds": 20}
    for number in range(clean):
        releases = [dict(one) for one in (*RELEASES, NEWEST[0])]
        pool["services"][f"c{number:03d}"] = {"rps": 2, "max_instances": 100, "releases": releases}
        jobs[f"mc{number:03d}"] = {"seconds": 20}
    yaml.dump(world, path)


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def rig(sandbox: SandboxProcess, numbers: Iterator[int]) -> Iterator[Rig]:
    """A service that no other test has touched."""
    yield Rig(sandbox, f"s{next(numbers):03d}")
    sandbox.control.clear_faults()


@pytest.fixture(scope="session")
def clean_numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def clean(sandbox: SandboxProcess, clean_numbers: Iterator[int]) -> Iterator[Rig]:
    """A service that no other test has touched, whose newest release serves."""
    yield Rig(sandbox, f"c{next(clean_numbers):03d}")
    sandbox.control.clear_faults()


@pytest.fixture
def google(sandbox: SandboxProcess) -> Google:
    return Google(sandbox.grpc)


@pytest.fixture
def run(google: Google) -> CloudRun:
    return CloudRun(google)


@pytest.fixture
def target_of() -> Callable[[str], Target]:
    return target_for
