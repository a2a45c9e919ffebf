"""Durable execution: the only file that imports dbos.

Our tables are the truth; what dbos keeps is progress, and may be lost at any moment. A workflow that ended without
our outcome (its database was away, say) is run again under the next number.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID

from bot.engine.apply import Applier, Data

# Never the source's hash. Raise it only when a new program cannot continue what an old one began.
EPOCH = "ops-1"
QUEUE = "changes"
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class Workflows:
    """Runs `Applier.apply` to its end, in this process or in the next one. One per process."""

    def __init__(self, applier: Applier, *, url: str, executor: str, poll_s: float) -> None:
        self._poll_s = poll_s
        DBOS(
            config=DBOSConfig(
                name="aisq",
                system_database_url=url,
                application_version=EPOCH,
                executor_id=executor,  # unique per process
                serializer=DBOSPortableJSONSerializer(),  # the default is pickle: whoever writes rows runs code
                log_level="ERROR",
                use_listen_notify=False,  # we send no messages; LISTEN would hold a connection, and no pooler likes it
            )
        )

        @DBOS.workflow(name="apply")  # a name of its own, so that moving the code does not orphan what runs
        def apply(operation: str) -> str:
            return applier.apply(operation, _durable)

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
        """Requeue what processes that are not alive were running. Safe to call from several processes at once."""
        running = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        dead = sorted({w.executor_id for w in running if w.executor_id and w.executor_id not in alive})
        return [h.workflow_id for h in DBOS._recover_pending_workflows(dead)] if dead else []

    def purge(self, before: datetime) -> int:
        """Forget runs that ended before an instant; how many."""
        old = DBOS.list_workflows(
            status=list(ENDED), completed_before=before.isoformat(), load_input=False, load_output=False
        )
        DBOS.delete_workflows([run.workflow_id for run in old])
        return len(old)

    def stop(self, drain_s: int) -> None:
        """Let what runs come to a step's end, at most `drain_s` seconds."""
        DBOS.destroy(workflow_completion_timeout_sec=drain_s)


def _durable(name: str, call: Callable[..., Data], *args: Any) -> Data:
    # Errors are results: dbos replays a raised error as a PortableWorkflowError, which no `except` of ours knows.
    result: Data = DBOS.run_step({"name": name}, call, *args)
    return dict(json.loads(json.dumps(result)))  # the same types now as after a crash: no tuple now, list then
