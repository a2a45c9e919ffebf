"""Artifact Registry, through Google's own client (API v1). It serves gcr.io addresses too."""

import shlex
from typing import ClassVar

from bot.core.errors import NotFound
from bot.core.ports import Image, Vulnerabilities
from bot.core.request import Target
from bot.providers._google import Google, instant, translated
from bot.providers.artifact_registry.references import Reference, parsed, untagged

TAG = 12  # characters of a digest that name a copy


class ArtifactRegistry:
    """Container images that Cloud Run releases were made from, and what scans found in them. Offers ImageReads."""

    cloud: ClassVar[str] = "gcp"
    PERMISSIONS: ClassVar[dict[str, tuple[str, ...]]] = {
        "image": ("artifactregistry.dockerimages.get", "artifactregistry.tags.get"),
        "vulnerabilities": ("containeranalysis.occurrences.list", "artifactregistry.tags.get"),
        "by_hand_copy": (),
    }

    def __init__(self, google: Google) -> None:
        self._google = google

    def image(self, target: Target, reference: str) -> Image:
        """`reference` is HOST/PROJECT/REPOSITORY/IMAGE with :TAG or @DIGEST; without both the tag is "latest".

        Raises NotFound when there is no such image or tag, Permanent when it is in a registry of another kind.
        """
        found = parsed(reference)
        try:
            return self._image(found, found.digest or self._digest_of(found, reference), reference)
        except NotFound as error:
            raise NotFound(_missing(reference)) from error

    def vulnerabilities(self, target: Target, reference: str) -> Vulnerabilities:
        """Raises NotFound when there is no such tag, Permanent when it is in a registry of another kind."""
        from bot.providers.artifact_registry import scans

        found = parsed(reference)
        try:
            digest = found.digest or self._digest_of(found, reference)
        except NotFound as error:
            raise NotFound(_missing(reference)) from error
        return scans.found(self._google, found.project, f"{untagged(reference)}@{digest}")

    def by_hand_copy(self, target: Target, image: str, to: str) -> str:
        """No method of the API copies images, so Google's docs ("Copy images between repositories") use gcrane.

        It is given a tag of its own there: `latest` would move, and what has no tag is soon cleaned up.
        """
        return shlex.join(("gcrane", "cp", image, f"{to}:{image.rpartition(':')[2][:TAG]}"))

    def _digest_of(self, found: Reference, reference: str) -> str:
        from google.cloud import artifactregistry_v1

        registry = self._google.client(artifactregistry_v1.ArtifactRegistryClient)
        request = artifactregistry_v1.GetTagRequest(name=f"{found.repository}/packages/{found.image}/tags/{found.tag}")
        with translated(f"look up the tag of image {reference}", "artifactregistry.tags.get"):
            tag = registry.get_tag(request, **self._google.reading)
        return str(tag.version.rpartition("/")[2])

    def _image(self, found: Reference, digest: str, reference: str) -> Image:
        from google.cloud import artifactregistry_v1

        registry = self._google.client(artifactregistry_v1.ArtifactRegistryClient)
        request = artifactregistry_v1.GetDockerImageRequest(
            name=f"{found.repository}/dockerImages/{found.image}@{digest}"
        )
        with translated(f"read image {reference}", "artifactregistry.dockerimages.get"):
            image = registry.get_docker_image(request, **self._google.reading)
        return Image(digest=digest, uploaded_at=instant(image.upload_time) if image.upload_time else None)


def _missing(reference: str) -> str:
    return f"image {reference} is not in its registry: deleted, or never pushed"
