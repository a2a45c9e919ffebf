"""A change as a terminal shows it: the plan, how far it is, how it ended. A pure function of the operation's row."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text as Rich

from bot.core import staged
from bot.core.plan import Plan, Step, Verdict
from bot.core.request import DUE, State
from bot.core.staged import Stages
from bot.core.system import OperationRecord
from bot.doors.cli.draw import STYLES, Drawer, plain
from bot.doors.cli.progress import steps

FINDING_STYLES = {"good": "green", "risk": "yellow", "bad": "bold red"}
LEVEL_STYLES = {"GO": "bold green", "GO WITH RISK": "bold yellow", "NO GO": "bold red"}
OUTCOME_STYLES: dict[State, str] = {
    "applied": "bold green",
    "nothing_to_do": "green",
    "waiting": "yellow",
    "failed": "bold red",
    "uncertain": "bold red",
    "denied": "bold red",
    "rejected": "red",
}
SAID: dict[State, str] = {
    "accepted": "being planned",
    "nothing_to_do": "nothing to do",
    "planned": "only planned, nothing done",
    "queued": "begins in a moment",
    "uncertain": "UNCERTAIN",
}
UNITS = {"pct": "%"}


class Cards:
    """Draws operations with the means of `draw`."""

    def __init__(self, draw: Drawer) -> None:
        self._draw = draw

    def plan(self, record: OperationRecord, plan: Plan) -> RenderableType:
        """All that somebody who approves must know."""
        return Group(*self._plan(record, plan))

    def progress(self, record: OperationRecord, stages: Stages = ()) -> RenderableType:
        """How far it is: the steps, what was found at the last stage that has begun, and one line about the whole."""
        moves = bool(record.doing) or record.state in (*DUE, "applied")
        rows = [self._draw.tasks(steps(record, record.plan, stages))] if record.plan and moves else []
        found = [plain(one.text, STYLES[one.mood]) for one in staged.news(record, stages)]
        drawn = map(self._draw.part, staged.compared(stages)) if staged.goes_on(record) else ()
        return Group(*rows, *drawn, *found, self.standing(record, stages))

    def line(self, record: OperationRecord, stages: Stages = ()) -> Rich:
        """How it stands, all on one line."""
        found = [one.text for one in staged.verdict(stages)] if staged.goes_on(record) else []
        standing = self.standing(record, stages)
        return plain(" ".join((standing.plain, *found)), str(standing.style))

    def standing(self, record: OperationRecord, stages: Stages = ()) -> Rich:
        """One sentence: the state and what is to be said about it."""
        said = SAID.get(record.state, record.state)
        if record.state == "waiting":
            until = f" until {self._draw.instant(record.expires_at)}" if record.expires_at else ""
            said = f"waiting for {people(record.approvals_needed - len(record.approvals))} to approve{until}"
        elif record.state == "running":
            said += f"; {record.cancel_by} asked to stop it" if record.cancel_by else _stage(record, stages)
        elif record.detail:
            said += f": {record.detail}"
        waits = staged.asks(record, stages)
        return plain(said, OUTCOME_STYLES["waiting"] if waits else OUTCOME_STYLES.get(record.state, ""))

    def _plan(self, record: OperationRecord, plan: Plan) -> Iterator[RenderableType]:
        request = record.request
        yield plain(f"{record.id}  {request.operation} {plan.target}", "bold")
        yield plain(plan.summary or plan.why)
        if reason := request.params.get("reason"):
            yield plain(f"Reason: {reason}")
        if glass := request.params.get("break_glass"):
            yield plain(f"! BREAK GLASS by {request.actor.name}: {glass}", "bold red")
        if plan.measured:
            yield plain("As last counted: " + ", ".join(measured(*one) for one in plan.measured.items()))
        if plan.verdict:
            yield from self._verdict(plan.verdict)
        yield from self._titled("Stops first", [plain(one.title) for one in staged.first(record)])
        yield from self._titled("Steps", _numbered(plan.steps))
        yield from self._titled("Then judged", _numbered(plan.afterwards))
        yield from self._titled("To know", [plain(note) for note in plan.notes])
        yield from self._titled("By hand", [self._draw.code(plan.by_hand)] if plan.by_hand else [])
        yield from self._titled("Undo by hand", [self._draw.code(plan.undo_by_hand)] if plan.undo_by_hand else [])
        if record.state == "waiting":
            yield Rich()
            yield self._who(record)

    def _verdict(self, verdict: Verdict) -> Iterator[RenderableType]:
        yield Rich()
        yield plain(verdict.level, LEVEL_STYLES[verdict.level])
        for one in verdict.findings:
            row = plain(f"{one.level:5} {one.subject}: {one.sentence}", FINDING_STYLES[one.level])
            yield Padding(row, (0, 0, 0, 2))

    def _titled(self, title: str, rows: list[Rich] | list[RenderableType]) -> Iterator[RenderableType]:
        if rows:
            yield Rich()
            yield plain(title, "bold")
            yield from (row if isinstance(row, Padding) else Padding(row, (0, 0, 0, 2)) for row in rows)

    def _who(self, record: OperationRecord) -> RenderableType:
        until = f", until {self._draw.instant(record.expires_at)}" if record.expires_at else ""
        missing = people(record.approvals_needed - len(record.approvals))
        said = plain(f"Needs {missing} to approve (policy {record.permitted_by}){until}:")
        return Group(said, self._draw.code([f"aisq approve {record.id} --digest {record.digest[:12]}"]))


def _stage(record: OperationRecord, stages: Stages) -> str:
    """Where a rollout is, and while it waits for a person, what can be typed."""
    where, stage = staged.standing(record, stages), staged.steerable(record, stages)
    if not where or not stage or not record.plan or stage.state != "held":
        return f": {where}" if where else ""
    on = f"aisq ops advance {record.id} --stage {staged.number(record.plan, stage)}"
    return f": {where} To go on: `{on}`; to go back: `aisq ops cancel {record.id}`."


def people(count: int) -> str:
    return "1 other person" if count == 1 else f"{count} other people"


def measured(name: str, value: float) -> str:
    """A number with its unit, which its name ends with: "error_rate_pct" is "error rate 4.8 %"."""
    *words, unit = name.split("_")
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{' '.join(words)} {shown} {UNITS.get(unit, unit)}".strip()


def _numbered(steps: tuple[Step, ...]) -> list[Rich]:
    return [plain(f"{number}. {step.title or step.verb}") for number, step in enumerate(steps, 1)]
