"""Deny: one person's no, which is enough."""

from bot.core.answer import Answer, Text
from bot.core.operation import Control, Risk, param
from bot.core.request import Actor
from bot.core.system import Desk


class Deny(Control, risk=Risk.CONTROL, examples=('deny 7k3q --reason "wait for ben"',)):
    """Refuse an operation that waits for approval; nothing is done."""

    reason: str = param("Why; shown to the requester and kept in the audit.", default="")

    def act(self, desk: Desk, actor: Actor) -> Answer:
        record = desk.deny(self.operation.id, self.reason, actor)
        return Answer(title=f"Denied {record.id}", parts=(Text(text=f"{record.request.text}: {record.detail}"),))
