"""Faults of calls, as a caller and the log see them."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.api_core import exceptions as gx
from google.cloud import run_v2
from google.rpc import error_details_pb2

from tests.sandbox.harness import NAME, Cloud, shown, targets, until

OLD, BAD, NEW = "web-00001-abe", "web-00002-bec", "web-00003-cid"


def get(cloud: Cloud, **options: Any) -> run_v2.Service:
    """Without the client's own retries."""
    return cloud.services.get_service(name=NAME, retry=None, **options)


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        ("UNAVAILABLE", gx.ServiceUnavailable, "The service is currently unavailable."),
        ("INTERNAL", gx.InternalServerError, "Internal error encountered."),
        ("ABORTED", gx.Aborted, "The operation was aborted."),
        ("FAILED_PRECONDITION", gx.FailedPrecondition, "The request failed."),
        (
            "PERMISSION_DENIED",
            gx.PermissionDenied,
            f"Permission 'run.services.get' denied on resource '{NAME}' (or resource may not exist).",
        ),
    ],
)
def test_an_error_strikes_once_with_its_code(cloud: Cloud, code: str, error: Any, message: str) -> None:
    cloud.fault("error", service="web", method="GetService", code=code)
    with pytest.raises(error) as refused:
        get(cloud)
    assert refused.value.message == message
    assert get(cloud).name == NAME
    assert [(call.fate, call.code) for call in cloud.calls("GetService")] == [("error", code), ("answered", "")]


def test_a_message_can_be_given(cloud: Cloud) -> None:
    cloud.fault("error", code="UNAVAILABLE", message="upstream connect error")
    with pytest.raises(gx.ServiceUnavailable, match="upstream connect error"):
        get(cloud)


def test_permission_denied_carries_the_permission_as_a_detail(cloud: Cloud) -> None:
    cloud.fault("error", code="PERMISSION_DENIED", method="UpdateService")
    with pytest.raises(gx.PermissionDenied) as refused:
        cloud.route({OLD: 100})
    assert "run.services.update" in refused.value.message
    assert refused.value.reason == "IAM_PERMISSION_DENIED"
    assert refused.value.metadata == {"permission": "run.services.update", "resource": NAME}
    assert not cloud.calls("UpdateService")[0].committed


def test_a_quota_says_when_to_come_back(cloud: Cloud) -> None:
    cloud.fault("error", code="RESOURCE_EXHAUSTED", seconds=7)
    with pytest.raises(gx.ResourceExhausted) as refused:
        cloud.route({OLD: 100})
    assert "for consumer 'project_number:4711'" in refused.value.message
    assert refused.value.reason == "RATE_LIMIT_EXCEEDED"
    (retry,) = [one for one in refused.value.details if isinstance(one, error_details_pb2.RetryInfo)]
    assert retry.retry_delay.ToSeconds() == 7


def test_a_hanging_call_ends_with_the_callers_deadline(cloud: Cloud) -> None:
    cloud.fault("error", code="DEADLINE_EXCEEDED")
    with pytest.raises(gx.DeadlineExceeded):
        get(cloud, timeout=0.2)
    assert get(cloud).name == NAME


def test_a_hanging_call_without_end_can_be_bounded(cloud: Cloud) -> None:
    cloud.fault("error", code="DEADLINE_EXCEEDED", seconds=0.05)
    with pytest.raises(gx.DeadlineExceeded, match=r"Deadline exceeded\."):
        get(cloud, timeout=60)


def test_a_lost_request_never_takes_effect(cloud: Cloud) -> None:
    cloud.fault("lose_request", service="web", method="UpdateService")
    with pytest.raises(gx.ServiceUnavailable):
        cloud.route({OLD: 100})
    assert cloud.service().generation == 3
    (call,) = cloud.calls("UpdateService")
    assert (call.fate, call.committed, call.operation) == ("lost request", False, "")


def test_a_lost_answer_took_effect(cloud: Cloud) -> None:
    cloud.fault("lose_answer", service="web", method="UpdateService")
    with pytest.raises(gx.ServiceUnavailable):
        cloud.update("traffic", "annotations", traffic=targets({OLD: 100}), annotations={"aisq.dev/effect": "k"})
    (call,) = cloud.calls("UpdateService")
    assert (call.fate, call.committed) == ("lost answer", True)
    assert call.traffic == {OLD: 100}
    assert call.annotations == {"aisq.dev/effect": "k"}
    assert cloud.operation(call.operation)
    assert shown(cloud.settle().traffic_statuses) == {OLD: 100}


