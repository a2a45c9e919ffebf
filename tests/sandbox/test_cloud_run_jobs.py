"""Jobs and executions through Google's clients."""

from datetime import timedelta
from typing import Any

import pytest
from google.api_core import exceptions as gx
from google.cloud import run_v2
from google.longrunning import operations_pb2 as lro

from bot.sandbox.blueprint import Blueprint
from bot.sandbox.clock import ManualClock
from bot.sandbox.world import World
from tests.sandbox.harness import PARENT, PLAN, Cloud, Http, client

JOB = f"{PARENT}/jobs/migrate"
IMAGE = "europe-west1-docker.pkg.dev/shop/app/migrate"
STATES = run_v2.Condition.State


@pytest.fixture
def world(clock: ManualClock) -> World:
    jobs = {"migrate": {"seconds": 20, "secrets": {"DB": "db:3"}}, "us-central1/clean": {"fails": True}}
    shop = {**PLAN["projects"]["shop"], "jobs": jobs}
    return World(Blueprint.model_validate({**PLAN, "projects": {**PLAN["projects"], "shop": shop}}), clock, seed=7)


@pytest.fixture
def jobs(cloud: Cloud) -> Any:
    return client(run_v2.JobsClient, cloud.channel)


@pytest.fixture
def executions(cloud: Cloud) -> Any:
    return client(run_v2.ExecutionsClient, cloud.channel)


def update(jobs: Any, token: str = "", **fields: Any) -> Any:
    """Back with the job as it is, changed; the etag is left out unless it is given."""
    job = jobs.get_job(name=JOB)
    job.etag = fields.pop("etag", "")
    job.start_execution_token = token
    for name, value in fields.items():
        setattr(job, name, value)
    return jobs.update_job(job=job)


def completed(execution: run_v2.Execution) -> run_v2.Condition:
    return next(one for one in execution.conditions if one.type_ == "Completed")


def test_a_job_of_the_world(jobs: Any) -> None:
    job = jobs.get_job(name=JOB)
    assert (job.generation, job.observed_generation, job.reconciling) == (1, 1, False)
    assert job.template.template.containers[0].image == f"{IMAGE}:latest"
    assert job.execution_count == 0
    assert [one.name for one in jobs.list_jobs(parent=PARENT)] == [JOB]
    with pytest.raises(gx.NotFound, match="Resource 'no' of kind 'JOB' in region 'europe-west1'"):
        jobs.get_job(name=f"{PARENT}/jobs/no")


def test_run_job_makes_an_execution_with_a_name_of_its_own(cloud: Cloud, jobs: Any, executions: Any) -> None:
    operations = [jobs.run_job(name=JOB) for _ in range(2)]
    names = [one.metadata.name for one in operations]
    assert len(set(names)) == 2 and all(name.startswith(f"{JOB}/executions/migrate-") for name in names)
    assert [one.name for one in executions.list_executions(parent=JOB)] == sorted(names, reverse=True)
    cloud.clock.advance(22)
    assert operations[0].done() and operations[0].result().succeeded_count == 1


def test_an_execution_runs_and_ends(cloud: Cloud, jobs: Any, executions: Any) -> None:
    update(jobs, "op-2-do")
    name = f"{JOB}/executions/migrate-op-2-do"
    began = executions.get_execution(name=name)
    assert (began.reconciling, began.running_count, completed(began).state) == (True, 0, STATES.CONDITION_RECONCILING)
    cloud.clock.advance(2)
    assert executions.get_execution(name=name).running_count == 1
    cloud.clock.advance(20)
    ended = executions.get_execution(name=name)
    assert (ended.succeeded_count, ended.running_count, completed(ended).state) == (1, 0, STATES.CONDITION_SUCCEEDED)
    assert ended.completion_time - ended.start_time == timedelta(seconds=20)
    newest = jobs.get_job(name=JOB).latest_created_execution
    assert (newest.name, newest.completion_status.name) == (name, "EXECUTION_SUCCEEDED")


