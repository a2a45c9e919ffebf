"""ListLogEntries through Google's client: the entries of the running releases."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from google.api_core import exceptions as gx
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.types import LogEntry

from tests.sandbox.harness import IMAGE, NAME, Cloud, client, template

BAD, NEW = "web-00002-bec", "web-00003-cid"
WEB = 'resource.type="cloud_run_revision" AND resource.labels.service_name="web"'
REQUESTS = f'{WEB} AND logName="projects/shop/logs/run.googleapis.com%2Frequests"'


def ask(cloud: Cloud, text: str = WEB, minutes: float = 5, limit: int = 5000, **more: Any) -> list[LogEntry]:
    """Of the last minutes, newest first."""
    now = cloud.clock.now()
    since = f'timestamp>="{(now - timedelta(minutes=minutes)).isoformat()}"'
    request = {
        "resource_names": ["projects/shop"], "filter": f"{text} AND {since}", "order_by": "timestamp desc",
        "page_size": 1000, **more,
    }  # fmt: skip
    pager = client(LoggingServiceV2Client, cloud.channel).list_log_entries(request=request)
    return [entry for entry, _ in zip(pager, range(limit), strict=False)]


def serve(cloud: Cloud, release: str, minutes: float = 10) -> None:
    cloud.route({release: 100})
    cloud.settle()
    cloud.clock.advance(minutes * 60)


def test_a_request_log_looks_like_cloud_runs(cloud: Cloud) -> None:
    entry = ask(cloud, f"{REQUESTS} AND httpRequest.status=200", limit=1)[0]
    assert entry.log_name == "projects/shop/logs/run.googleapis.com%2Frequests"
    assert dict(entry.resource.labels) == {
        "project_id": "shop",
        "location": "europe-west1",
        "service_name": "web",
        "revision_name": NEW,
        "configuration_name": "web",
    }
    assert entry.severity == 200  # INFO
    assert entry.http_request.request_method == "GET"
    assert entry.http_request.request_url.startswith("https://web-")
    assert 0 < entry.http_request.latency.ToTimedelta().total_seconds() < 2
    assert entry.trace.startswith("projects/shop/traces/")
    assert entry.insert_id and entry.labels["instanceId"]
    assert not entry.text_payload


def test_there_is_a_request_log_for_every_request_that_metrics_count(cloud: Cloud) -> None:
    serve(cloud, BAD)
    end = cloud.clock.now().replace(second=0, microsecond=0) - timedelta(minutes=4)
    span = f'timestamp>="{(end - timedelta(minutes=2)).isoformat()}" AND timestamp<"{end.isoformat()}"'
    logged = Counter(str(one.http_request.status) for one in ask(cloud, f"{REQUESTS} AND {span}", 60))
    interval = {"start_time": end - timedelta(minutes=2), "end_time": end}
    text = 'metric.type = "run.googleapis.com/request_count" AND resource.labels.service_name = "web"'
    series = cloud.metrics.list_time_series(request={"name": "projects/shop", "filter": text, "interval": interval})
    counted: Counter[str] = Counter()
    for one in series:
        counted[one.metric.labels["response_code"]] += sum(point.value.int64_value for point in one.points)
    assert logged == counted
    assert counted["500"] > 20


def test_entries_come_newest_first_or_oldest_first_and_in_pages(cloud: Cloud) -> None:
    newest = [entry.timestamp for entry in ask(cloud, minutes=2)]
    assert newest == sorted(newest, reverse=True)
    oldest = [entry.timestamp for entry in ask(cloud, minutes=2, order_by="timestamp asc")]
    assert oldest == newest[::-1] == sorted(newest)
    assert [entry.timestamp for entry in ask(cloud, minutes=2, page_size=100)] == newest
    assert len(newest) > 1000


def test_the_past_never_changes(cloud: Cloud) -> None:
    first = ask(cloud, REQUESTS, minutes=3)
    cloud.clock.advance(60)
    again = {entry.insert_id: entry for entry in ask(cloud, REQUESTS, minutes=4)}
    assert len(again) > len(first)
    assert all(again[entry.insert_id] == entry for entry in first)
    assert len({entry.insert_id for entry in first}) == len(first)


def test_what_is_newer_than_five_seconds_cannot_be_read(cloud: Cloud) -> None:
    newest = ask(cloud, limit=1)[0].timestamp
    assert timedelta(seconds=5) < cloud.clock.now() - newest < timedelta(seconds=6)


def test_an_application_that_fails_says_why(cloud: Cloud) -> None:
    serve(cloud, BAD)
    errors = ask(cloud, f"{WEB} AND severity>=ERROR")
    said = Counter(dict(one.json_payload).get("message", "") for one in errors if one.json_payload)
    failed = sum(one.http_request.status == 500 for one in errors)
    assert sum(said.values()) == failed > 50
    assert len(said) == 3
    assert any("s3cr3t-pw" in text for text in said), "what logs should not hold, they hold"
    assert {one.resource.labels["revision_name"] for one in errors} == {BAD}


@pytest.mark.parametrize(
    ("text", "status"),
    [("severity=INFO", {200}), ("severity=WARNING", {404}), ("httpRequest.status>=400", {404, 500})],
)
def test_severities_follow_the_status(cloud: Cloud, text: str, status: set[int]) -> None:
    serve(cloud, BAD)
    assert {entry.http_request.status for entry in ask(cloud, f"{REQUESTS} AND {text}")} == status


def test_the_releases_that_served_are_told_apart(cloud: Cloud) -> None:
    cloud.route({NEW: 90, BAD: 10})
    cloud.settle()
    cloud.clock.advance(300)
    by_release = Counter(entry.resource.labels["revision_name"] for entry in ask(cloud, REQUESTS, minutes=3))
    assert by_release[BAD] / sum(by_release.values()) == pytest.approx(0.1, abs=0.03)
    only = ask(cloud, f'{REQUESTS} AND resource.labels.revision_name="{BAD}"', minutes=3)
    assert len(only) == by_release[BAD]


def test_text_is_found_anywhere(cloud: Cloud) -> None:
    found = ask(cloud, f'{WEB} AND "API/Search"')
    assert found and {entry.http_request.request_url.rpartition("/")[2] for entry in found} == {"search"}
    assert not ask(cloud, f'{WEB} AND "never written"')


def test_a_release_that_starts_is_logged(cloud: Cloud) -> None:
    cloud.update("template", template=template())
    cloud.settle()
    cloud.clock.advance(10)
    made = cloud.service().latest_created_revision.rpartition("/")[2]
    lines = ask(cloud, f'{WEB} AND resource.labels.revision_name="{made}" AND NOT httpRequest.status>0')
    assert [entry.text_payload.partition(" for")[0] for entry in reversed(lines)] == [
        lines[-1].text_payload.partition(" for")[0],
        "listening on port 8080",
        "Default STARTUP TCP probe succeeded after 1 attempt",
    ]
    assert lines[-1].text_payload.startswith("Starting new instance. Reason: DEPLOYMENT_ROLLOUT")


def test_a_release_that_does_not_start_says_why(cloud: Cloud) -> None:
    with cloud.world.settled() as now:
        cloud.world.registry.push(IMAGE, "broken", now)
    cloud.fault("fail_rollout", service="web")
    cloud.update("template", template=template(image=f"{IMAGE}:broken"))
    cloud.settle()
    cloud.clock.advance(10)
    made = cloud.service().latest_created_revision.rpartition("/")[2]
    errors = ask(cloud, f'{WEB} AND resource.labels.revision_name="{made}" AND severity>=WARNING')
    assert [entry.text_payload.split(".")[0] for entry in reversed(errors)] == [
        "Container called exit(1)",
        'Default STARTUP TCP probe failed 1 time consecutively for container "web-1" on port 8080',
    ]


def test_a_service_of_another_project_is_not_shown(cloud: Cloud) -> None:
    assert not ask(cloud, 'resource.labels.project_id="other"')
    assert ask(cloud, WEB, resource_names=["projects/other", "projects/shop"])


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        ({"resource_names": []}, gx.InvalidArgument, "at least one resource name"),
        ({"resource_names": ["projects/nowhere"]}, gx.PermissionDenied, "Permission denied"),
        ({"order_by": "severity"}, gx.InvalidArgument, "Invalid order_by"),
        ({"page_size": -1}, gx.InvalidArgument, "must not be negative"),
        ({"page_token": "junk"}, gx.InvalidArgument, "Invalid page token"),
        ({"text": "severity>="}, gx.InvalidArgument, "Unparseable filter"),
    ],
)
def test_refusals(cloud: Cloud, request_: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        ask(cloud, **request_)


def test_faults(cloud: Cloud) -> None:
    cloud.fault("logs_absent", service="web")
    assert not ask(cloud)
    assert ask(cloud)
    cloud.fault("error", service=NAME, method="ListLogEntries", code="RESOURCE_EXHAUSTED")
    with pytest.raises(gx.ResourceExhausted):
        ask(cloud)


def test_a_month_can_be_searched_for_what_is_rare(cloud: Cloud) -> None:
    """Only what can be meant is made."""
    found = ask(cloud, f'{WEB} AND textPayload:"STARTUP TCP probe"', minutes=60 * 24 * 40)
    assert len(found) == 3
