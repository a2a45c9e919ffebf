"""Two services in a town of their own, a bot, and people who deploy and roll back: what is asked, and what is true."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from bot.sandbox import crash_town
from bot.sandbox.blueprint import SHIPPED
from bot.sandbox.crash_town import IMAGE, NEW, SERVICE, Town
from bot.sandbox.incident import Json
from bot.sandbox.transcript import lines
from tests.faults.scene import Whole

PROJECT = "ai-square-prod/us-central1"
FRONTEND, TOB = f"{PROJECT}/frontend", "frontend-00023-tob"
BACKUP, MIGRATE = f"{PROJECT}/backup", f"{PROJECT}/migrate"
WEIGHTS = (10, 25, 50, 100)
JOBS = "  ai-square-prod:\n    jobs: {backup: {seconds: 30}, migrate: {seconds: 30}}\n"
CATALOG = crash_town.CATALOG.replace(
    "        instances: { min: 2, max: 100 }\n",
    """\
        instances: { min: 2, max: 100 }
        schema_label: schema
        migration: { job: migrate, backup_job: backup }
        websockets: {}
      frontend:
        type: cloud_run
        image: gcr.io/ai-square-prod/frontend
        instances: { min: 0, max: 50 }
        needs: [backend]
""",
    1,
)


class Releases(Whole):
    """GOOD and TOB alone serve, v43 of the backend is built, and the bot runs."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.cloud.traffic(FRONTEND, {TOB: 100})
        for job in (BACKUP, MIGRATE):
            self.cloud.job_quality(job, seconds=30, fails=False)
        self.image = self.cloud.push(IMAGE, NEW, error_rate=0.0004)
        self.until(lambda: self.split(FRONTEND) == {TOB: 100})
        self.forget()
        town.bot.start()
        town.bot.wait_ready()

    # --- what people do

    def plan(self, text: str) -> Json:
        """ana asks; the card that waits for approval."""
        assert self.ask(text)
        self.until(self.waiting)
        return self.waiting() or {}

    def run(self, text: str) -> str:
        """ana asks and ben approves; the operation's id."""
        card = self.plan(text)
        assert self.approve(card)
        self.until(lambda: self.waiting() is None)
        return about(card)

    def refused(self, text: str) -> str:
        """ana asks, and it cannot be; why."""
        assert self.ask(text)
        newest = "select id, state, detail from operations order by created_at desc, id desc limit 1"
        self.until(lambda: self.books.ours(newest) and self.books.ours(newest)[0][1] in ("rejected", "denied"))
        return str(self.books.ours(newest)[0][2])

    def deploy_to(self, stage: int) -> str:
        """A canary, let pass stage by stage; the operation, while the release has the traffic of that one."""
        operation = self.run(f"deploy backend {NEW} --unpin --bake 24h")
        for number, weight in enumerate(WEIGHTS[:stage], 1):
            self.until(lambda: self.split(SERVICE).get(f"backend-{operation}") == weight)  # noqa: B023
            self.until(lambda: len(self.stages(operation)) == number)  # noqa: B023
            if number < stage:
                self.ask(f"ops advance {operation} --stage {number}")
        return operation

    # --- what is true

    def split(self, service: str) -> dict[str, int]:
        """Which serves; nothing while one is rolled out."""
        now = self.cloud.service(service)
        return {} if now["reconciling"] else {name: share for name, share in now["traffic"].items() if share}

    def stages(self, operation: str) -> list[object]:
        return self.books.ours("select position from stages where operation = :id", id=operation)

    def ended(self, operation: str) -> tuple[str, str]:
        """State and detail, when nothing is left to do, to judge or to show."""
        self.until(self.books.is_quiet)
        ((state, detail),) = self.books.ours("select state, detail from operations where id = :id", id=operation)
        return state, detail

    def told(self, operation: str) -> str:
        """Its message in the channel."""
        (shown,) = (message for message in self.messages() if about(message) == operation)
        return "\n".join(lines(shown))

    def moves(self) -> list[dict[str, int]]:
        """The split of each write that took effect, in order."""
        return [call["traffic"] for call in self.updates() if call["committed"]]

    def locks(self) -> list[str]:
        return [name for (name,) in self.books.ours("select name from locks order by name")]

    def pins(self) -> list[tuple[str, dict[str, int]]]:
        """By which operation traffic is held, and where."""
        found = [json.loads(pin) for (pin,) in self.books.ours("select cast(pin as text) from pins order by target")]
        return [(pin["operation"], pin["traffic"]) for pin in found]


def about(message: Json) -> str:
    """The operation of a message."""
    return str(message.get("metadata", {}).get("event_payload", {}).get("operation", ""))


@contextmanager
def town_of_two(folder: Path) -> Iterator[Town]:
    """One in which the backend has a migration, and the frontend needs the backend."""
    world = folder / "world.yaml"
    world.write_text(re.sub(r"  ai-square-prod:\n", JOBS, SHIPPED.read_text(), count=1))
    with mock.patch.multiple(crash_town, SHIPPED=world, CATALOG=CATALOG), crash_town.town() as made:
        yield made