def test_a_token_names_the_execution_and_is_refused_a_second_time(cloud: Cloud, jobs: Any, executions: Any) -> None:
    update(jobs, "first")
    with pytest.raises(gx.AlreadyExists, match="Resource 'migrate-first' already exists"):
        update(jobs, "first")
    cloud.clock.advance(60)
    with pytest.raises(gx.AlreadyExists):
        update(jobs, "first")
    update(jobs, "second")
    assert len(list(executions.list_executions(parent=f"{PARENT}/jobs/-"))) == 2


def test_a_token_is_forgotten_when_the_job_is_run_in_another_way(cloud: Cloud, jobs: Any) -> None:
    update(jobs, "first")
    assert jobs.get_job(name=JOB).start_execution_token == "first"
    jobs.run_job(name=JOB)
    assert jobs.get_job(name=JOB).start_execution_token == ""


def test_an_update_replaces_the_whole_job_and_moves_its_generation(cloud: Cloud, jobs: Any) -> None:
    operation = update(jobs, annotations={"team": "ops"})
    assert operation.metadata.generation == 2
    during = jobs.get_job(name=JOB)
    assert (during.reconciling, during.observed_generation) == (True, 1)
    cloud.clock.advance(2)
    assert operation.done()
    job = jobs.get_job(name=JOB)
    assert (dict(job.annotations), job.observed_generation, job.execution_count) == ({"team": "ops"}, 2, 0)
    jobs.update_job(job=run_v2.Job(name=JOB, template=job.template))
    assert not jobs.get_job(name=JOB).annotations


def test_the_execution_carries_the_annotations_and_the_image_of_the_template(jobs: Any, executions: Any) -> None:
    template = jobs.get_job(name=JOB).template
    template.annotations["aisq.dev/effect"] = "op/2/do"
    template.template.containers[0].image = f"{IMAGE}:v2"
    update(jobs, "t", template=template)
    execution = executions.get_execution(name=f"{JOB}/executions/migrate-t")
    assert execution.annotations["aisq.dev/effect"] == "op/2/do"
    assert execution.template.containers[0].image == f"{IMAGE}:v2"


def test_overrides_are_of_one_execution(jobs: Any, executions: Any) -> None:
    override = {"container_overrides": [{"env": [{"name": "ONLY", "value": "once"}]}]}
    operation = jobs.run_job(request={"name": JOB, "overrides": override})
    env = executions.get_execution(name=operation.metadata.name).template.containers[0].env
    assert [one.name for one in env] == ["DB", "ONLY"]
    assert [one.name for one in jobs.get_job(name=JOB).template.template.containers[0].env] == ["DB"]


def test_etags_move_with_every_run_and_a_stale_one_conflicts(cloud: Cloud, jobs: Any) -> None:
    seen = jobs.get_job(name=JOB).etag
    jobs.run_job(name=JOB)
    with pytest.raises(gx.Aborted, match=r"Conflict for resource 'migrate': version '\d+' was specified"):
        update(jobs, "late", etag=seen)
    with pytest.raises(gx.Aborted):
        jobs.run_job(request={"name": JOB, "etag": seen})
    with pytest.raises(gx.InvalidArgument, match="Invalid etag"):
        update(jobs, etag="junk")
    assert jobs.run_job(request={"name": JOB, "etag": jobs.get_job(name=JOB).etag})


