"""Finding again what was changed on Cloud Run, and following it to its end."""

from collections.abc import Iterator

from google.cloud import run_v2
from google.longrunning import operations_pb2

from bot.core.errors import NotFound, Uncertain
from bot.core.ports import Progress
from bot.core.request import Target
from bot.providers._google import Google, sentence, translated
from bot.providers.cloud_run import names, stamp
from bot.providers.cloud_run.reads import PAGE, Reads
from bot.providers.cloud_run.state import SUCCEEDED

PAGES = 10  # of operations, newest first; one that is further back is known by its stamp


class Follow:
    """The half of Effects that is about services."""

    def __init__(self, google: Google, reads: Reads) -> None:
        self._google, self._reads = google, reads

    def find(self, target: Target, key: str) -> str | None:
        """First among the operations, which outlive the next change; then on the service, whose mark outlives them.

        A run of a job is found by its operation alone. Where that is forgotten, `run_job` finds the run by its name.
        """
        operations = list(self._operations(target))
        if run := next((run for one in operations if (run := _run_in(one, target, key))), None):
            return run
        newest_first = [found for one in operations if (found := _ours(one, target, key))]
        if newest_first:
            name, _, mark = min(reversed(newest_first), key=lambda one: one[1])
            return names.watched(target, mark.release, mark.made) if mark.release else name
        mark_now = stamp.read(self._reads.get(target))
        ours = mark_now is not None and mark_now.key == key
        return names.watched(target, mark_now.release, mark_now.made) if mark_now and ours else None

    def poll(self, target: Target, cloud_operation: str) -> Progress:
        """By the operation's name; by watching the service where the cloud has forgotten it, or never told it."""
        if names.made(cloud_operation):
            return self._release(target, cloud_operation)
        if "/operations/" not in cloud_operation:
            return self._watch(target, int(cloud_operation.rpartition("@")[2]))
        services = self._google.client(run_v2.ServicesClient)
        request = operations_pb2.GetOperationRequest(name=cloud_operation)
        try:
            with translated(f"ask how far the change of {names.spoken(target)} is", "run.operations.get"):
                operation = services.get_operation(request, **self._google.reading)
        except NotFound:
            return self._watch(target, None)
        return _progress(operation)

    def _release(self, target: Target, cloud_operation: str) -> Progress:
        """Made as soon as it is there. Whether it starts is its own affair: nobody is to wait here for that."""
        release, version = names.made(cloud_operation), cloud_operation.rpartition("@")[2]
        try:
            self._reads.release_named(target, release)
        except NotFound:
            return self._watch(target, int(version))
        return Progress(state="succeeded", version=version)

    def _operations(self, target: Target) -> Iterator[operations_pb2.Operation]:
        services = self._google.client(run_v2.ServicesClient)
        request = operations_pb2.ListOperationsRequest(name=names.parent(target), page_size=PAGE)
        for _ in range(PAGES):
            with translated(f"list the operations on {names.spoken(target)}", "run.operations.list"):
                page = services.list_operations(request, **self._google.reading)
            yield from page.operations
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def _watch(self, target: Target, made: int | None) -> Progress:
        now = self._reads.get(target)
        mark = stamp.read(now)
        if not mark or made not in (None, mark.made) or mark.made != now.generation:
            who = f" by {now.last_modifier}" if now.last_modifier else ""
            raise Uncertain(f"{names.spoken(target)} was changed again{who} before our change was seen to end")
        if now.reconciling:
            return Progress(state="running", version=str(mark.made))
        if now.terminal_condition.state == SUCCEEDED and now.observed_generation >= mark.made:
            return Progress(state="succeeded", version=str(mark.made))
        return Progress(state="failed", version=str(mark.made), detail=sentence(now.terminal_condition.message))


def _ours(operation: operations_pb2.Operation, target: Target, key: str) -> tuple[str, int, stamp.Stamp] | None:
    """If it carries the key: its name, the generation that it had, the mark. Later ones of others may carry it too."""
    after = _service_in(operation)
    mark = after and stamp.read(after)
    if after and mark and mark.key == key and names.short(after.name) == names.short(names.service(target)):
        return operation.name, after.generation, mark
    return None


def _run_in(operation: operations_pb2.Operation, target: Target, key: str) -> str | None:
    """The run of a job that the operation of its update began."""
    job = run_v2.Job()
    if not operation.metadata.Unpack(run_v2.Job.pb(job)) or job.annotations.get(stamp.KEY) != key:
        return None
    return names.ran(target, names.short(job.name), key, job.annotations.get(stamp.VERSION, ""))


def _service_in(operation: operations_pb2.Operation) -> run_v2.Service | None:
    """The service as the operation makes it, which Cloud Run tells from the start; None for jobs and the like."""
    service = run_v2.Service()
    return service if operation.metadata.Unpack(run_v2.Service.pb(service)) else None


def _progress(operation: operations_pb2.Operation) -> Progress:
    """Without our mark somebody has replaced all annotations meanwhile: the version is theirs, so none is told."""
    after = _service_in(operation)
    mark = stamp.read(after) if after else None
    version = str(mark.made) if mark else ""
    if not operation.done:
        return Progress(state="running", version=version)
    if operation.HasField("error"):
        return Progress(state="failed", version=version, detail=sentence(operation.error.message))
    return Progress(state="succeeded", version=version)
