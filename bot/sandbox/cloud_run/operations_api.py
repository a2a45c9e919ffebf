"""google.longrunning.Operations, as Cloud Run serves them."""

from typing import Any

from google.longrunning import operations_pb2 as lro

from bot.sandbox.cloud_run import texts
from bot.sandbox.faults import OPERATIONS
from bot.sandbox.method import Api, Method
from bot.sandbox.refusal import Refused
from bot.sandbox.world import World

_FOREVER_S = 30.0  # how long WaitOperation waits when it is not told


def api(world: World) -> Api:
    operations = world.cloud_run.operations

    def concerns(request: Any) -> str:
        return operations.resources.get(request.name, "")

    def get(request: Any) -> lro.Operation:
        if world.faults.strike(OPERATIONS, concerns(request), "GetOperation"):
            raise Refused("NOT_FOUND", f"Operation {request.name} was not found.")
        return operations.get(request.name)

    def listed(request: lro.ListOperationsRequest) -> lro.ListOperationsResponse:
        parent = request.name.removesuffix("/operations")
        known = [name for name in (*world.cloud_run.services, *world.jobs.jobs) if name.startswith(parent)]
        forgotten = {name for name in known if world.faults.strike(OPERATIONS, name, "ListOperations")}
        return operations.page(request, forgotten)

    methods = {
        "GetOperation": Method(
            lro.GetOperationRequest, lro.Operation, get, _name, "name", "run.operations.get", concerns=concerns
        ),
        "ListOperations": Method(
            lro.ListOperationsRequest, lro.ListOperationsResponse, listed, _name, "name", "run.operations.list"
        ),
        "WaitOperation": Method(
            lro.WaitOperationRequest, lro.Operation, get, _name, "name", "run.operations.get", concerns=concerns,
            patience_s=_patience_s, finished=lambda operation: bool(operation.done),
        ),
    }  # fmt: skip
    return Api("google.longrunning.Operations", "run.googleapis.com", methods, texts.permission)


def _name(request: Any) -> str:
    return str(request.name)


def _patience_s(request: lro.WaitOperationRequest) -> float:
    return request.timeout.ToMilliseconds() / 1000 if request.HasField("timeout") else _FOREVER_S