@pytest.mark.parametrize("how", ["job", "image", "gone", "secret", "fault"])
def test_an_execution_that_fails_says_why(cloud: Cloud, http: Http, jobs: Any, executions: Any, how: str) -> None:
    with cloud.world.settled() as now:
        if how == "job":
            cloud.world.jobs.jobs[JOB].fails = True
        if how == "secret":
            cloud.world.vault.set_state("shop", "db", "3", "DISABLED", now)
    if how == "image":
        http.post("/sandbox/images", json={"reference": IMAGE, "tag": "latest", "ready": False})
    if how == "gone":
        http.post("/sandbox/images/delete", json={"reference": f"{IMAGE}:latest"})
    if how == "fault":
        cloud.fault("fail_rollout", service="migrate")
    operation = jobs.run_job(name=JOB)
    cloud.clock.advance(30)
    failed = executions.get_execution(name=operation.metadata.name)
    known = {"gone": "Image .* not found", "secret": "is in DISABLED state"}
    words = known.get(how, "The container exited with an error")
    assert failed.failed_count == 1
    with pytest.raises(gx.GoogleAPICallError, match=words):
        operation.result()
    assert completed(failed).state == STATES.CONDITION_FAILED
    assert jobs.get_job(name=JOB).latest_created_execution.completion_status.name == "EXECUTION_FAILED"


def test_slow_and_stuck_executions(cloud: Cloud, jobs: Any, executions: Any) -> None:
    cloud.fault("slow_rollout", service=JOB, method="RunJob", seconds=300)
    slow = jobs.run_job(name=JOB)
    cloud.fault("stuck_rollout", service="migrate", method="UpdateJob")
    update(jobs, "stuck")
    cloud.clock.advance(301)
    assert not slow.done()
    cloud.clock.advance(1)
    assert slow.done()
    cloud.clock.advance(86_400)
    assert executions.get_execution(name=f"{JOB}/executions/migrate-stuck").running_count == 1


def test_operations_of_jobs_are_listed_with_the_job_as_metadata(cloud: Cloud, jobs: Any) -> None:
    update(jobs, "op-2-do", annotations={"aisq.dev/effect": "op/2/do"})
    (operation,) = cloud.services.list_operations(lro.ListOperationsRequest(name=PARENT)).operations
    job = run_v2.Job()
    assert operation.metadata.Unpack(run_v2.Job.pb(job))
    assert job.annotations["aisq.dev/effect"] == "op/2/do"
    cloud.fault("forget_operations", service="migrate")
    assert not cloud.services.list_operations(lro.ListOperationsRequest(name=PARENT)).operations


def test_validate_only_changes_nothing(jobs: Any) -> None:
    job = jobs.get_job(name=JOB)
    job.start_execution_token = "t"
    assert jobs.update_job(request={"job": job, "validate_only": True}).done()
    assert jobs.run_job(request={"name": JOB, "validate_only": True}).done()
    assert jobs.get_job(name=JOB).generation == 1


@pytest.mark.parametrize("length", [62 - len("migrate-"), 63 - len("migrate-")])
def test_a_token_that_is_too_long(jobs: Any, length: int) -> None:
    if length == 54:
        assert update(jobs, "x" * length)
    else:
        with pytest.raises(gx.InvalidArgument, match="must be fewer than 63"):
            update(jobs, "x" * length)


def test_executions_that_are_not_there(executions: Any) -> None:
    with pytest.raises(gx.NotFound, match="Resource 'migrate-no' of kind 'EXECUTION'"):
        executions.get_execution(name=f"{JOB}/executions/migrate-no")
    with pytest.raises(gx.NotFound, match="of kind 'JOB'"):
        executions.list_executions(parent=f"{PARENT}/jobs/no")
    assert not list(executions.list_executions(parent=JOB))


def test_control_of_jobs(http: Http, jobs: Any, cloud: Cloud) -> None:
    path = "/sandbox/jobs/shop/europe-west1/migrate"
    update(jobs, "t")
    seen = http.get(path).json()
    assert (seen["seconds"], seen["fails"], seen["generation"]) == (20, False, 2)
    assert [(one["name"], one["state"]) for one in seen["executions"]] == [("migrate-t", "running")]
    cloud.clock.advance(30)
    assert http.get(path).json()["executions"][0]["state"] == "succeeded"
    assert http.post(path, json={"fails": True}).json()["fails"] is True
    assert http.post(path, json={"seconds": 3}).json()["seconds"] == 3
    assert len(http.get("/sandbox/jobs").json()) == 2
    assert http.get("/sandbox/jobs/shop/europe-west1/no").status_code == 404
