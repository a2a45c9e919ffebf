"""What the faults of calls do: errors with the texts of the real APIs, silence, and SIGKILL."""

import os
import signal
import threading
import time
from typing import Any

from bot.sandbox.faults import Fault
from bot.sandbox.refusal import Refused, rate_limited

_SHORTLY_S = 0.02  # after an answer has left, until its reader is killed
_STEP_S = 0.01
_HANG_S = 300.0  # a hanging call whose caller set no deadline
_TEXTS = {
    "UNAVAILABLE": "The service is currently unavailable.",
    "ABORTED": "The operation was aborted.",
    "INTERNAL": "Internal error encountered.",
    "DEADLINE_EXCEEDED": "Deadline exceeded.",
}


def error(fault: Fault, denial: Refused, endpoint: str, project_number: int) -> Refused:
    """The refusal that a fault asks for; RESOURCE_EXHAUSTED says to retry after `fault.seconds` (default 1)."""
    refused = Refused(fault.code, _TEXTS.get(fault.code, "The request failed."))
    if fault.code == "PERMISSION_DENIED":
        refused = denial
    if fault.code == "RESOURCE_EXHAUSTED":
        refused = rate_limited(endpoint, f"project_number:{project_number}", fault.seconds or 1.0)
    return Refused(refused.code, fault.message or refused.message, *refused.details)


def unavailable() -> Refused:
    """What a caller sees whose connection broke."""
    return Refused("UNAVAILABLE", "Connection reset by peer")


def hang_if_asked(fault: Fault, context: Any, stopping: threading.Event) -> None:
    """DEADLINE_EXCEEDED says nothing until the caller gives up, or for `seconds` real seconds."""
    until = time.monotonic() + (fault.seconds or _HANG_S)
    while fault.code == "DEADLINE_EXCEEDED" and context.is_active() and time.monotonic() < until:
        if stopping.wait(_STEP_S):
            return


def kill(fault: Fault) -> None:
    """SIGKILL; a process that is gone already is no error."""
    try:
        os.kill(fault.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def kill_when_answered(fault: Fault, context: Any) -> None:
    """Let the answer reach its reader first: when gRPC has ended the call, and `seconds` (default 0.02) later."""
    timer = threading.Timer(fault.seconds or _SHORTLY_S, kill, (fault,))
    timer.daemon = True
    if not context.add_callback(timer.start):
        timer.start()
