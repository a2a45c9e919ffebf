"""When a revision is cut, what it is called, whether it starts, and when it may be deleted."""

import re
from typing import Any

import pytest
from google.api_core import exceptions as gx
from google.cloud import run_v2

from tests.sandbox.harness import IMAGE, NAME, Cloud, shown, targets, template

OLD, BAD, NEW = "web-00001-abe", "web-00002-bec", "web-00003-cid"
STATES = run_v2.Condition.State
REASONS = run_v2.Condition.CommonReason


def releases(cloud: Cloud) -> list[str]:
    """Newest first."""
    return [revision.name.rpartition("/")[2] for revision in cloud.revisions.list_revisions(parent=NAME)]


@pytest.mark.parametrize(
    ("paths", "fields"),
    [
        (["traffic"], {"traffic": targets({OLD: 100})}),
        (["annotations"], {"annotations": {"a": "b"}}),
        (["traffic", "annotations"], {"traffic": targets({OLD: 100}), "annotations": {"a": "b"}}),
        (["scaling"], {"scaling": {"max_instance_count": 7}}),
        (["template.revision"], {}),
    ],
)
def test_no_revision_is_cut_when_the_template_stays(cloud: Cloud, paths: list[str], fields: dict[str, Any]) -> None:
    cloud.update(*paths, **fields)
    assert releases(cloud) == [NEW, BAD, OLD]
    assert cloud.service().latest_created_revision == f"{NAME}/revisions/{NEW}"


def test_a_changed_template_cuts_a_revision_with_a_generated_name(cloud: Cloud) -> None:
    cloud.update("template", template=template())
    created = cloud.service().latest_created_revision
    assert re.fullmatch(rf"{NAME}/revisions/web-00004-[a-z]{{3}}", created)
    assert cloud.service().template.revision == ""


def test_generated_names_follow_the_seed(cloud: Cloud) -> None:
    cloud.update("template", template=template())
    assert releases(cloud)[0] == "web-00004-nem"


def test_a_chosen_name_is_kept_and_may_be_named_as_target_in_the_same_call(cloud: Cloud) -> None:
    wanted = template()
    wanted.revision = "web-green"
    traffic = [*targets({NEW: 100}), run_v2.TrafficTarget(type_=2, revision="web-green", tag="green")]
    cloud.update("template", "traffic", template=wanted, traffic=traffic)
    after = cloud.settle()
    assert releases(cloud)[0] == "web-green"
    assert [(s.revision, s.percent, s.tag) for s in after.traffic_statuses] == [
        (NEW, 100, ""),
        ("web-green", 0, "green"),
    ]


def test_a_chosen_name_must_begin_with_the_service(cloud: Cloud) -> None:
    wanted = template()
    wanted.revision = "green"
    with pytest.raises(gx.InvalidArgument, match="must be prefixed by the service name 'web-'"):
        cloud.update("template", template=wanted)


def test_echoing_the_name_that_gcloud_chose_with_another_template_is_a_conflict(cloud: Cloud) -> None:
    """Read, change, write back: the classic accident with template.revision."""
    service = cloud.service()
    service.template.containers[0].image = f"{IMAGE}:00001-abe"
    with pytest.raises(gx.AlreadyExists) as refused:
        cloud.services.update_service(request={"service": service, "update_mask": {"paths": ["template"]}})
    assert refused.value.code == 409
    assert refused.value.message == f"Revision named '{NEW}' with different configuration already exists."


def test_even_a_change_of_traffic_conflicts_when_the_whole_service_is_written_back(cloud: Cloud) -> None:
    service = cloud.service()
    service.traffic = targets({OLD: 100})
    with pytest.raises(gx.AlreadyExists):
        cloud.services.update_service(service=service)
    service.template.revision = ""
    cloud.services.update_service(service=service)
    assert shown(cloud.settle().traffic_statuses) == {OLD: 100}
    assert releases(cloud) == [NEW, BAD, OLD]


