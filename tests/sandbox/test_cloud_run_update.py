"""UpdateService up to its commit: etags, masks, refusals."""

import re
from typing import Any

import pytest
from google.api_core import exceptions as gx
from google.cloud import run_v2

from bot.sandbox.cloud_run.etag import etag, version_of
from tests.sandbox.harness import IMAGE, NAME, PARENT, Cloud, shown, targets, template

OLD, BAD, NEW = "web-00001-abe", "web-00002-bec", "web-00003-cid"


def test_an_update_moves_generation_and_etag_at_once_and_the_etag_again_when_it_ends(cloud: Cloud) -> None:
    before = cloud.service()
    cloud.route({OLD: 100}, etag=before.etag)
    during = cloud.service()
    assert (during.generation, during.observed_generation) == (4, 3)
    after = cloud.settle()
    assert (after.generation, after.observed_generation) == (4, 4)
    assert len({before.etag, during.etag, after.etag}) == 3
    assert version_of(before.etag) < version_of(during.etag) < version_of(after.etag)


def test_versions_move_even_when_the_clock_does_not(cloud: Cloud) -> None:
    etags = set()
    for _ in range(5):
        cloud.route({OLD: 100})
        etags.add(cloud.service().etag)
    assert len(etags) == 5


def test_a_stale_etag_is_a_conflict_in_the_words_of_production(cloud: Cloud) -> None:
    stale = cloud.service()
    cloud.route({OLD: 100})
    current = cloud.service()
    with pytest.raises(gx.Aborted) as refused:
        cloud.route({BAD: 100}, etag=stale.etag)
    assert refused.value.code == 409
    assert refused.value.message == (
        f"Conflict for resource 'web': version '{version_of(stale.etag)}' was specified "
        f"but current version is '{version_of(current.etag)}'."
    )
    assert cloud.service() == current


def test_the_etag_read_before_a_rollout_ended_is_stale_though_nobody_changed_anything(cloud: Cloud) -> None:
    cloud.route({OLD: 100})
    during = cloud.service().etag
    cloud.settle()
    with pytest.raises(gx.Aborted):
        cloud.route({NEW: 100}, etag=during)


def test_without_an_etag_the_last_writer_wins(cloud: Cloud) -> None:
    cloud.route({OLD: 100})
    cloud.route({BAD: 100})
    assert shown(cloud.settle().traffic_statuses) == {BAD: 100}


@pytest.mark.parametrize("wrong", ["nonsense", '"!!/x"', '"AAAA/x"'])
def test_what_is_no_etag_is_refused(cloud: Cloud, wrong: str) -> None:
    with pytest.raises(gx.InvalidArgument, match="Invalid etag"):
        cloud.route({OLD: 100}, etag=wrong)


def test_an_etag_of_another_resource_with_the_same_version_is_stale(cloud: Cloud) -> None:
    with pytest.raises(gx.Aborted):
        cloud.route({OLD: 100}, etag=etag(f"{PARENT}/services/other", cloud.truth.changed))


def test_a_mask_changes_what_it_names_and_nothing_else(cloud: Cloud) -> None:
    before = cloud.service()
    cloud.update(
        "traffic", "annotations", traffic=targets({OLD: 100}), annotations={"aisq.dev/effect": "k"}, description="no"
    )
    after = cloud.service()
    assert shown(after.traffic) == {OLD: 100}
    assert dict(after.annotations) == {"aisq.dev/effect": "k"}
    assert after.description == ""
    assert after.template == before.template


def test_masked_maps_and_lists_are_replaced_not_merged(cloud: Cloud) -> None:
    cloud.update("annotations", annotations={"a": "1", "b": "2"})
    cloud.update("annotations", annotations={"c": "3"})
    assert dict(cloud.service().annotations) == {"c": "3"}


