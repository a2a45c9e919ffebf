"""What a rollout looks like while it lasts, and how it ends: well, badly, late, never."""

from typing import Any

import pytest
from google.api_core import exceptions as gx
from google.cloud import run_v2

from tests.sandbox.harness import NAME, Cloud, shown, targets, template

OLD, BAD, NEW = "web-00001-abe", "web-00002-bec", "web-00003-cid"
STATES = run_v2.Condition.State


def test_while_reconciling_the_old_split_is_shown_first_and_the_new_one_before_the_end(cloud: Cloud) -> None:
    operation = cloud.route({OLD: 90, NEW: 10})
    seen = []
    for seconds in (0, 7.9, 0.1, 1.9, 0.1):
        service = cloud.settle(seconds)
        seen.append((shown(service.traffic_statuses), service.reconciling, operation.done()))
    old, new = {"LATEST": 100}, {OLD: 90, NEW: 10}
    assert seen == [
        (old, True, False),
        (old, True, False),
        (new, True, False),
        (new, True, False),
        (new, False, True),
    ]


def test_while_reconciling_the_service_is_neither_ready_nor_failed(cloud: Cloud) -> None:
    cloud.route({OLD: 100})
    during = cloud.service()
    assert during.terminal_condition.state == STATES.CONDITION_RECONCILING
    assert shown(during.traffic) == {OLD: 100}
    assert cloud.settle().terminal_condition.state == STATES.CONDITION_SUCCEEDED


def test_a_new_revision_is_ready_before_it_has_traffic(cloud: Cloud) -> None:
    cloud.update("template", template=template())
    created = cloud.service().latest_created_revision
    assert cloud.revisions.get_revision(name=created).reconciling
    ready = cloud.settle(6)
    assert ready.latest_ready_revision == created
    assert ready.reconciling
    assert cloud.truth.split == {NEW: 100}
    cloud.settle(2)
    assert cloud.truth.split == {created.rpartition("/")[2]: 100}


def test_the_operation_carries_the_service_as_metadata_and_then_as_response(cloud: Cloud) -> None:
    operation = cloud.update(
        "traffic", "annotations", traffic=targets({OLD: 100}), annotations={"aisq.dev/effect": "key-1"}
    )
    assert operation.metadata.generation == 4
    assert operation.metadata.reconciling
    assert dict(operation.metadata.annotations) == {"aisq.dev/effect": "key-1"}
    after = cloud.settle()
    assert operation.result() == after
    assert operation.metadata.name == NAME


def test_events_happen_at_their_own_instant_however_late_somebody_looks(cloud: Cloud) -> None:
    began = cloud.clock.now()
    cloud.route({OLD: 100})
    cloud.clock.advance(3600)
    service = cloud.service()
    assert (cloud.truth.splits[-1][0] - began).total_seconds() == 8
    assert (service.terminal_condition.last_transition_time - began).total_seconds() == 10


@pytest.mark.parametrize(
    "traffic", [{"web-00009-zzz": 100}, {NEW: 90, "web-00009-zzz": 10}, {f"{NAME}/revisions/{OLD}": 100}]
)
def test_a_target_that_does_not_exist_is_accepted_and_fails_the_operation(cloud: Cloud, traffic: Any) -> None:
    operation = cloud.route(traffic)
    after = cloud.settle()
    missing = next(name for name in traffic if name != NEW)
    with pytest.raises(gx.InternalServerError) as failed:
        operation.result()
    assert failed.value.message == (
        f"Revision '{missing}' does not exist or is deleted. "
        "Update all traffic to route to currently available revisions."
    )
    assert shown(after.traffic) == traffic
    assert shown(after.traffic_statuses) == {"LATEST": 100}
    assert (after.generation, after.observed_generation) == (4, 3)
    assert after.terminal_condition.state == STATES.CONDITION_FAILED


def test_a_target_deleted_after_the_commit_fails_the_operation(cloud: Cloud) -> None:
    operation = cloud.route({OLD: 100})
    del cloud.truth.revisions[OLD]
    cloud.settle()
    with pytest.raises(gx.InternalServerError, match="does not exist or is deleted"):
        operation.result()


def test_after_a_failure_the_next_good_update_repairs_everything(cloud: Cloud) -> None:
    cloud.route({"web-00009-zzz": 100})
    cloud.settle()
    cloud.route({OLD: 100})
    after = cloud.settle()
    assert after.terminal_condition.state == STATES.CONDITION_SUCCEEDED
    assert after.generation == after.observed_generation == 5


