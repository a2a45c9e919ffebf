"""Sizes of services: what cuts a revision, what does not, and what is refused."""

from typing import Any

import pytest
from google.api_core import exceptions as gx
from google.cloud import run_v2

from tests.sandbox.harness import NAME, Cloud


def sized(cloud: Cloud, concurrency: int = 80, **limits: str) -> Any:
    """The template as it is, with other limits, as a console sends it."""
    template = run_v2.RevisionTemplate(cloud.service().template)
    template.revision, template.max_instance_request_concurrency = "", concurrency
    template.containers[0].resources.limits = limits
    return cloud.update("template", template=template)


def test_bounds_of_the_service_hold_at_once_and_cut_no_revision(cloud: Cloud) -> None:
    before = cloud.service().latest_created_revision
    cloud.update("scaling", scaling={"min_instance_count": 2, "max_instance_count": 30})
    after = cloud.settle()
    assert (after.scaling.min_instance_count, after.scaling.max_instance_count) == (2, 30)
    assert (after.generation, after.observed_generation) == (4, 4)
    assert after.latest_created_revision == before


def test_the_size_of_an_instance_cuts_one(cloud: Cloud) -> None:
    before = cloud.service().latest_created_revision
    sized(cloud, cpu="2000m", memory="1Gi")
    after = cloud.settle()
    assert after.latest_created_revision != before
    made = cloud.revisions.get_revision(name=after.latest_created_revision)
    assert dict(made.containers[0].resources.limits) == {"cpu": "2000m", "memory": "1Gi"}
    assert cloud.truth.split == {made.name.rpartition("/")[2]: 100}


@pytest.mark.parametrize(
    ("limits", "concurrency"),
    [
        ({"cpu": "1", "memory": "128Mi"}, 80),
        ({"cpu": "1000m", "memory": "4Gi"}, 1000),
        ({"cpu": "0.5", "memory": "512Mi"}, 1),
        ({"cpu": "4", "memory": "2Gi"}, 80),
        ({"cpu": "8", "memory": "32Gi"}, 80),
        ({"cpu": "2", "memory": "1000M"}, 80),
        ({"cpu": "2"}, 80),
        ({}, 80),
    ],
)
def test_taken(cloud: Cloud, limits: dict[str, str], concurrency: int) -> None:
    assert sized(cloud, concurrency, **limits)


@pytest.mark.parametrize(
    ("limits", "concurrency", "words"),
    [
        ({"cpu": "0.5", "memory": "256Mi"}, 80, "Total cpu < 1 is not supported with concurrency > 1"),
        ({"cpu": "1", "memory": "64Mi"}, 80, "For 1.0 CPU, memory must be between 128Mi and 4Gi inclusive"),
        ({"cpu": "1", "memory": "8Gi"}, 80, "For 1.0 CPU, memory must be between 128Mi and 4Gi inclusive"),
        ({"cpu": "500m", "memory": "1Gi"}, 1, "For 0.5 CPU, memory must be between 128Mi and 512Mi inclusive"),
        ({"cpu": "4", "memory": "1Gi"}, 80, "For 4.0 CPU, memory must be between 2Gi and 16Gi inclusive"),
        ({"cpu": "8", "memory": "64Gi"}, 80, "between 4Gi and 32Gi"),
        ({"cpu": "many"}, 80, "many is not a quantity"),
        ({"cpu": "1", "memory": "lots"}, 80, "lots is not a quantity"),
        ({"cpu": "1"}, 1001, "must be between 1 and 1000"),
    ],
)
def test_refused(cloud: Cloud, limits: dict[str, str], concurrency: int, words: str) -> None:
    with pytest.raises(gx.InvalidArgument, match=words):
        sized(cloud, concurrency, **limits)
    assert cloud.service().generation == 3


def test_more_at_least_than_at_most(cloud: Cloud) -> None:
    with pytest.raises(gx.InvalidArgument, match="min_instance_count 5 exceeds max_instance_count 3"):
        cloud.update("scaling", scaling={"min_instance_count": 5, "max_instance_count": 3})
    assert cloud.services.get_service(name=NAME).generation == 3
