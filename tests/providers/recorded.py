"""Google with written answers: for what is sent to Cloud Run, and for answers that the sandbox never gives."""

from types import SimpleNamespace
from typing import Any

from google.api_core import exceptions as gx
from google.cloud import run_v2
from google.longrunning import operations_pb2

from bot.core.request import Target
from bot.providers._google import Google
from bot.providers.cloud_run import stamp

NAME = "projects/p/locations/r/services/web"
TARGET = Target(
    system="s",
    environment="prod",
    name="web",
    kind="service",
    type="cloud_run",
    cloud="gcp",
    place={"project": "p", "region": "r", "service": "web"},
)
READY = [{"type_": "Ready", "state": 4}]


class Recorded(Google):
    """Google with canned answers; remembers what it was sent."""

    def __init__(self, service: dict[str, Any], revisions: tuple[str, ...] = ("web-1", "web-2", "web-3")) -> None:
        super().__init__()
        newest = {
            "latest_created_revision": f"{NAME}/revisions/web-3",
            "latest_ready_revision": f"{NAME}/revisions/web-3",
        }
        self.now = run_v2.Service({"name": NAME, "generation": 7, "etag": '"e7"', **newest, **service})
        self.revisions, self.operations = revisions, list[operations_pb2.Operation]()
        self.sent: list[run_v2.UpdateServiceRequest] = []
        self.options: list[dict[str, Any]] = []

    def client(self, kind: type[Any]) -> Any:
        return self

    def get_service(self, request: run_v2.GetServiceRequest, **options: Any) -> run_v2.Service:
        self.options.append(options)
        assert request.name == NAME
        return run_v2.Service(self.now)

    def get_revision(self, request: run_v2.GetRevisionRequest, **_: Any) -> run_v2.Revision:
        if request.name.rpartition("/")[2] not in self.revisions:
            raise gx.NotFound("gone")
        return run_v2.Revision({"name": request.name, "conditions": READY, "create_time": {"seconds": 1}})

    def list_revisions(self, request: run_v2.ListRevisionsRequest, **_: Any) -> list[run_v2.Revision]:
        found = [self.get_revision(run_v2.GetRevisionRequest(name=f"{NAME}/revisions/{r}")) for r in self.revisions]
        for deleted in found[2:]:
            deleted.delete_time = deleted.create_time
        return found

    def update_service(self, request: run_v2.UpdateServiceRequest, **options: Any) -> Any:
        self.options.append(options)
        self.sent.append(run_v2.UpdateServiceRequest(request))
        return SimpleNamespace(operation=operations_pb2.Operation(name="projects/p/locations/r/operations/1"))

    def get_operation(self, request: operations_pb2.GetOperationRequest, **_: Any) -> operations_pb2.Operation:
        return next(one for one in self.operations if one.name == request.name)

    def list_operations(self, request: Any, **_: Any) -> operations_pb2.ListOperationsResponse:
        return operations_pb2.ListOperationsResponse(operations=self.operations)

    def operation(self, message: Any, *, done: bool = True, error: str = "") -> str:
        made = operations_pb2.Operation(name=f"projects/p/locations/r/operations/{len(self.operations)}", done=done)
        made.metadata.Pack(type(message).pb(message))
        if error:
            made.error.message = error
        self.operations.append(made)
        return made.name


def stamped(generation: int, key: str = "k", version: str = "7", name: str = NAME) -> run_v2.Service:
    marks = {stamp.KEY: key, stamp.VERSION: version}
    return run_v2.Service(name=name, generation=generation, annotations=marks)
