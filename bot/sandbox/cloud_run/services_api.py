"""google.cloud.run.v2.Services."""

from google.cloud import run_v2
from google.longrunning import operations_pb2 as lro

from bot.sandbox.cloud_run import lifecycle, texts
from bot.sandbox.cloud_run.cloud import CloudRun
from bot.sandbox.method import Api, Method
from bot.sandbox.paging import page
from bot.sandbox.refusal import invalid
from bot.sandbox.world import World


def api(world: World) -> Api:
    cloud = world.cloud_run
    methods = {
        "GetService": Method(
            run_v2.GetServiceRequest, run_v2.Service, lambda request: run_v2.Service(cloud.state(request.name).shown),
            lambda request: str(request.name), "location", "run.services.get",
        ),
        "ListServices": Method(
            run_v2.ListServicesRequest, run_v2.ListServicesResponse, lambda request: _list(cloud, request),
            lambda request: str(request.parent), "location", "run.services.list",
        ),
        "UpdateService": Method(
            run_v2.UpdateServiceRequest, lro.Operation, cloud.update,
            lambda request: str(request.service.name), "location", "run.services.update", commits=True,
            annotations=lambda request: dict(request.service.annotations),
        ),
        "CreateService": Method(
            run_v2.CreateServiceRequest, lro.Operation,
            lambda request: lifecycle.create(cloud, request, world.clock.now()),
            lambda request: f"{request.parent}/services/{request.service_id}", "location", "run.services.create",
            commits=True, annotations=lambda request: dict(request.service.annotations),
        ),
        "DeleteService": Method(
            run_v2.DeleteServiceRequest, lro.Operation,
            lambda request: lifecycle.delete(cloud, request, world.clock.now()),
            lambda request: str(request.name), "location", "run.services.delete", commits=True,
        ),
    }  # fmt: skip
    return Api("google.cloud.run.v2.Services", "run.googleapis.com", methods, texts.permission)


def _list(cloud: CloudRun, request: run_v2.ListServicesRequest) -> run_v2.ListServicesResponse:
    """By name; the location cannot be a wildcard."""
    if request.parent.endswith("/-"):
        raise invalid("parent", 'Location must be a valid Google Cloud region, and cannot be the "-" wildcard.')
    prefix = f"{request.parent}/services/"
    found = [cloud.services[name].shown for name in sorted(cloud.services) if name.startswith(prefix)]
    shown, token = page(found, request.page_size, request.page_token, 100)
    return run_v2.ListServicesResponse(services=shown, next_page_token=token)
