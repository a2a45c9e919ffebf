"""Cloud Run, through Google's own client (Admin API v2)."""

import shlex
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from bot.core.ports import LATEST, Effect, JobState, Progress, Release, ServiceState, Sizing, Traffic
from bot.core.request import Target
from bot.core.traffic import merge
from bot.providers._google import DOWNLOAD, Google, place
from bot.providers.cloud_run import names

if TYPE_CHECKING:
    from bot.providers.cloud_run.follow import Follow
    from bot.providers.cloud_run.jobs import JobRuns
    from bot.providers.cloud_run.reads import Reads
    from bot.providers.cloud_run.writes import Writes


# A new revision runs as the service's own account, so whoever makes one must be allowed to act as it; since January
# 2025 they must also be allowed to read its image (Google's notice, quoted in bcgov/entity issue 24573).
MAKE = ("iam.serviceAccounts.actAs", DOWNLOAD)
CHANGE = ("run.services.get", "run.services.update", *MAKE)


class CloudRun:
    """Services of Cloud Run, their releases and their traffic; and jobs beside them. Offers Compute, Jobs, Effects.

    A target's place names `project`, `region` and `service`. A target's version is its `generation`. A write puts
    its key into an annotation of the service, refuses any other generation, and sends the etag that it just read.
    """

    PERMISSIONS: ClassVar[dict[str, tuple[str, ...]]] = {
        "service": ("run.services.get",),
        "releases": ("run.revisions.list", "run.services.get"),
        "release_named": ("run.revisions.get",),
        "release_name": (),
        "places_beside": ("run.services.list",),
        "makes_release": ("run.services.get",),
        "preview_url": ("run.services.get",),
        "by_hand_traffic": (),
        "by_hand_release": (),
        "by_hand_scale": (),
        "set_traffic": ("run.services.get", "run.revisions.get", "run.services.update"),
        "release": (*CHANGE, "run.revisions.get"),
        "scale": CHANGE,
        "job": ("run.jobs.get",),
        "by_hand_job": (),
        "run_job": (
            "run.services.get",
            "run.jobs.get",
            "run.jobs.update",
            "run.jobs.run",
            "run.executions.get",
            *MAKE,
        ),
        "find": ("run.operations.list", "run.services.get"),
        "poll": (
            "run.operations.get",
            "run.services.get",
            "run.revisions.get",
            "run.executions.get",
            "run.jobs.get",
        ),
    }

    def __init__(self, google: Google) -> None:
        self._google = google

    def service(self, target: Target) -> ServiceState:
        return self._reads.service(target)

    def releases(self, target: Target) -> tuple[Release, ...]:
        return self._reads.releases(target)

    def release_named(self, target: Target, name: str) -> Release:
        return self._reads.release_named(target, name)

    def release_name(self, target: Target, suffix: str) -> str:
        return names.release(target, suffix)

    def places_beside(self, target: Target) -> tuple[dict[str, str], ...]:
        return self._reads.places_beside(target)

    def makes_release(self, target: Target, sizing: Sizing) -> bool:
        return self._reads.makes_release(target, sizing)

    def preview_url(self, target: Target, tag: str) -> str:
        return self._reads.preview_url(target, tag)

    def by_hand_traffic(self, target: Target, traffic: Traffic) -> str:
        split = merge(traffic.items())
        shares = ",".join(f"{release}={percent}" for release, percent in split.items())
        to = "--to-latest" if split == {LATEST: 100} else f"--to-revisions={shares}"
        return _gcloud(target, "services", "update-traffic", place(target, "service"), to)

    def by_hand_release(self, target: Target, name: str, image: str, tag: str = "") -> str:
        suffix = name.removeprefix(self.release_name(target, ""))
        what = (f"--image={image}", f"--revision-suffix={suffix}", "--no-traffic", *([f"--tag={tag}"] if tag else []))
        return _gcloud(target, "deploy", place(target, "service"), *what)

    def by_hand_scale(self, target: Target, sizing: Sizing) -> str:
        """`--min` and `--max` are the service's own; `--min-instances` would be those of a new release."""
        said = {
            "min": sizing.min_instances,
            "max": sizing.max_instances,
            "cpu": None if sizing.cpu is None else f"{sizing.cpu:g}",
            "memory": None if sizing.memory_mb is None else f"{sizing.memory_mb}Mi",
            "concurrency": sizing.concurrency,
        }
        flags = (f"--{flag}={value}" for flag, value in said.items() if value is not None)
        return _gcloud(target, "services", "update", place(target, "service"), *flags)

    def set_traffic(self, effect: Effect, /, target: Target, traffic: Traffic) -> str:
        return self._writes.set_traffic(effect, target, traffic)

    def release(
        self,
        effect: Effect,
        /,
        target: Target,
        name: str,
        image: str,
        traffic: Traffic,
        tag: str = "",
        sizing: Sizing | None = None,
        labels: dict[str, str] | None = None,
    ) -> str:
        return self._writes.release(effect, target, name, image, traffic, tag, sizing, labels or {})

    def scale(self, effect: Effect, /, target: Target, sizing: Sizing) -> str:
        return self._writes.scale(effect, target, sizing)

    def job(self, target: Target, job: str) -> JobState:
        return self._jobs.job(target, job)

    def by_hand_job(self, target: Target, job: str, image: str = "") -> str:
        if image:
            return _gcloud(target, "jobs", "update", job, f"--image={image}", "--execute-now", "--wait")
        return _gcloud(target, "jobs", "execute", job, "--wait")

    def run_job(self, effect: Effect, /, target: Target, job: str, image: str = "") -> str:
        return self._jobs.run(effect, target, job, image)

    def find(self, target: Target, key: str) -> str | None:
        return self._follow.find(target, key)

    def poll(self, target: Target, cloud_operation: str) -> Progress:
        if names.run_of(cloud_operation):
            return self._jobs.poll(target, cloud_operation)
        return self._follow.poll(target, cloud_operation)

    @cached_property
    def _reads(self) -> "Reads":
        from bot.providers.cloud_run.reads import Reads

        return Reads(self._google)

    @cached_property
    def _writes(self) -> "Writes":
        from bot.providers.cloud_run.writes import Writes

        return Writes(self._google, self._reads)

    @cached_property
    def _follow(self) -> "Follow":
        from bot.providers.cloud_run.follow import Follow

        return Follow(self._google, self._reads)

    @cached_property
    def _jobs(self) -> "JobRuns":
        from bot.providers.cloud_run.jobs import JobRuns

        return JobRuns(self._google, self._reads)


def _gcloud(target: Target, *words: str) -> str:
    where = (f"--region={place(target, 'region')}", f"--project={place(target, 'project')}")
    return shlex.join(("gcloud", "run", *words, *where))
