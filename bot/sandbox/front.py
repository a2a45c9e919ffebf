"""The gRPC front: which module serves a call. Modules are imported when their first call arrives."""

import importlib
import time
from typing import Any

import grpc

from bot.sandbox.answer import Answer
from bot.sandbox.method import Api
from bot.sandbox.world import World

# gRPC service to the module whose `api(world)` serves it.
APIS = {
    "google.cloud.run.v2.Services": "bot.sandbox.cloud_run.services_api",
    "google.cloud.run.v2.Revisions": "bot.sandbox.cloud_run.revisions_api",
    "google.cloud.run.v2.Jobs": "bot.sandbox.cloud_run.jobs_api",
    "google.cloud.run.v2.Executions": "bot.sandbox.cloud_run.executions_api",
    "google.longrunning.Operations": "bot.sandbox.cloud_run.operations_api",
    "google.monitoring.v3.MetricService": "bot.sandbox.monitoring.metrics_api",
    "google.logging.v2.LoggingServiceV2": "bot.sandbox.logs.logging_api",
    "google.devtools.artifactregistry.v1.ArtifactRegistry": "bot.sandbox.registry_api",
    "google.cloud.secretmanager.v1.SecretManagerService": "bot.sandbox.secrets_api",
    "grafeas.v1.Grafeas": "bot.sandbox.occurrences_api",
}


class Front(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Hands every call to its method; what is not there is logged too, and answers UNIMPLEMENTED."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._apis: dict[str, Api] = {}

    def service(self, details: Any) -> Any:
        """Called on gRPC's own thread, so all work is left to the handler."""
        _, service, name = details.method.split("/")
        return grpc.unary_unary_rpc_method_handler(lambda data, context: self._call(service, name, data, context))

    def _call(self, service: str, name: str, data: bytes, context: Any) -> bytes:
        api = self._api(service) if service in APIS else None
        if api and (method := api.methods.get(name)):
            return Answer(self._world, api, name, method)(data, context)
        with self._world.settled() as now:
            call = self._world.calls.arrive(now, time.time(), service, name)
            call.end("refused", "UNIMPLEMENTED")
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"The sandbox does not implement {service}/{name}.")
        raise AssertionError("abort raises")

    def _api(self, service: str) -> Api:
        """Two threads may both build one: they are the same, and hold nothing."""
        if service not in self._apis:
            self._apis[service] = importlib.import_module(APIS[service]).api(self._world)
        return self._apis[service]
