"""Images of the sandbox's Artifact Registry, and references taken apart."""

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import artifactregistry_v1

from bot.core.errors import CloudError, Forbidden, NotFound, Permanent, Transient
from bot.core.request import Target
from bot.providers._google import Google
from bot.providers.artifact_registry import ArtifactRegistry, Reference, parsed
from bot.providers.cloud_run import CloudRun

SHA = "sha256:" + "0123456789abcdef" * 4
US = "projects/p/locations/us-central1/repositories/r"


@pytest.fixture
def images(google: Google) -> ArtifactRegistry:
    return ArtifactRegistry(google)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (f"us-central1-docker.pkg.dev/p/r/app@{SHA}", Reference(US, "app", "latest", SHA)),
        ("us-central1-docker.pkg.dev/p/r/app:v1.2", Reference(US, "app", "v1.2", "")),
        ("us-central1-docker.pkg.dev/p/r/app", Reference(US, "app", "latest", "")),
        (f"us-central1-docker.pkg.dev/p/r/app:v1@{SHA}", Reference(US, "app", "v1", SHA)),
        (f"us-central1-docker.pkg.dev/p/r/team/app@{SHA}", Reference(US, "team%2Fapp", "latest", SHA)),
        ("us-central1-docker.pkg.dev/p/r/a/b/c:t", Reference(US, "a%2Fb%2Fc", "t", "")),
        ("europe-docker.pkg.dev/p/r/app", Reference("projects/p/locations/europe/repositories/r", "app", "latest", "")),
        ("gcr.io/p/app", Reference("projects/p/locations/us/repositories/gcr.io", "app", "latest", "")),
        ("us.gcr.io/p/app:1", Reference("projects/p/locations/us/repositories/us.gcr.io", "app", "1", "")),
        (
            "eu.gcr.io/p/team/app:1",
            Reference("projects/p/locations/europe/repositories/eu.gcr.io", "team%2Fapp", "1", ""),
        ),
        (
            f"asia.gcr.io/p/app@{SHA}",
            Reference("projects/p/locations/asia/repositories/asia.gcr.io", "app", "latest", SHA),
        ),
        (
            "gcr.io/example.com/p/app",
            Reference("projects/example.com:p/locations/us/repositories/gcr.io", "app", "latest", ""),
        ),
        (
            "us-docker.pkg.dev/example.com/p/r/app",
            Reference("projects/example.com:p/locations/us/repositories/r", "app", "latest", ""),
        ),
    ],
)
def test_references(reference: str, expected: Reference) -> None:
    assert parsed(reference) == expected


@pytest.mark.parametrize(
    "reference",
    [
        "nginx",
        "nginx:latest",
        "docker.io/library/nginx:1.27",
        "ghcr.io/owner/app:v1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1",
        "mirror.gcr.io/library/nginx",
        "docker.pkg.dev/p/r/app",
        "us-central1-docker.pkg.dev.evil.example/p/r/app",
        "us-central1-maven.pkg.dev/p/r/app",
        "",
    ],
)
def test_other_registries_are_not_read(
    images: ArtifactRegistry, target_of: Callable[[str], Target], reference: str
) -> None:
    with pytest.raises(Permanent, match="is in a registry that aisq cannot read") as caught:
        images.image(target_of("web"), reference)
    assert type(caught.value) is Permanent  # nobody may take it for an image that is gone


@pytest.mark.parametrize(
    "reference",
    [
        "us-central1-docker.pkg.dev/p/r",
        "us-central1-docker.pkg.dev/p",
        "us-central1-docker.pkg.dev",
        "us-central1-docker.pkg.dev/p/r//app",
        "us-central1-docker.pkg.dev/p/r/",
        "gcr.io/p",
        "gcr.io",
        "gcr.io/p/app@sha256:123",
        "gcr.io/p/app@md5:123",
    ],
)
def test_broken_references(reference: str) -> None:
    with pytest.raises(Permanent, match="is not a whole reference"):
        parsed(reference)


