"""Ports to our own machinery, and the records that pass through them."""

from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel, JsonValue

from bot.core.answer import Answer
from bot.core.locks import Lock
from bot.core.operation import Operation
from bot.core.plan import Checked, Plan, Step
from bot.core.ports import Effect, Traffic
from bot.core.request import Actor, Approval, Request, State, Target, Verb
from bot.core.stages import StageRecord, StageState, Steer, Steered

Ending = Literal["succeeded", "failed", "changed by someone else", "cancelled", "uncertain"]
FINAL = 2**31 - 1  # a revision that no operation reaches
Claim = int | Literal["busy", "finished"]  # another operation has the mutex; this one has its outcome


class Clock(Protocol):
    """The time that people see; in the sandbox it may run faster than real time."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float:
        """Seconds; never goes back."""
        ...

    def sleep(self, seconds: float) -> None: ...
    def nap(self, seconds: float) -> None:
        """Sleep as long, or for a second of real time when that is shorter: somebody may be waiting for the sleeper."""
        ...


class OperationRecord(BaseModel, frozen=True):
    """One request and what became of it. `revision` grows with every change that people should see."""

    request: Request
    state: State
    revision: int
    detail: str = ""
    plan: Plan | None = None
    digest: str = ""
    approvals_needed: int = 0
    approvals: tuple[Approval, ...] = ()
    permitted_by: str = ""  # ids of the policies
    expires_at: datetime | None = None
    updated_at: datetime
    applied_at: datetime | None = None
    cancel_by: str = ""
    doing: int = 0  # steps that were begun
    judgement: str = ""  # what was found after the outcome, as a sentence
    judged: Literal["", "pending", "holds", "broken", "unknown"] = ""
    answer: Answer | None = None

    @property
    def id(self) -> str:
        return self.request.id


class EffectRecord(BaseModel, frozen=True):
    """One write: intent, then the cloud's operation id, then how it ended."""

    effect: Effect
    call: Step
    cloud_operation: str = ""
    ending: Ending | None = None
    version: str = ""  # of the target after the write
    detail: str = ""
    at: datetime | None = None  # when it was intended


class Accepted(BaseModel, frozen=True):
    """What became of a delivery: `new` is false when the same request had been heard before."""

    id: str
    verb: Verb
    new: bool


@runtime_checkable
class LedgerReads(Protocol):
    """Looking at operations."""

    def operation(self, operation: str) -> OperationRecord:
        """By id or by the unambiguous beginning of one; raises UserError."""
        ...

    def operations(
        self, *, states: tuple[State, ...] = (), target: str = "", limit: int = 20
    ) -> tuple[OperationRecord, ...]:
        """Changes only, newest first; `states`: only what is in one of them, as in `OPEN` or `DUE`."""
        ...

    def effects(self, operation: str) -> tuple[EffectRecord, ...]: ...
    def stages(self, operation: str) -> tuple[StageRecord, ...]:
        """Those that have begun, in the order of their steps."""
        ...


