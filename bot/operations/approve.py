"""Approve: one person's yes to one plan."""

from bot.core.answer import Answer, Text
from bot.core.operation import Control, Risk, param
from bot.core.request import Actor
from bot.core.system import Desk


class Approve(Control, risk=Risk.CONTROL, examples=("approve 7k3q",)):
    """Approve the plan of an operation that waits for it."""

    digest: str = param("The plan that you saw, by its digest; default: the one that is shown now.", default="")

    def act(self, desk: Desk, actor: Actor) -> Answer:
        record = desk.approve(self.operation.id, self.digest, actor)
        missing = record.approvals_needed - len(record.approvals)
        more = (
            f"needs {missing} more approval{'s' if missing > 1 else ''}" if record.state == "waiting" else "begins now"
        )
        said = f"{record.request.text}; it {more}"
        return Answer(title=f"Approved {record.id}", parts=(Text(text=said, mood="good"),))
