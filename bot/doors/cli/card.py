"""A change as a terminal shows it: the plan, how far it is, how it ended. A pure function of the operation's row."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text as Rich

from bot.core.answer import Task, Tasks
from bot.core.plan import Plan, Step, Verdict
from bot.core.request import DUE, State
from bot.core.system import OperationRecord
from bot.doors.cli.draw import Drawer, plain

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

    def progress(self, record: OperationRecord) -> RenderableType:
        """How far it is: the steps, and one line about the whole."""
        moves = bool(record.doing) or record.state in (*DUE, "applied")
        rows: list[RenderableType] = [self._draw.tasks(steps(record, record.plan))] if record.plan and moves else []
        return Group(*rows, self.standing(record))

    def standing(self, record: OperationRecord) -> Rich:
        """One line: the state and what is to be said about it."""
        said = SAID.get(record.state, record.state)
        if record.state == "waiting":
            until = f" until {self._draw.instant(record.expires_at)}" if record.expires_at else ""
            said = f"waiting for {people(record.approvals_needed - len(record.approvals))} to approve{until}"
        elif record.state == "running":
            said += f"; {record.cancel_by} asked to stop it" if record.cancel_by else ""
        elif record.detail:
            said += f": {record.detail}"
        return plain(said, OUTCOME_STYLES.get(record.state, ""))

    def _plan(self, record: OperationRecord, plan: Plan) -> Iterator[RenderableType]:
        request = record.request
        yield plain(f"{record.id}  {request.operation} {plan.target}", "bold")
        yield plain(plan.summary or plan.why)
        if reason := request.params.get("reason"):
            yield plain(f"Reason: {reason}")
        if glass := request.params.get("break_glass"):
            yield plain(f"! BREAK GLASS by {request.actor.name}: {glass}", "bold red")
        if plan.measured:
            yield plain("Now: " + ", ".join(measured(*one) for one in plan.measured.items()))
        if plan.verdict:
            yield from self._verdict(plan.verdict)
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


def steps(record: OperationRecord, plan: Plan) -> Tasks:
    """The steps with how far each is. The row counts the writes that were begun, which is all that there is to know."""
    begun, calls, tasks = record.doing, 0, []
    for step in plan.steps:
        calls += step.kind == "call"
        if record.state == "applied" or (begun and calls < begun):
            state = "done"
        elif begun and calls == begun:
            state = _current(record.state, step)
        else:
            state = "pending"
        tasks.append(Task.model_validate({"title": step.title or step.verb, "state": state}))
    return Tasks(title="", tasks=tuple(tasks))


def _current(state: State, step: Step) -> str:
    if state == "running":
        return "running" if step.kind == "call" else "pending"
    return "failed" if state in ("failed", "uncertain", "cancelled") and step.kind == "call" else "pending"


def people(count: int) -> str:
    return "1 other person" if count == 1 else f"{count} other people"


def measured(name: str, value: float) -> str:
    """A number with its unit, which its name ends with: "error_rate_pct" is "error rate 4.8 %"."""
    *words, unit = name.split("_")
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{' '.join(words)} {shown} {UNITS.get(unit, unit)}".strip()


def _numbered(steps: tuple[Step, ...]) -> list[Rich]:
    return [plain(f"{number}. {step.title or step.verb}") for number, step in enumerate(steps, 1)]
