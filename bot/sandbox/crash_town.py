"""A town for crashes: one service, a fast clock, bots that are forked, and an empty database to begin from."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bot.sandbox.launcher import forked
from bot.sandbox.rehearsal import Rehearsal

SERVICE, CHANNEL, GOOD = "ai-square-prod/us-central1/backend", "C0AISQ", "backend-00041-kex"
RATE = 300.0  # an outcome is judged seven of the town's minutes after it
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
"""


@contextmanager
def town() -> Iterator[Rehearsal]:
    """A town whose folder holds a `template` of the bot's state: a database with its schema, and nothing in it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aisq-crash-")))
        made = stack.enter_context(Rehearsal(folder, rate=RATE, start=forked, settings=_quick(folder)))
        made.upgrade()
        (folder / "state").rename(folder / "template")
        yield made


def fresh(here: Rehearsal) -> None:
    """Give the next bot an empty database."""
    shutil.rmtree(here.folder / "state", ignore_errors=True)
    shutil.copytree(here.folder / "template", here.folder / "state")


def clear(here: Rehearsal) -> None:
    """Remove the releases of earlier stories; while GOOD serves. Cloud Run keeps the newest."""
    now = here.cloud.service(SERVICE)
    for release in (one["name"] for one in now["releases"]):
        if GOOD < release < now["latest_created"]:
            here.cloud.delete_release(SERVICE, release)


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
        "AISQ_SWEEP_EVERY_S": "0.1",
    }
