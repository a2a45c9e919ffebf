"""Registries of other projects: who may pull from them, what others are told, and what the shipped world says."""

from pathlib import Path
from typing import Any

import pytest
from google.cloud import run_v2
from google.rpc import code_pb2
from ruamel.yaml import YAML

from bot.sandbox import blueprint
from bot.sandbox.artifact_registry import Registry
from bot.sandbox.blueprint import Blueprint
from bot.sandbox.clock import ManualClock
from bot.sandbox.world import World
from tests.sandbox.harness import IMAGE, PARENT, PLAN, Cloud, Http, client, template

THEIRS = "us-central1-docker.pkg.dev/other/app/web"
JOB = f"{PARENT}/jobs/migrate"
AGENT = "service-4711@serverless-robot-prod.iam.gserviceaccount.com"
CATALOG = Path(__file__).parents[2] / "catalog"
READY = run_v2.Condition.CommonReason.CONTAINER_PERMISSION_DENIED


@pytest.fixture
def world(clock: ManualClock) -> World:
    """Project `shop` with a job, and a registry of project `other` that nobody may read yet."""
    shop = {**PLAN["projects"]["shop"], "jobs": {"migrate": {}}}
    return World(Blueprint.model_validate({**PLAN, "projects": {**PLAN["projects"], "shop": shop}}), clock, seed=7)


@pytest.fixture
def image(http: Http) -> str:
    return str(http.post("/sandbox/images", json={"reference": THEIRS, "tag": "v1"}).json()["image"])


def let_read(http: Http, *, granted: bool = True, owner: str = "other") -> Any:
    said = {"owner": owner, "reader": "shop", "granted": granted}
    return http.post("/sandbox/registries/readers", json=said)


def test_an_image_of_a_project_that_does_not_let_us_read(cloud: Cloud, image: str) -> None:
    operation = cloud.update("template", template=template(image=image)).operation.name
    service = cloud.settle()
    release = service.latest_created_revision.rpartition("/")[2]
    error = cloud.operation(operation).error
    assert error.code == code_pb2.INTERNAL
    assert error.message.startswith(
        f"Revision '{release}' is not ready and cannot serve traffic. Google Cloud Run Service Agent {AGENT} must have "
        f"permission to read the image, {image}. Ensure that"
    )
    assert "the image is from project [other], which is not the same as this project [shop]." in error.message
    ready = next(c for c in cloud.revisions.get_revision(name=service.latest_created_revision).conditions)
    assert ready.reason == READY
    assert cloud.truth.split == {"web-00003-cid": 100}


def test_a_grant_lets_it_start_and_taking_it_away_keeps_it_from_coming_back(
    cloud: Cloud, http: Http, image: str
) -> None:
    assert let_read(http).json() == {"readers": ["shop"]}
    cloud.update("template", template=template(image=image))
    release = cloud.settle().latest_ready_revision.rpartition("/")[2]
    assert cloud.truth.split == {release: 100}
    assert let_read(http, granted=False).json() == {"readers": []}
    cloud.route({"web-00003-cid": 100})
    assert cloud.settle().terminal_condition.state == run_v2.Condition.State.CONDITION_SUCCEEDED
    cloud.route({release: 100})
    assert "must have permission to read the image" in cloud.settle().terminal_condition.message
    assert cloud.truth.split == {"web-00003-cid": 100}


def test_whoever_may_not_read_is_not_told_what_is_there(cloud: Cloud, http: Http) -> None:
    cloud.update("template", template=template(image=f"{THEIRS}:no"))
    assert "must have permission" in cloud.settle().terminal_condition.message
    let_read(http)
    cloud.update("template", template=template(image=f"{THEIRS}:neither"))
    assert "not found" in cloud.settle().terminal_condition.message


def test_a_job_of_such_an_image_fails(cloud: Cloud, http: Http, image: str) -> None:
    jobs = client(run_v2.JobsClient, cloud.channel)
    executions = client(run_v2.ExecutionsClient, cloud.channel)
    for token, granted, failed in (("a", False, 1), ("b", True, 0)):
        let_read(http, granted=granted)
        job = jobs.get_job(name=JOB)
        job.template.template.containers[0].image, job.start_execution_token = image, token
        jobs.update_job(job=job)
        cloud.clock.advance(30)
        ended = executions.get_execution(name=f"{JOB}/executions/migrate-{token}")
        assert ended.failed_count == failed
        assert (AGENT in ended.conditions[0].message) == bool(failed)


def test_a_copy_in_our_own_registry_needs_no_grant(cloud: Cloud, http: Http, image: str) -> None:
    copy = http.post("/sandbox/images/copy", json={"image": image, "to": f"{IMAGE}-too"}).json()["image"]
    assert copy.rpartition("@")[2] == image.rpartition("@")[2]
    cloud.update("template", template=template(image=copy))
    release = cloud.settle().latest_ready_revision.rpartition("/")[2]
    assert cloud.truth.split == {release: 100}


@pytest.mark.parametrize(
    ("reference", "project", "may"),
    [
        (f"{THEIRS}:v1", "other", True),
        (f"{THEIRS}:v1", "shop", False),
        ("gcr.io/other/web", "shop", False),
        ("gcr.io/other/web", "friend", True),
        ("docker.io/library/redis", "shop", True),
    ],
)
def test_who_may_pull(reference: str, project: str, may: bool) -> None:
    registry = Registry()
    registry.readers.add(("other", "friend"))
    assert registry.may_pull(project, reference) is may


def test_a_project_that_is_not_there(http: Http) -> None:
    answer = let_read(http, owner="nobody")
    assert (answer.status_code, answer.json()) == (404, {"error": "there is no project nobody"})


def running() -> dict[tuple[str, str], Any]:
    """The catalog's Cloud Run services by project and name."""
    files = [YAML(typ="safe", pure=True).load(path) for path in sorted(CATALOG.glob("*.yaml"))]
    return {
        (entry.get("project", place.get("project", "")), entry.get("resource", name)): entry
        for system in files
        for place in system["environments"].values()
        for name, entry in place["services"].items()
        if entry.get("type") == "cloud_run"
    }


def test_the_shipped_world_runs_the_images_that_the_catalog_names() -> None:
    entries = running()
    named = 0
    for project, whole in blueprint.load().projects.items():
        for name, service in whole.services.items():
            entry = entries[project, name]
            if image := entry.get("image", ""):
                assert service.image == image.removesuffix(":latest"), f"{project}/{name}"
                named += 1
    assert named > 10


def test_whoever_shares_a_registry_in_the_shipped_world_may_read_it(clock: ManualClock) -> None:
    world = World(blueprint.load(), clock)
    shared = 0
    for state in world.cloud_run.services.values():
        project = state.name.split("/")[1]
        for revision in state.revisions.values():
            assert world.registry.may_pull(project, revision.containers[0].image)
            shared += f"/{project}/" not in revision.containers[0].image
    assert shared > 4
