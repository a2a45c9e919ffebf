"""Exit codes: what a script may know without reading."""

from bot.core.errors import Away, BotError, Denied
from bot.core.request import LEFT_AS_IT_IS, State
from bot.core.system import OperationRecord

DONE, WRONG, DENIED, WAITING, UNDONE, LOOK, BUG = 0, 2, 3, 4, 5, 6, 70

_STATES: dict[State, int] = {
    "answered": DONE,
    "planned": DONE,
    "nothing_to_do": DONE,
    "applied": DONE,
    "rejected": WRONG,
    "denied": DENIED,
    "accepted": WAITING,
    "waiting": WAITING,
    "queued": WAITING,
    "running": WAITING,
    "expired": WAITING,
    "failed": UNDONE,
    "cancelled": UNDONE,
    "uncertain": LOOK,
}

MEANING = (
    (DONE, "done, or nothing to do"),
    (WRONG, "wrong input"),
    (DENIED, "denied"),
    (WAITING, "waiting for approval, or not ended yet"),
    (UNDONE, "failed and undone, cancelled, or aisq's own database is away"),
    (LOOK, "failed or uncertain: look"),
    (BUG, "a bug in aisq"),
)


def of_record(record: OperationRecord) -> int:
    """How an operation stands, as a number."""
    if record.answer is not None and not record.answer.good:
        return LOOK
    if record.state == "failed" and record.detail.startswith(LEFT_AS_IT_IS):
        return LOOK
    return _STATES[record.state]


def of_error(error: BotError) -> int:
    """Why nothing was begun, as a number."""
    if isinstance(error, Away):
        return UNDONE  # nothing was wrong with what was typed
    return DENIED if isinstance(error, Denied) else WRONG
