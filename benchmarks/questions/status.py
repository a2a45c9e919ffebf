"""How much longer does `status` of a hundred services take than the same calls by the bare SDK, sixteen at a time?"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from benchmarks import bare_status
from benchmarks.asked import Asked
from benchmarks.measure import Row, alternating, beside, elapsed_ms
from benchmarks.town import CHANNEL, town
from bot import settings
from bot.__main__ import composed
from bot.sandbox.rehearsal import Rehearsal

PROJECT, REGION = "ai-square-prod", "us-central1"
SCRIPT = "a script on the SDK: the same calls, 16 at a time"
AIM = 1.5
SERVICE = "{name}: {{ releases: [{{ name: 00001-one, age: 9d }}, {{ name: 00002-two, age: 2d }}] }}"
CATALOG = f"""\
system: ai-square
title: AI Square
owner: ai-square
default_environment: prod
channels: {{ {CHANNEL}: prod }}
slo: {{ objective_pct: 99.5, window: 30d }}
environments:
  prod:
    stage: prod
    project: {PROJECT}
    region: {REGION}
    services:
"""


def rows(rounds: int = 9, services: int = 100) -> list[Row]:
    names = [f"service-{number:03}" for number in range(services)]
    with _made(names) as (here, asked):
        bare = partial(bare_status.status, bare_status.clients(here.town.grpc), PROJECT, REGION, names)
        calls = partial(asked.look, "status"), lambda: bare(asked.app.clock.now())
        for call in calls:
            call()
        ours, floor = alternating(rounds, *(partial(elapsed_ms, call) for call in calls))
    return [beside(f"`status` of {services} services", "ms", ours, floor, SCRIPT, at_most=AIM)]


@contextmanager
def _made(names: list[str]) -> Iterator[tuple[Rehearsal, Asked]]:
    """A cloud with these services, and a bot in this process that knows of them."""
    with TemporaryDirectory(prefix="aisq-bench-") as made:
        folder = Path(made)
        with town(world=_world(folder, names), settings=_catalog(folder, names)) as here:
            with patch.dict(os.environ, here.settings):
                app = composed(settings.load())
            try:
                yield here, Asked(app)
            finally:
                app.front.stop()
                app._engine.dispose()  # which a bot leaves to the end of its process


def _world(folder: Path, names: list[str]) -> Path:
    file = folder / "world.yaml"
    services = "\n".join(f"      {SERVICE.format(name=name)}" for name in names)
    file.write_text(f"projects:\n  {PROJECT}:\n    services:\n{services}\n")
    return file


def _catalog(folder: Path, names: list[str]) -> Mapping[str, str]:
    (folder / "catalog").mkdir()
    services = "\n".join(f"      {name}: {{ type: cloud_run, instances: {{ min: 0, max: 10 }} }}" for name in names)
    (folder / "catalog" / "ai-square.yaml").write_text(f"{CATALOG}{services}\n")
    return {"AISQ_CATALOG_DIR": str(folder / "catalog")}
