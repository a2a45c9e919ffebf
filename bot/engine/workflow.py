"""Durable execution: the only file that imports dbos.

Our tables are the truth; what dbos keeps is progress, and may be lost at any moment. A workflow that ended without
our outcome (its database was away, or another epoch began it and is gone) is run again under the next number.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID

from bot.engine.apply import Applier
from bot.engine.steps import Data

# dbos replays a run only in the epoch that began it. Never the source's hash: raise it only when the steps of a run,
# their names, order or JSON, change (docs/architecture.md 5 says what may); tests/upgrades holds what it fixes.
EPOCH = "ops-1"
QUEUE = "changes"
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class Workflows:
    """Runs `Applier.apply` to its end, in this process or in the next one. One per process.

    `engine` is SQLAlchemy's for `url`, which stops waiting where the library's own would wait for ever; none for
    SQLite, where the library needs its own.
    """

    def __init__(self, applier: Applier, url: str, engine: Any = None, *, executor: str, poll_s: float) -> None:
        self._poll_s = poll_s
        self._running: set[str] = set()
        DBOS(
            config=DBOSConfig(
                name="aisq",
                system_database_url=url,
                system_database_engine=engine,
                application_version=EPOCH,
                executor_id=executor,  # unique per process
                serializer=DBOSPortableJSONSerializer(),  # the default is pickle: whoever writes rows runs code
                log_level="ERROR",
                use_listen_notify=False,  # we send no messages; LISTEN would hold a connection, and no pooler likes it
            )
        )

        @DBOS.workflow(name="apply")  # a name of its own, so that moving the code does not orphan what runs
        def apply(operation: str) -> str:
            self._running.add(operation)
            try:
                return applier.apply(operation, _durable)
            finally:
                self._running.discard(operation)

        self._apply = apply

    def launch(self) -> None:
        """Begin to take work."""
        DBOS.launch()
        DBOS.register_queue(QUEUE, partition_concurrency=1, polling_interval_sec=self._poll_s)

    def start(self, operation: str, target: str) -> None:
        """Queue it behind other changes of the target. Does nothing when it is there already."""
        runs = DBOS.list_workflows(workflow_id_prefix=f"{operation}/", load_input=False, load_output=False)
        if any(run.status not in ENDED for run in runs):
            return
        with SetWorkflowID(f"{operation}/{len(runs) + 1}"), SetEnqueueOptions(queue_partition_key=target):
            DBOS.enqueue_workflow(QUEUE, self._apply, operation)

    def take_over(self, alive: set[str]) -> list[str]:
        """Requeue what processes that are not alive were running. Safe to call from several processes at once.

        Of another epoch nobody may be left, and we cannot replay it: end it, and `start` begins it anew from our rows.
        """
        left = DBOS.list_workflows(status=["PENDING", "ENQUEUED"], load_input=False, load_output=False)
        left = [run for run in left if run.executor_id not in alive]
        if foreign := [run.workflow_id for run in left if run.app_version != EPOCH]:
            DBOS.cancel_workflows(foreign)
        dead = sorted({run.executor_id for run in left if run.status == "PENDING" and run.executor_id})
        return foreign + [handle.workflow_id for handle in DBOS._recover_pending_workflows(dead)] if dead else foreign

    def purge(self, before: datetime) -> int:
        """Forget runs that ended before an instant; how many."""
        old = DBOS.list_workflows(
            status=list(ENDED), completed_before=before.isoformat(), load_input=False, load_output=False
        )
        DBOS.delete_workflows([run.workflow_id for run in old])
        return len(old)

    def stop(self, drain_s: int) -> bool:
        """Begin nothing more, and wait at most `drain_s` seconds for what runs; whether it has ended.

        What has not may be in the middle of a call to the cloud, and then knows neither the library nor the lease.
        """
        DBOS.destroy(workflow_completion_timeout_sec=drain_s if self._running else 0)
        return not self._running


def _durable(name: str, call: Callable[..., Data], *args: Any) -> Data:
    # Errors are results: dbos replays a raised error as a PortableWorkflowError, which no `except` of ours knows.
    result: Data = DBOS.run_step({"name": name}, call, *args)
    return dict(json.loads(json.dumps(result)))  # the same types now as after a crash: no tuple now, list then
