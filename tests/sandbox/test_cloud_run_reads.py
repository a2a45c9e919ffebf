"""Reading services and revisions, through Google's clients."""

import base64

import grpc
import pytest
from google.api_core import exceptions as gx
from google.cloud import run_v2

from bot.sandbox.cloud_run.etag import etag, version_of
from tests.sandbox.harness import NAME, PARENT, Cloud, client

STATES = run_v2.Condition.State


def test_a_service_looks_as_its_last_deployment_left_it(cloud: Cloud) -> None:
    service = cloud.service()
    assert service.name == NAME
    assert service.generation == service.observed_generation == 3
    assert not service.reconciling
    assert service.terminal_condition.type_ == "Ready"
    assert service.terminal_condition.state == STATES.CONDITION_SUCCEEDED
    assert {one.type_ for one in service.conditions} == {"RoutesReady", "ConfigurationsReady"}
    assert service.latest_ready_revision == service.latest_created_revision == f"{NAME}/revisions/web-00003-cid"
    assert service.template.revision == "web-00003-cid"  # gcloud names the revision in the template
    assert service.client == "gcloud"
    assert service.uri.startswith("https://web-")


def test_the_latest_target_does_not_say_which_revision_it_is(cloud: Cloud) -> None:
    """A reader has to look at latest_ready_revision."""
    (status,) = cloud.service().traffic_statuses
    assert status.type_ == run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
    assert (status.revision, status.percent, status.tag, status.uri) == ("", 100, "", "")


def test_the_etag_is_the_time_of_the_change_and_the_name(cloud: Cloud) -> None:
    service = cloud.service()
    assert service.etag.startswith('"') and service.etag.endswith('"')
    assert service.etag == etag(NAME, cloud.truth.changed)
    assert version_of(service.etag) == round(cloud.truth.changed.timestamp() * 1_000_000)


def test_the_etag_decodes_as_those_of_production_do(cloud: Cloud) -> None:
    stamp, name = (base64.urlsafe_b64decode(part + "==") for part in cloud.service().etag.strip('"').split("/"))
    assert name.decode() == NAME
    assert stamp[0] == 0x08  # field 1 (seconds) of google.protobuf.Timestamp, as a varint
    seconds = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(stamp[1:6]))
    assert seconds == int(cloud.truth.changed.timestamp())


def test_a_service_that_is_not_there_is_named_with_its_region_and_project(cloud: Cloud) -> None:
    with pytest.raises(gx.NotFound) as refused:
        cloud.services.get_service(name=f"{PARENT}/services/nope")
    expected = "Resource 'nope' of kind 'SERVICE' in region 'europe-west1' in project 'shop' does not exist."
    assert refused.value.message == expected


@pytest.mark.parametrize(
    ("parent", "found"),
    [
        (PARENT, ["quiet", "web"]),
        ("projects/shop/locations/us-central1", ["far"]),
        ("projects/other/locations/us-central1", ["web"]),
        ("projects/shop/locations/asia-east1", []),
    ],
)
def test_services_are_listed_by_project_and_location(cloud: Cloud, parent: str, found: list[str]) -> None:
    assert [service.name.rpartition("/")[2] for service in cloud.services.list_services(parent=parent)] == found


def test_listing_services_over_all_locations_is_refused(cloud: Cloud) -> None:
    with pytest.raises(gx.InvalidArgument, match='cannot be the "-" wildcard'):
        list(cloud.services.list_services(parent="projects/shop/locations/-"))


def test_services_come_in_pages(cloud: Cloud) -> None:
    request = run_v2.ListServicesRequest(parent=PARENT, page_size=1)
    pages = list(cloud.services.list_services(request=request).pages)
    assert [len(page.services) for page in pages] == [1, 1]
    assert [page.next_page_token == "" for page in pages] == [False, True]


def test_revisions_come_newest_first_and_in_pages(cloud: Cloud) -> None:
    request = run_v2.ListRevisionsRequest(parent=NAME, page_size=2)
    pages = list(cloud.revisions.list_revisions(request=request).pages)
    assert [[revision.name.rpartition("/")[2] for revision in page.revisions] for page in pages] == [
        ["web-00003-cid", "web-00002-bec"],
        ["web-00001-abe"],
    ]