def test_a_failed_rollout_by_fault_ends_in_the_text_of_production(cloud: Cloud) -> None:
    cloud.fault("fail_rollout", service="web")
    operation = cloud.route({OLD: 100})
    cloud.settle()
    with pytest.raises(gx.FailedPrecondition) as failed:
        operation.result()
    text = failed.value.message
    assert text.startswith(
        f"Revision '{OLD}' is not ready and cannot serve traffic. The user-provided container failed"
    )
    assert "defined provided by the PORT=8080 environment variable within the allocated timeout" in text
    assert "Logs URL: https://console.cloud.google.com/logs/viewer?project=shop" in text
    assert cloud.truth.split == {NEW: 100}
    reason = cloud.service().terminal_condition.revision_reason
    assert reason == run_v2.Condition.RevisionReason.HEALTH_CHECK_CONTAINER_ERROR


def test_a_failed_rollout_of_a_deployment_leaves_the_revision_failed(cloud: Cloud) -> None:
    cloud.fault("fail_rollout")
    cloud.update("template", template=template())
    after = cloud.settle()
    assert after.latest_ready_revision == f"{NAME}/revisions/{NEW}"
    assert cloud.truth.split == {NEW: 100}
    assert (
        after.latest_created_revision in after.terminal_condition.message
        or "web-00004" in after.terminal_condition.message
    )


def test_a_slow_rollout_takes_the_seconds_that_it_is_told(cloud: Cloud) -> None:
    cloud.fault("slow_rollout", service=NAME, seconds=300)
    cloud.route({OLD: 100})
    assert cloud.settle(299).reconciling
    assert not cloud.settle(1).reconciling


def test_a_stuck_rollout_is_never_done(cloud: Cloud) -> None:
    cloud.fault("stuck_rollout", service="web")
    operation = cloud.route({OLD: 100})
    after = cloud.settle(86_400)
    assert after.reconciling
    assert not operation.done()
    assert shown(after.traffic_statuses) == {"LATEST": 100}


def test_a_newer_update_overtakes_a_stuck_one_and_ends_its_operation_too(cloud: Cloud) -> None:
    cloud.fault("stuck_rollout")
    stuck = cloud.route({OLD: 100})
    cloud.settle()
    newer = cloud.route({BAD: 100})
    after = cloud.settle()
    assert stuck.done() and newer.done()
    assert shown(after.traffic_statuses) == {BAD: 100}


def test_of_two_overlapping_updates_only_the_newer_moves_traffic(cloud: Cloud) -> None:
    first = cloud.route({OLD: 100})
    cloud.settle(5)
    second = cloud.route({BAD: 100})
    cloud.settle(5)
    assert not first.done()
    cloud.settle(5)
    assert first.done() and second.done()
    assert [split for _, split in cloud.truth.splits[-2:]] == [{NEW: 100}, {BAD: 100}]


def test_a_revision_becomes_ready_even_if_a_newer_update_overtook_its_rollout(cloud: Cloud) -> None:
    cloud.update("template", template=template())
    created = cloud.service().latest_created_revision
    cloud.settle(1)
    cloud.route({OLD: 100})
    after = cloud.settle()
    assert after.latest_ready_revision == created
    assert shown(after.traffic_statuses) == {OLD: 100}


def test_faults_of_rollouts_are_not_spent_on_updates_that_are_refused(cloud: Cloud) -> None:
    cloud.fault("stuck_rollout")
    with pytest.raises(gx.InvalidArgument):
        cloud.route({OLD: 10})
    operation = cloud.route({OLD: 100})
    cloud.settle(1000)
    assert not operation.done()


def test_the_nth_rollout_of_one_service_can_be_meant(cloud: Cloud) -> None:
    cloud.fault("fail_rollout", service="web", nth=2)
    outcomes = []
    for split in ({OLD: 100}, {BAD: 100}, {NEW: 100}):
        operation = cloud.route(split)
        cloud.settle()
        outcomes.append(operation.exception() is None)
    assert outcomes == [True, False, True]


def test_an_instant_rollout_is_over_when_somebody_looks(cloud: Cloud) -> None:
    cloud.fault("slow_rollout", seconds=0)
    operation = cloud.route({OLD: 100})
    assert operation.done()
    assert shown(cloud.service().traffic_statuses) == {OLD: 100}
