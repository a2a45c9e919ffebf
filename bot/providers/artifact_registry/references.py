"""References to container images, taken apart as Artifact Registry names them."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from bot.core.errors import Permanent

# Where the images of the four hosts of Container Registry live now (Artifact Registry, "Repositories with gcr.io
# domain support"): the repository is named after the host.
GCR_LOCATIONS = {"gcr.io": "us", "us.gcr.io": "us", "eu.gcr.io": "europe", "asia.gcr.io": "asia"}
_HOST = re.compile(r"([a-z0-9-]+)-docker\.pkg\.dev")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Reference:
    """`repository` is a resource name; `image` is escaped for one: the slashes of a nested path are %2F."""

    repository: str
    image: str
    tag: str
    digest: str

    @property
    def project(self) -> str:
        return self.repository.split("/")[1]


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


def untagged(reference: str) -> str:
    """What was written, without tag and digest."""
    path = reference.partition("@")[0]
    front, slash, last = path.rpartition("/")
    return f"{front}{slash}{last.partition(':')[0]}"
