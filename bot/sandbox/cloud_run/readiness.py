"""Why a revision cannot serve, if it cannot: its container, its image, its secrets."""

from typing import Protocol

from google.cloud import run_v2

from bot.sandbox import names
from bot.sandbox.cloud_run import texts
from bot.sandbox.cloud_run.state import ServiceState
from bot.sandbox.cloud_run.texts import Failure
from bot.sandbox.quality import Quality


class Images(Protocol):
    """What Cloud Run asks the registry."""

    def digest_of(self, reference: str) -> str | None:
        """The reference by digest, or None if there is no such image."""
        ...

    def quality_of(self, reference: str) -> Quality | None:
        """What releases of the image are like; None if nobody knows."""
        ...

    def may_pull(self, project: str, reference: str) -> bool:
        """Whether Cloud Run of the project may read the image's registry."""
        ...


class Secrets(Protocol):
    """What Cloud Run asks Secret Manager. `numbers` are those of all projects."""

    numbers: dict[str, int]

    def complaint(self, project: str, secret: str, version: str) -> str:
        """Why the version cannot be read, or ""."""
        ...


def start(state: ServiceState, revision: run_v2.Revision, images: Images, secrets: Secrets) -> Failure | None:
    """What keeps a new revision from starting: image first, then secrets, then its own container."""
    name, container, project = names.short(revision.name), revision.containers[0], names.project_of(state.name)
    if failure := image_failure(project, name, container, images, secrets):
        return failure
    container.image = images.digest_of(container.image) or container.image
    if failure := secret_failure(project, name, container, secrets):
        return failure
    if not state.truths[name].starts:
        return texts.did_not_start(state.name, name, container.ports[0].container_port if container.ports else 0)
    return None


def target(state: ServiceState, release: str, images: Images, secrets: Secrets) -> Failure | None:
    """What keeps an existing revision from being given traffic.

    Cloud Run keeps its copy of an image only while a serving revision uses it (cloud.google.com/run/docs/deploying),
    so one that comes back needs its image again, and its secrets.
    """
    if not (revision := state.revisions.get(release)):
        return texts.no_revision(release)
    for one in revision.conditions:
        if one.type_ == "Ready" and one.state == run_v2.Condition.State.CONDITION_FAILED:
            return Failure("FAILED_PRECONDITION", one.message, _reason(one))
    if release in state.split:
        return None
    container, project = revision.containers[0], names.project_of(state.name)
    if failure := image_failure(project, release, container, images, secrets):
        return failure
    return secret_failure(project, release, container, secrets)


def image_failure(
    project: str, revision: str, container: run_v2.Container, images: Images, secrets: Secrets
) -> Failure | None:
    """Who may not read a registry is not told what is in it."""
    if not images.may_pull(project, container.image):
        return texts.no_access(revision, container.image, project, secrets.numbers.get(project, 0))
    return texts.no_image(revision, container.image) if images.digest_of(container.image) is None else None


def secret_failure(project: str, revision: str, container: run_v2.Container, secrets: Secrets) -> Failure | None:
    for position, variable in enumerate(container.env):
        ref = variable.value_source.secret_key_ref
        if not ref.secret:
            continue
        version = ref.version or "latest"
        if complaint := secrets.complaint(project, ref.secret, version):
            wanted = f"projects/{project}/secrets/{ref.secret}/versions/{version}"
            return texts.no_secret(revision, position, wanted, complaint)
    return None


def _reason(one: run_v2.Condition) -> dict[str, object]:
    if one.revision_reason:
        return {"revision_reason": one.revision_reason}
    return {"reason": one.reason}
