"""Artifact Registry through Google's client: does the image exist, which digest has the tag, when was it uploaded."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions as gx

from bot.sandbox.artifact_registry import Registry, repository_of
from bot.sandbox.blueprint import digest
from tests.sandbox.harness import IMAGE, Cloud

REPOSITORY = "projects/shop/locations/europe-west1/repositories/app"
PACKAGE = f"{REPOSITORY}/packages/web"
OLD = digest(IMAGE, "00001-abe").rpartition("@")[2]


@pytest.mark.parametrize(
    ("reference", "repository", "image"),
    [
        ("europe-west1-docker.pkg.dev/shop/app/web", REPOSITORY, "web"),
        ("europe-west1-docker.pkg.dev/shop/app/deep/web:v1", REPOSITORY, "deep/web"),
        (f"europe-west1-docker.pkg.dev/shop/app/web@{OLD}", REPOSITORY, "web"),
        ("gcr.io/eaili5/web:latest", "projects/eaili5/locations/us/repositories/gcr.io", "web"),
        ("us.gcr.io/eaili5/web", "projects/eaili5/locations/us/repositories/us.gcr.io", "web"),
        ("eu.gcr.io/eaili5/web", "projects/eaili5/locations/europe/repositories/eu.gcr.io", "web"),
        ("asia.gcr.io/eaili5/web", "projects/eaili5/locations/asia/repositories/asia.gcr.io", "web"),
    ],
)
def test_references_and_repositories(reference: str, repository: str, image: str) -> None:
    assert repository_of(reference) == (repository, image)


def test_other_registries_have_no_repository_here() -> None:
    assert repository_of("docker.io/library/nginx") is None


def test_a_tag_points_to_a_version(cloud: Cloud) -> None:
    tag = cloud.registry.get_tag(name=f"{PACKAGE}/tags/00001-abe")
    assert tag.version == f"{PACKAGE}/versions/{OLD}"
    version = cloud.registry.get_version(name=tag.version)
    assert version.create_time == cloud.world.began - timedelta(days=20)
    assert [one.name for one in version.related_tags] == [tag.name]


def test_an_image_by_digest(cloud: Cloud) -> None:
    image = cloud.registry.get_docker_image(name=f"{REPOSITORY}/dockerImages/web@{OLD}")
    assert image.uri == f"{IMAGE}@{OLD}"
    assert list(image.tags) == ["00001-abe"]
    assert image.upload_time == cloud.world.began - timedelta(days=20)
    assert image.image_size_bytes > 1_000_000
    assert image.media_type == "application/vnd.docker.distribution.manifest.v2+json"


def test_an_image_by_tag_is_an_invalid_argument(cloud: Cloud) -> None:
    with pytest.raises(gx.InvalidArgument, match="Request contains an invalid argument"):
        cloud.registry.get_docker_image(name=f"{REPOSITORY}/dockerImages/web:00001-abe")


@pytest.mark.parametrize(
    "read",
    [
        lambda registry: registry.get_docker_image(name=f"{REPOSITORY}/dockerImages/web@sha256:0"),
        lambda registry: registry.get_tag(name=f"{PACKAGE}/tags/nope"),
        lambda registry: registry.get_version(name=f"{PACKAGE}/versions/sha256:0"),
        lambda registry: registry.get_package(name=f"{REPOSITORY}/packages/nope"),
        lambda registry: list(
            registry.list_tags(parent="projects/shop/locations/europe-west1/repositories/ap/packages/web")
        ),
        lambda registry: list(registry.list_docker_images(parent=f"{REPOSITORY}2")),
    ],
)
def test_what_is_not_there_is_not_found(cloud: Cloud, read: Any) -> None:
    with pytest.raises(gx.NotFound) as refused:
        read(cloud.registry)
    assert refused.value.message == "Requested entity was not found."


def test_images_tags_and_versions_are_listed_newest_first_and_in_pages(cloud: Cloud) -> None:
    images = list(cloud.registry.list_docker_images(parent=REPOSITORY))
    assert [image.upload_time for image in images] == sorted((i.upload_time for i in images), reverse=True)
    web = [image for image in images if "/dockerImages/web@" in image.name]
    assert [list(image.tags) for image in web] == [["00003-cid"], ["00002-bec"], ["00001-abe"]]
    pages = list(cloud.registry.list_versions(request={"parent": PACKAGE, "page_size": 2}).pages)
    assert [len(page.versions) for page in pages] == [2, 1]
    tags = list(cloud.registry.list_tags(parent=PACKAGE))
    assert [tag.name.rpartition("/")[2] for tag in tags] == ["00003-cid", "00002-bec", "00001-abe"]


def test_a_package_spans_its_versions(cloud: Cloud) -> None:
    package = cloud.registry.get_package(name=PACKAGE)
    assert package.display_name == "web"
    assert package.create_time == cloud.world.began - timedelta(days=20)
    assert package.update_time == cloud.world.began - timedelta(days=2)


@pytest.mark.parametrize(("order", "first"), [("upload_time", "00001-abe"), ("upload_time desc", "00003-cid")])
def test_images_can_be_ordered(cloud: Cloud, order: str, first: str) -> None:
    images = [
        image
        for image in cloud.registry.list_docker_images(request={"parent": REPOSITORY, "order_by": order})
        if "/web@" in image.name
    ]
    assert list(images[0].tags) == [first]


def test_tags_can_be_filtered_by_version(cloud: Cloud) -> None:
    request = {"parent": PACKAGE, "filter": f'version="{PACKAGE}/versions/{OLD}"'}
    assert [tag.name for tag in cloud.registry.list_tags(request=request)] == [f"{PACKAGE}/tags/00001-abe"]


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("list_tags", {"parent": PACKAGE, "filter": 'name="*"'}),
        ("list_tags", {"parent": PACKAGE, "filter": 'owner="me"'}),
        ("list_docker_images", {"parent": REPOSITORY, "order_by": "size"}),
        ("list_docker_images", {"parent": REPOSITORY, "order_by": "name sideways"}),
    ],
)
def test_what_the_sandbox_cannot_do_is_refused(cloud: Cloud, method: str, request_: dict[str, str]) -> None:
    with pytest.raises(gx.InvalidArgument, match="The sandbox does not"):
        list(getattr(cloud.registry, method)(request=request_))


def test_a_deleted_image_is_gone_and_its_release_cannot_come_back(cloud: Cloud) -> None:
    with cloud.world.settled():
        cloud.world.registry.delete(f"{IMAGE}:00001-abe")
    with pytest.raises(gx.NotFound):
        cloud.registry.get_tag(name=f"{PACKAGE}/tags/00001-abe")
    operation = cloud.route({"web-00001-abe": 100})
    cloud.settle()
    with pytest.raises(gx.NotFound, match=r"Image '.*' not found\."):
        operation.result()
    assert cloud.truth.split == {"web-00003-cid": 100}


def test_a_serving_release_goes_on_without_its_image(cloud: Cloud) -> None:
    with cloud.world.settled():
        cloud.world.registry.delete(f"{IMAGE}:00003-cid")
    operation = cloud.route({"web-00003-cid": 90, "web-00001-abe": 10})
    cloud.settle()
    assert operation.result()


def test_a_tag_moves_with_the_next_push() -> None:
    registry, now = Registry(), datetime(2026, 1, 1, tzinfo=UTC)
    registry.add("r/i", "sha256:aaaaaa", "latest", now)
    registry.add("r/i", "sha256:bbbbbb", "latest", now)
    assert registry.digest_of("r/i") == registry.digest_of("r/i:latest") == "r/i@sha256:bbbbbb"
    assert registry.images["r/i@sha256:aaaaaa"].tags == []
    assert registry.digest_of("r/i@sha256:cccccc") is None
    assert registry.digest_of("localhost:5000/i") is None


def test_permission_denied_names_permission_and_repository(cloud: Cloud) -> None:
    cloud.fault("error", method="GetTag", code="PERMISSION_DENIED")
    with pytest.raises(gx.PermissionDenied) as refused:
        cloud.registry.get_tag(name=f"{PACKAGE}/tags/00001-abe")
    assert refused.value.message == (
        f'Permission "artifactregistry.tags.get" denied on resource "{REPOSITORY}" (or it may not exist)'
    )
