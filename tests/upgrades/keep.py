"""Keeps what this version leaves behind: `python -m tests.upgrades.keep`, once a release, before its tag.

A real bot of this version works beside the sandbox, on SQLite and on PostgreSQL; one change waits for its approval,
and the bot is killed while the write of another one is on its way. Also records what its epoch and its rows fix, unless
something has changed that must not.
"""

import sys
import tempfile
import time
import tomllib
from pathlib import Path

from bot.sandbox.postgres import PostgresProcess
from tests.upgrades import epoch
from tests.upgrades.deployment import GOOD, Deployment
from tests.upgrades.kept import HALF, HERE, POSTED, WAITING, Outside, databases_of, keep

HELD_S = 1.0


def version() -> str:
    """Of this program."""
    return str(tomllib.loads((HERE.parents[1] / "pyproject.toml").read_text())["project"]["version"])


def leave(here: Deployment) -> Outside:
    """Bring the bot there, and kill it."""
    here.upgrade()
    for service in GOOD:
        here.deploy_bad(service)
    here.bot.start()
    here.bot.wait_ready()
    for service in GOOD:
        here.ask(f"rollback {service}")
    waiting, half = here.plan_of(WAITING), here.plan_of(HALF)
    here.cloud.fault("hold", service=HALF, method="UpdateService", seconds=HELD_S)
    here.approve(half)
    here.until(lambda: here.updates(HALF))
    time.sleep(HELD_S / 2)  # so that Slack shows it under way
    here.bot.kill()
    left_at = here.now().isoformat()
    here.until(lambda: here.updates(HALF)[0]["committed"])
    write = {name: here.updates(HALF)[0][name] for name in ("resource", "annotations", "traffic", "generation")}
    assert waiting["ts"] in {message["ts"] for message in here.messages()}
    return Outside(left_at, write, [{name: one[name] for name in POSTED} for one in here.messages()])


def record_epoch() -> None:
    """Write epoch.yaml. Exits with what must not have changed."""
    with tempfile.TemporaryDirectory() as folder:
        now = epoch.today(Path(folder))
    if said := [one for one in epoch.changes(epoch.recorded(), now) if one != epoch.RAISED.format(**now)]:
        sys.exit("\n".join(said))
    epoch.record(now)


def main() -> None:
    """Write the folder of this version, and epoch.yaml."""
    record_epoch()
    with PostgresProcess() as server:
        for kind, url in (("sqlite", ""), ("postgres", server.databases.create("aisq"))):
            with tempfile.TemporaryDirectory() as folder, Deployment(Path(folder), url=url) as here:
                outside = leave(here)
                keep(version(), kind, databases_of(here), outside)
    print(f"kept what {version()} leaves behind in {HERE / version()}")


if __name__ == "__main__":
    main()
