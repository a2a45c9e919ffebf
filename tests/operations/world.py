"""The world of one case: what its `facts` say the platform, monitoring, history, registry, stores and catalog say.

It is noon. The service is shop/prod/backend with releases c (one day old, serves all), b (three days) and a (nine).
Everything that a case does not mention is as it should be, and nothing is known of the past.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from bot.core.answer import Answer, Text
from bot.core.catalog import Catalog
from bot.core.errors import Denied, Forbidden, NotFound, Transient, UserError
from bot.core.estate import System
from bot.core.locks import Lock
from bot.core.operation import Operation
from bot.core.parser import did_you_mean, near
from bot.core.plan import Finding, Hold, Plan, Step, Verdict, step
from bot.core.ports import (
    Compute,
    Effect,
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
from bot.core.request import OPEN, Actor, Address, Approval, Request, Subject, Target
from bot.core.rollout import by_name
from bot.core.rules import Freeze, Freezes
from bot.core.stages import SAID, Stage, StageRecord, Steer
from bot.core.system import AuditCheck, AuditEntry, EffectRecord, OperationRecord, Pin, Serving
from bot.core.traffic import describe

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Data = Mapping[str, Any]
RUN = {"type": "cloud_run", "instances": {"min": 1, "max": 10}}
AGES = {"c": 1, "b": 3, "a": 9}


def ago(**time: float) -> datetime:
    return NOON - timedelta(**time)


def catalog_of(entry: Data) -> Catalog:
    """Three systems; `entry` adds fields to shop/prod/backend."""
    prod = {"backend": RUN | dict(entry), "web": RUN}
    edge = {"lb": {"type": "load_balancer"}} if "cdn" in entry else {}
    shop = {
        "title": "Shop",
        "owner": "us",
        "default_environment": "prod",
        "channels": {"C0SHOP": "prod", "C0SHOPDEV": "dev"},
        "slo": {"objective_pct": 99.5},
        "rollback": {"min_requests": 500, "max_age": "30d"},
        "environments": {
            "prod": {"stage": "prod", "services": prod | edge},
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


def error_of(text: str) -> Exception:
    """ "gone", "forbidden: …", or anything else: it is away."""
    kind, _, said = text.partition(": ")
    return NotFound(said) if kind == "gone" else Forbidden(said) if kind == "forbidden" else Transient(text)


class Platform:
    """ComputeReads. `others` are services by full name, where they differ from the first."""

    def __init__(self, facts: Data) -> None:
        self._services = {"shop/prod/backend": facts.get("service", {}), **facts.get("others", {})}
        self._releases = tuple(_release(one) for one in facts.get("releases", ["c", "b", "a"]))

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

    `scans` are by release too: counts by severity, "never", or why they cannot be looked up. The rest has none.
    """

    def __init__(self, said: Data, scans: Data) -> None:
        self._said, self._scans = said, scans

    def vulnerabilities(self, target: Target, reference: str) -> Vulnerabilities:
        found = self._scans.get(reference[-1], self._scans.get("all", {}))
        if isinstance(found, str) and found != "never":
            raise error_of(found)
        if found == "never":
            return Vulnerabilities()
        return Vulnerabilities(by_severity=found, scanned_at=ago(hours=1))

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


class Ledger:
    """LedgerReads. `operations` are newest first."""

    def __init__(self, said: list[Data], catalog: Catalog) -> None:
        self._records = [_record(one, catalog) for one in said]
        self._effects = {one["id"]: tuple(_effect(one["id"], made) for made in one.get("effects", [])) for one in said}
        self.asked: dict[str, Any] = {}

    def operation(self, operation: str) -> OperationRecord:
        found = [one for one in self._records if one.id.startswith(operation)]
        if len(found) != 1:
            raise UserError(f"there is no operation `{operation}`; `ops` lists them.")
        return found[0]

    def operations(self, *, open_only: bool = False, target: str = "", limit: int = 20) -> tuple[OperationRecord, ...]:
        self.asked = {"limit": limit}
        fitting = [one for one in self._records if not open_only or one.state in OPEN]
        return tuple(one for one in fitting if not target or str(one.request.target) == target)[:limit]

    def effects(self, operation: str) -> tuple[EffectRecord, ...]:
        return self._effects.get(operation, ())

    def stages(self, operation: str) -> tuple[StageRecord, ...]:
        return ()