def test_revisions_of_all_services_of_a_location_can_be_listed(cloud: Cloud) -> None:
    found = [revision.service for revision in cloud.revisions.list_revisions(parent=f"{PARENT}/services/-")]
    assert sorted(set(found)) == ["quiet", "web"]


def test_revisions_of_an_unknown_service_are_not_found(cloud: Cloud) -> None:
    with pytest.raises(gx.NotFound, match="of kind 'SERVICE'"):
        list(cloud.revisions.list_revisions(parent=f"{PARENT}/services/nope"))


@pytest.mark.parametrize(
    ("size", "token", "complaint"),
    [(-1, "", "must not be negative"), (1, "nonsense", "page token"), (1, "eA==", "page token")],
)
def test_a_bad_page_is_refused(cloud: Cloud, size: int, token: str, complaint: str) -> None:
    request = run_v2.ListRevisionsRequest(parent=NAME, page_size=size, page_token=token)
    with pytest.raises(gx.InvalidArgument, match=complaint):
        cloud.revisions.list_revisions(request=request)


def test_a_revision_shows_what_it_was_made_from(cloud: Cloud) -> None:
    revision = cloud.revisions.get_revision(name=f"{NAME}/revisions/web-00003-cid")
    (container,) = revision.containers
    assert container.image.startswith("europe-west1-docker.pkg.dev/shop/app/web@sha256:")
    assert container.env[0].value_source.secret_key_ref.secret == "db"
    assert container.env[0].value_source.secret_key_ref.version == "3"
    assert revision.service == "web"
    assert revision.scaling.max_instance_count == 10
    assert revision.service_account == "run@shop.iam.gserviceaccount.com"
    assert "revision_name%3D%22web-00003-cid%22" in revision.log_uri


def conditions(revision: run_v2.Revision) -> dict[str, run_v2.Condition]:
    return {one.type_: one for one in revision.conditions}


def test_the_serving_revision_is_active_and_older_ones_are_retired_yet_ready(cloud: Cloud) -> None:
    serving, old = (
        conditions(cloud.revisions.get_revision(name=f"{NAME}/revisions/{release}"))
        for release in ("web-00003-cid", "web-00001-abe")
    )
    assert serving["Ready"].state == serving["Active"].state == STATES.CONDITION_SUCCEEDED
    assert old["Ready"].state == STATES.CONDITION_SUCCEEDED
    assert old["Active"].state == STATES.CONDITION_FAILED
    assert old["Active"].revision_reason == run_v2.Condition.RevisionReason.RETIRED
    assert old["Active"].severity == run_v2.Condition.Severity.INFO
    assert old["Active"].message == "Revision retired."


def test_a_revision_that_is_not_there(cloud: Cloud) -> None:
    with pytest.raises(gx.NotFound, match="Resource 'web-00009-zzz' of kind 'REVISION'"):
        cloud.revisions.get_revision(name=f"{NAME}/revisions/web-00009-zzz")


@pytest.mark.parametrize("header", [None, "location=us-central1", "name=x"])
def test_a_call_without_its_routing_header_is_refused(cloud: Cloud, header: str | None) -> None:
    get = cloud.channel.unary_unary(
        "/google.cloud.run.v2.Services/GetService",
        request_serializer=run_v2.GetServiceRequest.serialize,
        response_deserializer=run_v2.Service.deserialize,
    )
    metadata = [("x-goog-request-params", header)] if header else []
    with pytest.raises(grpc.RpcError) as refused:
        get(run_v2.GetServiceRequest(name=NAME), metadata=metadata)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "location=europe-west1" in refused.value.details()


@pytest.mark.parametrize(
    "call",
    [
        lambda cloud: cloud.services.get_iam_policy(request={"resource": NAME}),
        lambda cloud: client(run_v2.WorkerPoolsClient, cloud.channel).list_worker_pools(parent=PARENT),
        lambda cloud: cloud.secrets.delete_secret(name="projects/shop/secrets/db"),
    ],
    ids=["method", "service", "other api"],
)
def test_what_is_not_implemented_says_so(cloud: Cloud, call: object) -> None:
    with pytest.raises(gx.MethodNotImplemented, match="The sandbox does not implement"):
        call(cloud)  # type: ignore[operator]
    assert cloud.calls()[-1].code == "UNIMPLEMENTED"