def test_a_name_chosen_through_the_api_may_be_echoed_unchanged_and_not_otherwise(cloud: Cloud) -> None:
    wanted = template()
    wanted.revision = "web-green"
    cloud.update("template", template=wanted)
    cloud.settle()
    cloud.update("template", template=wanted)
    assert releases(cloud)[0] == "web-green"
    wanted.containers[0].env = [run_v2.EnvVar(name="A", value="1")]
    with pytest.raises(gx.AlreadyExists):
        cloud.update("template", template=wanted)


def test_a_refused_update_leaves_no_revision_behind(cloud: Cloud) -> None:
    with pytest.raises(gx.InvalidArgument):
        cloud.update("template", "traffic", template=template(), traffic=targets({OLD: 10}))
    assert releases(cloud) == [NEW, BAD, OLD]


def test_a_ready_revision_takes_the_traffic_of_the_latest(cloud: Cloud) -> None:
    operation = cloud.update("template", template=template())
    after = cloud.settle()
    assert operation.result().latest_ready_revision == after.latest_created_revision
    assert cloud.truth.split == {after.latest_ready_revision.rpartition("/")[2]: 100}


def test_a_revision_without_traffic_becomes_latest_ready_all_the_same(cloud: Cloud) -> None:
    """And a pinned service keeps serving what it is pinned to, though the deployment succeeded."""
    cloud.route({OLD: 100})
    cloud.settle()
    operation = cloud.update("template", template=template())
    after = cloud.settle()
    assert operation.result().terminal_condition.state == STATES.CONDITION_SUCCEEDED
    assert after.latest_ready_revision == after.latest_created_revision != f"{NAME}/revisions/{NEW}"
    assert shown(after.traffic_statuses) == {OLD: 100}


FAILURES = [
    (
        {"image": f"{IMAGE}:gone"},
        gx.NotFound,
        "is not ready and cannot serve traffic. Image 'europe-west1-docker.pkg.dev/shop/app/web:gone' not found.",
        REASONS.CONTAINER_MISSING,
    ),
    (
        {"env": [{"name": "DB", "value_source": {"secret_key_ref": {"secret": "db", "version": "2"}}}]},
        gx.FailedPrecondition,
        "spec.template.spec.containers[0].env[0].value_from.secret_key_ref.name: Failed to access secret "
        "projects/shop/secrets/db/versions/2: "
        "Secret Version [projects/4711/secrets/db/versions/2] is in DISABLED state.",
        REASONS.SECRETS_ACCESS_CHECK_FAILED,
    ),
    (
        {"env": [{"name": "X"}, {"name": "DB", "value_source": {"secret_key_ref": {"secret": "no", "version": "1"}}}]},
        gx.FailedPrecondition,
        "env[1].value_from.secret_key_ref.name: Failed to access secret projects/shop/secrets/no/versions/1: "
        "Secret [projects/4711/secrets/no] not found or has no versions.",
        REASONS.SECRETS_ACCESS_CHECK_FAILED,
    ),
]


@pytest.mark.parametrize(("container", "error", "text", "reason"), FAILURES, ids=["image", "disabled", "no secret"])
def test_a_revision_that_cannot_start_fails_the_operation_and_serves_nobody(
    cloud: Cloud, container: dict[str, Any], error: Any, text: str, reason: Any
) -> None:
    operation = cloud.update("template", template=template(**container))
    after = cloud.settle()
    with pytest.raises(error) as failed:
        operation.result()
    assert text in failed.value.message
    assert after.terminal_condition.state == STATES.CONDITION_FAILED
    assert after.terminal_condition.reason == reason
    assert text in after.terminal_condition.message
    assert (after.generation, after.observed_generation, after.reconciling) == (4, 3, False)
    assert after.latest_ready_revision == f"{NAME}/revisions/{NEW}"
    assert after.latest_created_revision != after.latest_ready_revision
    assert shown(after.traffic_statuses) == {"LATEST": 100}
    assert cloud.truth.split == {NEW: 100}
    revision = cloud.revisions.get_revision(name=after.latest_created_revision)
    ready = next(one for one in revision.conditions if one.type_ == "Ready")
    assert ready.state == STATES.CONDITION_FAILED


