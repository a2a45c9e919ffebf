"""One Cloud Run service: what was asked for, what is served, and the truth that only the sandbox knows."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

from google.cloud import run_v2

from bot.sandbox.cloud_run.etag import etag
from bot.sandbox.monitoring.recorded import Recorded
from bot.sandbox.names import short
from bot.sandbox.quality import Quality

LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
NAMED = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
GCLOUD = "gcloud"


@dataclass
class Truth:
    """What a release is really like. `error_rates` and `paces` (p95 in ms) are logs; `by` is the client that made it.

    `template` is what it was made from, before tags became digests.
    """

    template: run_v2.RevisionTemplate
    starts: bool = True
    by: str = ""
    error_rates: list[tuple[datetime, float]] = field(default_factory=list)
    paces: list[tuple[datetime, float]] = field(default_factory=list)

    @classmethod
    def of(cls, template: run_v2.RevisionTemplate, quality: Quality, by: str, now: datetime) -> Self:
        paces = [(now, quality.p95_ms)] if quality.p95_ms else []
        return cls(template, quality.starts, by, [(now, quality.error_rate)], paces)

    @property
    def quality(self) -> Quality:
        """As it is now."""
        return Quality(self.error_rate, self.starts, self.paces[-1][1] if self.paces else 0.0)

    @property
    def error_rate(self) -> float:
        return self.error_rates[-1][1]


@dataclass
class ServiceState:
    """`shown` is what GetService answers. `revisions` are by short name, oldest first.

    `truths` outlive deleted revisions. `splits` is the log of what was served: from the instant on, release to
    percentage. `recorded` is what happened since there is real traffic, if there is any.
    """

    shown: run_v2.Service
    rps: float
    not_found_rate: float
    revisions: dict[str, run_v2.Revision] = field(default_factory=dict)
    truths: dict[str, Truth] = field(default_factory=dict)
    splits: list[tuple[datetime, dict[str, int]]] = field(default_factory=list)
    changed: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    recorded: Recorded | None = None

    @property
    def name(self) -> str:
        return self.shown.name

    @property
    def split(self) -> dict[str, int]:
        """What is served now."""
        return self.splits[-1][1] if self.splits else {}

    @property
    def latest_ready(self) -> str:
        return short(self.shown.latest_ready_revision)

    def touch(self, now: datetime) -> None:
        """Move the etag: at every change, and when a rollout ends. No two versions are the same."""
        self.changed = max(now, self.changed + timedelta(microseconds=1))
        self.shown.etag = etag(self.name, self.changed)

    def serve(self, now: datetime) -> None:
        """Bring the split that is asked for into force."""
        self.shown.traffic_statuses = [self._status(target) for target in self.targets]
        self.splits.append((now, percentages(self.targets, self.latest_ready)))
        retire(self, now)

    @property
    def targets(self) -> list[run_v2.TrafficTarget]:
        """The targets that are asked for; no target at all means all traffic to the latest ready revision."""
        return list(self.shown.traffic) or [run_v2.TrafficTarget(type_=LATEST, percent=100)]

    def _status(self, target: run_v2.TrafficTarget) -> run_v2.TrafficTargetStatus:
        uri = self.shown.uri.replace("https://", f"https://{target.tag}---") if target.tag else ""
        return run_v2.TrafficTargetStatus(
            type_=target.type_, revision=target.revision, percent=target.percent, tag=target.tag, uri=uri
        )


def percentages(targets: Iterable[run_v2.TrafficTarget], latest_ready: str) -> dict[str, int]:
    """Percent by release, targets of the same release added up, those without traffic left out."""
    split: dict[str, int] = {}
    for target in targets:
        release = latest_ready if target.type_ == LATEST else target.revision
        split[release] = split.get(release, 0) + target.percent
    return {release: percent for release, percent in split.items() if percent}


def condition(kind: str, now: datetime, failure: str = "", **reason: object) -> run_v2.Condition:
    """A condition that succeeded, or failed with a message."""
    states = run_v2.Condition.State
    state = states.CONDITION_FAILED if failure else states.CONDITION_SUCCEEDED
    return run_v2.Condition(type_=kind, state=state, message=failure, last_transition_time=now, **reason)


def put(conditions: Iterable[run_v2.Condition], *new: run_v2.Condition) -> list[run_v2.Condition]:
    """The conditions with those of the same type replaced."""
    kinds = {one.type_ for one in new}
    return [one for one in conditions if one.type_ not in kinds] + list(new)


def retire(state: ServiceState, now: datetime) -> None:
    """Revisions that no target names are retired, which is normal, and come back when one names them."""
    named = {state.latest_ready if t.type_ == LATEST else t.revision for t in state.targets}
    for name, revision in state.revisions.items():
        active = condition("Active", now)
        if name not in named:
            active = condition(
                "Active",
                now,
                "Revision retired.",
                severity=run_v2.Condition.Severity.INFO,
                revision_reason=run_v2.Condition.RevisionReason.RETIRED,
            )
        if not revision.reconciling and not _same(revision, active):
            revision.conditions = put(revision.conditions, active)
            revision.update_time, revision.etag = now, etag(revision.name, now)


def _same(revision: run_v2.Revision, wanted: run_v2.Condition) -> bool:
    return any(c.type_ == wanted.type_ and c.state == wanted.state for c in revision.conditions)


def new_uid(seed: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, seed))
