"""Cloud Run, through Google's own client (Admin API v2)."""

import shlex
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from bot.core.ports import LATEST, Effect, Progress, Release, ServiceState, Traffic
from bot.core.request import Target
from bot.core.traffic import merge
from bot.providers._google import Google, place

if TYPE_CHECKING:
    from bot.providers.cloud_run.reads import Reads
    from bot.providers.cloud_run.writes import Writes


class CloudRun:
    """Services of Cloud Run: what they serve, their releases, their traffic. Offers Compute and Effects.

    A target's place names `project`, `region` and `service`. A target's version is its `generation`. A write puts
    its key into an annotation of the service, refuses any other generation, and sends the etag that it just read.
    """

    PERMISSIONS: ClassVar[dict[str, tuple[str, ...]]] = {
        "service": ("run.services.get",),
        "releases": ("run.revisions.list", "run.services.get"),
        "by_hand_traffic": (),
        "set_traffic": ("run.services.get", "run.revisions.get", "run.services.update"),
        "find": ("run.operations.list", "run.services.get"),
        "poll": ("run.operations.get", "run.services.get"),
    }

    def __init__(self, google: Google) -> None:
        self._google = google

    def service(self, target: Target) -> ServiceState:
        return self._reads.service(target)

    def releases(self, target: Target) -> tuple[Release, ...]:
        return self._reads.releases(target)

    def by_hand_traffic(self, target: Target, traffic: Traffic) -> str:
        split = merge(traffic.items())
        shares = ",".join(f"{release}={percent}" for release, percent in split.items())
        to = "--to-latest" if split == {LATEST: 100} else f"--to-revisions={shares}"
        where = (f"--region={place(target, 'region')}", f"--project={place(target, 'project')}")
        return shlex.join(("gcloud", "run", "services", "update-traffic", place(target, "service"), to, *where))

    def set_traffic(self, effect: Effect, /, target: Target, traffic: Traffic) -> str:
        return self._writes.set_traffic(effect, target, traffic)

    def find(self, target: Target, key: str) -> str | None:
        return self._writes.find(target, key)

    def poll(self, target: Target, cloud_operation: str) -> Progress:
        return self._writes.poll(target, cloud_operation)

    @cached_property
    def _reads(self) -> "Reads":
        from bot.providers.cloud_run.reads import Reads

        return Reads(self._google)

    @cached_property
    def _writes(self) -> "Writes":
        from bot.providers.cloud_run.writes import Writes

        return Writes(self._google, self._reads)