def test_the_latest_secret_version_is_what_counts_when_none_is_named(cloud: Cloud) -> None:
    ref = {"name": "DB", "value_source": {"secret_key_ref": {"secret": "db", "version": "latest"}}}
    operation = cloud.update("template", template=template(env=[ref]))
    cloud.settle()
    assert operation.result()


def test_after_a_failed_deployment_traffic_can_still_be_moved(cloud: Cloud) -> None:
    cloud.update("template", template=template(image=f"{IMAGE}:gone"))
    cloud.settle()
    cloud.route({OLD: 100})
    after = cloud.settle()
    assert shown(after.traffic_statuses) == {OLD: 100}
    assert after.terminal_condition.state == STATES.CONDITION_SUCCEEDED


def test_a_target_that_never_became_ready_fails_the_rollout_with_its_own_text(cloud: Cloud) -> None:
    cloud.update("template", template=template(image=f"{IMAGE}:gone"))
    failed = cloud.settle().latest_created_revision.rpartition("/")[2]
    operation = cloud.route({failed: 100})
    cloud.settle()
    with pytest.raises(gx.FailedPrecondition, match=r"Image '.*gone' not found"):
        operation.result()
    assert cloud.truth.split == {NEW: 100}


def test_an_unserving_revision_can_be_deleted(cloud: Cloud) -> None:
    operation = cloud.revisions.delete_revision(name=f"{NAME}/revisions/{OLD}")
    assert operation.result().name == f"{NAME}/revisions/{OLD}"
    assert releases(cloud) == [NEW, BAD]


@pytest.mark.parametrize("setting", ["latest", "serving", "named without traffic"])
def test_a_revision_that_may_get_traffic_cannot_be_deleted(cloud: Cloud, setting: str) -> None:
    release = NEW if setting == "latest" else OLD
    if setting == "serving":
        cloud.route({OLD: 1, NEW: 99})
        cloud.settle()
    if setting == "named without traffic":
        cloud.update("traffic", traffic=[*targets({NEW: 100}), run_v2.TrafficTarget(type_=2, revision=OLD, tag="old")])
    with pytest.raises(gx.FailedPrecondition) as refused:
        cloud.revisions.delete_revision(name=f"{NAME}/revisions/{release}")
    assert refused.value.message == f'Revision "{release}" cannot be directly deleted because it is actively serving.'


def test_deleting_a_revision_checks_its_etag(cloud: Cloud) -> None:
    name = f"{NAME}/revisions/{OLD}"
    stale = cloud.revisions.get_revision(name=name).etag
    cloud.route({OLD: 100})
    cloud.settle()
    cloud.route({NEW: 100})
    cloud.settle()
    with pytest.raises(gx.Aborted, match=f"Conflict for resource '{OLD}'"):
        cloud.revisions.delete_revision(request={"name": name, "etag": stale})
    current = cloud.revisions.get_revision(name=name).etag
    cloud.revisions.delete_revision(request={"name": name, "etag": current, "validate_only": True})
    assert OLD in releases(cloud)
    cloud.revisions.delete_revision(request={"name": name, "etag": current})
    assert OLD not in releases(cloud)


def test_a_revision_comes_back_from_retirement_when_it_serves(cloud: Cloud) -> None:
    def active() -> bool:
        revision = cloud.revisions.get_revision(name=f"{NAME}/revisions/{OLD}")
        return any(one.type_ == "Active" and one.state == STATES.CONDITION_SUCCEEDED for one in revision.conditions)

    assert not active()
    cloud.route({OLD: 100})
    cloud.settle()
    assert active()
    cloud.route({NEW: 100})
    cloud.settle()
    assert not active()
