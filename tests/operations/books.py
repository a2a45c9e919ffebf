"""Our own books in the world of one case: operations, the audit chain, and who decides."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.core.answer import Answer, Text
from bot.core.canary.record import RECORD, VERDICT, CanaryRecord, Minute, Shift, Tally
from bot.core.catalog import Catalog
from bot.core.errors import Denied, UserError
from bot.core.judge import judge
from bot.core.locks import Lock
from bot.core.operation import Operation
from bot.core.parser import did_you_mean, near
from bot.core.plan import Finding, Hold, Plan, Step, Verdict, Versioned, step
from bot.core.ports import Compute, Effect, Sizing
from bot.core.request import Actor, Address, Approval, Request, State, Subject, Target
from bot.core.stages import SAID, Stage, StageRecord, Steer
from bot.core.system import AuditCheck, AuditEntry, EffectRecord, OperationRecord
from bot.core.traffic import describe
from tests.operations.noon import NOON, Data, ago


class Ledger:
    """LedgerReads. `operations` are newest first."""

    def __init__(self, said: list[Data], catalog: Catalog) -> None:
        self._records = [_record(one, catalog) for one in said]
        self._effects = {one["id"]: tuple(_effect(one["id"], made) for made in one.get("effects", [])) for one in said}
        self._stages = {one["id"]: (_stage(one["id"], one["judged_by"]),) for one in said if "judged_by" in one}
        self.asked: dict[str, Any] = {}

    def operation(self, operation: str) -> OperationRecord:
        found = [one for one in self._records if one.id.startswith(operation)]
        if len(found) != 1:
            raise UserError(f"there is no operation `{operation}`; `ops` lists them.")
        return found[0]

    def operations(
        self, *, states: tuple[State, ...] = (), target: str = "", limit: int = 20
    ) -> tuple[OperationRecord, ...]:
        self.asked = {"limit": limit}
        fitting = [one for one in self._records if not states or one.state in states]
        return tuple(one for one in fitting if not target or str(one.request.target) == target)[:limit]

    def effects(self, operation: str) -> tuple[EffectRecord, ...]:
        return self._effects.get(operation, ())

    def stages(self, operation: str) -> tuple[StageRecord, ...]:
        return self._stages.get(operation, ())


def _stage(operation: str, said: Data) -> StageRecord:
    """One at 10 % that began half an hour ago, at the step `position` of the plan and with a `sentence` and in a
    `state`; `minutes` are [minutes ago, requests and errors of b, the same of c]."""
    counted = CanaryRecord(canary="b", stable="c", shifts=(Shift(since=ago(minutes=30), weight_pct=10),))
    minutes: list[Minute] = []
    for minutes_ago, total, errors, others, their_errors in said["minutes"]:
        canary, stable = Tally(total=total, bad={"errors": errors}), Tally(total=others, bad={"errors": their_errors})
        minutes.append(Minute(until=ago(minutes=minutes_ago), canary=canary, stable=stable))
        counted = counted.read(ago(minutes=minutes_ago), tuple(minutes))
    verdict = judge(counted).model_copy(update=said.get("then", {}))
    evidence = {RECORD: counted.model_dump(mode="json"), VERDICT: verdict.model_dump(mode="json")}
    fields = {name: said[name] for name in ("sentence", "state", "steered", "steered_by") if name in said}
    told = {"operation": operation, "position": said.get("position", 3), "started_at": ago(minutes=30)}
    return StageRecord.model_validate({**told, "sentence": verdict.sentence, "evidence": evidence, **fields})


def _record(said: Data, catalog: Catalog) -> OperationRecord:
    """`plan` moves traffic `from` one split `to` another (`over` others, of `several` services), makes a service
    another size, or has `stages` by weight."""
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
    before = [step(Compute.set_traffic, target, traffic=split).undone_by(back) for split in said.get("over", [])]
    findings = tuple(Finding.model_validate(one) for one in said.get("findings", []))
    return Plan(
        target=target,
        version="6",
        summary=f"{target}: traffic to {describe(said['to'])}",
        steps=(*before, go if said.get("no_undo") else go.undone_by(back), Step(kind="check", verb="serving")),
        others=(Versioned(target=target, version="6"),) if said.get("several") else (),
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


def subject_of(record: OperationRecord) -> Subject:
    request = record.request
    return Subject(id=record.id, operation=request.operation, requester=request.actor.id, target=request.target)
