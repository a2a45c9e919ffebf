"""A deployment of the bot beside a small cloud and a small Slack: two services, their bad releases, two people."""

import re
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.sandbox.books import Books
from bot.sandbox.launcher import forked
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.replica import Replica, Starter
from bot.sandbox.transcript import buttons, lines

CHANNEL, ANA, BEN = "C0AISQ", "U0ANA", "U0BEN"
GOOD = {"backend": "backend-00041-kex", "frontend": "frontend-00023-tob"}
BAD = {"backend": "backend-00042-bad", "frontend": "frontend-00024-bad"}
RATE = 300.0
PATIENCE_S, STEP_S = 60.0, 0.03
CATALOG, POLICIES = Path(__file__).with_name("catalog"), Path(__file__).parents[2] / "policies"
Json = dict[str, Any]


class Deployment(Rehearsal):
    """On SQLite, or on the PostgreSQL at `url`; the town's time begins at `now`, or at the real one.

    Plans wait for a day, because the clock runs so fast.
    """

    def __init__(self, folder: Path, *, url: str = "", now: datetime | None = None) -> None:
        super().__init__(folder, rate=RATE, now=now, start=forked, settings=_settings(folder, url))

    @property
    def books(self) -> Books:
        return Books(self.database)

    def replica(self, name: str, starter: Starter) -> Replica:
        """One more replica, started by that starter when it is started."""
        made = self.another(name)
        made.starter = starter
        return made

    # --- the cloud

    def deploy_bad(self, service: str) -> None:
        """A release that fails takes all traffic."""
        self.cloud.release(at(service), name=BAD[service], error_rate=0.08, traffic=100)
        self.until(lambda: self.serving(service) == {BAD[service]: 100})

    def serving(self, service: str) -> dict[str, int]:
        """The split that serves; nothing while one is rolled out."""
        now = self.cloud.service(at(service))
        return {} if now["reconciling"] else {name: share for name, share in now["traffic"].items() if share}

    def updates(self, service: str) -> list[Json]:
        """What was tried to change the service, other than in a console."""
        found = self.cloud.calls(resource=f"/services/{service}", method="UpdateService")
        return [call for call in found if call["api"] != "console"]

    def now(self) -> datetime:
        return datetime.fromisoformat(self.cloud.clock()["now"])

    # --- people

    def ask(self, text: str) -> None:
        assert self.people.slash(ANA, CHANNEL, text)["ok"]

    def plan_of(self, service: str) -> Json:
        """The message with the plan that waits for approval, once it is there."""
        self.until(lambda: self._waiting(service))
        return self._waiting(service)[0]

    def approve(self, card: Json) -> None:
        action = next(name for name in buttons(card) if name.endswith("approve"))
        assert self.people.click(BEN, CHANNEL, card["ts"], action)["ok"]

    def messages(self, operation: str = "") -> list[Json]:
        """What the channel shows: of one operation, or of all."""
        found = self.people.messages(CHANNEL)
        return [one for one in found if operation in ("", _about(one))]

    def _waiting(self, service: str) -> list[Json]:
        return [one for one in self.messages() if buttons(one) and service in " ".join(lines(one))]

    # ---

    def until(self, true: Callable[[], object]) -> None:
        """Wait for it; fails with the ends of all logs."""
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            said = "\n".join(log.read_text(errors="replace")[-2000:] for log in self.folder.glob("*.log"))
            assert time.monotonic() < deadline, f"it did not happen:\n{said}"
            time.sleep(STEP_S)


def at(service: str) -> str:
    """As the cloud's console names it."""
    return f"ai-square-prod/us-central1/{service}"


def _about(message: Json) -> str:
    return str(message.get("metadata", {}).get("event_payload", {}).get("operation", ""))


def _settings(folder: Path, url: str) -> Mapping[str, str]:
    shutil.copytree(POLICIES, folder / "policies", ignore=shutil.ignore_patterns("tests"))
    limits = folder / "policies" / "limits.yaml"
    limits.write_text(re.sub(r"approval_expires_min: \d+", "approval_expires_min: 1440", limits.read_text()))
    return {
        "AISQ_CATALOG_DIR": str(CATALOG),
        "AISQ_POLICIES_DIR": str(folder / "policies"),
        "AISQ_LEASE_S": "4",
        "AISQ_SWEEP_EVERY_S": "0.1",
        **({"AISQ_DATABASE_URL": url} if url else {}),
    }
