"""google.cloud.run.v2.Revisions."""

from google.cloud import run_v2
from google.longrunning import operations_pb2 as lro

from bot.sandbox.cloud_run import texts
from bot.sandbox.cloud_run.cloud import CloudRun
from bot.sandbox.method import Api, Method
from bot.sandbox.paging import page
from bot.sandbox.world import World


def api(world: World) -> Api:
    cloud = world.cloud_run
    methods = {
        "GetRevision": Method(
            run_v2.GetRevisionRequest, run_v2.Revision, lambda request: run_v2.Revision(cloud.revision(request.name)),
            lambda request: str(request.name), "location", "run.revisions.get",
        ),
        "ListRevisions": Method(
            run_v2.ListRevisionsRequest, run_v2.ListRevisionsResponse, lambda request: _list(cloud, request),
            lambda request: str(request.parent), "location", "run.revisions.list",
        ),
        "DeleteRevision": Method(
            run_v2.DeleteRevisionRequest, lro.Operation, cloud.delete_revision,
            lambda request: str(request.name), "location", "run.revisions.delete", commits=True,
        ),
    }  # fmt: skip
    return Api("google.cloud.run.v2.Revisions", "run.googleapis.com", methods, texts.permission)


def _list(cloud: CloudRun, request: run_v2.ListRevisionsRequest) -> run_v2.ListRevisionsResponse:
    """Newest first; services/- lists those of every service in the location."""
    states = [
        state
        for name, state in sorted(cloud.services.items())
        if name == request.parent or request.parent == f"{name.rpartition('/')[0]}/-"
    ]
    if not states and not request.parent.endswith("/-"):
        raise texts.missing(request.parent, "SERVICE")
    revisions = [revision for state in states for revision in state.revisions.values()]
    revisions.sort(key=lambda revision: (revision.create_time, revision.name), reverse=True)
    shown, token = page(revisions, request.page_size, request.page_token, 100)
    return run_v2.ListRevisionsResponse(revisions=shown, next_page_token=token)
