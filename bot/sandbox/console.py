"""What people do by hand, in a console or with gcloud, and the truth that no API tells."""

import time
from datetime import datetime
from typing import Any

from google.cloud import run_v2
from google.longrunning import operations_pb2 as lro
from pydantic import BaseModel, ConfigDict, Field

from bot.sandbox.blueprint import SecretState
from bot.sandbox.cloud_run import texts, update
from bot.sandbox.cloud_run.cloud import pinned
from bot.sandbox.cloud_run.founding import secret_variable
from bot.sandbox.cloud_run.state import GCLOUD, ServiceState, Truth, percentages
from bot.sandbox.names import short
from bot.sandbox.quality import Quality
from bot.sandbox.world import World

API = "console"


class Deployment(BaseModel):
    """`gcloud run deploy`. `traffic` is the new release's percentage; without it the service's targets stay.

    `image` is a reference that must exist; without it a new image is pushed. `rollout_s` is in sandbox seconds.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = ""
    error_rate: float = Field(default=0.0004, ge=0, le=1)
    p95_ms: float = Field(default=0.0, ge=0)
    tag: str = ""
    traffic: int | None = Field(default=None, ge=0, le=100)
    ready: bool = True
    image: str = ""
    secrets: dict[str, str] | None = None
    rollout_s: float | None = Field(default=None, ge=0)


def truth(state: ServiceState, now: datetime) -> dict[str, Any]:
    """What is really served, by which releases, how well."""
    project, location, name = state.name.split("/")[1::2]
    rates = {release: state.truths[release].error_rate for release in state.split}
    return {
        "name": state.name, "project": project, "location": location, "service": name, "rps": state.rps,
        "traffic": state.split, "wanted": percentages(state.targets, "LATEST"), "now": now.isoformat(),
        "error_rate": sum(percent / 100 * rates[release] for release, percent in state.split.items()),
        "generation": state.shown.generation, "observed_generation": state.shown.observed_generation,
        "reconciling": state.shown.reconciling, "annotations": dict(state.shown.annotations),
        "latest_ready": state.latest_ready, "latest_created": short(state.shown.latest_created_revision),
        "releases": [_release(state, release) for release in state.revisions],
    }  # fmt: skip


def deploy(world: World, name: str, asked: Deployment, now: datetime) -> dict[str, Any]:
    """A new revision the way gcloud makes it: with a name in the template, targets left as they are."""
    state = world.cloud_run.state(name)
    wanted = run_v2.Service(state.shown)
    release = asked.name or world.cloud_run.fresh_name(state, state.shown.generation + 1)
    if release in state.revisions:
        raise texts.name_taken(release)
    wanted.template.revision, wanted.client = release, GCLOUD
    container = wanted.template.containers[0]
    quality = Quality(asked.error_rate, asked.ready, asked.p95_ms)
    container.image = asked.image or _push(world, container.image, release, now, quality)
    if asked.secrets is not None:
        plain = [variable for variable in container.env if not variable.value_source.secret_key_ref.secret]
        container.env = plain + [secret_variable(key, ref) for key, ref in asked.secrets.items()]
    if asked.traffic is not None:
        wanted.traffic = _forced(state, release, asked.traffic)
    if asked.tag:
        wanted.traffic = [*wanted.traffic, _tagged(release, asked.tag)]
    update.check(wanted)
    real = Truth.of(run_v2.RevisionTemplate(wanted.template), quality, GCLOUD, now)
    operation = world.cloud_run.change(state, wanted, GCLOUD, name_is_asked=True, truth=real, rollout_s=asked.rollout_s)
    _record(world, state, "deploy", operation, now)
    return {"release": release, "operation": operation.name}


def set_traffic(world: World, name: str, split: dict[str, int], now: datetime) -> dict[str, Any]:
    """Somebody else changes the split; tags are kept, as gcloud keeps them."""
    state = world.cloud_run.state(name)
    for release in split:
        if release != "LATEST" and release not in state.revisions:
            raise KeyError(f"release {release}; {short(name)} has {', '.join(state.revisions)}")
    wanted = run_v2.Service(state.shown)
    tagged = [run_v2.TrafficTarget(t) for t in state.shown.traffic if t.tag]
    for target in tagged:
        target.percent = 0
    wanted.traffic = [*pinned(split), *tagged]
    update.check(wanted)
    operation = world.cloud_run.change(state, wanted, GCLOUD, name_is_asked=False)
    _record(world, state, "traffic", operation, now)
    return {"operation": operation.name}


class Change(BaseModel):
    """From now on a release fails this often, and is this fast; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    error_rate: float | None = Field(default=None, ge=0, le=1)
    p95_ms: float | None = Field(default=None, gt=0)


