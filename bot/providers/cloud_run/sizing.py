"""How big a Cloud Run service is: what the service and its newest template say, and how another size is asked for.

Bounds of instances exist twice. Those of the service take effect at once; those of the template need a new revision,
and hold beside them for as long as they are narrower (cloud.google.com/run/docs/configuring/max-instances).
"""

import re
from collections.abc import Iterable

from google.cloud import run_v2

from bot.core.errors import Permanent
from bot.core.ports import Sizing

MANUAL = run_v2.ServiceScaling.ScalingMode.MANUAL
MOST_INSTANCES = 100  # of a revision whose template says nothing
_UNITS = {"": 1.0, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30}
_QUANTITY = re.compile(rf"(\d+(?:\.\d+)?)({'|'.join(_UNITS)})")


def serving(containers: Iterable[run_v2.Container]) -> run_v2.Container | None:
    """The container that answers requests: beside sidecars it is the one with a port."""
    return next(iter(sorted(containers, key=lambda one: not one.ports)), None)


def min_instances(service: run_v2.Service) -> int:
    if service.scaling.scaling_mode == MANUAL:
        return service.scaling.manual_instance_count
    return max(service.scaling.min_instance_count, service.template.scaling.min_instance_count)


def max_instances(service: run_v2.Service) -> int | None:
    """The service's own bound and that of its newest template both hold; 0 means unset."""
    if service.scaling.scaling_mode == MANUAL:
        return service.scaling.manual_instance_count
    bounds = (service.scaling.max_instance_count, service.template.scaling.max_instance_count)
    return min((bound for bound in bounds if bound), default=None)


def cpu(template: run_v2.RevisionTemplate) -> float | None:
    return _limit(template, "cpu")


def memory_mb(template: run_v2.RevisionTemplate) -> int | None:
    size = _limit(template, "memory")
    return None if size is None else round(size / _UNITS["Mi"])


def concurrency(template: run_v2.RevisionTemplate) -> int | None:
    return template.max_instance_request_concurrency or None


def resize(service: run_v2.Service, sizing: Sizing) -> tuple[str, ...]:
    """Write a size into the service; gives the fields that this changes, "template" among them for a new revision.

    Raises Permanent for a service whose instances are counted by hand: bounds have no meaning there.
    """
    bounds = _rebound(service, sizing)
    instances = [_relimit(service.template, sizing), _template_bounds(service.template, sizing)]
    return (*(["scaling"] if bounds else []), *(["template"] if any(instances) else []))


def _rebound(service: run_v2.Service, sizing: Sizing) -> bool:
    asked = {"min_instance_count": sizing.min_instances, "max_instance_count": sizing.max_instances}
    wanted = {field: bound for field, bound in asked.items() if bound is not None}
    if wanted and service.scaling.scaling_mode == MANUAL:
        count = service.scaling.manual_instance_count
        raise Permanent(
            f"it is scaled by hand, to {count} instances, so it has no bounds; let it scale by itself first"
        )
    changed = {field: bound for field, bound in wanted.items() if getattr(service.scaling, field) != bound}
    for field, bound in changed.items():
        setattr(service.scaling, field, bound)
    return bool(changed)


def _template_bounds(template: run_v2.RevisionTemplate, sizing: Sizing) -> bool:
    """Take away bounds of the template that would be narrower than what is asked for."""
    least, most = template.scaling.min_instance_count, template.scaling.max_instance_count or MOST_INSTANCES
    too_many = sizing.min_instances is not None and least > sizing.min_instances
    too_few = sizing.max_instances is not None and most < sizing.max_instances
    if too_many:
        template.scaling.min_instance_count = 0
    if too_few and sizing.max_instances is not None:
        template.scaling.max_instance_count = sizing.max_instances
    return too_many or too_few


def _relimit(template: run_v2.RevisionTemplate, sizing: Sizing) -> bool:
    container = serving(template.containers)
    if container is None:
        return False
    changed = False
    if sizing.cpu is not None and sizing.cpu != cpu(template):
        container.resources.limits["cpu"], changed = f"{round(sizing.cpu * 1000)}m", True
    if sizing.memory_mb is not None and sizing.memory_mb != memory_mb(template):
        container.resources.limits["memory"], changed = f"{sizing.memory_mb}Mi", True
    if sizing.concurrency is not None and sizing.concurrency != concurrency(template):
        template.max_instance_request_concurrency, changed = sizing.concurrency, True
    return changed


def _limit(template: run_v2.RevisionTemplate, name: str) -> float | None:
    """A Kubernetes quantity as a number; None when it is not set, or not understood."""
    container = serving(template.containers)
    match = _QUANTITY.fullmatch(container.resources.limits.get(name, "")) if container else None
    return float(match[1]) * _UNITS[match[2]] if match else None