@pytest.mark.parametrize(
    ("paths", "fields", "read"),
    [
        (["scaling"], {"scaling": {"min_instance_count": 3}}, lambda s: s.scaling.min_instance_count == 3),
        (["description"], {"description": "d"}, lambda s: s.description == "d"),
        (["labels"], {"labels": {"team": "a"}}, lambda s: dict(s.labels) == {"team": "a"}),
        (["traffic"], {}, lambda s: list(s.traffic) == []),
        (
            ["template.max_instance_request_concurrency"],
            {"template": {"max_instance_request_concurrency": 5}},
            lambda s: s.template.max_instance_request_concurrency == 5 and s.template.containers,
        ),
    ],
    ids=["scaling", "description", "labels", "traffic emptied", "inside the template"],
)
def test_masks(cloud: Cloud, paths: list[str], fields: dict[str, Any], read: Any) -> None:
    if "template" in paths[0]:
        paths = [*paths, "template.revision"]
    cloud.update(*paths, **fields)
    assert read(cloud.service())


def test_an_empty_list_of_targets_means_all_traffic_to_the_latest(cloud: Cloud) -> None:
    cloud.route({OLD: 100})
    cloud.settle()
    cloud.update("traffic")
    assert shown(cloud.settle().traffic_statuses) == {"LATEST": 100}
    assert cloud.truth.split == {NEW: 100}


@pytest.mark.parametrize("mask", [(), ("*",)])
def test_an_update_without_a_mask_replaces_every_field_that_users_own(cloud: Cloud, mask: tuple[str, ...]) -> None:
    cloud.update("labels", "description", labels={"team": "a"}, description="d")
    uid = cloud.service().uid
    cloud.update(*mask, template=template(), traffic=targets({OLD: 100}))
    after = cloud.service()
    assert (dict(after.labels), after.description, after.client) == ({}, "", "")
    assert after.uid == uid
    assert shown(after.traffic) == {OLD: 100}


def test_fields_that_only_the_system_writes_are_ignored(cloud: Cloud) -> None:
    cloud.update("uid", "generation", "labels", uid="mine", generation=99, labels={"a": "b"})
    after = cloud.service()
    assert after.uid != "mine"
    assert after.generation == 4


@pytest.mark.parametrize("path", ["trafic", "traffic.percent", "template.containers.image", "annotations.key"])
def test_an_unknown_path_in_a_mask_is_refused(cloud: Cloud, path: str) -> None:
    with pytest.raises(gx.InvalidArgument, match=re.escape(f"unknown path '{path}'")):
        cloud.update(path)
    assert cloud.service().generation == 3


@pytest.mark.parametrize(
    ("traffic", "complaint"),
    [
        (targets({OLD: 80}), "Traffic targets sum to 80, want 100"),
        (targets({OLD: 80, NEW: 30}), "Traffic targets sum to 110, want 100"),
        (targets({OLD: 120, NEW: -20}), "must be between 0 and 100"),
        ([{"type_": 2, "percent": 100}], "must be set for type REVISION only"),
        ([{"type_": 1, "percent": 100, "revision": OLD}], "must be set for type REVISION only"),
        ([{"percent": 100, "revision": OLD}], "must be LATEST or REVISION"),
        ([{"type_": 1, "percent": 100, "tag": "Not_A_Label"}], "is not a DNS label"),
        ([{"type_": 1, "percent": 100, "tag": "a"}, {"type_": 2, "revision": OLD, "tag": "a"}], "Multiple definitions"),
    ],
)
def test_traffic_that_is_refused_at_once(cloud: Cloud, traffic: list[Any], complaint: str) -> None:
    with pytest.raises(gx.InvalidArgument, match=complaint):
        cloud.update("traffic", traffic=traffic)
    assert cloud.service().generation == 3


