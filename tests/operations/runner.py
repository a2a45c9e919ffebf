"""Runs one case: what was typed, in its world, to an outcome as plain data. No engine, no store, no door."""

import functools
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ruamel.yaml import YAML

from bot import operations
from bot.core import folder
from bot.core.answer import Answer, Code, Part, Series, Tasks, Text
from bot.core.catalog import Catalog
from bot.core.clocktime import Standpoint
from bot.core.errors import CloudError, Denied, UserError
from bot.core.instants import in_utc
from bot.core.operation import Operation, needs
from bot.core.parser import build, parse, split
from bot.core.plan import Moment, Plan, Step
from bot.core.ports import ComputeReads, ImageReads, JobReads, LogReads, MetricReads, SecretReads, Sizing
from bot.core.reference import channel_default, resolve
from bot.core.request import Actor, Address, Request, Subject, Target
from bot.core.rules import Freezes
from bot.core.sizing import described
from bot.core.system import AuditReads, Desk, HistoryReads, LedgerReads, LockReads, Manual, PinReads
from bot.core.traffic import describe
from tests.operations.books import subject_of
from tests.operations.noon import NOON, Data
from tests.operations.world import world_of

HERE = Path(__file__).parent
COMMANDS = {one.command(): one for one in folder.every(operations).values()}
WORDS = {**COMMANDS, **{alias: one for one in COMMANDS.values() for alias in one.aliases}}


@functools.cache
def cases() -> dict[str, Data]:
    """Every case by "FOLDER/FILE: TITLE"."""
    found: dict[str, Data] = {}
    for file in sorted(HERE.glob("*/*.yaml")):
        for case in YAML(typ="safe", pure=True).load(file):
            name = f"{file.parent.name}/{file.stem}: {case['title']}"
            assert name not in found, f"there are two cases {name}"
            found[name] = case | {"operation": file.parent.name.replace("_", " ")}
    return found


class Run:
    """One case in its world."""

    def __init__(self, case: Data) -> None:
        self.case = case
        self.world = world_of(case.get("facts", {}), COMMANDS)

    def outcome(self) -> dict[str, Any]:
        """What came of it. An error is its sentence."""
        try:
            made = self.made()
            said = getattr(made, made.verb)(**self.arguments(made))
        except UserError as error:
            return {"says": str(error), "choices": list(error.choices)}
        except Denied as error:
            return {"denied": str(error)}
        except CloudError as error:
            return {"fails": str(error)}
        return drawn_plan(said) if isinstance(said, Plan) else {"good": said.good, "answer": drawn(said)}

    def made(self) -> Operation:
        """The operation that was typed. Raises UserError."""
        operation, said = split(self.case["typed"], WORDS)
        assert operation.command() == self.case["operation"], "a case is in the folder of its operation"
        return build(operation, parse(operation, said), self._resolved, Standpoint(self.world.actor.zone, NOON))

    def plan(self) -> Plan:
        return self.plan_of(self.made())

    def plan_of(self, made: Operation) -> Plan:
        plan: Plan = made.plan(**self.arguments(made))  # type: ignore[attr-defined]
        return plan

    def arguments(self, made: Operation) -> dict[str, Any]:
        """What the operation's verb asks for, by type."""
        offered = self._offered(made)
        return {name: offered[kind] for name, kind in needs(type(made)).items()}

    def _resolved(self, text: str, kind: str) -> Target | Subject:
        if kind == "operation":
            return subject_of(self.world.ledger.operation(text))
        return resolve(self.world.catalog, text, kind, channel_default(self.world.catalog, self.world.channel))

    def _offered(self, made: Operation) -> dict[type, object]:
        world: SimpleNamespace = self.world
        return {
            ComputeReads: world.compute,
            JobReads: world.jobs,
            LogReads: world.logs,
            MetricReads: world.metrics,
            ImageReads: world.images,
            SecretReads: world.secrets,
            HistoryReads: world.history,
            PinReads: world.pins,
            Freezes: world.freezes,
            LockReads: world.locks,
            LedgerReads: world.ledger,
            AuditReads: world.audit,
            Desk: world.desk,
            Manual: world.manual,
            Catalog: world.catalog,
            Actor: world.actor,
            Moment: Moment(started_at=NOON, now=NOON),
            Request: Request(
                id="0aaaaaaaaa",
                actor=world.actor,
                operation=made.command(),
                verb=made.verb,
                params={},
                target=made.target,
                text=self.case["typed"],
                address=Address(door="test"),
                channel=world.channel,
                received_at=NOON,
            ),
        }


