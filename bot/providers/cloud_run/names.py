"""Cloud Run's resource names, and the names that we give."""

import re

from bot.core.request import Target
from bot.providers._google import place

_MADE = re.compile(r".+/revisions/(?P<release>[^/@]+)@\d+")


def parent(target: Target) -> str:
    return f"projects/{place(target, 'project')}/locations/{place(target, 'region')}"


def service(target: Target) -> str:
    return f"{parent(target)}/services/{place(target, 'service')}"


def revision(target: Target, release: str) -> str:
    return f"{service(target)}/revisions/{release}"


def release(target: Target, end: str) -> str:
    """A revision's name begins with that of its service (proto `RevisionTemplate.revision`)."""
    return f"{place(target, 'service')}-{end}"


def suffix(key: str) -> str:
    """What a release or a run is called after a write that made it; its key is OPERATION/POSITION/do or …/undo."""
    operation, position, direction = (*key.split("/"), "", "")[:3]
    return f"{operation}-{position}{direction[:1]}"


def made_before(target: Target, key: str) -> str:
    """The release that an undo takes away again, if its write made one that nobody had named."""
    return release(target, suffix(f"{key.removesuffix('/undo')}/do")) if key.endswith("/undo") else ""


def job(target: Target, name: str) -> str:
    return f"{parent(target)}/jobs/{name}"


def ran(target: Target, name: str, key: str, version: str) -> str:
    """Stands for the operation of a run: the run itself, and the version that the target had."""
    return f"{job(target, name)}/executions/{name}-{suffix(key)}@{version}"


def run_of(cloud_operation: str) -> str:
    """The run that an operation stands for, "" for another kind."""
    return cloud_operation.rpartition("@")[0] if "/executions/" in cloud_operation else ""


def watched(target: Target, made: str, generation: int) -> str:
    """Stands for an operation whose name is not known, or not asked after: that of a release ends when it is there."""
    return f"{revision(target, made) if made else service(target)}@{generation}"


def made(cloud_operation: str) -> str:
    """The release that an operation was to make, "" for another kind."""
    match = _MADE.fullmatch(cloud_operation)
    return match["release"] if match else ""


def spoken(target: Target) -> str:
    """As a sentence names it."""
    return f"service {place(target, 'service')} ({place(target, 'project')}, {place(target, 'region')})"


def short(name: str) -> str:
    """The last segment."""
    return name.rpartition("/")[2]
