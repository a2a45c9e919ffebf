"""The log of calls: everything that arrived, and what became of it."""

from datetime import datetime
from itertools import count
from typing import Literal

from google.cloud import run_v2
from pydantic import BaseModel

Fate = Literal[
    "arrived",  # being held, or being worked on
    "answered",  # a read
    "committed",  # a change that took effect, and was answered
    "refused",  # by the service's own rules
    "error",  # by a fault
    "lost request",  # never took effect, no answer
    "lost answer",  # took effect, no answer
    "killed before",
    "killed after commit",
    "killed after answer",
]


class Call(BaseModel):
    """One call. `method` is short ("UpdateService"); a change made in a console has the api "console".

    `annotations` are those of the request, and once committed those of the service; `traffic` and `generation` are
    those that the change left behind. `committed` says whether it took effect, whatever the caller heard.
    """

    seq: int
    at: datetime
    real_unix_s: float
    api: str
    method: str
    resource: str
    service: str = ""
    fate: Fate = "arrived"
    committed: bool = False
    code: str = ""
    message: str = ""
    annotations: dict[str, str] = {}
    traffic: dict[str, int] = {}
    generation: int = 0
    operation: str = ""

    def end(self, fate: Fate, code: str = "", message: str = "") -> None:
        self.fate, self.code, self.message = fate, code, message

    def describe(self, left: run_v2.Service, operation: str) -> None:
        """Note the service that a change left behind, and its operation."""
        self.operation, self.generation = operation, left.generation
        self.annotations = dict(left.annotations)
        self.traffic = {target.revision or "LATEST": target.percent for target in left.traffic if target.percent}


class CallLog:
    """Calls in the order in which they arrived. Not thread-safe: the world's lock guards it."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._seqs = count(1)

    def arrive(
        self, at: datetime, real_unix_s: float, api: str, method: str, resource: str = "", service: str = ""
    ) -> Call:
        """Log a call at its sandbox instant `at`; what becomes of it is noted on the entry."""
        seq = next(self._seqs)
        call = Call(seq=seq, at=at, real_unix_s=real_unix_s, api=api, method=method, resource=resource, service=service)
        self._calls.append(call)
        return call

    def select(self, resource: str = "", method: str = "", since: int = 0) -> list[Call]:
        """Calls after number `since`; `resource` is matched as a part of the resource or of its service."""
        return [
            call
            for call in self._calls[since:]
            if (resource in call.resource or resource in call.service) and method in ("", call.method)
        ]