def drawn_plan(plan: Plan) -> dict[str, Any]:
    """A plan as a case writes it; one of which nothing comes is its reason."""
    if plan.is_nothing:
        return {"why": plan.why}
    return {
        "summary": plan.summary,
        "steps": [_step(step) for step in (*plan.steps, *plan.afterwards)],
        "verdict": plan.verdict.level if plan.verdict else None,
        "findings": [f"{one.level} {one.subject}: {one.sentence}" for one in plan.verdict.findings]
        if plan.verdict
        else [],
        "notes": list(plan.notes),
        "hold": plan.hold.traffic if plan.hold else None,
        "away_from": list(plan.hold.away_from) if plan.hold else [],
        "lets_go": plan.lets_go,
        "locks": [f"{one.name}{f' until {in_utc(one.until)}' if one.until else ''}" for one in plan.locks],
        "unlocks": list(plan.unlocks),
        "preempts": list(plan.preempts),
        "facts": plan.facts,
        "measured": plan.measured,
        "by_hand": [*plan.by_hand, *plan.undo_by_hand],
    }


def _step(step: Step) -> str:
    """ "send b 100 %, undo c 100 %" or "scale to 2 CPU, undo 1 CPU" for a call; a look and a judgement by name, the
    watching of a stage with its weight and how long it may take."""
    if "watched" in step.args:
        return f"{step.kind} {step.verb} {step.args['watched']['weight_pct']} % for {step.deadline_s} s"  # type: ignore[index,call-overload]
    if step.kind != "call":
        return f"{step.kind} {step.verb}"
    undo = f", undo {_wanted(step.undo.args)}" if step.undo else ""
    return f"{_wanted(step.args, MADE[step.verb])}{undo}{', may stay' if step.may_stay else ''}"


MADE = {
    "Compute.set_traffic": "send",
    "Compute.scale": "scale to",
    "Compute.release": "make",
    "Jobs.run_job": "run",
}


def _wanted(args: Mapping[str, Any], verb: str = "") -> str:
    said = f"{verb} " if verb else ""
    if "job" in args:
        return f"{said}{' of '.join(filter(None, (args['job'], args['image'])))}"
    if "name" in args:
        labels = "".join(f" {name}={value}" for name, value in (args["labels"] or {}).items())
        tag = f" tagged {args['tag']}" if args["tag"] else ""
        return f"{said}{args['name']}{tag}{labels}, meanwhile {describe(args['traffic'])}"
    if "traffic" in args:
        return f"{said}{describe(args['traffic'])}"
    return f"{said}{described(Sizing.model_validate(args['sizing']))}"


def drawn(answer: Answer) -> list[str]:
    """An answer as lines: texts with their mood, tables with cells between bars, tasks by state, code after a $."""
    return [answer.title, *(line for part in answer.parts for line in _part(part))]


def _part(part: Part) -> list[str]:
    if isinstance(part, Text):
        return [part.text if part.mood == "plain" else f"({part.mood}) {part.text}"]
    if isinstance(part, Code):
        return [f"$ {line}" for line in part.lines]
    if isinstance(part, Series):
        lines = (f"{name}: {', '.join(map(_value, values))}" for name, values in part.lines.items())
        return [f"[{part.title}, {part.unit}] {' '.join(map(_cell, part.at))}", *lines]
    if isinstance(part, Tasks):
        return [
            f"[{part.title}]",
            *(f"{one.state}: {one.title}{one.detail and f', {one.detail}'}" for one in part.tasks),
        ]
    rows = [" | ".join(_cell(cell) for cell in row) for row in part.rows] or [part.empty]
    return [*([f"[{part.title}]"] if part.title else []), " | ".join(part.columns), *rows]


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _cell(cell: object) -> str:
    return f"{cell:%H:%M}" if isinstance(cell, datetime) else str(cell) or "-"
