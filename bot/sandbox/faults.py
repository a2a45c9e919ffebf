"""Faults to inject, as data: what goes wrong, for which service and call, at which call from now, how often."""

from collections.abc import Iterator
from itertools import count
from typing import Literal, Self

import grpc
from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal[
    "error",  # the call is refused with `code`; DEADLINE_EXCEEDED hangs until the caller gives up
    "lose_request",  # the call is never committed; the caller sees UNAVAILABLE
    "lose_answer",  # the call is committed; the caller sees UNAVAILABLE
    "hold",  # the call is delivered `seconds` real seconds late
    "slow_rollout",  # the operation takes `seconds` sandbox seconds
    "stuck_rollout",  # the operation is never done
    "fail_rollout",  # the operation ends in an error
    "forget_operations",  # operations of the service are not found and not listed
    "metrics_absent",  # no time series
    "metrics_late",  # points become visible `seconds` sandbox seconds after they were taken
    "logs_absent",  # no log entries
    "kill",  # SIGKILL to `pid`, before the service acts, after it committed, or after it answered
]
_CODES = [code.name for code in grpc.StatusCode if code is not grpc.StatusCode.OK]
When = Literal["before", "after_commit", "after_answer"]

CALLS: frozenset[Kind] = frozenset({"error", "lose_request", "lose_answer", "hold", "kill"})
ROLLOUTS: frozenset[Kind] = frozenset({"slow_rollout", "stuck_rollout", "fail_rollout"})
OPERATIONS: frozenset[Kind] = frozenset({"forget_operations"})
METRICS: frozenset[Kind] = frozenset({"metrics_absent", "metrics_late"})
LOGS: frozenset[Kind] = frozenset({"logs_absent"})


class Fault(BaseModel):
    """One fault. It waits until the `nth` matching call from now, then strikes `times` times (0: until cleared).

    `service` is a short or full name or "*"; `method` a method's name ("UpdateService") or "*". Faults of
    rollouts count committed updates, those of operations reads of operations, those of metrics reads of series, those
    of logs reads of entries.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    service: str = "*"
    method: str = "*"
    nth: int = Field(default=1, ge=1)
    times: int = Field(default=1, ge=0)
    seconds: float = Field(default=0.0, ge=0)
    code: str = "UNAVAILABLE"
    message: str = ""
    pid: int = Field(default=0, ge=0)
    when: When = "before"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.code not in _CODES:
            raise ValueError(f"a code is one of {', '.join(_CODES)}, not {self.code}")
        if self.kind == "kill" and self.pid < 2:
            raise ValueError("kill needs the pid of the process to kill")  # 0 would be our own process group
        return self

    def concerns(self, service: str, method: str) -> bool:
        names = {"*", service, service.rpartition("/")[2]}
        return self.service in names and self.method in {"*", method}


class Waiting(BaseModel):
    """A fault that has not struck for the last time."""

    id: int
    fault: Fault
    seen: int = 0
    struck: int = 0

    @property
    def due(self) -> bool:
        return self.seen >= self.fault.nth

    @property
    def spent(self) -> bool:
        return 0 < self.fault.times <= self.struck


class Faults:
    """The waiting faults. Not thread-safe: the world's lock guards it."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._ids = count(1)

    def add(self, fault: Fault) -> int:
        self._waiting.append(Waiting(id=next(self._ids), fault=fault))
        return self._waiting[-1].id

    def clear(self) -> None:
        self._waiting.clear()

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._waiting)

    def strike(self, kinds: frozenset[Kind], service: str, method: str) -> dict[Kind, Fault]:
        """Count one call, and take what strikes it: at most one fault of a kind, the longest waiting first."""
        struck: dict[Kind, Fault] = {}
        for waiting in self._waiting:
            if waiting.fault.kind not in kinds or not waiting.fault.concerns(service, method):
                continue
            waiting.seen += 1
            if waiting.due and waiting.fault.kind not in struck:
                waiting.struck += 1
                struck[waiting.fault.kind] = waiting.fault
        self._waiting = [waiting for waiting in self._waiting if not waiting.spent]
        return struck