def _record(said: Data, catalog: Catalog) -> OperationRecord:
    """`plan` moves traffic `from` one split `to` another, makes a service another size, or has `stages` by weight."""
    command, _, rest = said["text"].partition(" ")
    changes = ("rollback", "traffic", "unpin", "scale", "deploy", "lock")
    target = catalog.target("shop", "prod", rest.split()[0]) if command in changes else None
    by, state = said.get("by", "ana"), said["state"]
    request = Request(
        id=said["id"],
        actor=Actor(id=f"slack:U0{by.upper()}", name=by),
        operation=said.get("operation", command),
        verb="plan",
        params={},
        target=target,
        text=said["text"],
        address=Address(door="slack"),
        received_at=ago(minutes=said.get("minutes_ago", 30)),
    )
    return OperationRecord(
        request=request,
        state=state,
        revision=1,
        detail=said.get("detail", ""),
        plan=_plan(command, target, said["plan"]) if "plan" in said and target else None,
        digest="ab" * 32 if "plan" in said else "",
        approvals_needed=said.get("approvals_needed", 0),
        approvals=tuple(
            Approval(actor=Actor(id=f"slack:U0{name.upper()}", name=name), digest="ab" * 32, given_at=NOON)
            for name in said.get("approved_by", [])
        ),
        updated_at=NOON,
        judgement=said.get("judgement", ""),
        judged=said.get("judged", ""),
    )


def _resizing(target: Target, said: Data) -> Plan:
    back, go = (step(Compute.scale, target, sizing=Sizing.model_validate(said[which])) for which in ("from", "to"))
    by_hand = {"by_hand": ("gcloud … bigger",), "undo_by_hand": ("gcloud … smaller",)}
    return Plan(target=target, version="6", summary=f"{target}: bigger", steps=(go.undone_by(back),), **by_hand)


def _staged(target: Target, weights: list[int]) -> Plan:
    stages = tuple(Stage(weight_pct=weight, bake_s=600) for weight in weights)
    steps = tuple(Step(kind="check", verb="bake", if_late="ask") for _ in weights)
    return Plan(target=target, version="6", summary=f"{target}: in stages", steps=steps, stages=stages)


def _plan(command: str, target: Target, said: Data) -> Plan:
    if said.get("steps") == []:
        return Plan(target=target, version="6", why="nothing to do")
    if command == "scale":
        return _resizing(target, said)
    if command == "lock":
        said = {"locks": (Lock(target=target.full_name),), "undo_by_hand": (f"aisq unlock {target}",)}
        return Plan(target=target, version="", summary=f"{target}: locked for deploys", books_only=True, **said)
    if "stages" in said:
        return _staged(target, said["stages"])
    back = step(Compute.set_traffic, target, traffic=said["from"])
    go = step(Compute.set_traffic, target, traffic=said["to"]).called("send traffic")
    findings = tuple(Finding.model_validate(one) for one in said.get("findings", []))
    return Plan(
        target=target,
        version="6",
        summary=f"{target}: traffic to {describe(said['to'])}",
        steps=(go if said.get("no_undo") else go.undone_by(back), Step(kind="check", verb="serving")),
        verdict=Verdict(findings=findings) if findings else None,
        hold=Hold(traffic=said["to"]),
        notes=tuple(said.get("notes", [])),
        by_hand=("gcloud … there",),
        undo_by_hand=("gcloud … back",),
    )


