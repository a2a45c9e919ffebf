"""Artifact Registry, through Google's own client (API v1). It serves gcr.io addresses too."""

import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from bot.core.errors import NotFound, Permanent
from bot.core.ports import Image
from bot.core.request import Target
from bot.providers._google import Google, instant, translated

# Where the images of the four hosts of Container Registry live now (Artifact Registry, "Repositories with gcr.io
# domain support"): the repository is named after the host.
GCR_LOCATIONS = {"gcr.io": "us", "us.gcr.io": "us", "eu.gcr.io": "europe", "asia.gcr.io": "asia"}
_HOST = re.compile(r"([a-z0-9-]+)-docker\.pkg\.dev")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class ArtifactRegistry:
    """Container images that Cloud Run releases were made from. Offers ImageReads."""

    cloud: ClassVar[str] = "gcp"
    PERMISSIONS: ClassVar[dict[str, tuple[str, ...]]] = {
        "image": ("artifactregistry.dockerimages.get", "artifactregistry.tags.get")
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
            raise NotFound(f"image {reference} is not in its registry: deleted, or never pushed") from error

    def _digest_of(self, found: "Reference", reference: str) -> str:
        from google.cloud import artifactregistry_v1

        registry = self._google.client(artifactregistry_v1.ArtifactRegistryClient)
        request = artifactregistry_v1.GetTagRequest(name=f"{found.repository}/packages/{found.image}/tags/{found.tag}")
        with translated(f"look up the tag of image {reference}", "artifactregistry.tags.get"):
            tag = registry.get_tag(request, **self._google.reading)
        return str(tag.version.rpartition("/")[2])

    def _image(self, found: "Reference", digest: str, reference: str) -> Image:
        from google.cloud import artifactregistry_v1

        registry = self._google.client(artifactregistry_v1.ArtifactRegistryClient)
        request = artifactregistry_v1.GetDockerImageRequest(
            name=f"{found.repository}/dockerImages/{found.image}@{digest}"
        )
        with translated(f"read image {reference}", "artifactregistry.dockerimages.get"):
            image = registry.get_docker_image(request, **self._google.reading)
        return Image(digest=digest, uploaded_at=instant(image.upload_time) if image.upload_time else None)


@dataclass(frozen=True)
class Reference:
    """`repository` is a resource name; `image` is escaped for one: the slashes of a nested path are %2F."""

    repository: str
    image: str
    tag: str
    digest: str


def parsed(reference: str) -> Reference:
    """An image reference, taken apart. Raises Permanent when it is not one of Artifact Registry."""
    path, _, digest = reference.partition("@")
    host, *segments = path.split("/")
    if segments and segments[0].count("."):  # a project of a domain: example.com/project stands for example.com:project
        segments[:2] = [":".join(segments[:2])]
    if match := _HOST.fullmatch(host):
        location, repository, image = match[1], segments[1:2], segments[2:]
    elif host in GCR_LOCATIONS:
        location, repository, image = GCR_LOCATIONS[host], [host], segments[1:]
    else:
        raise Permanent(f"image {reference} is in a registry that aisq cannot read")
    if not repository or not all(image) or not image or (digest and not _DIGEST.fullmatch(digest)):
        raise Permanent(f"image {reference} is not a whole reference; one is HOST/PROJECT/REPOSITORY/IMAGE@sha256:…")
    image[-1], _, tag = image[-1].partition(":")
    where = f"projects/{segments[0]}/locations/{location}/repositories/{repository[0]}"
    return Reference(where, quote("/".join(image), safe=""), tag or "latest", digest)
