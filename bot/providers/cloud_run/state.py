"""A Cloud Run service and its revisions, in core's words."""

from collections.abc import Iterator

from google.cloud import run_v2

from bot.core.ports import LATEST, Release, SecretUse, ServiceState, Traffic
from bot.core.traffic import merge
from bot.providers._google import instant, sentence
from bot.providers.cloud_run import sizing
from bot.providers.cloud_run.names import short
from bot.providers.cloud_run.targets import named

SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED
FAILED = run_v2.Condition.State.CONDITION_FAILED
RETIRED = (run_v2.Condition.RevisionReason.RETIRED, run_v2.Condition.RevisionReason.RETIRING)


def service_state(service: run_v2.Service) -> ServiceState:
    """What `traffic` asks for and what `traffic_statuses` says is served; both may differ while it is busy."""
    condition = service.terminal_condition
    return ServiceState(
        asked=asked(service),
        serving=_serving(service),
        tags={target.tag: named(target) for target in service.traffic if target.tag},
        version=str(service.generation),
        busy=service.reconciling,
        latest_ready=short(service.latest_ready_revision),
        min_instances=sizing.min_instances(service),
        max_instances=sizing.max_instances(service),
        cpu=sizing.cpu(service.template),
        memory_mb=sizing.memory_mb(service.template),
        concurrency=sizing.concurrency(service.template),
        url=service.uri,
        trouble=_why(condition) if condition.state == FAILED else "",
        changed_by=service.last_modifier,
    )


def release(revision: run_v2.Revision) -> Release:
    ready, reason = _readiness(revision)
    container = sizing.serving(revision.containers)
    return Release(
        name=short(revision.name),
        created_at=instant(revision.create_time),
        ready=ready,
        reason=reason,
        image=container.image if container else "",
        secrets=tuple(dict.fromkeys(_secrets(revision))),
        labels={**revision.annotations, **revision.labels},
        max_instances=revision.scaling.max_instance_count or None,
        by=revision.creator,
    )


def asked(service: run_v2.Service) -> Traffic:
    """No target at all means all traffic to the newest ready release."""
    return merge((named(target), target.percent) for target in service.traffic) or {LATEST: 100}


def _serving(service: run_v2.Service) -> Traffic:
    """The status of a target that follows the newest release does not name it; only then latest_ready does."""
    newest = short(service.latest_ready_revision)
    statuses = ((status.revision or newest, status.percent) for status in service.traffic_statuses)
    return merge((release, percent) for release, percent in statuses if release)


def _readiness(revision: run_v2.Revision) -> tuple[bool, str]:
    """A retired revision did start once, and starts again when it is given traffic."""
    ready = next((one for one in revision.conditions if one.type_ == "Ready"), None)
    if ready is None:
        return False, "it is still starting"
    if ready.state == SUCCEEDED or ready.revision_reason in RETIRED:
        return True, ""
    return False, _why(ready) if ready.state == FAILED else "it is still starting"


def _why(condition: run_v2.Condition) -> str:
    reason = condition.revision_reason or condition.reason
    return sentence(condition.message) or (reason.name.lower().replace("_", " ") if reason else "no reason is given")


def _secrets(revision: run_v2.Revision) -> Iterator[SecretUse]:
    for container in revision.containers:
        for variable in container.env:
            if variable.value_source.secret_key_ref.secret:
                selector = variable.value_source.secret_key_ref
                yield SecretUse(secret=selector.secret, version=selector.version or "latest")
    for volume in revision.volumes:
        if volume.secret.secret:
            versions = [item.version for item in volume.secret.items] or [""]
            yield from (SecretUse(secret=volume.secret.secret, version=one or "latest") for one in versions)
