"""Which sizes of a service Cloud Run takes (cloud.google.com/run/docs/configuring/services: cpu, memory limits)."""

import re
from itertools import takewhile

from google.cloud import run_v2

from bot.sandbox.refusal import invalid

_UNITS = {"Mi": 1.0, "Gi": 1024.0, "M": 1e6 / 2**20, "G": 1e9 / 2**20}
# Up to so many CPUs: least and most memory in MiB.
_MEMORY = {0.5: (128, 512), 1: (128, 4096), 2: (128, 8192), 4: (2048, 16384), 6: (4096, 24576), 8: (4096, 32768)}
_MOST_CONCURRENCY = 1000


def check(wanted: run_v2.Service) -> None:
    """Refuses what the API refuses at once."""
    least, most = wanted.scaling.min_instance_count, wanted.scaling.max_instance_count
    if 0 < most < least:
        problem = f"Violation in service.scaling: min_instance_count {least} exceeds max_instance_count {most}."
        raise invalid("service.scaling", problem)
    template = wanted.template
    if template.max_instance_request_concurrency > _MOST_CONCURRENCY:
        where = "template.max_instance_request_concurrency"
        raise invalid(where, f"{where}: must be between 1 and {_MOST_CONCURRENCY}.")
    for container in template.containers:
        _check_container(container, template.max_instance_request_concurrency)


def _check_container(container: run_v2.Container, concurrency: int) -> None:
    limits = container.resources.limits
    if "cpu" not in limits:
        return
    cpu = _number(limits["cpu"], "m", 0.001)
    if cpu < 1 and concurrency > 1:
        where = "template.containers.resources.limits.cpu"
        problem = "Invalid value specified for cpu. Total cpu < 1 is not supported with concurrency > 1."
        raise invalid(where, f"{where}: {problem}")
    if "memory" in limits:
        _check_memory(cpu, limits["memory"])


def _check_memory(cpu: float, written: str) -> None:
    smaller = len(list(takewhile(lambda most: most < cpu, _MEMORY)))
    least, most = list(_MEMORY.values())[min(smaller, len(_MEMORY) - 1)]
    unit = next((unit for unit in _UNITS if written.endswith(unit)), "")
    size = _number(written, unit, _UNITS.get(unit, 2**-20))
    if not least <= size <= most:
        where = "template.containers.resources.limits.memory"
        bounds = f"For {cpu:.1f} CPU, memory must be between {_shown(least)} and {_shown(most)} inclusive."
        raise invalid(where, f"{where}: Invalid value specified for memory. {bounds}")


def _shown(mebibytes: int) -> str:
    return f"{mebibytes // 1024}Gi" if mebibytes % 1024 == 0 else f"{mebibytes}Mi"


def _number(written: str, unit: str, factor: float) -> float:
    digits = written.removesuffix(unit) if unit else written
    if not re.fullmatch(r"\d+(\.\d+)?", digits):
        raise invalid("template.containers.resources.limits", f"Invalid value: {written} is not a quantity.")
    return float(digits) * (factor if written.endswith(unit) else 1.0)