def test_the_same_revision_may_appear_with_and_without_a_tag(cloud: Cloud) -> None:
    tagged = run_v2.TrafficTarget(type_=2, revision=OLD, percent=0, tag="blue")
    cloud.update("traffic", traffic=[*targets({OLD: 60, NEW: 40}), tagged])
    after = cloud.settle()
    assert [(s.revision, s.percent, s.tag) for s in after.traffic_statuses] == [
        (OLD, 60, ""),
        (NEW, 40, ""),
        (OLD, 0, "blue"),
    ]
    assert after.traffic_statuses[2].uri == after.uri.replace("https://", "https://blue---")
    assert cloud.truth.split == {OLD: 60, NEW: 40}


@pytest.mark.parametrize("key", ["run.googleapis.com/x", "serving.knative.dev/y", "autoscaling.knative.dev/z"])
def test_annotations_of_the_system_are_refused(cloud: Cloud, key: str) -> None:
    with pytest.raises(gx.InvalidArgument, match="reserved for the system"):
        cloud.update("annotations", annotations={key: "1"})


def test_validate_only_changes_nothing(cloud: Cloud) -> None:
    before = cloud.service()
    service = run_v2.Service(name=NAME, traffic=targets({OLD: 100}))
    request = {"service": service, "update_mask": {"paths": ["traffic"]}, "validate_only": True}
    operation = cloud.services.update_service(request=request)
    assert shown(operation.result().traffic) == {OLD: 100}
    assert cloud.service() == before
    assert not cloud.calls("UpdateService")[0].committed


def test_a_service_can_be_created_and_serves_when_its_revision_is_ready(cloud: Cloud) -> None:
    service = run_v2.Service(template=template())
    operation = cloud.services.create_service(parent=PARENT, service_id="shiny", service=service)
    name = f"{PARENT}/services/shiny"
    during = cloud.services.get_service(name=name)
    assert (during.generation, during.observed_generation, during.reconciling) == (1, 0, True)
    assert not during.traffic_statuses
    cloud.clock.advance(10)
    after = operation.result()
    assert after.name == name
    assert shown(after.traffic_statuses) == {"LATEST": 100}
    assert re.fullmatch(rf"{name}/revisions/shiny-00001-[a-z]{{3}}", after.latest_ready_revision)
    assert [s.name for s in cloud.services.list_services(parent=PARENT)][1] == name


@pytest.mark.parametrize(
    ("identifier", "error", "complaint"),
    [
        ("web", gx.AlreadyExists, "Resource 'web' already exists."),
        ("Web", gx.InvalidArgument, "service_id must be lowercase"),
        ("x" * 50, gx.InvalidArgument, "fewer than 50"),
        ("x-", gx.InvalidArgument, "service_id"),
    ],
)
def test_creations_that_are_refused(cloud: Cloud, identifier: str, error: Any, complaint: str) -> None:
    with pytest.raises(error, match=complaint):
        cloud.services.create_service(parent=PARENT, service_id=identifier, service=run_v2.Service(template=template()))


def test_a_service_can_be_deleted_with_its_etag(cloud: Cloud) -> None:
    with pytest.raises(gx.Aborted):
        cloud.services.delete_service(request={"name": NAME, "etag": etag(NAME, cloud.world.began)})
    operation = cloud.services.delete_service(request={"name": NAME, "etag": cloud.service().etag})
    assert operation.result().delete_time
    with pytest.raises(gx.NotFound):
        cloud.service()


def test_updating_what_is_not_there(cloud: Cloud) -> None:
    service = run_v2.Service(name=f"{PARENT}/services/nope")
    with pytest.raises(gx.NotFound, match="of kind 'SERVICE'"):
        cloud.services.update_service(request={"service": service, "update_mask": {"paths": ["traffic"]}})


def test_an_image_by_tag_is_shown_by_digest_in_the_revision(cloud: Cloud) -> None:
    cloud.update("template", template=template())
    after = cloud.settle()
    revision = cloud.revisions.get_revision(name=after.latest_ready_revision)
    assert after.template.containers[0].image == f"{IMAGE}:00001-abe"
    assert revision.containers[0].image.startswith(f"{IMAGE}@sha256:")
