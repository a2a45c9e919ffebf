"""The world of one case: what its `facts` say the platform, monitoring, history, registry, stores and catalog say.

It is noon. The service is shop/prod/backend with releases c (one day old, serves all), b (three days) and a (nine).
Everything that a case does not mention is as it should be, and nothing is known of the past.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from bot.core.catalog import Catalog
from bot.core.errors import NotFound
from bot.core.estate import System
from bot.core.locks import Lock
from bot.core.operation import Operation
from bot.core.ports import (
    Image,
    JobState,
    LogEntry,
    Metric,
    Point,
    Release,
    Requests,
    SecretUse,
    ServiceState,
    Sizing,
    Traffic,
    Vulnerabilities,
)
from bot.core.request import Actor, Target
from bot.core.rollout import by_name
from bot.core.rules import Freeze, Freezes
from bot.core.system import Pin, Serving
from tests.operations.books import Audit, Desk, Ledger, Manual
from tests.operations.noon import Data, ago, error_of

RUN = {"type": "cloud_run", "instances": {"min": 1, "max": 10}}
AGES = {"c": 1, "b": 3, "a": 9}


def catalog_of(facts: Data) -> Catalog:
    """Three systems; `catalog` adds fields to shop/prod/backend, `web` to the other service of shop/prod, which has
    these `groups` and keeps logs as long as `logs_kept` says."""
    entry, logs_kept = facts.get("catalog", {}), facts.get("logs_kept", "")
    prod = {"backend": RUN | dict(entry), "web": RUN | dict(facts.get("web", {}))}
    edge = {"lb": {"type": "load_balancer"}} if "cdn" in entry else {}
    more = {"secrets": {name: {"rotate": "never"} for name in entry.get("secrets", [])}}
    more |= {"groups": facts.get("groups", {})} | ({"logs": {"keep": logs_kept}} if logs_kept else {})
    shop = {
        "title": "Shop",
        "owner": "us",
        "default_environment": "prod",
        "promotion": facts.get("promotion", []),
        "channels": {"C0SHOP": "prod", "C0SHOPDEV": "dev"},
        "slo": {"objective_pct": 99.5},
        "rollback": {"min_requests": 500, "max_age": "30d"},
        "environments": {
            "prod": {"stage": "prod", "services": prod | edge, **more},
            "dev": {"stage": "dev", "services": {"backend": RUN}},
        },
    }
    cache = {"type": "redis", "version": "7", "size_gb": 1}
    blog = {"default_environment": "live", "environments": {"live": {"stage": "prod", "services": {"frontend": RUN}}}}
    lab = {"channels": {"C0LAB": "x"}, "environments": {"x": {"stage": "dev", "services": {"cache": cache}}}}
    systems = {
        "shop": shop,
        "blog": {"title": "Blog", "owner": "us", **blog},
        "lab": {"title": "Lab", "owner": "us", **lab},
    }
    return Catalog(systems={name: System.model_validate({"system": name, **one}) for name, one in systems.items()})


class Platform:
    """ComputeReads. `others` are services by full name, where they differ from the first; `beside` are the names of all
    that run in a place, or why they cannot be listed."""

    def __init__(self, facts: Data) -> None:
        self._services = {"shop/prod/backend": facts.get("service", {}), **facts.get("others", {})}
        self._releases = tuple(_release(one) for one in facts.get("releases", ["c", "b", "a"]))
        self._beside = facts.get("beside", ["backend", "web"])

    def service(self, target: Target) -> ServiceState:
        said = self._services.get(target.full_name, {})
        if isinstance(said, str):
            raise error_of(said)
        asked = said.get("asked", said.get("serving", {"c": 100}))
        whole = {"serving": asked, "version": "7", "busy": False, "latest_ready": "c", **said, "asked": asked}
        return ServiceState.model_validate(whole)

    def move(self, target: Target, traffic: Traffic) -> None:
        """Traffic is asked for, and arrives."""
        now = self.service(target).model_copy(update={"asked": traffic, "busy": False})
        self._services[target.full_name] = {**now.model_dump(), "serving": by_name(traffic, now)}

    def resize(self, target: Target, size: Sizing) -> None:
        """A size is asked for, and arrives."""
        now = self.service(target).model_copy(update={**size.model_dump(exclude_none=True), "busy": False})
        self._services[target.full_name] = now.model_dump()

    def releases(self, target: Target) -> tuple[Release, ...]:
        return self._releases

    def release_named(self, target: Target, name: str) -> Release:
        found = [release for release in self._releases if release.name == name]
        if not found:
            raise NotFound(f"{target} has no release {name}")
        return found[0]

    def release_name(self, target: Target, suffix: str) -> str:
        return f"{target.name}-{suffix}"

    def places_beside(self, target: Target) -> tuple[dict[str, str], ...]:
        if isinstance(self._beside, str):
            raise error_of(self._beside)
        return tuple({**target.place, "service": name} for name in self._beside)

    def makes_release(self, target: Target, sizing: Sizing) -> bool:
        """Bounds of instances are the service's own; the size of one instance is its release's."""
        now = self.service(target)
        sizes = ("cpu", "memory_mb", "concurrency")
        return any(getattr(sizing, size) not in (None, getattr(now, size)) for size in sizes)

    def by_hand_release(self, target: Target, name: str, image: str, tag: str = "") -> str:
        return f"gcloud … deploy {target.name} {name} {image}{f' {tag}' if tag else ''}"

    def by_hand_scale(self, target: Target, sizing: Sizing) -> str:
        said = sizing.model_dump(exclude_none=True)
        return f"gcloud … update {target.name} {','.join(f'{name}={size}' for name, size in said.items())}"

    def preview_url(self, target: Target, tag: str) -> str:
        url = self.service(target).url
        return f"{url}/{tag}" if url else ""

    def by_hand_traffic(self, target: Target, traffic: Traffic) -> str:
        return f"gcloud … {target.name} {','.join(f'{name}={share}' for name, share in traffic.items())}"


def _release(said: str | dict[str, Any]) -> Release:
    fields = {"name": said} if isinstance(said, str) else dict(said)
    name = fields["name"]
    age = fields.pop("days", AGES.get(name, 1))
    fields["secrets"] = [{"secret": secret, "version": "3"} for secret in fields.get("secrets", [])]
    image = f"gcr.io/p/backend@sha256:{name * 64}"
    whole = {"created_at": ago(days=age), "ready": True, "image": image, "max_instances": 10}
    return Release.model_validate({**whole, **fields})


class Monitoring:
    """MetricReads. Counts are [release, minutes ago, requests, errors], a text says why there are none."""

    def __init__(self, said: list[list[Any]] | str, lag: int | str) -> None:
        self._said, self._lag = said, lag

    def lag_s(self, target: Target) -> int:
        if isinstance(self._lag, str):
            raise error_of(self._lag)
        return self._lag

    def requests(
        self, target: Target, since: datetime, until: datetime, step_s: int, slower_than_ms: int | None = None
    ) -> tuple[Requests, ...]:
        if isinstance(self._said, str):
            raise error_of(self._said)
        counted = [
            Requests(release=release, until=ago(minutes=minutes), total=total, errors=errors)
            for release, minutes, total, errors in self._said
        ]
        return tuple(one for one in counted if since < one.until <= until)

    def series(
        self, target: Target, metric: Metric, since: datetime, until: datetime, step_s: int
    ) -> tuple[Point, ...]:
        """Every answer took 100 ms."""
        read = {"requests": lambda one: one.total / step_s, "errors": lambda one: 100 * one.errors / one.total}
        value = read.get(metric, lambda one: 100.0)
        counted = self.requests(target, since, until, step_s)
        return tuple(Point(release=one.release, until=one.until, value=value(one)) for one in counted)


class Jobs:
    """JobReads. By name, where a job differs from one that never ran; "gone", or why it cannot be looked up."""

    def __init__(self, said: Data) -> None:
        self._said = said

    def job(self, target: Target, job: str) -> JobState:
        said = self._said.get(job, {})
        if isinstance(said, str):
            raise error_of(said)
        return JobState.model_validate({"name": job, "image": f"gcr.io/p/{job}:latest", "version": "1", **said})

    def by_hand_job(self, target: Target, job: str, image: str = "") -> str:
        return f"gcloud … jobs {job}{f' {image}' if image else ''}"


class Images:
    """ImageReads. By release: "gone", or why it cannot be looked up; "all" stands for every release.

    `scans` are by release too: counts by severity, of a scan that has not `ended` too, "never", or why they cannot be
    looked up. The rest has none.
    """

    def __init__(self, said: Data, scans: Data) -> None:
        self._said, self._scans = said, scans

    def vulnerabilities(self, target: Target, reference: str) -> Vulnerabilities:
        found = self._scans.get(reference[-1], self._scans.get("all", {}))
        if isinstance(found, str) and found != "never":
            raise error_of(found)
        if found == "never":
            return Vulnerabilities()
        counts = dict(found)
        ended = counts.pop("ended", True)
        return Vulnerabilities(by_severity=counts, scanned_at=ago(hours=1) if ended else None)

    def by_hand_copy(self, target: Target, image: str, to: str) -> str:
        return f"gcrane cp {image} {to}"

    def image(self, target: Target, reference: str) -> Image:
        name = reference[-1]
        if trouble := self._said.get(name, self._said.get("all")):
            raise error_of(trouble)
        return Image(digest=reference.partition("@")[2] or "sha256:" + "f" * 64)


class Secrets:
    """SecretReads. By secret: its state, "gone", or why it cannot be looked up."""

    def __init__(self, said: Data) -> None:
        self._said = said

    def secret_state(self, target: Target, secret: SecretUse) -> Any:
        state = self._said.get(secret.secret, "enabled")
        if state not in ("enabled", "disabled", "destroyed"):
            raise error_of(state)
        return state


class Logs:
    """LogReads. Entries are [minutes ago, level, text], newest first, of release c unless a fourth says which."""

    def __init__(self, said: list[list[Any]] | str) -> None:
        self._said, self.asked = said, dict[str, Any]()

    def logs(
        self,
        target: Target,
        *,
        since: datetime,
        until: datetime,
        release: str = "",
        errors_only: bool = False,
        containing: str = "",
        limit: int,
    ) -> tuple[LogEntry, ...]:
        if isinstance(self._said, str):
            raise error_of(self._said)
        self.asked = {"since": since, "until": until, "release": release, "containing": containing, "limit": limit}
        whole = [(*one, "c")[:4] for one in self._said]
        entries = [
            LogEntry(at=ago(minutes=minutes), level=level, text=text, release=by, log="stderr")
            for minutes, level, text, by in whole
        ]
        found = [
            one
            for one in entries
            if since <= one.at < until
            and release in ("", one.release)
            and (not errors_only or one.level in ("error", "critical", "alert", "emergency"))
            and containing.lower() in one.text.lower()
        ]
        return tuple(found[:limit])


class History:
    """HistoryReads. Spans with a `split`, `until_h` hours ago, newest first; without `requests` nobody counted."""

    def __init__(self, said: list[Data]) -> None:
        self._said = said

    def served(self, target: Target) -> tuple[Serving, ...]:
        return tuple(_serving(one) for one in self._said)


def _serving(said: Data) -> Serving:
    until = ago(hours=said.get("until_h", 0))
    return Serving(
        split=said["split"],
        version="7",
        since=until - timedelta(hours=said.get("hours", 1)),
        until=until,
        total=said.get("requests", 0),
        errors=said.get("errors", 0),
        counted_until=until if "requests" in said else None,
    )


class Pins:
    """PinReads. `pin` is that of shop/prod/backend, by ana, two hours old; the reminder comes `remind_h` after it."""

    def __init__(self, said: Data | None) -> None:
        self._said = said

    def pin(self, target: Target) -> Pin | None:
        return next((pin for pin in self.pins() if pin.target == target.full_name), None)

    def pins(self) -> tuple[Pin, ...]:
        if self._said is None:
            return ()
        said = dict(self._said)
        remind_at = ago(hours=2 - said.pop("remind_h", 24))
        whole = {"target": "shop/prod/backend", "operation": "1aaaaaaaaa", "by": "ana", "since": ago(hours=2), **said}
        return (Pin.model_validate({**whole, "remind_at": remind_at}),)


class Locks:
    """LockReads. Each of `locks` is of shop/prod/backend, by ana, two hours old, unless it says otherwise; it ends by
    itself in `until_h` hours, if at all."""

    def __init__(self, said: list[Data]) -> None:
        self._locks = tuple(_lock(dict(one)) for one in said)

    def lock(self, target: Target) -> Lock | None:
        return next((one for one in self._locks if one.name == target.full_name), None)

    def locks(self) -> tuple[Lock, ...]:
        return self._locks


def _lock(said: dict[str, Any]) -> Lock:
    until = {"until": ago(hours=-said.pop("until_h"))} if "until_h" in said else {}
    whole = {"target": "shop/prod/backend", "by": "ana", "since": ago(hours=2), "operation": "1aaaaaaaaa"}
    return Lock.model_validate({**whole, **until, **said})


def freezes_of(said: list[Data]) -> Freezes:
    """Those of freezes.yaml, which began an hour ago."""
    return Freezes(freezes=tuple(Freeze.model_validate({"from": ago(hours=1), **one}) for one in said))


def world_of(facts: Data, commands: Mapping[str, type[Operation]]) -> SimpleNamespace:
    """Everything that an operation may need."""
    catalog = catalog_of(facts)
    ledger = Ledger(facts.get("operations", []), catalog)
    actor = Actor.model_validate(
        {"id": "slack:U0ANA", "name": "ana", "roles": ("sre-oncall",), **facts.get("actor", {})}
    )
    return SimpleNamespace(
        catalog=catalog,
        compute=Platform(facts),
        metrics=Monitoring(facts.get("counted", []), facts.get("lag_s", 180)),
        images=Images(facts.get("images", {}), facts.get("scans", {})),
        logs=Logs(facts.get("logs", [])),
        jobs=Jobs(facts.get("jobs", {})),
        secrets=Secrets(facts.get("secrets", {})),
        history=History(facts.get("history", [])),
        pins=Pins(facts.get("pin")),
        locks=Locks(facts.get("locks", [])),
        freezes=freezes_of(facts.get("freezes", [])),
        ledger=ledger,
        audit=Audit(facts.get("audit", {})),
        desk=Desk(facts.get("desk", {}), ledger),
        manual=Manual(commands),
        actor=actor,
        channel=facts.get("channel", "C0SHOP"),
    )
