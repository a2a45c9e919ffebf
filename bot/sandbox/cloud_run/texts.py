"""What Cloud Run says when it refuses or fails, word for word where a public log shows it."""

from dataclasses import dataclass
from typing import Any

from google.cloud import run_v2

from bot.sandbox import names
from bot.sandbox.refusal import Refused, denied

LOGS = (
    "https://console.cloud.google.com/logs/viewer?project={project}&resource=cloud_run_revision/service_name/{service}"
    "/revision_name/{revision}&advancedFilter=resource.type%3D%22cloud_run_revision%22%0Aresource.labels.service_name"
    "%3D%22{service}%22%0Aresource.labels.revision_name%3D%22{revision}%22"
)
_START = (
    "The user-provided container failed to start and listen on the port defined provided by the PORT={port} "
    "environment variable within the allocated timeout. This can happen when the container port is misconfigured "
    "or if the timeout is too short. The health check timeout can be extended. Logs for this revision might "
    "contain more information.\n\nLogs URL: {logs} \nFor more troubleshooting guidance, see "
    "https://cloud.google.com/run/docs/troubleshooting#container-failed-to-start"
)


@dataclass(frozen=True)
class Failure:
    """Why a revision or a rollout failed: the operation's error, and the reason that conditions give."""

    code: str
    message: str
    reason: dict[str, Any]


def did_not_start(service: str, revision: str, port: int) -> Failure:
    logs = LOGS.format(project=names.project_of(service), service=names.short(service), revision=revision)
    reason = {"revision_reason": run_v2.Condition.RevisionReason.HEALTH_CHECK_CONTAINER_ERROR}
    return Failure("FAILED_PRECONDITION", _not_ready(revision, _START.format(port=port or 8080, logs=logs)), reason)


def no_image(revision: str, image: str) -> Failure:
    reason = {"reason": run_v2.Condition.CommonReason.CONTAINER_MISSING}
    return Failure("NOT_FOUND", _not_ready(revision, f"Image '{image}' not found."), reason)


def no_access(revision: str, image: str, project: str, number: int) -> Failure:
    """The image is in a registry of another project, which does not let Cloud Run of this one read it."""
    reason = {"reason": run_v2.Condition.CommonReason.CONTAINER_PERMISSION_DENIED}
    return Failure("INTERNAL", _not_ready(revision, _may_not_read(image, project, number)), reason)


def no_secret(revision: str, position: int, wanted: str, complaint: str) -> Failure:
    """`wanted` is the version as the template names it, `complaint` what Secret Manager said."""
    field = f"spec.template.spec.containers[0].env[{position}].value_from.secret_key_ref.name"
    reason = {"reason": run_v2.Condition.CommonReason.SECRETS_ACCESS_CHECK_FAILED}
    message = _not_ready(revision, f"{field}: Failed to access secret {wanted}: {complaint}")
    return Failure("FAILED_PRECONDITION", message, reason)


def no_revision(revision: str) -> Failure:
    message = (
        f"Revision '{revision}' does not exist or is deleted. "
        "Update all traffic to route to currently available revisions."
    )
    return Failure("INTERNAL", message, {"reason": run_v2.Condition.CommonReason.UNKNOWN})


def job_without_image(execution: str, image: str) -> Failure:
    reason = {"reason": run_v2.Condition.CommonReason.CONTAINER_MISSING}
    return Failure("NOT_FOUND", f"Execution '{execution}' failed: Image '{image}' not found.", reason)


def job_without_access(image: str, project: str, number: int) -> Failure:
    reason = {"reason": run_v2.Condition.CommonReason.CONTAINER_PERMISSION_DENIED}
    return Failure("INTERNAL", _may_not_read(image, project, number), reason)


def task_failed(execution: str) -> Failure:
    reason = {"execution_reason": run_v2.Condition.ExecutionReason.NON_ZERO_EXIT_CODE}
    message = f"Task {execution}-task0 failed with message: The container exited with an error."
    return Failure("INTERNAL", message, reason)


def exists(name: str) -> Refused:
    return Refused("ALREADY_EXISTS", f"Resource '{name}' already exists.")


def conflict(service: str, specified: int, current: int) -> Refused:
    return Refused(
        "ABORTED",
        f"Conflict for resource '{names.short(service)}': version '{specified}' was specified "
        f"but current version is '{current}'.",
    )


def name_taken(revision: str) -> Refused:
    return Refused("ALREADY_EXISTS", f"Revision named '{revision}' with different configuration already exists.")


def missing(name: str, kind: str) -> Refused:
    return Refused(
        "NOT_FOUND",
        f"Resource '{names.short(name)}' of kind '{kind}' in region '{names.location_of(name)}' "
        f"in project '{names.project_of(name)}' does not exist.",
    )


def serving(revision: str) -> Refused:
    message = f'Revision "{revision}" cannot be directly deleted because it is actively serving.'
    return Refused("FAILED_PRECONDITION", message)


def permission(needed: str, resource: str) -> Refused:
    message = f"Permission '{needed}' denied on resource '{resource}' (or resource may not exist)."
    return denied(message, needed, resource)


def _may_not_read(image: str, project: str, number: int) -> str:
    agent = f"Google Cloud Run Service Agent service-{number}@serverless-robot-prod.iam.gserviceaccount.com"
    owner = image.split("/")[1]
    return (
        f"{agent} must have permission to read the image, {image}. Ensure that the provided container image URL is "
        "correct and that the above account has permission to access the image. If you just enabled the Cloud Run "
        "API, the permissions might take a few minutes to propagate. Note that the image is from project "
        f"[{owner}], which is not the same as this project [{project}]. Permission must be granted to the {agent} "
        "from this project."
    )


def _not_ready(revision: str, why: str) -> str:
    return f"Revision '{revision}' is not ready and cannot serve traffic. {why}"
