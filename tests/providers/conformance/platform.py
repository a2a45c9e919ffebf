"""What the suite asks of a platform: one service on it, what people do there, what goes wrong, and the truth.

The next platform is one more class like `CloudRunRow`, and one more line in PLATFORMS.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from bot.core.ports import ImageReads, LogReads, MetricReads, Traffic
from bot.core.request import Target
from bot.providers._google import Google
from bot.providers.artifact_registry import ArtifactRegistry
from bot.providers.cloud_logging import CloudLogging
from bot.providers.cloud_monitoring import CloudMonitoring
from bot.providers.cloud_run import CloudRun
from tests.providers.conftest import POOL, REGION, Rig

Write = Literal["release", "traffic", "scale", "job"]
Strike = Literal["conflict", "lost answer", "lost request", "throttled", "forbidden", "rollout fails"]
ReadStrike = Literal["throttled", "forbidden", "unreachable"]
Image = Literal["good", "bad", "never", "shared", "closed"]


class Row(Protocol):
    """One service, with releases `older` and `old`; nobody else touches it."""

    operation: str  # of ours: unique in the whole suite
    target: Target
    job: str

    def provider(self) -> Any:
        """A new one each time, as after a crash: with the ports that the platform offers, and no memory."""
        ...

    def images(self) -> ImageReads: ...
    def metrics(self) -> MetricReads: ...
    def logs(self) -> LogReads: ...

    def named(self, name: str) -> str:
        """The platform's name of `older` and `old`."""
        ...

    def image(self, kind: Image) -> str:
        """By digest; the same each time. `shared` and `closed` are in registries of others: only one lets us read."""
        ...

    def by_tag(self, kind: Image) -> str: ...
    def move_tag(self, kind: Image, to: Image) -> None: ...
    def delete_image(self, reference: str) -> None: ...
    def image_of(self, release: str) -> str: ...

    def set_traffic(self, traffic: Traffic) -> None:
        """Somebody else does."""
        ...

    def deploy(self, tag: str) -> str:
        """Somebody else does, as their tool does it; the release that came of it."""
        ...

    def delete_release(self, release: str) -> None: ...
    def strike(self, what: Strike, write: Write) -> None:
        """Once, at our next write of that kind."""
        ...

    def strike_read(self, what: ReadStrike) -> None:
        """Once, at our next look at the service."""
        ...

    def now(self) -> datetime: ...
    def pass_time(self, minutes: float) -> None:
        """People use the service meanwhile, two requests a second."""
        ...

    def settle(self) -> None:
        """Let everything that was begun come to its end."""
        ...

    def serving(self) -> Traffic:
        """What is really served, whatever the provider says."""
        ...

    def carried_out(self) -> list[str]:
        """The keys of our writes that took effect, in order."""
        ...


CALLS: dict[Write, str] = {
    "release": "UpdateService", "traffic": "UpdateService", "scale": "UpdateService", "job": "UpdateJob"
}  # fmt: skip
FAULTS: dict[Strike, dict[str, Any]] = {
    "conflict": {"kind": "error", "code": "ABORTED"},
    "lost answer": {"kind": "lose_answer"},
    "lost request": {"kind": "lose_request"},
    "throttled": {"kind": "error", "code": "RESOURCE_EXHAUSTED", "seconds": 1},
    "forbidden": {"kind": "error", "code": "PERMISSION_DENIED"},
    "rollout fails": {"kind": "fail_rollout"},
}
READ_FAULTS: dict[ReadStrike, dict[str, Any]] = {
    "throttled": {"kind": "error", "code": "RESOURCE_EXHAUSTED", "seconds": 1},
    "forbidden": {"kind": "error", "code": "PERMISSION_DENIED"},
    "unreachable": {"kind": "lose_answer"},
}
QUALITIES: dict[Image, dict[str, Any]] = {
    "good": {"error_rate": 0.0},
    "bad": {"error_rate": 0.2},
    "never": {"ready": False},
}
OWNERS: dict[Image, str] = {"shared": "friend", "closed": "stranger"}  # projects; the rest is in our own


class CloudRunRow:
    """A service of the sandbox's Cloud Run."""

    def __init__(self, rig: Rig) -> None:
        self._rig, self._images = rig, dict[Image, str]()
        self.operation, self.target, self.job = rig.name, rig.target, rig.job

    def provider(self) -> CloudRun:
        return CloudRun(Google(self._rig.sandbox.grpc))

    def images(self) -> ArtifactRegistry:
        return ArtifactRegistry(Google(self._rig.sandbox.grpc))

    def metrics(self) -> CloudMonitoring:
        return CloudMonitoring(Google(self._rig.sandbox.grpc))

    def logs(self) -> CloudLogging:
        return CloudLogging(Google(self._rig.sandbox.grpc))

    def named(self, name: str) -> str:
        return self._rig.release({"older": 2, "old": 3}[name])

    def image(self, kind: Image) -> str:
        if kind not in self._images:
            self._images[kind] = self._rig.control.push(self._repository(kind), kind, **QUALITIES.get(kind, {}))
        return self._images[kind]

    def by_tag(self, kind: Image) -> str:
        self.image(kind)
        return f"{self._repository(kind)}:{kind}"

    def move_tag(self, kind: Image, to: Image) -> None:
        self._rig.control.push(self._repository(kind), kind, **QUALITIES[to])

    def delete_image(self, reference: str) -> None:
        self._rig.control.delete_image(reference)

    def image_of(self, release: str) -> str:
        return next(one["image"] for one in self._truth["releases"] if one["name"] == release)

    def set_traffic(self, traffic: Traffic) -> None:
        self._rig.control.traffic(self._rig.path, traffic)

    def deploy(self, tag: str) -> str:
        return self._rig.control.release(self._rig.path, tag=tag)

    def delete_release(self, release: str) -> None:
        self._rig.control.delete_release(self._rig.path, release)

    def strike(self, what: Strike, write: Write) -> None:
        whom = self._rig.job if write == "job" else self._rig.full
        self._rig.control.fault(**FAULTS[what], service=whom, method=CALLS[write])

    def strike_read(self, what: ReadStrike) -> None:
        self._rig.control.fault(**READ_FAULTS[what], service=self._rig.full)

    def now(self) -> datetime:
        return self._rig.now()

    def pass_time(self, minutes: float) -> None:
        self._rig.control.advance(minutes * 60)

    def settle(self) -> None:
        self._rig.control.advance(30)

    def serving(self) -> Traffic:
        return dict(self._truth["traffic"])

    def carried_out(self) -> list[str]:
        made = [*self._rig.calls("UpdateService"), *self._rig.control.calls(self._rig.job, "UpdateJob")]
        ours = [call for call in made if call["committed"]]
        return [call["annotations"]["aisq.dev/effect"] for call in sorted(ours, key=lambda call: call["seq"])]

    @property
    def _truth(self) -> dict[str, Any]:
        return self._rig.control.service(self._rig.path)

    def _repository(self, kind: Image) -> str:
        return f"{REGION}-docker.pkg.dev/{OWNERS.get(kind, POOL)}/conformance/{self._rig.name}"


class Platform(NamedTuple):
    """A row of the table: its class, and the fixture that gives it a service which nobody has touched."""

    row: Callable[[Any], Row]
    fixture: str


PLATFORMS = {"cloud_run": Platform(CloudRunRow, "clean")}
