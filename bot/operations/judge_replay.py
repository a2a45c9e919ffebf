"""Judge replay: what the judge says of the counts that a rollout kept, look by look, as it would judge now."""

from collections.abc import Iterator, Sequence

from bot.core.answer import Answer, Cell, Table, Text
from bot.core.canary.drawn import charts
from bot.core.canary.record import RECORD, VERDICT, CanaryRecord
from bot.core.canary.verdict import Verdict
from bot.core.errors import UserError
from bot.core.judge import replay
from bot.core.operation import Look, OperationRef, Risk, param
from bot.core.stages import StageRecord
from bot.core.system import LedgerReads


class JudgeReplay(Look, risk=Risk.READ, examples=("judge replay 7k3q",)):
    """Judge a rollout again by the counts that it kept, look by look."""

    operation: OperationRef = param(
        "Rollout, as `ops` lists it; also one that runs.", positional=True, completes="operations"
    )

    def answer(self, ledger: LedgerReads) -> Answer:
        record, stages = ledger.operation(self.operation.id), ledger.stages(self.operation.id)
        kept = [stage for stage in stages if RECORD in stage.evidence]
        if not kept:
            raise UserError(f"`{record.id}` ({record.request.text}) kept no counts: no judge looked at it.")
        counts = CanaryRecord.model_validate(kept[-1].evidence[RECORD])
        verdicts = replay(counts)
        said, same = _compared(kept[-1], verdicts[-1])
        title = f"{record.id}: {record.request.text}, judged again at {len(verdicts)} looks"
        return Answer(title=title, parts=(said, _table(verdicts), *charts(counts)), good=same)


def _compared(stage: StageRecord, now: Verdict) -> tuple[Text, bool]:
    """Whether the last verdict is still what was said then."""
    then = Verdict.model_validate(stage.evidence[VERDICT])
    if then.decision == now.decision:
        return Text(text=f"The last verdict is what it was then. {now.sentence}", mood="good"), True
    return Text(text=f"Then: {then.sentence} Judged now: {now.sentence}", mood="warning"), False


def _table(verdicts: Sequence[Verdict]) -> Table:
    """Each verdict that is another one than that of the look before."""
    rows = tuple(_rows(verdicts))
    return Table(title="Verdicts", columns=("at", "weight", "verdict", "because"), rows=rows)


def _rows(verdicts: Sequence[Verdict]) -> Iterator[tuple[Cell, ...]]:
    before = ("", "", 0)
    for one in verdicts:
        news = (one.decision, one.why, one.weight_pct)
        if news != before or one is verdicts[-1]:
            yield one.at, f"{one.weight_pct} %", one.decision.replace("_", " "), one.sentence
        before = news
