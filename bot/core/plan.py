"""Plans: what will be done, as data that can be shown, approved, stored and resumed."""

import hashlib
import inspect
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Concatenate, Literal, ParamSpec, get_args

from pydantic import BaseModel, JsonValue, TypeAdapter

from bot.core.locks import Lock
from bot.core.ports import Effect, Traffic
from bot.core.request import Target
from bot.core.stages import Stage

P = ParamSpec("P")
Level = Literal["GO", "GO WITH RISK", "NO GO"]
LEVELS: tuple[Level, ...] = get_args(Level)  # best first
JSON: TypeAdapter[Any] = TypeAdapter(Any)
LONG_S = 300
# Of a step: what digests of older plans lack.
_LATER: dict[str, JsonValue] = {"if_late": "fail", "may_stay": False, "may_be_left": False}


class Step(BaseModel, frozen=True):
    """One step; `args` are JSON.

    * call: the write `verb` ("Port.method"), with its undo; `deadline_s`: how long the cloud may work on it, if not as
      long as usual;
    * check: the operation's own `check_VERB`, before the outcome, until it holds or `deadline_s` has passed;
    * judge: the operation's own `judge_VERB`, after the outcome and outside the mutex, until it knows.
    """

    kind: Literal["call", "check", "judge"] = "call"
    verb: str
    args: dict[str, JsonValue] = {}
    title: str = ""
    undo: "Step | None" = None
    deadline_s: int = 0
    if_broken: Literal["undo", "report"] = "undo"  # what a check that fails leads to
    if_late: Literal["fail", "ask"] = "fail"  # a check that is not decided in time; "ask": it waits until a person does
    may_stay: bool = False  # what a call without an undo made does no harm when the rest is put back
    may_be_left: bool = False  # a call without an undo goes on by itself beside all else: who stops it does not wait

    def undone_by(self, undo: "Step") -> "Step":
        return self.model_copy(update={"undo": undo})

    def called(self, title: str) -> "Step":
        return self.model_copy(update={"title": title})


def step(verb: Callable[Concatenate[Any, Effect, P], str], /, *args: P.args, **kwargs: P.kwargs) -> Step:
    """Name a write without making it; a type checker checks the arguments against the port's own signature."""
    bound = inspect.signature(verb).bind(None, None, *args, **kwargs).arguments
    named = dict(list(bound.items())[2:])
    return Step(verb=verb.__qualname__, args=JSON.dump_python(named, mode="json"))


class Finding(BaseModel, frozen=True):
    """What one look found. `level` "bad" is certain; what cannot be read is "risk", and `unread`."""

    level: Literal["good", "risk", "bad"]
    subject: str
    sentence: str
    unread: bool = False


class Verdict(BaseModel, frozen=True):
    """Whether a plan is safe, and why."""

    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        levels = {finding.level for finding in self.findings}
        return "NO GO" if "bad" in levels else "GO WITH RISK" if "risk" in levels else "GO"

    def since(self, approved: "Verdict") -> "Verdict":
        """This verdict, made again just before acting: what cannot be read now stands as it was approved."""
        unread = {finding.subject for finding in self.findings if finding.unread}
        stands = tuple(finding for finding in approved.findings if finding.subject in unread)
        return Verdict(findings=(*(finding for finding in self.findings if not finding.unread), *stands))

    def is_worse_than(self, other: "Verdict") -> bool:
        return LEVELS.index(self.level) > LEVELS.index(other.level)


class Checked(BaseModel, frozen=True, allow_inf_nan=False):
    """What a `check_` or `judge_` method says: yes, no, or ask again later."""

    state: Literal["holds", "broken", "not yet", "unknown"]
    sentence: str
    evidence: dict[str, JsonValue] = {}  # what that was made from: kept, drawn, and judged again later
    look_again_at: datetime | None = None  # there is nothing new to see before; None: soon


class Moment(BaseModel, frozen=True):
    """When a check or judgement is made; both instants in the clock that people see."""

    started_at: datetime  # when the step was first tried; of a judgement: when the plan was applied
    now: datetime
    changed_at: datetime | None = None  # of a judgement: when the first write began; a crash may lie between the two


class Hold(BaseModel, frozen=True):
    """What the plan leaves behind: traffic held at a split, away from some releases."""

    traffic: Traffic
    away_from: tuple[str, ...] = ()


class Versioned(BaseModel, frozen=True):
    """One target of a plan as it was read, and where its traffic is held when the plan was carried out."""

    target: Target
    version: str  # its first write must find the same
    hold: Hold | None = None


