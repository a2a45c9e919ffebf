"""UpdateService up to its commit: which fields change, and what is refused at once."""

import re
from collections import Counter

from google.cloud import run_v2
from google.protobuf import field_mask_pb2
from google.protobuf.message import Message

from bot.sandbox.cloud_run import sizes, texts
from bot.sandbox.cloud_run.etag import version_of
from bot.sandbox.cloud_run.state import LATEST, NAMED, ServiceState
from bot.sandbox.refusal import invalid

# What an update without a mask replaces; all other fields are output only, or fixed (name, etag).
MUTABLE = (
    "description", "labels", "annotations", "client", "client_version", "ingress", "launch_stage",
    "binary_authorization", "template", "traffic", "scaling", "invoker_iam_disabled", "default_uri_disabled",
    "iap_enabled", "multi_region_settings", "custom_audiences", "build_config",
)  # fmt: skip
_RESERVED = ("run.googleapis.com", "cloud.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev")
_TAG = re.compile(r"[a-z]([-a-z0-9]{0,44}[a-z0-9])?")


def check_etag(state: ServiceState, etag: str) -> None:
    """An etag that is given must be the current one; no etag means that the last writer wins (AIP-154)."""
    if not etag or etag == state.shown.etag:
        return
    try:
        specified = version_of(etag)
    except ValueError as error:
        raise invalid("service.etag", "Invalid etag.") from error
    raise texts.conflict(state.name, specified, version_of(state.shown.etag))


def desired(current: run_v2.Service, request: run_v2.UpdateServiceRequest) -> run_v2.Service:
    """The service as it is asked for: the masked fields of the request, everything else as it is now."""
    mask = field_mask_pb2.FieldMask(paths=_paths(list(request.update_mask.paths)))
    wanted, asked = run_v2.Service(current), run_v2.Service.pb(run_v2.Service(request.service))
    for path in mask.paths:
        _present(asked, path)
    mask.MergeMessage(asked, run_v2.Service.pb(wanted), True, True)
    return wanted


def check(wanted: run_v2.Service) -> None:
    """Refuse what the API refuses before it starts an operation."""
    check_traffic(list(wanted.traffic))
    sizes.check(wanted)
    for key in (*wanted.annotations, *wanted.labels):
        if key.partition("/")[0].endswith(_RESERVED):
            raise invalid(
                "service.annotations", f"Annotation or label {key} is of a namespace reserved for the system."
            )
    identifier = wanted.name.rpartition("/")[2]
    if wanted.template.revision and not wanted.template.revision.startswith(f"{identifier}-"):
        raise invalid(
            "service.template.revision", f"Revision name must be prefixed by the service name '{identifier}-'."
        )


def check_traffic(targets: list[run_v2.TrafficTarget]) -> None:
    for index, target in enumerate(targets):
        _check_target(f"service.traffic[{index}]", target)
    total = sum(target.percent for target in targets)
    if targets and total != 100:
        raise invalid("service.traffic", f"Traffic targets sum to {total}, want 100")
    for tag, times in Counter(target.tag for target in targets if target.tag).items():
        if times > 1:
            raise invalid("service.traffic", f'Multiple definitions for "{tag}"')


def _check_target(where: str, target: run_v2.TrafficTarget) -> None:
    if target.type_ not in (LATEST, NAMED):
        raise invalid(f"{where}.type", f"Violation in {where}.type: must be LATEST or REVISION.")
    if bool(target.revision) != (target.type_ == NAMED):
        raise invalid(f"{where}.revision", f"Violation in {where}.revision: must be set for type REVISION only.")
    if not 0 <= target.percent <= 100:
        raise invalid(f"{where}.percent", f"Violation in {where}.percent: must be between 0 and 100.")
    if target.tag and not _TAG.fullmatch(target.tag):
        raise invalid(f"{where}.tag", f"Violation in {where}.tag: '{target.tag}' is not a DNS label.")


def _present(message: Message, path: str) -> None:
    """Make the messages around a masked field present: a field that is masked and not given is cleared."""
    *around, _ = path.split(".")
    for name in around:
        message = getattr(message, name)
        message.SetInParent()


def _paths(asked: list[str]) -> list[str]:
    """The paths to merge. Output-only fields are ignored (AIP-203), unknown ones refused."""
    descriptor = run_v2.Service.pb(run_v2.Service()).DESCRIPTOR
    if not asked or asked == ["*"]:
        return list(MUTABLE)
    for path in asked:
        if not field_mask_pb2.FieldMask(paths=[path]).IsValidForDescriptor(descriptor):
            raise invalid("update_mask", f"Invalid field mask: unknown path '{path}'.")
    return [path for path in asked if path.partition(".")[0] in MUTABLE]
