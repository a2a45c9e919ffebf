"""A small world behind Google's own clients, as the tests of the sandbox drive it."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import grpc
import httpx
from google.cloud import artifactregistry_v1, monitoring_v3, run_v2, secretmanager_v1
from google.longrunning import operations_pb2 as lro
from google.protobuf import field_mask_pb2
from starlette.applications import Starlette

from bot.sandbox.calls import Call
from bot.sandbox.clock import ManualClock
from bot.sandbox.cloud_run.state import ServiceState
from bot.sandbox.faults import Fault
from bot.sandbox.world import World

START_UNIX_S = 1_789_999_980.0  # a full minute
PARENT = "projects/shop/locations/europe-west1"
NAME = f"{PARENT}/services/web"
ROLLOUT_S = 10.0
IMAGE = "europe-west1-docker.pkg.dev/shop/app/web"

PLAN: dict[str, Any] = {
    "rollout_s": ROLLOUT_S,
    "metrics_lag_s": 150,
    "projects": {
        "shop": {
            "number": 4711,
            "location": "europe-west1",
            "secrets": {
                "db": {"versions": ["DESTROYED", "DISABLED", "ENABLED"], "age": "10d"},
                "key": {"age": "40d"},
            },
            "services": {
                "web": {
                    "rps": 10,
                    "secrets": {"DB": "db:3"},
                    "releases": [
                        {"name": "00001-abe", "age": "20d"},
                        {"name": "00002-bec", "age": "10d", "error_rate": 0.05},
                        {"name": "00003-cid", "age": "2d"},
                    ],
                },
                "us-central1/far": {"rps": 1, "releases": [{"name": "00001-loz", "age": "3d"}]},
                "quiet": {"rps": 0, "releases": [{"name": "00001-mut", "age": "3d"}]},
            },
        },
        "other": {"number": 4712, "services": {"web": {"releases": [{"name": "00009-oth", "age": "1d"}]}}},
    },
}


class Cloud:
    """The world, its clock, and the clients that see it."""

    def __init__(self, world: World, clock: ManualClock, channel: grpc.Channel) -> None:
        self.world, self.clock, self.channel = world, clock, channel
        self.services = client(run_v2.ServicesClient, channel)
        self.revisions = client(run_v2.RevisionsClient, channel)
        self.metrics = client(monitoring_v3.MetricServiceClient, channel)
        self.registry = client(artifactregistry_v1.ArtifactRegistryClient, channel)
        self.secrets = client(secretmanager_v1.SecretManagerServiceClient, channel)

    @property
    def truth(self) -> ServiceState:
        with self.world.settled():
            return self.world.cloud_run.services[NAME]

    def service(self) -> run_v2.Service:
        return self.services.get_service(name=NAME)

    def fault(self, kind: str, **fields: Any) -> int:
        with self.world.settled():
            return self.world.faults.add(Fault.model_validate({"kind": kind, **fields}))

    def calls(self, method: str = "") -> list[Call]:
        with self.world.settled():
            return self.world.calls.select(method=method)

    def update(self, *paths: str, **fields: Any) -> Any:
        """UpdateService with a mask; without `etag` it overwrites whatever is there."""
        service = run_v2.Service({"name": NAME, **fields})
        mask = field_mask_pb2.FieldMask(paths=paths)
        return self.services.update_service(request={"service": service, "update_mask": mask})

    def route(self, traffic: dict[str, int], **fields: Any) -> Any:
        """Update the split: {"web-00001-abe": 90, "LATEST": 10}."""
        return self.update("traffic", traffic=targets(traffic), **fields)

    def settle(self, seconds: float = ROLLOUT_S) -> run_v2.Service:
        """Let a rollout pass."""
        self.clock.advance(seconds)
        return self.service()

    def operation(self, name: str) -> lro.Operation:
        return self.services.get_operation(lro.GetOperationRequest(name=name))


class Http:
    """The HTTP side without a port: each request runs in a loop of its own."""

    def __init__(self, served: Starlette) -> None:
        self._transport = httpx.ASGITransport(app=served)

    def request(self, verb: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://127.0.0.1") as client:
                return await client.request(verb, path, **options)

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def delete(self, path: str) -> httpx.Response:
        return self.request("DELETE", path)


def until(true: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait for something that happens in another thread or process."""
    give_up = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.002)


def client(kind: Any, channel: grpc.Channel) -> Any:
    return kind(transport=kind.get_transport_class("grpc")(channel=channel))


def targets(traffic: dict[str, int]) -> list[run_v2.TrafficTarget]:
    kinds = run_v2.TrafficTargetAllocationType
    latest, named = (
        kinds.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST,
        kinds.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION,
    )
    return [
        run_v2.TrafficTarget(type_=latest, percent=percent)
        if release == "LATEST"
        else run_v2.TrafficTarget(type_=named, revision=release, percent=percent)
        for release, percent in traffic.items()
    ]


def shown(targets: Any) -> dict[str, int]:
    """A split as {release or LATEST: percent}, entries without traffic left out."""
    return {target.revision or "LATEST": target.percent for target in targets if target.percent}


def template(**changes: Any) -> run_v2.RevisionTemplate:
    """A template with an image that exists; `changes` are the container's fields."""
    container = {"image": f"{IMAGE}:00001-abe", **changes}
    return run_v2.RevisionTemplate(containers=[container])
