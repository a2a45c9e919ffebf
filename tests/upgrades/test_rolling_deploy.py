"""Old and new code at once, on PostgreSQL: whoever is there finishes, and nothing is lost or done twice.

The old code is today's. The new one is of the next epoch, so that neither can replay what the other began, and brings a
migration, which is made first.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from bot.sandbox.postgres import Databases
from bot.sandbox.replica import Replica
from bot.sandbox.transcript import lines
from tests.upgrades import next_version
from tests.upgrades.deployment import GOOD, Deployment
from tests.upgrades.next_version import NEW, OLD, of_epoch

SHORT_S, LONG_S = 2.0, 8.0  # how long a write is on its way: a replica that is told to stop waits for the first
STORY = ["asked", "waiting", "approved", "queued", "running", "writing", "written", "applied", "locked", "judged"]
EPOCHS = "select distinct application_version from dbos.workflow_status where workflow_uuid like %s"


class Rollout:
    """A deployment whose services have bad releases; `old` and `new` replicas, not started."""

    def __init__(self, here: Deployment) -> None:
        self.here, self.cloud, self.people = here, here.cloud, here.people
        self._migrations = next_version.migrations(here.folder / "migrations", next_version.ADDS)
        self.old = here.replica("old", of_epoch(OLD))
        self.new = here.replica("new", of_epoch(NEW, self._migrations))
        here.upgrade()
        for service in GOOD:
            here.deploy_bad(service)

    def migrate(self) -> None:
        """What a deployment does first."""
        next_version.upgrade(self.here.database, self._migrations)

    def start(self, replica: Replica) -> None:
        """From now on it hears requests."""
        replica.start()
        replica.wait_ready()
        self.people.hear(replica)

    def half_applied(self, held_s: float, service: str = "backend") -> None:
        """Whoever hears requests has begun to write."""
        self.here.ask(f"rollback {service}")
        plan = self.here.plan_of(service)
        self.cloud.fault("hold", service=service, method="UpdateService", seconds=held_s)
        self.here.approve(plan)
        self.here.until(lambda: self.here.updates(service))

    def epochs(self, service: str) -> set[str]:
        """In which the change of that service was run."""
        ((operation,),) = self.here.books.ours(
            "select id from operations where verb = 'plan' and target = :target", target=f"ai-square/prod/{service}"
        )
        with psycopg.connect(self.here.database) as connection:
            return {epoch for (epoch,) in connection.execute(EPOCHS, [f"{operation}/%"])}

    def done(self, *services: str) -> None:
        """All is done once, told in one message each, and nothing is left."""
        books = self.here.books
        self.here.until(lambda: books.is_quiet() and {state for _, state, _ in books.changes()} == {"applied"})
        sent = self.here.updates
        self.here.until(lambda: all(call["fate"] != "arrived" for service in services for call in sent(service)))
        assert len(books.changes()) == len(services) == len(books.ours("select 1 from effects"))
        for service in services:
            assert self.here.serving(service) == {GOOD[service]: 100}
            assert [call["committed"] for call in self.here.updates(service) if call["code"] != "ABORTED"] == [True]
        for id, _, _ in books.changes():
            told = books.ours("select event from audit where operation = :id order by seq", id=id)
            assert [event for (event,) in told] == STORY
            (shown,) = self.here.messages(id)
            assert "Done: " in " ".join(lines(shown))
        assert books.ours("select 1 from mutexes where holder is not null") == []
        assert books.running() == [] and books.is_chain_whole()


@pytest.fixture
def rollout(databases: Databases, tmp_path: Path) -> Iterator[Rollout]:
    name = f"rollout_{tmp_path.name}"
    with ExitStack() as stack:
        stack.callback(databases.drop, name)
        yield Rollout(stack.enter_context(Deployment(tmp_path, url=databases.create(name))))


def killed(replica: Replica) -> None:
    replica.kill()


def told_to_stop(replica: Replica) -> None:
    assert replica.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "lost, held_s, by",
    [(killed, SHORT_S, {OLD, NEW}), (told_to_stop, LONG_S, {OLD, NEW}), (told_to_stop, SHORT_S, set())],
    ids=["killed", "told to stop, in vain", "told to stop"],
)
@pytest.mark.parametrize("back", [False, True], ids=["from old to new", "from new back to old"])
def test_what_one_epoch_has_half_applied_the_other_one_finishes(
    rollout: Rollout, lost: Callable[[Replica], None], held_s: float, by: set[str], back: bool
) -> None:
    first, second = (rollout.new, rollout.old) if back else (rollout.old, rollout.new)
    if back:
        rollout.migrate()
    rollout.start(first)
    rollout.half_applied(held_s)
    if not back:
        rollout.migrate()
    second.start()
    lost(first)
    second.wait_ready()
    rollout.people.hear(second)
    rollout.done("backend")
    assert by <= rollout.epochs("backend")


@pytest.mark.slow
def test_requests_and_decisions_reach_either_while_both_work_and_one_leaves(rollout: Rollout) -> None:
    """Each is asked for at one and approved at the other; the old one is told to stop while one is half applied."""
    here = rollout.here
    rollout.start(rollout.old)
    here.ask("rollback backend")
    rollout.migrate()
    rollout.start(rollout.new)
    assert rollout.old.ready()
    here.ask("rollback frontend")
    at_new = here.plan_of("backend")
    rollout.people.hear(rollout.old)
    rollout.cloud.fault("hold", service="frontend", method="UpdateService", seconds=SHORT_S)
    here.approve(here.plan_of("frontend"))
    here.until(lambda: here.updates("frontend"))
    rollout.people.hear(rollout.new)
    here.approve(at_new)
    assert rollout.old.stop() == 0
    rollout.done("backend", "frontend")  # by whichever came first