class Plan(BaseModel, frozen=True):
    """Steps in order. When there are none, and nothing to lock or unlock, there is nothing to do; `why` says why.

    The target of a step is its argument `target`, else the plan's; every one but the plan's is among `others`.
    """

    target: Target
    version: str  # of the target when it was read; the first write must find the same
    others: tuple[Versioned, ...] = ()  # further targets
    summary: str = ""  # one sentence: what will be different
    steps: tuple[Step, ...] = ()
    afterwards: tuple[Step, ...] = ()  # judged when the outcome is known
    stages: tuple[Stage, ...] = ()  # what the steps that may ask a person are, in order; shown
    preempts: tuple[str, ...] = ()  # operations that are stopped first; then it is made again, on what they left
    rescues: bool = False  # what takes its time on its targets is stopped too when it began since
    stops: tuple[str, ...] = ()  # that, as soon as it is known
    verdict: Verdict | None = None
    hold: Hold | None = None  # traffic stays where it is put until `unpin`
    lets_go: bool = False  # traffic follows the newest release again
    locks: tuple[Lock, ...] = ()  # set with the outcome
    unlocks: tuple[str, ...] = ()  # names of locks that are lifted with it
    books_only: bool = False  # it writes to our own books alone, so it does not wait for what changes the target
    notes: tuple[str, ...] = ()  # what people should know beside it
    by_hand: tuple[str, ...] = ()
    undo_by_hand: tuple[str, ...] = ()
    chosen: dict[str, JsonValue] = {}  # parameters that were left open, as it filled them; it is made again with these
    facts: dict[str, JsonValue] = {}  # what it decided by; shown, kept, and never a measured number
    measured: dict[str, float] = {}  # numbers that never stand still; shown, not approved
    why: str = ""

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.steps or self.locks or self.unlocks)

    @property
    def targets(self) -> tuple[Versioned, ...]:
        """All of them, the plan's own first."""
        return Versioned(target=self.target, version=self.version, hold=self.hold), *self.others

    @property
    def stopped(self) -> tuple[str, ...]:
        """Operations that make way for it."""
        return *self.preempts, *self.stops

    @property
    def asking(self) -> tuple[int, ...]:
        """Positions of the steps that people may steer; the first one is stage 1."""
        return tuple(position for position, step in enumerate(self.steps) if step.if_late == "ask")

    @property
    def takes_its_time(self) -> bool:
        """Whether it may run for so long that nobody should have to wait for it."""
        return any(step.if_late == "ask" or step.deadline_s > LONG_S for step in self.steps)

    def stage_name(self, position: int) -> str:
        """What people call the stage that is the step at `position`: "stage 2 (25 %)"."""
        number = self.asking.index(position) + 1
        weight = f" ({self.stages[number - 1].weight_pct} %)" if len(self.stages) >= number else ""
        return f"stage {number}{weight}"

    @property
    def cannot_be_undone(self) -> tuple[Step, ...]:
        """Calls from which nothing leads back, and which may not stay either."""
        return tuple(one for one in self.steps if one.kind == "call" and not one.undo and not one.may_stay)

    def target_of(self, step: Step) -> Target:
        """What a step is about."""
        return Target.model_validate(step.args["target"]) if "target" in step.args else self.target

    def is_part_of(self, other: "Plan") -> bool:
        """Whether another plan has all of its targets, its locks, and its steps in this order; words and undo may
        differ."""
        named = (
            ({one.target.full_name for one in self.targets}, {one.target.full_name for one in other.targets}),
            ({lock.name for lock in self.locks}, {lock.name for lock in other.locks}),
            (set(self.unlocks), set(other.unlocks)),
        )
        steps = (self.steps, other.steps), (self.afterwards, other.afterwards)
        return all(mine <= theirs for mine, theirs in named) and all(_runs_through(*both) for both in steps)

    def left_by(self, fresh: "Plan") -> "Plan":
        """What is left to do of it, once it was made again as `fresh`, which is part of it. Where it leads stays, its
        pins and locks too: of what needs no step any more that is true all the more."""
        same = () if fresh.is_nothing else ("verdict", "facts", "measured", "by_hand", "undo_by_hand")
        now = {name: getattr(fresh, name) for name in ("version", "steps", "afterwards", "why", *same)}
        versions = {one.target.full_name: one.version for one in fresh.others}
        kept = [(one, versions.get(one.target.full_name, one.version)) for one in self.others]
        others = tuple(one.model_copy(update={"version": version}) for one, version in kept)
        return self.model_copy(update={**now, "others": others})

    def _binds(self, lock: Lock) -> bool:
        """Whether a lock must be approved; programs that know none of them may still carry out what holds traffic."""
        held = {one.target.full_name for one in self.targets if one.hold}
        return lock.kind != "deploys" or lock.until is not None or lock.target not in held

    def digest(self, *, actor: str, operation: str, params: dict[str, JsonValue]) -> str:
        """What an approval is bound to: actor, operation, parameters, targets, steps, versions, verdict, stages, locks.

        What is to be stopped first is about to change the target: a plan that preempts is bound to no version or undo.
        Why something is locked are words, and that deploys are locked goes with holding its traffic.
        """
        stands = not self.preempts
        others = [(one.target.model_dump(mode="json"), one.version if stands else "") for one in self.others]
        added: dict[str, Any] = {  # left out when empty, as in digests that people approved before there were any
            "preempts": self.preempts,
            "others": others,
            "stages": [stage.model_dump(mode="json") for stage in self.stages],
            "locks": [(lock.name, lock.until and lock.until.isoformat()) for lock in self.locks if self._binds(lock)],
            "unlocks": self.unlocks,
        }
        bound = {
            "actor": actor,
            "operation": operation,
            "params": params,
            "target": self.target.model_dump(mode="json"),
            "steps": [_bound(one, undo=stands) for one in (*self.steps, *self.afterwards)],
            "version": self.version if stands else "",
            "verdict": self.verdict.level if self.verdict else "",
            **{name: value for name, value in added.items() if value},
        }
        text = json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _runs_through(some: tuple[Step, ...], all_: tuple[Step, ...]) -> bool:
    left = iter([_bound(one, undo=False) for one in all_])
    return all(_bound(one, undo=False) in left for one in some)


def _bound(step: Step, *, undo: bool) -> dict[str, Any]:
    """A step without its words, which may be put better without a new approval."""
    said: dict[str, Any] = step.model_dump(mode="json", exclude={"title", "undo"})
    kept = {name: value for name, value in said.items() if name not in _LATER or value != _LATER[name]}
    return {**kept, "undo": _bound(step.undo, undo=True) if undo and step.undo else None}
