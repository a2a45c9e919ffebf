"""A Cloud Run service and its revisions, in core's words: shapes that Google sends, and what they mean."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import run_v2

from bot.core.ports import LATEST, SecretUse
from bot.providers.cloud_run.state import release, service_state

NAME = "projects/p/locations/r/services/web"
LATEST_TYPE, NAMED_TYPE = 1, 2
OK, FAILED, PENDING = 4, 3, 1


def named(revision: str, percent: int = 0, tag: str = "") -> dict[str, Any]:
    return {"type_": NAMED_TYPE, "revision": revision, "percent": percent, "tag": tag}


def latest(percent: int = 0, tag: str = "", revision: str = "") -> dict[str, Any]:
    return {"type_": LATEST_TYPE, "percent": percent, "tag": tag, "revision": revision}


def service(**fields: Any) -> run_v2.Service:
    return run_v2.Service({"name": NAME, "generation": 7, "latest_ready_revision": f"{NAME}/revisions/c", **fields})


@pytest.mark.parametrize(
    ("traffic", "asked", "tags"),
    [
        ([], {LATEST: 100}, {}),
        ([latest(100)], {LATEST: 100}, {}),
        ([named("a", 100)], {"a": 100}, {}),
        ([named("b", 10), named("a", 90)], {"a": 90, "b": 10}, {}),
        ([named("a", 60), named("a", 40)], {"a": 100}, {}),
        ([named("a", 100), named("b", 0, "pr-7")], {"a": 100}, {"pr-7": "b"}),
        ([named("a", 50, "live"), named("a", 50)], {"a": 100}, {"live": "a"}),
        ([named("a", 100), latest(0, "next")], {"a": 100}, {"next": LATEST}),
        ([latest(30, "next"), named("a", 70, "old")], {"a": 70, LATEST: 30}, {"next": LATEST, "old": "a"}),
        ([named("a", 0), named("b", 100)], {"b": 100}, {}),
    ],
)
def test_what_is_asked_for(traffic: list[dict[str, Any]], asked: dict[str, int], tags: dict[str, str]) -> None:
    state = service_state(service(traffic=traffic))
    assert state.asked == asked
    assert list(state.asked) == list(asked)
    assert state.tags == tags


@pytest.mark.parametrize(
    ("statuses", "ready", "serving"),
    [
        ([], "c", {}),  # never from latest_ready alone
        ([latest(100)], "c", {"c": 100}),
        ([latest(100, revision="b")], "c", {"b": 100}),
        ([latest(100)], "", {}),
        ([named("a", 90), latest(10)], "c", {"a": 90, "c": 10}),
        ([named("c", 60), latest(40)], "c", {"c": 100}),
        ([named("a", 100), named("c", 0, "pr-7")], "c", {"a": 100}),
    ],
)
def test_what_is_served(statuses: list[dict[str, Any]], ready: str, serving: dict[str, int]) -> None:
    newest = f"{NAME}/revisions/{ready}" if ready else ""
    assert service_state(service(traffic_statuses=statuses, latest_ready_revision=newest)).serving == serving


def test_a_failed_deployment_keeps_serving_what_it_served() -> None:
    """traffic_statuses and latest_ready stay at the last serving state; only the terminal condition complains."""
    failed = {"type_": "Ready", "state": FAILED, "message": "Revision 'd' is not ready.\n\nLogs URL: https://x"}
    state = service_state(
        service(
            traffic=[latest(100)],
            traffic_statuses=[latest(100)],
            latest_created_revision=f"{NAME}/revisions/d",
            terminal_condition=failed,
            observed_generation=6,
        )
    )
    assert state.serving == {"c": 100}
    assert state.trouble == "Revision 'd' is not ready"
    assert state.latest_ready == "c"


@pytest.mark.parametrize(
    ("condition", "trouble"),
    [
        ({"state": OK}, ""),
        ({"state": PENDING, "message": "Waiting."}, ""),
        ({"state": FAILED, "message": "It broke."}, "It broke"),
        ({"state": FAILED, "reason": 12}, "secrets access check failed"),
        ({"state": FAILED, "revision_reason": 6}, "health check container error"),
        ({"state": FAILED}, "no reason is given"),
    ],
)
def test_trouble(condition: dict[str, Any], trouble: str) -> None:
    assert service_state(service(terminal_condition={"type_": "Ready", **condition})).trouble == trouble


@pytest.mark.parametrize(
    ("scaling", "template", "bounds"),
    [
        ({}, {}, (0, None)),
        ({}, {"min_instance_count": 2, "max_instance_count": 50}, (2, 50)),
        ({"min_instance_count": 3, "max_instance_count": 20}, {"min_instance_count": 1}, (3, 20)),
        ({"max_instance_count": 20}, {"max_instance_count": 10}, (0, 10)),
        ({"max_instance_count": 5}, {"max_instance_count": 10}, (0, 5)),
        ({"scaling_mode": 2, "manual_instance_count": 4, "max_instance_count": 9}, {}, (4, 4)),
        ({"scaling_mode": 2, "manual_instance_count": 0}, {"min_instance_count": 1}, (0, 0)),
    ],
)
def test_bounds(scaling: dict[str, Any], template: dict[str, Any], bounds: tuple[int, int | None]) -> None:
    state = service_state(service(scaling=scaling, template={"scaling": template}))
    assert (state.min_instances, state.max_instances) == bounds


def test_the_rest_of_a_service() -> None:
    state = service_state(service(reconciling=True, uri="https://web.example", last_modifier="ana@example.com"))
    assert (state.version, state.busy, state.url, state.changed_by) == (
        "7",
        True,
        "https://web.example",
        "ana@example.com",
    )


def revision(**fields: Any) -> run_v2.Revision:
    created = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return run_v2.Revision({"name": f"{NAME}/revisions/web-7", "create_time": created, **fields})


def ready(state: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"type_": "ContainerReady", "state": OK}, {"type_": "Ready", "state": state, **fields}]


RETIRED = [  # as a revision without traffic looks in production
    {"type_": "Ready", "state": OK, "revision_reason": 3},
    {"type_": "Active", "state": FAILED, "severity": 3, "revision_reason": 3, "message": "Revision retired."},
    {"type_": "ResourcesAvailable", "state": 2, "revision_reason": 3},
]


@pytest.mark.parametrize(
    ("conditions", "is_ready", "reason"),
    [
        (ready(OK), True, ""),
        (RETIRED, True, ""),
        (ready(FAILED, revision_reason=3), True, ""),
        (ready(FAILED, revision_reason=4), True, ""),
        (ready(FAILED, revision_reason=6, message="The container failed.\n\nLogs"), False, "The container failed"),
        ([*ready(FAILED, message="Broken."), RETIRED[1]], False, "Broken"),
        (ready(FAILED, reason=6), False, "container missing"),
        (ready(PENDING, message="Deploying."), False, "it is still starting"),
        ([], False, "it is still starting"),
    ],
)
def test_readiness(conditions: list[dict[str, Any]], is_ready: bool, reason: str) -> None:
    found = release(revision(conditions=conditions))
    assert (found.ready, found.reason) == (is_ready, reason)


@pytest.mark.parametrize(
    ("containers", "image"),
    [
        ([], ""),
        ([{"image": "app@sha256:1"}], "app@sha256:1"),
        ([{"image": "proxy"}, {"image": "app", "ports": [{"container_port": 8080}]}], "app"),
        ([{"image": "app", "ports": [{"container_port": 8080}]}, {"image": "proxy"}], "app"),
    ],
)
def test_the_image_is_that_of_the_container_that_answers(containers: list[dict[str, Any]], image: str) -> None:
    assert release(revision(containers=containers)).image == image


def variable(secret: str, version: str = "") -> dict[str, Any]:
    return {"name": "X", "value_source": {"secret_key_ref": {"secret": secret, "version": version}}}


@pytest.mark.parametrize(
    ("env", "volumes", "uses"),
    [
        ([], [], []),
        ([{"name": "PLAIN", "value": "1"}], [{"name": "v", "empty_dir": {}}], []),
        ([variable("db", "3")], [], [("db", "3")]),
        ([variable("db")], [], [("db", "latest")]),
        ([variable("db", "3"), variable("db", "3")], [], [("db", "3")]),
        ([variable("projects/9/secrets/db", "prod")], [], [("projects/9/secrets/db", "prod")]),
        ([], [{"name": "v", "secret": {"secret": "tls"}}], [("tls", "latest")]),
        (
            [variable("db", "3")],
            [{"name": "v", "secret": {"secret": "tls", "items": [{"version": "1"}, {"version": "latest"}]}}],
            [("db", "3"), ("tls", "1"), ("tls", "latest")],
        ),
    ],
)
def test_secrets(env: list[Any], volumes: list[Any], uses: list[tuple[str, str]]) -> None:
    found = release(revision(containers=[{"image": "app", "env": env}], volumes=volumes))
    assert found.secrets == tuple(SecretUse(secret=secret, version=version) for secret, version in uses)


def test_the_rest_of_a_release() -> None:
    found = release(
        revision(
            labels={"schema": "12", "both": "label"},
            annotations={"git": "abc", "both": "annotation"},
            scaling={"max_instance_count": 30},
            creator="ci@example.com",
        )
    )
    assert found.name == "web-7"
    assert found.created_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert found.labels == {"schema": "12", "git": "abc", "both": "label"}
    assert (found.max_instances, found.by) == (30, "ci@example.com")
