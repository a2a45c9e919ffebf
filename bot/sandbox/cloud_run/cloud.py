"""Cloud Run in memory: its services, and every way in which they change."""

from collections.abc import Callable
from datetime import datetime
from random import Random

from google.cloud import run_v2
from google.longrunning import operations_pb2 as lro

from bot.sandbox import names
from bot.sandbox.cloud_run import texts, update
from bot.sandbox.cloud_run.etag import etag, version_of
from bot.sandbox.cloud_run.operations import Operations, end
from bot.sandbox.cloud_run.readiness import Images
from bot.sandbox.cloud_run.rollout import Rollouts
from bot.sandbox.cloud_run.state import GCLOUD, NAMED, ServiceState, Truth, new_uid
from bot.sandbox.names import short
from bot.sandbox.quality import Quality

_SYLLABLE = ("bcdfghjklmnpqrstvwxz", "aeiou", "bdfgklmnprstxz")
_SHARED = sorted(run_v2.RevisionTemplate.meta.fields.keys() & run_v2.Revision.meta.fields.keys())


class CloudRun:
    """Services by full name. Callers hold the world's lock."""

    def __init__(
        self, now: Callable[[], datetime], rollouts: Rollouts, operations: Operations, images: Images, random: Random
    ) -> None:
        self._now, self._rollouts, self._images, self._random = now, rollouts, images, random
        self.operations = operations
        self.services: dict[str, ServiceState] = {}

    def state(self, name: str) -> ServiceState:
        if name not in self.services:
            raise texts.missing(name, "SERVICE")
        return self.services[name]

    def update(self, request: run_v2.UpdateServiceRequest) -> lro.Operation:
        """UpdateService as the API does it."""
        state = self.state(request.service.name)
        update.check_etag(state, request.service.etag)
        wanted = update.desired(state.shown, request)
        update.check(wanted)
        named = any(path.partition(".")[0] == "template" for path in request.update_mask.paths or ["template"])
        return self.change(state, wanted, "api", name_is_asked=named, dry=request.validate_only)

    def change(
        self,
        state: ServiceState,
        wanted: run_v2.Service,
        by: str,
        *,
        name_is_asked: bool,
        dry: bool = False,
        truth: Truth | None = None,
        rollout_s: float | None = None,
    ) -> lro.Operation:
        """Commit `wanted` and start its rollout. A new revision is cut only when the template changes."""
        now = self._now()
        wanted.generation = state.shown.generation + 1
        cut = self._cut(state, wanted, by, now) if name_is_asked else None
        if dry:
            return _validated(wanted)
        if cut:
            name = short(cut.name)
            state.truths[name] = truth or self._quality_of(state, wanted, by, now)
            state.revisions[name] = cut
            wanted.latest_created_revision = cut.name
        wanted.update_time, wanted.last_modifier = now, f"{by}@{names.project_of(state.name)}.iam.gserviceaccount.com"
        state.shown = wanted
        return self._rollouts.start(state, cut, now, rollout_s)

    def fresh_name(self, state: ServiceState, generation: int) -> str:
        """A name as Cloud Run and gcloud generate it: backend-00042-kex."""
        suffix = "".join(self._random.choice(letters) for letters in _SYLLABLE)
        return f"{short(state.name)}-{generation:05d}-{suffix}"

    def delete_revision(self, request: run_v2.DeleteRevisionRequest) -> lro.Operation:
        revision = self.revision(request.name)
        state, name = self.services[names.service_of(request.name)], short(request.name)
        if request.etag and request.etag != revision.etag:
            raise texts.conflict(name, version_of(request.etag), version_of(revision.etag))
        latest = (short(state.shown.latest_created_revision), state.latest_ready)
        if name in state.split or name in latest or any(t.revision == name for t in state.shown.traffic):
            raise texts.serving(name)
        if not request.validate_only:
            del state.revisions[name]
            revision.delete_time = self._now()
        operation = self.operations.start(request.name, run_v2.Revision.pb(revision))
        end(operation, run_v2.Revision.pb(revision))
        return operation

    def revision(self, name: str) -> run_v2.Revision:
        state = self.services.get(names.service_of(name))
        if not state or short(name) not in state.revisions:
            raise texts.missing(name, "REVISION")
        return state.revisions[short(name)]

    def _cut(self, state: ServiceState, wanted: run_v2.Service, by: str, now: datetime) -> run_v2.Revision | None:
        name, same = wanted.template.revision, _same_template(state.shown.template, wanted.template)
        if name in state.revisions:
            # Seen in production for revisions that gcloud named: not even an unchanged template passes.
            made_by_gcloud = state.truths[name].by == GCLOUD and by != GCLOUD
            if made_by_gcloud or not _same_template(state.truths[name].template, wanted.template):
                raise texts.name_taken(name)
            return None
        if same and not name:
            return None
        return new_revision(state, wanted, name or self.fresh_name(state, wanted.generation), now)

    def _quality_of(self, state: ServiceState, wanted: run_v2.Service, by: str, now: datetime) -> Truth:
        """A revision of an image that is known here behaves as the image did; another as its image was pushed."""
        image = wanted.template.containers[0].image
        same = self._images.digest_of(image) or image
        for name in reversed(state.revisions):
            if state.revisions[name].containers[0].image == same:
                return Truth.of(wanted.template, state.truths[name].quality, by, now)
        return Truth.of(wanted.template, self._images.quality_of(image) or Quality(), by, now)


def new_revision(state: ServiceState, wanted: run_v2.Service, name: str, now: datetime) -> run_v2.Revision:
    """A revision of the template that is still to start."""
    full = f"{state.name}/revisions/{name}"
    revision = run_v2.Revision(
        name=full,
        uid=new_uid(full),
        generation=1,
        service=short(state.name),
        create_time=now,
        update_time=now,
        launch_stage=wanted.launch_stage,
        creator=wanted.last_modifier,
        reconciling=True,
        etag=etag(full, now),
        log_uri=texts.LOGS.format(project=names.project_of(full), service=short(state.name), revision=name),
    )
    for shared in _SHARED:
        if shared in wanted.template:
            setattr(revision, shared, getattr(wanted.template, shared))
    return revision


def pinned(traffic: dict[str, int]) -> list[run_v2.TrafficTarget]:
    """Targets from percentages by release; the key LATEST means the latest ready revision."""
    latest = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
    return [
        run_v2.TrafficTarget(type_=latest, percent=percent)
        if release == "LATEST"
        else run_v2.TrafficTarget(type_=NAMED, revision=release, percent=percent)
        for release, percent in traffic.items()
    ]


def _validated(wanted: run_v2.Service) -> lro.Operation:
    operation = lro.Operation(done=True)
    end(operation, run_v2.Service.pb(wanted))
    return operation


def _same_template(one: run_v2.RevisionTemplate, other: run_v2.RevisionTemplate) -> bool:
    return _nameless(one) == _nameless(other)


def _nameless(template: run_v2.RevisionTemplate) -> run_v2.RevisionTemplate:
    copy = run_v2.RevisionTemplate(template)
    copy.revision = ""
    return copy