def _effect(operation: str, said: Data) -> EffectRecord:
    effect = Effect(key=f"{operation}/{said.get('step', '0/do')}", version="6")
    call = Step(verb="Compute.set_traffic", title=said.get("title", "send traffic"))
    more = {"version": said.get("version", ""), "ending": said.get("ending"), "detail": said.get("detail", "")}
    return EffectRecord.model_validate({"effect": effect, "call": call, **more})


class Audit:
    """AuditReads."""

    def __init__(self, said: Data) -> None:
        self._said, self.asked = said, {}

    def entries(self, *, operation: str = "", limit: int = 20) -> tuple[AuditEntry, ...]:
        self.asked = {"limit": limit}
        entries = [
            AuditEntry.model_validate({"seq": seq, "at": ago(minutes=seq), "hash": f"{seq:064x}", "body": {}, **one})
            for seq, one in enumerate(self._said.get("entries", []), 1)
        ]
        return tuple(one for one in entries if not operation or one.operation == operation)[:limit]

    def verify(self, head: str = "") -> AuditCheck:
        known = head in ("", "f" * 64) or not self._said.get("cut")
        problem = self._said.get("problem", "") or ("" if known else f"head {head} is not in the chain")
        return AuditCheck(entries=self._said.get("length", 1200), head="f" * 64, problem=problem)


class Desk:
    """Lets everybody decide, unless `refuses` says why not."""

    def __init__(self, said: Data, ledger: Ledger) -> None:
        self._said, self._ledger = said, ledger

    def _decided(self, operation: str) -> OperationRecord:
        if why := self._said.get("refuses"):
            raise Denied(why)
        record = self._ledger.operation(operation)
        become = {"state": self._said.get("becomes", record.state), "detail": self._said.get("detail", "")}
        return record.model_copy(update=become)

    def approve(self, operation: str, digest: str, actor: Actor) -> OperationRecord:
        record = self._decided(operation)
        given = Approval(actor=actor, digest=digest, given_at=NOON)
        return record.model_copy(update={"approvals": (*record.approvals, given)})

    def deny(self, operation: str, reason: str, actor: Actor) -> OperationRecord:
        return self._decided(operation)

    def cancel(self, operation: str, actor: Actor) -> OperationRecord:
        return self._decided(operation)

    def steer(
        self, operation: str, steer: Steer, stage: int | None, actor: Actor, asked_at: datetime
    ) -> tuple[OperationRecord, StageRecord]:
        """The stage is the first one, unless another is named; `over` says why none of them can be steered."""
        if why := self._said.get("over"):
            raise UserError(why)
        record = self._decided(operation)
        plan = record.plan
        assert plan is not None and asked_at == NOON
        position = plan.asking[(stage or 1) - 1]
        return record, StageRecord(operation=record.id, position=position, started_at=ago(minutes=5), state=SAID[steer])


class Manual:
    """The shipped commands; `why` repeats what it was asked."""

    def __init__(self, commands: Mapping[str, type[Operation]]) -> None:
        self._commands = commands

    def commands(self) -> tuple[type[Operation], ...]:
        return tuple(self._commands.values())

    def command(self, words: str) -> type[Operation]:
        if words not in self._commands:
            names = near(words, self._commands)
            raise UserError(f"I don't know `{words}`.{did_you_mean(names)}", choices=names)
        return self._commands[words]

    def why(self, text: str, actor: Actor, channel: str) -> Answer:
        return Answer(title=text, parts=(Text(text=f"asked by {actor.id} in {channel}"),))


def world_of(facts: Data, commands: Mapping[str, type[Operation]]) -> SimpleNamespace:
    """Everything that an operation may need."""
    catalog = catalog_of(facts.get("catalog", {}))
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


def subject_of(record: OperationRecord) -> Subject:
    request = record.request
    return Subject(id=record.id, operation=request.operation, requester=request.actor.id, target=request.target)
