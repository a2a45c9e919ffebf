"""Faults on request: a queue of misbehaviours for each method, taken one a call."""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

ANY = "*"


class Kind(StrEnum):
    """What goes wrong with a call."""

    RATELIMITED = "ratelimited"  # 429 with Retry-After, nothing done
    SERVER_ERROR = "server_error"  # HTTP 500, nothing done
    ERROR = "error"  # 200 with `ok: false` and the named error, nothing done
    SLOW = "slow"  # done at once, answered after delay_s
    HANG = "hang"  # nothing done, the connection is cut after delay_s
    RESET = "reset"  # nothing done, the connection is cut
    LOST_ANSWER = "lost_answer"  # done, then the connection is cut
    DOWN = "down"  # as reset, for every call until cleared


@dataclass
class Fault:
    """One misbehaviour: of `method` ("*" for all), `times` calls long (down: until cleared)."""

    kind: Kind
    method: str = ANY
    times: int = 1
    retry_after_s: int = 1
    delay_s: float = 30.0
    error: str = "internal_error"


@dataclass
class Faults:
    """The queues. A fault for a method comes before one for any method, `down` before both."""

    queues: dict[str, deque[Fault]] = field(default_factory=dict)

    def add(self, fault: Fault) -> None:
        """Queue a fault behind the others of its method."""
        self.queues.setdefault(fault.method, deque()).append(fault)

    def clear(self, method: str | None = None) -> None:
        """Forget the faults of one method, or all."""
        if method is None:
            self.queues.clear()
        else:
            self.queues.pop(method, None)

    def take(self, method: str) -> Fault | None:
        """The fault that this call meets, if any."""
        waiting = [queue for key in (method, ANY) if (queue := self.queues.get(key))]
        down = next((queue[0] for queue in waiting if queue[0].kind is Kind.DOWN), None)
        if down or not waiting:
            return down
        fault = waiting[0][0]
        fault.times -= 1
        if fault.times <= 0:
            waiting[0].popleft()
        return fault

    def pending(self) -> list[Fault]:
        """What is still to come, in order."""
        return [fault for queue in self.queues.values() for fault in queue]
