"""Artifact Registry: which images exist, which digest a tag points to, what a scan found, and who may pull them."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.blueprint import Severity, digest
from bot.sandbox.names import short
from bot.sandbox.quality import Quality

_AR = re.compile(
    r"(?P<location>[a-z0-9-]+)-docker\.pkg\.dev/(?P<project>[^/]+)/(?P<repository>[^/]+)/(?P<image>[^@:]+)"
)
_GCR = re.compile(r"(?P<host>(?:(?P<location>us|eu|asia)\.)?gcr\.io)/(?P<project>[^/]+)/(?P<image>[^@:]+)")


@dataclass
class Image:
    """One image, by digest. `reference` is without tag and digest."""

    reference: str
    digest: str
    uploaded: datetime
    size_bytes: int
    tags: list[str] = field(default_factory=list)
    quality: Quality | None = None
    vulnerabilities: dict[Severity, int] = field(default_factory=dict)
    scanned: datetime | None = None

    @property
    def uri(self) -> str:
        return f"{self.reference}@{self.digest}"


class Registry:
    """Images by uri (REFERENCE@DIGEST). Callers hold the world's lock."""

    def __init__(self) -> None:
        self.images: dict[str, Image] = {}
        self.readers: set[tuple[str, str]] = set()  # a registry's project, and one whose Cloud Run may pull from it

    def add(self, reference: str, digest: str, tag: str, uploaded: datetime, quality: Quality | None = None) -> Image:
        """Push an image; its tag moves here from where it was, and may be empty.

        `quality` is that of the releases made of it.
        """
        image = self.images.setdefault(
            f"{reference}@{digest}", Image(reference, digest, uploaded, 40_000_000 + int(digest[-6:], 16))
        )
        for other in self.images.values():
            if other.reference == reference and tag in other.tags:
                other.tags.remove(tag)
        image.tags += [tag] if tag else []
        image.quality = quality or image.quality
        return image

    def push(self, reference: str, tag: str, now: datetime, quality: Quality | None = None) -> Image:
        """Build and push something new."""
        built = digest(reference, f"{tag} {now.isoformat()} {len(self.images)}").rpartition("@")[2]
        return self.add(reference, built, tag, now, quality)

    def quality_of(self, reference: str) -> Quality | None:
        """What releases of an image are like; None if there is no such image, or nobody said."""
        image = self.images.get(self.digest_of(reference) or "")
        return image.quality if image else None

    def delete(self, reference: str) -> Image:
        """Delete by tag or digest. Raises KeyError if there is none."""
        return self.images.pop(self.digest_of(reference) or reference)

    def digest_of(self, reference: str) -> str | None:
        """REFERENCE@DIGEST of REFERENCE:TAG, of REFERENCE (tag latest), or of itself; None if it does not exist."""
        if "@" in reference:
            return reference if reference in self.images else None
        name, _, tag = reference.rpartition(":") if ":" in short(reference) else (reference, "", "latest")
        for uri, image in self.images.items():
            if image.reference == name and tag in image.tags:
                return uri
        return None

    def may_pull(self, project: str, reference: str) -> bool:
        """Whether Cloud Run of a project may pull an image: of its own registries, and where it was granted."""
        found = repository_of(reference)
        owner = found[0].split("/")[1] if found else project
        return owner == project or (owner, project) in self.readers


def repository_of(reference: str) -> tuple[str, str] | None:
    """The repository's resource name and the package, of a docker reference; gcr.io lives in repository gcr.io."""
    if match := _AR.match(reference):
        return f"projects/{match['project']}/locations/{match['location']}/repositories/{match['repository']}", match[
            "image"
        ]
    if match := _GCR.match(reference):
        location = {"eu": "europe"}.get(match["location"], match["location"]) or "us"
        return f"projects/{match['project']}/locations/{location}/repositories/{match['host']}", match["image"]
    return None