def test_the_answer_that_is_lost_may_have_been_a_refusal(cloud: Cloud) -> None:
    cloud.fault("lose_answer", method="UpdateService")
    with pytest.raises(gx.ServiceUnavailable):
        cloud.route({OLD: 10})
    (call,) = cloud.calls("UpdateService")
    assert (call.fate, call.committed, call.code) == ("lost answer", False, "INVALID_ARGUMENT")


def test_a_held_call_arrives_late_and_blocks_nobody(cloud: Cloud) -> None:
    etag = cloud.service().etag
    cloud.fault("hold", service="web", method="UpdateService", seconds=1)
    with ThreadPoolExecutor() as pool:
        held = pool.submit(cloud.route, {OLD: 100}, etag=etag)
        until(lambda: cloud.calls("UpdateService"))
        assert cloud.calls("UpdateService")[0].fate == "arrived"
        cloud.route({BAD: 100}, etag=etag)
        with pytest.raises(gx.Aborted):
            held.result()
    assert [(call.fate, call.code) for call in cloud.calls("UpdateService")] == [
        ("refused", "ABORTED"),
        ("committed", ""),
    ]


def test_a_held_call_is_let_go_when_the_sandbox_stops(cloud: Cloud) -> None:
    cloud.fault("hold", seconds=60)
    with ThreadPoolExecutor() as pool:
        held = pool.submit(get, cloud)
        until(lambda: cloud.calls("GetService"))
        cloud.world.stopping.set()
        assert held.result().name == NAME


def test_faults_of_one_call_do_not_use_up_each_other(cloud: Cloud) -> None:
    for _ in range(2):
        cloud.fault("error", code="UNAVAILABLE", method="GetService")
    outcomes = []
    for _ in range(3):
        try:
            outcomes.append(get(cloud).name == NAME)
        except gx.ServiceUnavailable:
            outcomes.append(False)
    assert outcomes == [False, False, True]


def test_the_log_tells_what_a_committed_update_left_behind(cloud: Cloud) -> None:
    operation = cloud.update("traffic", "annotations", traffic=targets({OLD: 90, "LATEST": 10}), annotations={"a": "b"})
    (call,) = cloud.calls("UpdateService")
    assert call.model_dump(exclude={"seq", "real_unix_s"}) == {
        "at": cloud.world.began,
        "api": "google.cloud.run.v2.Services",
        "method": "UpdateService",
        "resource": NAME,
        "service": NAME,
        "fate": "committed",
        "committed": True,
        "code": "",
        "message": "",
        "annotations": {"a": "b"},
        "traffic": {OLD: 90, "LATEST": 10},
        "generation": 4,
        "operation": operation.operation.name,
    }
    assert abs(call.real_unix_s - time.time()) < 60


def test_the_log_keeps_the_stamp_of_a_refused_update_and_why(cloud: Cloud) -> None:
    with pytest.raises(gx.InvalidArgument):
        cloud.update("traffic", "annotations", traffic=targets({OLD: 90}), annotations={"aisq.dev/effect": "k"})
    (call,) = cloud.calls("UpdateService")
    assert (call.fate, call.code) == ("refused", "INVALID_ARGUMENT")
    assert call.message == "Traffic targets sum to 90, want 100"
    assert call.annotations == {"aisq.dev/effect": "k"}


def test_reads_of_operations_and_metrics_count_for_their_service(cloud: Cloud) -> None:
    name = cloud.route({OLD: 100}).operation.name
    cloud.operation(name)
    interval = {"start_time": {"seconds": 1}, "end_time": {"seconds": 2}}
    text = 'metric.type = "run.googleapis.com/request_count" AND resource.labels.service_name = "web"'
    list(cloud.metrics.list_time_series(request={"name": "projects/shop", "filter": text, "interval": interval}))
    assert [call.service for call in cloud.calls()[-2:]] == [NAME, NAME]


def test_an_error_inside_the_sandbox_is_not_mistaken_for_a_refusal(cloud: Cloud) -> None:
    cloud.world.cloud_run.services[NAME] = None  # type: ignore[assignment]
    with pytest.raises(grpc.RpcError) as broken:
        cloud.channel.unary_unary("/google.cloud.run.v2.Services/GetService", run_v2.GetServiceRequest.serialize)(
            run_v2.GetServiceRequest(name=NAME), metadata=[("x-goog-request-params", "location=europe-west1")]
        )
    assert broken.value.code() == grpc.StatusCode.UNKNOWN
