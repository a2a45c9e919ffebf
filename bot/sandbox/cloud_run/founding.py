"""Services from the world file: their revisions, and what they served until now."""

from datetime import datetime, timedelta

from google.api import launch_stage_pb2
from google.cloud import run_v2

from bot.sandbox import blueprint
from bot.sandbox.cloud_run.cloud import new_revision, pinned
from bot.sandbox.cloud_run.readiness import Images
from bot.sandbox.cloud_run.rollout import settle_revision
from bot.sandbox.cloud_run.state import GCLOUD, ServiceState, Truth, condition, new_uid
from bot.sandbox.cloud_run.texts import did_not_start
from bot.sandbox.names import project_of, short

_START = timedelta(seconds=30)  # from the deployment of a release until it serves


def found(name: str, plan: blueprint.Service, images: Images, now: datetime) -> ServiceState:
    """The service as its last deployment with gcloud left it: its template carries the revision's name."""
    state = ServiceState(_shown(name, plan, now), rps=plan.rps, not_found_rate=plan.not_found_rate)
    for release in plan.releases:
        _add(state, plan, release, images, now - release.age)
    state.shown.latest_created_revision = f"{name}/revisions/{plan.releases[-1].name}"
    state.shown.generation = state.shown.observed_generation = _generation(plan)
    traffic = {_full(name, release): percent for release, percent in plan.traffic.items()}
    state.shown.traffic = pinned(traffic)
    changed = now - min(release.age for release in plan.releases) + _START
    for split in _history(plan):
        state.splits.append((now - split.age, {_full(name, r): p for r, p in split.traffic.items()}))
    state.serve(max(changed, state.splits[-1][0]) if state.splits else changed)
    conditions = [condition(kind, changed) for kind in ("RoutesReady", "ConfigurationsReady")]
    state.shown.conditions, state.shown.terminal_condition = conditions, condition("Ready", changed)
    state.shown.update_time = changed
    state.touch(changed)
    return state


def template(plan: blueprint.Service, release: blueprint.Release, project: str) -> run_v2.RevisionTemplate:
    """What gcloud sends for a release."""
    port = run_v2.ContainerPort(name="http1", container_port=plan.port)
    secrets = plan.secrets if release.secrets is None else release.secrets
    variables = [run_v2.EnvVar(name=key, value=value) for key, value in plan.env.items()]
    container = run_v2.Container(
        image=f"{plan.image}:{release.tag}",
        env=variables + [secret_variable(key, reference) for key, reference in secrets.items()],
        ports=[port],
        resources=run_v2.ResourceRequirements(limits={"cpu": plan.cpu, "memory": plan.memory}),
    )
    return run_v2.RevisionTemplate(
        revision=release.name,
        containers=[container],
        scaling=run_v2.RevisionScaling(min_instance_count=plan.min_instances, max_instance_count=plan.max_instances),
        max_instance_request_concurrency=plan.concurrency,
        timeout=timedelta(seconds=300),
        service_account=f"run@{project}.iam.gserviceaccount.com",
    )


def secret_variable(key: str, reference: str) -> run_v2.EnvVar:
    """An environment variable from "secret:version"."""
    secret, _, version = reference.partition(":")
    selector = run_v2.SecretKeySelector(secret=secret, version=version or "latest")
    return run_v2.EnvVar(name=key, value_source=run_v2.EnvVarSource(secret_key_ref=selector))


def _shown(name: str, plan: blueprint.Service, now: datetime) -> run_v2.Service:
    project, oldest = project_of(name), max(release.age for release in plan.releases)
    uri = f"https://{short(name)}-{new_uid(name)[:8]}-uc.a.run.app"
    who = f"deployer@{project}.iam.gserviceaccount.com"
    return run_v2.Service(
        name=name, uid=new_uid(name), create_time=now - oldest, creator=who, last_modifier=who, client=GCLOUD,
        client_version="540.0.0", ingress=run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL,
        launch_stage=launch_stage_pb2.LaunchStage.GA, uri=uri, urls=[uri],
    )  # fmt: skip


def _add(
    state: ServiceState, plan: blueprint.Service, release: blueprint.Release, images: Images, at: datetime
) -> None:
    state.shown.template = template(plan, release, project_of(state.name))
    revision = new_revision(state, state.shown, release.name, at)
    revision.containers[0].image = images.digest_of(revision.containers[0].image) or _forgotten(plan, release)
    failure = None if release.ready else did_not_start(state.name, release.name, plan.port)
    settle_revision(revision, at + _START, failure)
    state.revisions[release.name] = revision
    state.truths[release.name] = Truth.of(state.shown.template, release.quality, GCLOUD, at)
    if release.ready:
        state.shown.latest_ready_revision = revision.name


def _forgotten(plan: blueprint.Service, release: blueprint.Release) -> str:
    """The digest that an image had before it was deleted."""
    return blueprint.digest(plan.image, release.tag)


def _history(plan: blueprint.Service) -> list[blueprint.Split]:
    if plan.history is not None:
        return plan.history
    ready = [release for release in plan.releases if release.ready]
    return [blueprint.Split(age=release.age - _START, traffic={release.name: 100}) for release in ready]


def _generation(plan: blueprint.Service) -> int:
    """The number in the newest release's name: every deployment is a generation."""
    number = plan.releases[-1].name.split("-")[-2]
    return int(number) if number.isdigit() else len(plan.releases)


def _full(service: str, release: str) -> str:
    prefix = f"{short(service)}-"
    return release if release == blueprint.LATEST or release.startswith(prefix) else prefix + release
