"""Whether traffic may go to a release: what is certain is GO or NO GO, what cannot be read is a risk."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

from bot.core.catalog import Catalog
from bot.core.errors import CloudError, NotFound
from bot.core.lastgood import Past
from bot.core.plan import Finding
from bot.core.ports import ImageReads, Release, SecretReads, SecretUse, ServiceState, Traffic
from bot.core.request import Target

Level = Literal["good", "risk", "bad"]
BREAKS = "aisq-schema-breaks"  # label of every release since a migration took something away: to which schema it led


def can_take(
    target: Target,
    wanted: Traffic,
    now: ServiceState,
    releases: Sequence[Release],
    catalog: Catalog,
    images: ImageReads,
    secrets: SecretReads,
) -> tuple[Finding, ...]:
    """Whether each release that gains traffic can start, and can take the place of what serves; `wanted` by name."""
    gaining = [one for one in releases if wanted.get(one.name, 0) > now.serving.get(one.name, 0)]
    left = [one for one in releases if now.serving.get(one.name) and one not in gaining]
    label = str(getattr(catalog.entry(target), "schema_label", ""))
    return tuple(
        finding
        for release in gaining
        for finding in (*can_start(target, release, images, secrets), *fits(release, left, label))
    )


def can_start(target: Target, release: Release, images: ImageReads, secrets: SecretReads) -> Iterator[Finding]:
    """Whether new instances of the release can still be started: readiness, image, secrets."""
    if not release.ready:
        yield _finding("bad", "release", f"{release.name} is not ready: {release.reason or 'no reason is given'}")
    yield _image(target, release, images)
    for used in release.secrets:
        found = _secret(target, used, secrets)
        yield found
        if found.level == "risk":
            return  # who does not answer once is not asked for each


def fits(release: Release, left: Sequence[Release], schema_label: str) -> Iterator[Finding]:
    """Whether the release can take the place of those that serve: capacity and, if declared, database schema."""
    if release.max_instances:
        yield _capacity(release.name, release.max_instances, [one.max_instances for one in left])
    if schema_label and left:
        yield _schema(release, left, schema_label)


def served_well(past: Past | None, release: Release, now: datetime, max_age: timedelta) -> Iterator[Finding]:
    """How the release did when it served; of one that is not known to have served, how old it is."""
    if past:
        level: Level = "good" if past.health == "good" else "risk"
        unread = past.health not in ("good", "bad")
        yield Finding(level=level, subject="health", sentence=past.sentence(), unread=unread)
        return
    yield _unread("health", f"{release.name} is not known to have served all traffic before")
    if now - release.created_at > max_age:
        days = (now - release.created_at).days
        yield _unread("age", f"it was deployed {days} days ago; what it talks to may have moved on")


def _finding(level: Level, subject: str, sentence: str) -> Finding:
    return Finding(level=level, subject=subject, sentence=sentence)


def _unread(subject: str, sentence: str) -> Finding:
    return Finding(level="risk", subject=subject, sentence=sentence, unread=True)


def _image(target: Target, release: Release, images: ImageReads) -> Finding:
    name, at, digest = release.image.rpartition("/")[2].partition("@")
    if not name:
        return _finding("risk", "image", "which image it runs is not known")
    try:
        found = images.image(target, release.image)
    except NotFound:
        shown = f"{name}{at}{digest[:19]}"
        return _finding("bad", "image", f"its image {shown} is gone from the registry: no new instance can start")
    except CloudError as error:
        return _unread("image", f"its image could not be looked up: {error}")
    if not at:
        return _finding("risk", "image", f"its image {name} is named by a tag, which may mean another image by now")
    return _finding("good", "image", f"image {found.digest[:19]} is in the registry")


def _secret(target: Target, used: SecretUse, secrets: SecretReads) -> Finding:
    name = f"secret {used.secret} version {used.version}"
    try:
        state = secrets.secret_state(target, used)
    except NotFound:
        return _finding("bad", "secrets", f"{name} no longer exists: no new instance can start")
    except CloudError as error:
        return _unread("secrets", f"{name} could not be looked up: {error}")
    if state == "enabled":
        return _finding("good", "secrets", f"{name} is enabled")
    return _finding("bad", "secrets", f"{name} is {state}: no new instance can start")


def _capacity(name: str, most: int, serving: Sequence[int | None]) -> Finding:
    if None in serving:
        return _finding("risk", "capacity", f"{name} runs at most {most} instances; what serves now has no limit")
    now = max(filter(None, serving), default=0)
    if now > most:
        return _finding("risk", "capacity", f"{name} runs at most {most} instances; what serves now, up to {now}")
    return _finding("good", "capacity", f"up to {most} instances, no fewer than now")


def _schema(release: Release, left: Sequence[Release], label: str) -> Finding:
    if unknown := [one.name for one in (release, *left) if label not in one.labels]:
        said = f"label {label} is missing on {' and '.join(unknown)}: which database schema is needed is not known"
        return _finding("risk", "schema", said)
    if broken := {one.labels[BREAKS] for one in left if BREAKS in one.labels} - {release.labels.get(BREAKS)}:
        said = f"the migration to schema {max(broken)} took away what {release.name} needs: rollback is lost"
        return _finding("bad", "schema", said)
    needed, now = release.labels[label], sorted({one.labels[label] for one in left})
    if now == [needed]:
        return _finding("good", "schema", f"needs database schema {needed}, as what serves now")
    said = f"needs database schema {needed}, what serves now {', '.join(now)}"
    return _finding("risk", "schema", f"{said}: safe only if the migrations between only added things")