@pytest.mark.parametrize("name", ["lone", "nested-app", "gcr-app"])
@pytest.mark.parametrize("by", ["digest", "tag", "both"])
def test_an_image_that_is_there(
    images: ArtifactRegistry, run: CloudRun, target_of: Callable[[str], Target], name: str, by: str
) -> None:
    target = target_of(name)
    deployed = run.releases(target)[0].image
    path, _, digest = deployed.partition("@")
    reference = {"digest": deployed, "tag": f"{path}:00001-abc", "both": f"{path}:moved@{digest}"}[by]
    found = images.image(target, reference)
    assert found.digest == digest
    assert found.uploaded_at
    assert found.uploaded_at <= run.releases(target)[0].created_at


@pytest.mark.parametrize("reference", ["us-central1-docker.pkg.dev/pool/app/lone:nosuch", "eu.gcr.io/pool/team/app"])
def test_a_tag_that_is_not_there(images: ArtifactRegistry, target_of: Callable[[str], Target], reference: str) -> None:
    with pytest.raises(NotFound, match=f"image {reference} is not in its registry: deleted, or never pushed"):
        images.image(target_of("lone"), reference)


def test_an_image_that_was_deleted(rig: Any, run: CloudRun, images: ArtifactRegistry) -> None:
    reference = run.releases(rig.target)[0].image
    assert images.image(rig.target, reference)
    rig.control.delete_image(reference)
    with pytest.raises(NotFound, match="is not in its registry"):
        images.image(rig.target, reference)


@pytest.mark.parametrize(
    ("reference", "method", "permission"),
    [
        (f"us-central1-docker.pkg.dev/pool/app/lone@{SHA}", "GetDockerImage", "artifactregistry.dockerimages.get"),
        ("us-central1-docker.pkg.dev/pool/app/lone:00001-abc", "GetTag", "artifactregistry.tags.get"),
    ],
)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"code": "PERMISSION_DENIED"}, Forbidden),
        ({"code": "UNAVAILABLE"}, Transient),
        ({"code": "DEADLINE_EXCEEDED", "seconds": 2}, Transient),
        ({"code": "RESOURCE_EXHAUSTED"}, Transient),
        ({"code": "INTERNAL"}, Transient),
    ],
)
def test_faults(
    rig: Any, reference: str, method: str, permission: str, fault: dict[str, Any], kind: type[CloudError]
) -> None:
    rig.control.fault("error", method=method, **fault)
    images = ArtifactRegistry(rig.google(read_timeout_s=0.5))
    with pytest.raises(kind) as caught:
        images.image(rig.target, reference)
    assert type(caught.value) is kind
    assert reference in str(caught.value)
    if isinstance(caught.value, Forbidden):
        assert caught.value.permission == permission
        assert permission in images.PERMISSIONS["image"]


class Answered(Google):
    """Google with an image that nobody knows the age of."""

    def client(self, kind: type[Any]) -> Any:
        return self

    def get_docker_image(self, request: artifactregistry_v1.GetDockerImageRequest, **_: Any) -> Any:
        self.asked = request.name
        return artifactregistry_v1.DockerImage()


def test_an_image_without_an_upload_time(target_of: Callable[[str], Target]) -> None:
    google = Answered()
    found = ArtifactRegistry(google).image(target_of("web"), f"us-central1-docker.pkg.dev/p/r/team/app@{SHA}")
    assert (found.digest, found.uploaded_at) == (SHA, None)
    assert google.asked == f"{US}/dockerImages/team%2Fapp@{SHA}"


def test_a_copy_by_hand_has_a_tag_of_its_own(images: ArtifactRegistry, target_of: Callable[[str], Target]) -> None:
    source = f"us-docker.pkg.dev/staging/r/app@{SHA}"
    said = images.by_hand_copy(target_of("web"), source, "us-docker.pkg.dev/prod/r/app")
    assert said == f"gcrane cp {source} us-docker.pkg.dev/prod/r/app:0123456789ab"
