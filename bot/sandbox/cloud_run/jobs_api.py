"""google.cloud.run.v2.Jobs."""

from typing import Any

from google.cloud import run_v2
from google.longrunning import operations_pb2 as lro

from bot.sandbox.cloud_run import texts
from bot.sandbox.cloud_run.jobs import Jobs
from bot.sandbox.method import Api, Method
from bot.sandbox.names import job_of
from bot.sandbox.paging import page
from bot.sandbox.world import World


def api(world: World) -> Api:
    jobs = world.jobs
    methods = {
        "GetJob": Method(
            run_v2.GetJobRequest, run_v2.Job, lambda request: run_v2.Job(jobs.state(request.name).shown), _name,
            "location", "run.jobs.get", concerns=_name,
        ),
        "ListJobs": Method(
            run_v2.ListJobsRequest, run_v2.ListJobsResponse, lambda request: _list(jobs, request),
            lambda request: str(request.parent), "location", "run.jobs.list",
        ),
        "UpdateJob": Method(
            run_v2.UpdateJobRequest, lro.Operation, jobs.update, lambda request: str(request.job.name), "location",
            "run.jobs.update", commits=True, annotations=lambda request: dict(request.job.annotations),
            concerns=lambda request: str(request.job.name),
        ),
        "RunJob": Method(
            run_v2.RunJobRequest, lro.Operation, jobs.run, _name, "location", "run.jobs.run", commits=True,
            concerns=lambda request: job_of(request.name),
        ),
    }  # fmt: skip
    return Api("google.cloud.run.v2.Jobs", "run.googleapis.com", methods, texts.permission)


def _name(request: Any) -> str:
    return str(request.name)


def _list(jobs: Jobs, request: run_v2.ListJobsRequest) -> run_v2.ListJobsResponse:
    """By name."""
    found = [jobs.jobs[name].shown for name in sorted(jobs.jobs) if name.startswith(f"{request.parent}/jobs/")]
    shown, token = page(found, request.page_size, request.page_token, 100)
    return run_v2.ListJobsResponse(jobs=shown, next_page_token=token)
