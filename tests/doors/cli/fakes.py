"""Records, and an engine's front that plays them back: a terminal's door without a bot behind it."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.core.answer import Answer, Text
from bot.core.errors import BotError
from bot.core.operation import Operation
from bot.core.plan import Finding, Plan, Step, Verdict
from bot.core.request import Actor, Address, Approval, Ask, Request, Target
from bot.core.stages import StageRecord
from bot.core.system import Accepted, OperationRecord
from bot.doors.cli.screen import Screen

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ONE = datetime(2026, 11, 20, 13, tzinfo=UTC)
ID = "7k3q9x2m4p"
ANA = Actor(id="slack:U0ANA", name="Ana", roles=("sre-oncall",))
BEN = Actor(id="slack:U0BEN", name="Ben")
BACKEND = Target(
    system="ai-square", environment="prod", name="backend", kind="service", type="cloud_run", cloud="gcp", place={}
)
SHIFT = Step(
    verb="Compute.set_traffic",
    title="send all traffic to backend-00041-kex",
    undo=Step(verb="Compute.set_traffic", title="send it back"),
)
CHECK = Step(kind="check", verb="serving", title="see that it serves", deadline_s=60)
JUDGE = Step(kind="judge", verb="errors", title="compare errors before and after", deadline_s=600)
BY_HAND = (
    "gcloud run services update-traffic backend --to-revisions=backend-00041-kex=100 --region=us-central1"
    " --project=ai-square-prod"
)
VERDICT = Verdict(
    findings=(
        Finding(level="good", subject="image", sentence="image sha256:24302b5749ed is in the registry"),
        Finding(level="risk", subject="schema", sentence="the release does not say which schema it needs"),
    )
)


def a_plan(**changed: Any) -> Plan:
    """A rollback's plan."""
    whole: dict[str, Any] = {
        "target": BACKEND,
        "version": "42",
        "summary": "ai-square/prod/backend: all traffic to backend-00041-kex, away from backend-00042-guz 100 %",
        "steps": (SHIFT, CHECK),
        "afterwards": (JUDGE,),
        "verdict": VERDICT,
        "notes": ("Traffic then stays at backend-00041-kex: new releases get none until `unpin backend`.",),
        "by_hand": (BY_HAND,),
        "undo_by_hand": (BY_HAND.replace("00041-kex", "00042-guz"),),
        "measured": {"error_rate_pct": 4.5312},
    }
    return Plan(**{**whole, **changed})


def a_record(state: str = "waiting", **changed: Any) -> OperationRecord:
    """A rollback in some state; `params`, `text` and `operation` are the request's."""
    asked = {name: changed.pop(name) for name in ("params", "text", "operation", "actor", "verb") if name in changed}
    request = Request(
        **{
            "id": changed.pop("id", ID),
            "actor": ANA,
            "operation": "rollback",
            "verb": "plan",
            "params": {"reason": "5xx since 14:02"},
            "target": BACKEND,
            "text": "rollback backend",
            "address": Address(door="cli"),
            "received_at": NOON,
            **asked,
        }
    )
    whole: dict[str, Any] = {
        "request": request,
        "state": state,
        "revision": 2,
        "detail": "",
        "plan": a_plan(),
        "digest": "73d2cddcd02981df37ca1273a42feaa1",
        "approvals_needed": 1,
        "permitted_by": "grant.prod.rollout",
        "expires_at": ONE,
        "updated_at": NOON,
    }
    return OperationRecord(**{**whole, **changed})


def an_answer(good: bool = True, text: str = "backend-00041-kex 100 % serves.") -> Answer:
    return Answer(title="ai-square/prod/backend", parts=(Text(text=text),), good=good)


def a_look(answer: Answer | None = None, **changed: Any) -> OperationRecord:
    """An answered look."""
    plain = {"plan": None, "approvals_needed": 0, "permitted_by": "", "expires_at": None, "digest": ""}
    asked = {"operation": "status", "verb": "answer", "params": {"service": BACKEND.model_dump()}}
    return a_record("answered", answer=answer or an_answer(), **{**plain, **asked, **changed})


def approved(by: Actor = BEN) -> Approval:
    return Approval(actor=by, digest="73d2", given_at=NOON)


class FakeFront:
    """Plays rows: each look at an operation moves on to the next of its records, and stays at the last.

    A record that is an exception is raised instead.
    """

    def __init__(self, *records: OperationRecord | BaseException, others: Iterable[OperationRecord] = ()) -> None:
        self.rows: dict[str, list[OperationRecord | BaseException]] = {ID: list(records)}
        for other in others:
            self.rows[other.id] = [other]
        self.asked: list[Ask] = []
        self.proceeded: list[str] = []
        self.staged: list[tuple[StageRecord, ...]] = [()]
        self.refusal: BotError | None = None
        self.listeners: list[Callable[[], None]] = []
        self.operations: Mapping[str, type[Operation]] = {}

    def submit(self, ask: Ask) -> Accepted:
        if self.refusal:
            raise self.refusal
        self.asked.append(ask)
        return Accepted(id=ID, verb="plan", new=True)

    def record(self, operation: str) -> OperationRecord:
        rows = self.rows[operation]
        row = rows.pop(0) if len(rows) > 1 else rows[0]
        if isinstance(row, BaseException):
            raise row
        return row

    def stages(self, operation: str) -> tuple[StageRecord, ...]:
        return self.staged.pop(0) if len(self.staged) > 1 else self.staged[0]

    def proceed(self, operation: str) -> None:
        self.proceeded.append(operation)

    def on_change(self, listener: Callable[[], None]) -> None:
        self.listeners.append(listener)

    def commands(self) -> Mapping[str, type[Operation]]:
        return self.operations


class FakeWork:
    """Notes when it was started and stopped."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    def start(self) -> None:
        self._notes.append("started")

    def stop(self, drain_s: int) -> bool:
        self._notes.append(f"stopped within {drain_s} s")
        return True


class FakeWorkers:
    """Whether anybody works; `notes` is what became of the worker here."""

    def __init__(self, alive: bool = True) -> None:
        self.somebody, self.notes = alive, list[str]()

    def alive(self) -> bool:
        return self.somebody

    def here(self) -> FakeWork:
        return FakeWork(self.notes)


class FakeTools:
    """Every tool of administration, with answers that the test prepared."""

    def __init__(self, **prepared: Any) -> None:
        self._prepared = prepared

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self._prepared.get(name, f"{name}{args}")


class Paper(Screen):
    """A screen of two texts; one that takes itself for a `terminal` shows no colours all the same."""

    def __init__(self, *, encoding: str = "utf-8", columns: int = 80, terminal: bool = False) -> None:
        self.papers = [_Stream(encoding), _Stream(encoding)]
        super().__init__(*self.papers, columns=columns)
        if terminal:
            for console in (self._out, self.err):
                console._force_terminal, console._color_system = True, None

    @property
    def out(self) -> str:
        return self.papers[0].getvalue()

    @property
    def beside_it(self) -> str:
        return self.papers[1].getvalue()


class _Stream(io.StringIO):
    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._said = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._said


def widest(text: str) -> int:
    """How many columns the longest line takes."""
    from rich.cells import cell_len

    return max((cell_len(line) for line in text.splitlines()), default=0)


def lines(text: str) -> Sequence[str]:
    return [line for line in text.splitlines() if line.strip()]
