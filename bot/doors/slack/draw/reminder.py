"""The reply that reminds a channel of a plan that nobody has decided yet, and when it is due."""

from datetime import datetime

from bot.core.system import OperationRecord
from bot.doors.slack.draw import blocks, spoken, times
from bot.doors.slack.draw.blocks import Block, Card
from bot.doors.slack.draw.cards import LEVELS, asked_for, needs


def is_due(record: OperationRecord, now: datetime) -> bool:
    """Half of the time in which it can be approved is over, and nobody has decided."""
    if record.state != "waiting" or record.expires_at is None:
        return False
    asked = record.request.received_at
    return asked + (record.expires_at - asked) / 2 <= now < record.expires_at


def reminder(record: OperationRecord) -> Card:
    """Who may not approve, and until when somebody else may."""
    plan, head = record.plan, f"⏰ Still waiting for approval: {asked_for(record)}"
    lines = [blocks.words(head, bold=True)]
    if plan:
        level = f"{LEVELS[plan.verdict.level]}. " if plan.verdict and not plan.is_nothing else ""
        lines.append(blocks.sentence(f"{level}{plan.summary}"))
    lines.append(blocks.words(f"{needs(record)}; {_not_again(record)} cannot."))
    return spoken.card(head, [blocks.rich(*lines), *_expiry(record)], (), "")


def _not_again(record: OperationRecord) -> str:
    """The requester, and who has approved it already."""
    names = [record.request.actor.name, *(one.actor.name for one in record.approvals)]
    return " and ".join((", ".join(names[:-1]), names[-1]) if len(names) > 1 else names)


def _expiry(record: OperationRecord) -> list[Block]:
    if record.expires_at is None:
        return []
    said = f"It expires {times.markup(record.expires_at)}. The plan and its buttons are in this thread."
    return [{"type": "context", "elements": [{"type": "mrkdwn", "text": said}]}]