class Ledger(LedgerReads, Protocol):
    """The only truth about what was asked, allowed and done. Every method is one transaction and may be repeated.

    Each change of state is one link of the audit chain, written in the same transaction.
    """

    def accept(self, request: Request, *, heard_as: str, signature: str, state: State, detail: str) -> Accepted:
        """Replay and duplicate check and the operation, in one commit. Raises Denied for a replayed signature."""
        ...

    def propose(self, operation: str, proposal: "Proposal") -> None:
        """Accepted becomes waiting, queued or an outcome; does nothing when somebody was faster."""
        ...

    def approve(self, operation: str, approval: Approval) -> State:
        """The approval that completes the count queues the operation in the same transaction.

        Whatever queues an operation asks those that make way for it to stop, in that transaction too.
        """
        ...

    def make_way(self) -> None:
        """Ask whatever runs in the way of a queued rescue to stop, also what was queued just when the rescue was, and
        where whoever queued it did not ask."""
        ...

    def end(self, operation: str, state: State, detail: str, by: str, *, answer: Answer | None = None) -> State:
        """An outcome for what has not begun; does nothing (and returns the state) when it has."""
        ...

    def cancel(self, operation: str, by: str) -> State:
        """At once when it has not begun; else its steps see it."""
        ...

    def expire(self) -> int: ...
    def accepted(self, *, older_than_s: float) -> tuple[str, ...]: ...
    def due(self) -> tuple[tuple[str, str], ...]:
        """(operation, mutex) of all that must be executing; those of one mutex one after the other."""
        ...

    def judging(self) -> tuple[str, ...]: ...
    def claim(self, operation: str, owner: str) -> Claim:
        """Take the mutexes of all of its targets for this operation, or none; the number is a new fencing token."""
        ...

    def begin(self, operation: str, token: int, detail: str, plan: Plan | None = None) -> None:
        """Queued becomes running; with a plan, that one is carried out instead of the one that was proposed."""
        ...

    def effect(self, key: str) -> EffectRecord | None: ...
    def intend(self, operation: str, token: int, effect: Effect, call: Step) -> EffectRecord: ...
    def issued(self, operation: str, token: int, key: str, cloud_operation: str) -> None: ...
    def settle(self, operation: str, token: int, ended: EffectRecord) -> None: ...
    def finish(self, operation: str, token: int | None, state: State, detail: str, *, judge: bool) -> None:
        """Write the outcome and release the mutexes; without a token there are none to release.

        Of what was applied, pins are moved and locks are set and lifted in the same transaction.
        """
        ...

    def stage(self, operation: str, token: int, position: int) -> StageRecord:
        """The record of a step that may ask a person; begins it when there is none."""
        ...

    def found(self, operation: str, token: int, position: int, state: StageState, found: Checked) -> StageRecord:
        """Note what a stage's check found; without evidence, that of the last look stays. What is held stays so until
        it is steered, unless it is broken; what is left stays as it was. Answers how the stage stands now."""
        ...

    def steer(self, operation: str, position: int, steer: Steer, by: Actor) -> StageRecord | None:
        """Let a stage of what runs pass, or hold it; does nothing when it is left or the operation stops. Answers how
        it stands now; None when it has not begun."""
        ...

    def steered(self, operation: str, position: int) -> Steered:
        """What the step must know while it waits; asked every second."""
        ...

    def judged(self, operation: str, state: Literal["holds", "broken", "unknown"], sentence: str) -> None: ...


class Proposal(BaseModel, frozen=True):
    """What planning and policy made of an accepted request."""

    state: State
    detail: str
    plan: Plan | None = None
    digest: str = ""
    approvals_needed: int = 0
    permitted_by: str = ""
    expires_at: datetime | None = None
    answer: Answer | None = None


class Serving(BaseModel, frozen=True):
    """How a target's traffic was split from `since` to `until` (as last seen), and what monitoring counted then."""

    split: Traffic
    version: str
    since: datetime
    until: datetime
    total: int = 0
    errors: int = 0
    counted_until: datetime | None = None


@runtime_checkable
class HistoryReads(Protocol):
    """What served when."""

    def served(self, target: Target) -> tuple[Serving, ...]:
        """Newest first."""
        ...


class History(HistoryReads, Protocol):
    """Remembering what served when."""

    def observed(self, target: Target, split: Traffic, version: str) -> None: ...
    def counted(self, target: Target, since: datetime, total: int, errors: int, until: datetime) -> None: ...


class Shown(BaseModel, frozen=True):
    """An operation, and how much of it a chat shows: `revision` of it at `place`, which is empty before the first post.

    `kind` is empty for the operation's message itself; a reply in its thread has a kind and its message's place as
    `parent`. `tried_at` is set while a post or an edit is being made, or when nobody knows whether it arrived.
    """

    record: OperationRecord
    kind: str = ""
    place: dict[str, str] = {}
    revision: int = 0
    tried_at: datetime | None = None
    parent: dict[str, str] = {}
    effects: tuple[EffectRecord, ...] = ()  # of a reply
    stages: tuple[StageRecord, ...] = ()  # those that have begun


