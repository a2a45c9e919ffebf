"""google.longrunning.Operations of Cloud Run: metadata and response are the Service, the Job or the Execution."""

import uuid
from random import Random

from google.cloud import run_v2
from google.longrunning import operations_pb2 as lro
from google.protobuf.message import Message

from bot.sandbox import names, paging
from bot.sandbox.cloud_run.texts import Failure
from bot.sandbox.refusal import Refused


class Operations:
    """Operations, newest first when listed. `resources` tells which service or job an operation changes."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._all: dict[str, lro.Operation] = {}
        self.resources: dict[str, str] = {}
        self._generations: dict[str, int] = {}

    def start(self, resource: str, metadata: Message, generation: int = 0) -> lro.Operation:
        identifier = uuid.UUID(int=self._random.getrandbits(128), version=4)
        parent = "/".join(resource.split("/")[:4])
        operation = lro.Operation(name=f"{parent}/operations/{identifier}")
        operation.metadata.Pack(metadata)
        self._all[operation.name] = operation
        self.resources[operation.name] = names.service_of(resource) or names.job_of(resource)
        self._generations[operation.name] = generation
        return operation

    def finish(self, shown: run_v2.Service, failure: Failure | None = None) -> None:
        """End all operations of the service up to its generation: a newer rollout ends those it overtook."""
        for name, operation in self._all.items():
            if self.resources[name] != shown.name or operation.done:
                continue
            if self._generations[name] <= shown.generation:
                end(operation, run_v2.Service.pb(shown), failure)

    def get(self, name: str) -> lro.Operation:
        if name not in self._all:
            raise Refused("NOT_FOUND", f"Operation {name} was not found.")
        copy = lro.Operation()
        copy.CopyFrom(self._all[name])
        return copy

    def page(self, request: lro.ListOperationsRequest, forgotten: set[str]) -> lro.ListOperationsResponse:
        """Newest first. `name` is the location; the filter may be empty, "done=true" or "done=false"."""
        parent = request.name.removesuffix("/operations")
        wanted = {"": (True, False), "done=true": (True,), "done=false": (False,)}.get(request.filter.replace(" ", ""))
        if wanted is None:
            raise Refused("INVALID_ARGUMENT", f"Invalid filter: {request.filter}")
        known = [
            operation
            for name, operation in reversed(self._all.items())
            if name.startswith(f"{parent}/operations/")
            and operation.done in wanted
            and self.resources[name] not in forgotten
        ]
        shown, token = paging.page(known, request.page_size, request.page_token, 100)
        return lro.ListOperationsResponse(operations=shown, next_page_token=token)

    def of(self, resource: str) -> list[lro.Operation]:
        return [operation for name, operation in self._all.items() if self.resources[name] == resource]


def end(operation: lro.Operation, response: Message, failure: Failure | None = None) -> None:
    operation.done = True
    operation.metadata.Pack(response)
    if failure:
        operation.error.CopyFrom(Refused(failure.code, failure.message).status())
    else:
        operation.response.Pack(response)