def set_quality(world: World, name: str, release: str, change: Change, now: datetime) -> dict[str, Any]:
    state = world.cloud_run.state(name)
    if release not in state.truths:
        raise KeyError(f"release {release}; {short(name)} has {', '.join(state.truths)}")
    truth = state.truths[release]
    if change.error_rate is not None:
        truth.error_rates.append((now, change.error_rate))
    if change.p95_ms is not None:
        truth.paces.append((now, change.p95_ms))
    return {"release": release, "error_rate": truth.error_rate, "p95_ms": truth.quality.p95_ms}


def remove(world: World, name: str, release: str) -> dict[str, Any]:
    """Delete a revision as the console does; one that serves is refused."""
    request = run_v2.DeleteRevisionRequest(name=f"{name}/revisions/{release}")
    world.cloud_run.delete_revision(request)
    return {"deleted": release}


def set_secret(world: World, name: str, version: str, state: SecretState, now: datetime) -> dict[str, Any]:
    if "/" in name:
        project, secret = name.split("/")[1], short(name)
    else:
        owners = [project for project, secret in world.vault.secrets if secret == name]
        if len(owners) != 1:
            raise KeyError(
                f"single secret {name} (found in: {', '.join(owners) or 'no project'}); write projects/P/secrets/S"
            )
        project, secret = owners[0], name
    changed = world.vault.set_state(project, secret, version, state, now)
    return {"name": f"projects/{project}/secrets/{secret}/versions/{changed.number}", "state": changed.state}


def _release(state: ServiceState, release: str) -> dict[str, Any]:
    known, revision = state.truths[release], state.revisions[release]
    return {
        "name": release, "error_rate": known.error_rate, "starts": known.starts, "made_by": known.by,
        "created": revision.create_time.isoformat(), "image": revision.containers[0].image,
        "percent": state.split.get(release, 0),
    }  # fmt: skip


def _push(world: World, image: str, release: str, now: datetime, quality: Quality) -> str:
    """A new build of the same image, tagged with the release's suffix."""
    reference = image.partition("@")[0]
    reference = reference.rpartition(":")[0] if ":" in short(reference) else reference
    tag = release.split("-", release.count("-") - 1)[-1]
    pushed = world.registry.push(reference, tag, now, quality)
    return f"{pushed.reference}:{tag}"


def _forced(state: ServiceState, release: str, percent: int) -> list[run_v2.TrafficTarget]:
    """The new release gets its percentage; what serves now shares the rest in proportion, the largest what is left."""
    rest = {name: share * (100 - percent) // 100 for name, share in state.split.items()}
    if rest:
        largest = max(rest, key=lambda name: rest[name])
        rest[largest] += 100 - percent - sum(rest.values())
    return pinned({**{name: share for name, share in rest.items() if share}, release: percent})


def _tagged(release: str, tag: str) -> run_v2.TrafficTarget:
    kind = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
    return run_v2.TrafficTarget(type_=kind, revision=release, tag=tag)


def _record(world: World, state: ServiceState, what: str, operation: lro.Operation, now: datetime) -> None:
    call = world.calls.arrive(now, time.time(), API, what, state.name, state.name)
    call.committed = True
    call.end("committed")
    call.describe(state.shown, operation.name)
