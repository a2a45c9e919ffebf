"""One operation, whole: how its stages stand, plan, approvals, writes, outcome."""

from bot.core import staged
from bot.core.answer import Answer, Code, Part, Table, Tasks, Text
from bot.core.operation import Look, OperationRef, Risk, param
from bot.core.plan import Plan
from bot.core.system import EffectRecord, LedgerReads, OperationRecord


class OpsShow(Look, risk=Risk.READ, examples=("ops show 7k3q",)):
    """Show an operation: its plan, approvals, stages, writes and outcome."""

    operation: OperationRef = param("Operation, as `ops` lists it.", positional=True, completes="operations")

    def answer(self, ledger: LedgerReads) -> Answer:
        record = ledger.operation(self.operation.id)
        writes = tuple(_write(one) for one in ledger.effects(record.id))
        table = Table(title="Writes", columns=("step", "what", "at version", "ending", "detail"), rows=writes)
        rollout = staged.parts(record, ledger.stages(record.id))
        parts = (*_outcome(record), *_first(record), *rollout, *_plan(record), *((table,) if writes else ()))
        return Answer(title=f"{record.id}: {record.request.text}", parts=parts, good=record.state != "uncertain")


def _write(one: EffectRecord) -> tuple[str, ...]:
    step, what = one.effect.key.partition("/")[2], one.call.title or one.call.verb
    return step, what, one.effect.version, one.ending or "under way", one.detail


def _outcome(record: OperationRecord) -> tuple[Part, ...]:
    asked = f"{record.request.actor.name} asked through {record.request.address.door}."
    state = record.state.replace("_", " ")
    detail = f": {record.detail.rstrip('.')}" if record.detail else ""
    said = [Text(text=f"{asked} State: {state}{detail}.")]
    if record.approvals:
        said.append(Text(text="Approved by " + ", ".join(one.actor.name for one in record.approvals) + "."))
    if record.judgement:
        said.append(Text(text=record.judgement, mood="good" if record.judged == "holds" else "warning"))
    return tuple(said)


def _first(record: OperationRecord) -> tuple[Part, ...]:
    """What makes way for it."""
    stopped = staged.first(record)
    return (Tasks(title="Stops first", tasks=stopped),) if stopped else ()


def _plan(record: OperationRecord) -> tuple[Part, ...]:
    plan = record.plan
    if plan is None or plan.is_nothing:
        return ()
    steps = tuple((position, step.kind, step.title or step.verb) for position, step in enumerate(plan.steps, 1))
    summary = (Text(text=plan.summary),) if plan.summary != record.detail else ()
    return (
        *summary,
        Table(title=f"Plan {record.digest[:12]}", columns=("#", "kind", "step"), rows=steps, empty="no write"),
        *_verdict(plan),
        *(Text(text=note) for note in plan.notes),
        Code(lines=plan.by_hand),
    )


def _verdict(plan: Plan) -> tuple[Part, ...]:
    if plan.verdict is None:
        return ()
    findings = tuple((one.level, one.subject, one.sentence) for one in plan.verdict.findings)
    return (Table(title=plan.verdict.level, columns=("level", "about", "finding"), rows=findings),)
