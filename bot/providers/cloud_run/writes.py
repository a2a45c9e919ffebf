"""Changing what Cloud Run serves, at most once a key, and finding again what was changed."""

from collections.abc import Iterable, Iterator

from google.cloud import run_v2
from google.longrunning import operations_pb2
from google.protobuf.field_mask_pb2 import FieldMask

from bot.core.errors import NotFound, Permanent, Refused, Transient, Uncertain
from bot.core.ports import LATEST, Effect, Progress, Traffic
from bot.core.request import Target
from bot.core.traffic import describe, merge
from bot.providers._google import Google, sentence, translated
from bot.providers.cloud_run import names, stamp
from bot.providers.cloud_run.reads import PAGE, Reads
from bot.providers.cloud_run.state import BY_LATEST, SUCCEEDED

BY_NAME = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
TRIES = 4  # while only the cloud's own bookkeeping moves the etag
PAGES = 10  # of operations, newest first; one that is further back is known by its stamp


class Writes:
    """Writes, and what became of them."""

    def __init__(self, google: Google, reads: Reads) -> None:
        self._google, self._reads = google, reads

    def set_traffic(self, effect: Effect, target: Target, traffic: Traffic) -> str:
        """Raises Refused when somebody changed the service, NotFound or Permanent when a release cannot serve."""
        split = _checked(traffic)
        for attempt in range(TRIES):
            now = self._reads.get(target)
            _must_be_at(effect.version, now, target)
            if (mark := stamp.read(now)) and mark.key == effect.key:
                return _watched(now, mark)  # ours already, and it asked for nothing new
            if not attempt:
                self._must_serve(split, now, target)
            try:
                return self._update(effect, now, target, split)
            except Refused:
                continue  # of two calls that read the same etag Google takes one; whose it was shows in the generation
        raise Transient(f"{names.spoken(target)} is being worked on by Cloud Run itself; its etag moved {TRIES} times")

    def find(self, target: Target, key: str) -> str | None:
        """First among the operations, which outlive the next change; then on the service, whose mark outlives them."""
        newest_first = list(self._operations(target, key))
        if newest_first:
            return min(reversed(newest_first), key=lambda one: one[1])[0]
        now = self._reads.get(target)
        mark = stamp.read(now)
        return _watched(now, mark) if mark and mark.key == key else None

    def poll(self, target: Target, cloud_operation: str) -> Progress:
        """By the operation's name; by watching the service where the cloud has forgotten it, or never told it."""
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

    def _update(self, effect: Effect, now: run_v2.Service, target: Target, split: Traffic) -> str:
        """`now` carries the etag that was just read. The mask is narrow, so nothing else of it counts."""
        now.traffic = [*_targets(split), *_kept_tags(now.traffic)]
        stamp.put(now, effect.key, effect.version)
        now.template.revision = ""  # echoing the name that gcloud gave is refused as a second revision of that name
        mask = FieldMask(paths=["traffic", "annotations"])
        services = self._google.client(run_v2.ServicesClient)
        action = f"give {names.spoken(target)} the traffic {describe(split)}"
        with translated(action, "run.services.update", write=True):
            request = run_v2.UpdateServiceRequest(service=now, update_mask=mask)
            return str(services.update_service(request, **self._google.writing).operation.name)

    def _must_serve(self, split: Traffic, now: run_v2.Service, target: Target) -> None:
        if LATEST in split and not now.latest_ready_revision:
            raise Permanent(f"{names.spoken(target)} has no release that is ready, so none can be the newest")
        for release in split:
            if release != LATEST:
                self._reads.must_serve(target, release)

    def _operations(self, target: Target, key: str) -> Iterator[tuple[str, int]]:
        """Operations that carry the key, with the generation that they had. Later ones of others may carry it too."""
        services = self._google.client(run_v2.ServicesClient)
        request = operations_pb2.ListOperationsRequest(name=names.parent(target), page_size=PAGE)
        for _ in range(PAGES):
            with translated(f"list the operations on {names.spoken(target)}", "run.operations.list"):
                page = services.list_operations(request, **self._google.reading)
            for operation in page.operations:
                after = _service_in(operation)
                mark = after and stamp.read(after)
                if after and mark and mark.key == key and names.short(after.name) == names.short(names.service(target)):
                    yield operation.name, after.generation
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
            return Progress(state="running")
        if now.terminal_condition.state == SUCCEEDED and now.observed_generation >= mark.made:
            return Progress(state="succeeded", version=str(mark.made))
        return Progress(state="failed", version=str(mark.made), detail=sentence(now.terminal_condition.message))


def _watched(now: run_v2.Service, mark: stamp.Stamp) -> str:
    """Stands for an operation whose name is not known."""
    return f"{now.name}@{mark.made}"


def _checked(traffic: Traffic) -> Traffic:
    if sum(traffic.values()) != 100 or any(percent < 0 for percent in traffic.values()):
        raise Permanent(f"traffic must add up to 100 %, with no share below 0: {describe(traffic)}")
    return merge(traffic.items())


def _must_be_at(version: str, now: run_v2.Service, target: Target) -> None:
    if str(now.generation) != version:
        who = now.last_modifier or "somebody"
        found = f"it is at generation {now.generation}, not {version or 'known'}"
        raise Refused(f"{names.spoken(target)} was changed by {who} since it was looked at: {found}")


def _targets(split: Traffic) -> Iterator[run_v2.TrafficTarget]:
    for release, percent in split.items():
        if release == LATEST:
            yield run_v2.TrafficTarget(type_=BY_LATEST, percent=percent)
        else:
            yield run_v2.TrafficTarget(type_=BY_NAME, revision=release, percent=percent)


def _kept_tags(targets: Iterable[run_v2.TrafficTarget]) -> list[run_v2.TrafficTarget]:
    """Preview addresses are traffic targets too, and are lost when the list is replaced without them."""
    tagged = [target for target in targets if target.tag]
    return [run_v2.TrafficTarget(type_=one.type_, revision=one.revision, tag=one.tag) for one in tagged]


def _service_in(operation: operations_pb2.Operation) -> run_v2.Service | None:
    """The service as the operation makes it, which Cloud Run tells from the start; None for jobs and the like."""
    service = run_v2.Service()
    return service if operation.metadata.Unpack(run_v2.Service.pb(service)) else None


def _progress(operation: operations_pb2.Operation) -> Progress:
    """Without our mark somebody has replaced all annotations meanwhile: the version is theirs, so none is told."""
    if not operation.done:
        return Progress(state="running")
    after = _service_in(operation)
    mark = stamp.read(after) if after else None
    version = str(mark.made) if mark else ""
    if operation.HasField("error"):
        return Progress(state="failed", version=version, detail=sentence(operation.error.message))
    return Progress(state="succeeded", version=version)
