"""google.cloud.run.v2.Executions."""

from google.cloud import run_v2

from bot.sandbox.cloud_run import texts
from bot.sandbox.cloud_run.jobs import Jobs
from bot.sandbox.method import Api, Method
from bot.sandbox.names import job_of
from bot.sandbox.paging import page
from bot.sandbox.world import World


def api(world: World) -> Api:
    jobs = world.jobs
    methods = {
        "GetExecution": Method(
            run_v2.GetExecutionRequest, run_v2.Execution,
            lambda request: run_v2.Execution(jobs.execution(request.name)), lambda request: str(request.name),
            "name", "run.executions.get", concerns=lambda request: job_of(request.name),
        ),
        "ListExecutions": Method(
            run_v2.ListExecutionsRequest, run_v2.ListExecutionsResponse, lambda request: _list(jobs, request),
            lambda request: str(request.parent), "parent", "run.executions.list",
            concerns=lambda request: job_of(request.parent),
        ),
    }  # fmt: skip
    return Api("google.cloud.run.v2.Executions", "run.googleapis.com", methods, texts.permission)


def _list(jobs: Jobs, request: run_v2.ListExecutionsRequest) -> run_v2.ListExecutionsResponse:
    """Newest first; jobs/- lists those of every job in the location."""
    parent = request.parent.removesuffix("/-")
    states = [state for name, state in jobs.jobs.items() if name == parent or name.startswith(f"{parent}/")]
    if not states and parent == request.parent:
        raise texts.missing(request.parent, "JOB")
    found = [execution for state in states for execution in state.executions.values()]
    found.sort(key=lambda execution: (execution.create_time, execution.name), reverse=True)
    shown, token = page(found, request.page_size, request.page_token, 100)
    return run_v2.ListExecutionsResponse(executions=shown, next_page_token=token)