class Messages(Protocol):
    """Which revision of each operation a chat shows, and where. Every method is one transaction that may be repeated.

    Revision 1 is what the acknowledgement showed; `FINAL` is shown by what is never brought up to date again.
    """

    def behind(self, door: str, *, since: datetime, limit: int = 200) -> tuple[Shown, ...]:
        """What was asked through a door, moved after `since`, and has moved on from what is shown; newest first.

        Of more than `limit`, the newest and as many of the oldest.
        """
        ...

    def replies(
        self, door: str, kind: str, *, since: datetime, states: tuple[State, ...] = (), limit: int = 200
    ) -> tuple[Shown, ...]:
        """The same of replies to messages that stand, about what has a plan; `states`: only of what is in one."""
        ...

    def undecided(self, door: str, *, since: datetime, limit: int = 200) -> tuple[Shown, ...]:
        """Replies that say that a stage waits for a person, each of a kind of its own, as far as they are not `FINAL`:
        of what runs, of which nobody asked that it stops, and whose message stands."""
        ...

    def trying(self, seen: Shown, place: dict[str, str], at: datetime) -> bool:
        """Note that a post or an edit begins; false when somebody else has begun, or even made, one since `seen`."""
        ...

    def untried(self, operation: str, kind: str = "") -> None:
        """It is certainly not there."""
        ...

    def showing(self, operation: str, revision: int, place: dict[str, str], kind: str = "") -> None:
        """The revision is shown. When a newer one was already, that one has just been covered, and is owed again."""
        ...


class Pin(BaseModel, frozen=True):
    """Where an operation of ours holds a target's traffic, instead of letting it follow the newest release."""

    target: str
    traffic: Traffic
    operation: str
    by: str
    since: datetime
    remind_at: datetime
    away_from: tuple[str, ...] = ()  # releases that a rollback left
    reason: str = ""


@runtime_checkable
class PinReads(Protocol):
    """Looking at pins."""

    def pin(self, target: Target) -> Pin | None: ...
    def pins(self) -> tuple[Pin, ...]: ...


class Pins(PinReads, Protocol):
    """Remembering pins."""

    def hold(self, pin: Pin) -> None: ...
    def let_go(self, target: Target) -> None: ...


@runtime_checkable
class LockReads(Protocol):
    """Looking at locks and freezes."""

    def lock(self, target: Target) -> Lock | None:
        """The one of deploys to this very target."""
        ...

    def locks(self) -> tuple[Lock, ...]:
        """All of them by name, freezes too, also those whose time has passed."""
        ...


class AuditEntry(BaseModel, frozen=True):
    """One link of the chain."""

    seq: int
    at: datetime
    event: str
    operation: str
    actor: str
    body: dict[str, JsonValue]
    hash: str


class AuditCheck(BaseModel, frozen=True):
    """What a walk over the chain found; `problem` is empty when it is whole."""

    entries: int
    head: str
    problem: str = ""


@runtime_checkable
class AuditReads(Protocol):
    """Looking at the audit chain."""

    def entries(self, *, operation: str = "", limit: int = 20) -> tuple[AuditEntry, ...]: ...
    def verify(self, head: str = "") -> AuditCheck:
        """Walk the chain; `head` must be one of its hashes (a missing one means that the tail was cut).

        The first 12 digits of a head are enough. Raises UserError for what is no head.
        """
        ...


class Replicas(Protocol):
    """The processes that take work, of this version and of others."""

    def older(self) -> tuple[str, ...]:
        """Hosts of those that are alive and could not carry on all that this version begins."""
        ...


@runtime_checkable
class Directory(Protocol):
    """Who people are."""

    def actor(self, id: str) -> Actor:
        """Name, roles and whether active, as known now; `active` is None when that could not be asked."""
        ...


@runtime_checkable
class Desk(Protocol):
    """Acting on operations; every method asks policy first and raises Denied."""

    def approve(self, operation: str, digest: str, actor: Actor) -> OperationRecord: ...
    def deny(self, operation: str, reason: str, actor: Actor) -> OperationRecord: ...
    def cancel(self, operation: str, actor: Actor) -> OperationRecord: ...
    def steer(
        self, operation: str, steer: Steer, stage: int | None, actor: Actor, asked_at: datetime
    ) -> tuple[OperationRecord, StageRecord]:
        """Let a stage of what runs pass, or hold it; raises UserError when that cannot be any more.

        Stages count from 1. None is the one that had begun last at `asked_at`: who is late, or asks twice, reaches no
        other. It is refused to let that pass just after somebody let the one before it pass.
        """
        ...


@runtime_checkable
class Manual(Protocol):
    """What can be asked, and whether policy would allow it."""

    def commands(self) -> tuple[type[Operation], ...]: ...
    def command(self, words: str) -> type[Operation]:
        """Raises UserError with the nearest names."""
        ...

    def why(self, text: str, actor: Actor, channel: str) -> Answer: ...
