"""What a build pipeline and its administrators do: push images, copy them to other registries, let others pull."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.sandbox.artifact_registry import Image
from bot.sandbox.blueprint import Severity
from bot.sandbox.quality import Quality
from bot.sandbox.world import World


class Push(BaseModel):
    """A new build of REFERENCE:TAG, and what releases of it will be like.

    `vulnerabilities` are what the scan finds, by severity; None: it is never scanned.
    """

    model_config = ConfigDict(extra="forbid")

    reference: str
    tag: str = "latest"
    error_rate: float = Field(default=0.0004, ge=0, le=1)
    p95_ms: float = Field(default=0.0, ge=0)
    ready: bool = True
    vulnerabilities: dict[Severity, int] | None = {}


class Copy(BaseModel):
    """The image of one registry in another, where it has the same digest; without a tag it has none there."""

    model_config = ConfigDict(extra="forbid")

    image: str
    to: str
    tag: str = ""


class Reader(BaseModel):
    """Whether Cloud Run of the project `reader` may pull from the registries of the project `owner`."""

    model_config = ConfigDict(extra="forbid")

    owner: str
    reader: str
    granted: bool = True


def push(world: World, asked: Push, now: datetime) -> dict[str, Any]:
    """Scanned at once: who rehearses does not wait for that."""
    quality = Quality(asked.error_rate, asked.ready, asked.p95_ms)
    image = world.registry.push(asked.reference, asked.tag, now, quality)
    if asked.vulnerabilities is not None:
        image.vulnerabilities, image.scanned = dict(asked.vulnerabilities), now
    return _told(image)


def copy(world: World, asked: Copy, now: datetime) -> dict[str, Any]:
    """What a scan found belongs to a registry: the copy is scanned anew, and the same is found."""
    image = world.registry.images[world.registry.digest_of(asked.image) or asked.image]
    copied = world.registry.add(asked.to, image.digest, asked.tag, now, image.quality)
    copied.vulnerabilities, copied.scanned = dict(image.vulnerabilities), now if image.scanned else None
    return _told(copied)


def let_read(world: World, asked: Reader) -> dict[str, Any]:
    """Raises KeyError for a project that is not there."""
    for project in (asked.owner, asked.reader):
        if project not in world.vault.numbers:
            raise KeyError(f"project {project}")
    change = world.registry.readers.add if asked.granted else world.registry.readers.discard
    change((asked.owner, asked.reader))
    return {"readers": sorted(reader for owner, reader in world.registry.readers if owner == asked.owner)}


def _told(image: Image) -> dict[str, Any]:
    return {"image": image.uri, "digest": image.digest, "tags": image.tags}
