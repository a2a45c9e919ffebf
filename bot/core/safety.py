"""Whether traffic may go to a release: what is certain is GO or NO GO, what cannot be read is a risk."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

from bot.core.errors import CloudError, NotFound
from bot.core.lastgood import Past
from bot.core.plan import Finding
from bot.core.ports import ImageReads, Release, SecretReads, SecretUse
from bot.core.request import Target


def can_take(
    target: Target,
    gaining: Sequence[Release],
    left: Sequence[Release],
    schema_label: str,
    images: ImageReads,
    secrets: SecretReads,
) -> tuple[Finding, ...]:
    """Whether each release that gains traffic can start, and can take the place of those that lose it."""
    return tuple(
        finding
        for release in gaining
        for finding in (*can_start(target, release, images, secrets), *fits(release, left, schema_label))
    )


def can_start(target: Target, release: Release, images: ImageReads, secrets: SecretReads) -> Iterator[Finding]:
    """Whether new instances of the release can still be started: readiness, image, secrets."""
    if not release.ready:
        yield Finding(level="bad", subject="release", sentence=f"{release.name} is not ready: {release.reason}")
    yield _image(target, release, images)
    for used in release.secrets:
        found = _secret(target, used, secrets)
        yield found
        if found.level == "risk":
            return  # who does not answer once is not asked for each


def fits(release: Release, left: Sequence[Release], schema_label: str) -> Iterator[Finding]:
    """Whether the release can take the place of those that serve: capacity and, if declared, database schema."""
    most = max((one.max_instances or 0 for one in left), default=0)
    if release.max_instances and most > release.max_instances:
        said = f"{release.name} runs at most {release.max_instances} instances, what serves now {most}"
        yield Finding(level="risk", subject="capacity", sentence=said)
    elif release.max_instances:
        said = f"up to {release.max_instances} instances, no fewer than now"
        yield Finding(level="good", subject="capacity", sentence=said)
    if schema_label:
        yield _schema(release, left, schema_label)


def served_well(past: Past | None, release: Release, now: datetime, max_age: timedelta) -> Iterator[Finding]:
    """How the release did when it served, and how long ago that was."""
    if past is None:
        said = f"{release.name} is not known to have served all traffic before"
        yield Finding(level="risk", subject="health", sentence=said)
    else:
        level: Literal["good", "risk"] = "good" if past.health == "good" else "risk"
        yield Finding(level=level, subject="health", sentence=past.sentence())
    served = past.until if past else release.created_at
    if now - served > max_age:
        said = f"it served last {(now - served).days} days ago; what it talks to may have moved on"
        yield Finding(level="risk", subject="age", sentence=said)


def _image(target: Target, release: Release, images: ImageReads) -> Finding:
    name = release.image.rpartition("/")[2] or "no image"
    try:
        found = images.image(target, release.image)
    except NotFound:
        said = f"its image {name} is gone from the registry: no new instance can start"
        return Finding(level="bad", subject="image", sentence=said)
    except CloudError as error:
        return Finding(level="risk", subject="image", sentence=f"its image could not be looked up: {error}")
    if "@" not in release.image:
        said = f"its image {name} is named by a tag, which may point at something else since"
        return Finding(level="risk", subject="image", sentence=said)
    return Finding(level="good", subject="image", sentence=f"image {found.digest[:19]} is in the registry")


def _secret(target: Target, used: SecretUse, secrets: SecretReads) -> Finding:
    name = f"secret {used.secret} version {used.version}"
    try:
        state = secrets.secret_state(target, used)
    except NotFound:
        return Finding(level="bad", subject="secrets", sentence=f"{name} no longer exists")
    except CloudError as error:
        return Finding(level="risk", subject="secrets", sentence=f"{name} could not be looked up: {error}")
    return Finding(level="good" if state == "enabled" else "bad", subject="secrets", sentence=f"{name} is {state}")


def _schema(release: Release, left: Sequence[Release], label: str) -> Finding:
    needed, now = release.labels.get(label), {one.labels.get(label) for one in left}
    if needed is None or None in now:
        said = f"label {label} is missing, so its database schema is not known"
        return Finding(level="risk", subject="schema", sentence=said)
    if now <= {needed}:
        return Finding(level="good", subject="schema", sentence=f"needs database schema {needed}, as what serves now")
    said = f"needs database schema {needed}, what serves now {', '.join(sorted(filter(None, now)))}"
    return Finding(level="risk", subject="schema", sentence=f"{said}: safe only if migrations since only added")
