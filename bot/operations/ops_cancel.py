"""Cancel: end what has not begun, stop what runs after the write that it is making."""

from bot.core.answer import Answer, Text
from bot.core.deploying.running import but_for
from bot.core.operation import Control, Risk
from bot.core.request import Actor
from bot.core.system import Desk


class OpsCancel(Control, risk=Risk.CONTROL, examples=("ops cancel 7k3q",)):
    """Cancel an operation; what it has changed is put back, where anything leads back."""

    def act(self, desk: Desk, actor: Actor) -> Answer:
        record = desk.cancel(self.operation.id, actor)
        stops = f"it stops after the write that it is making, and puts back what it changed{but_for([record])}"
        said = record.detail if record.state == "cancelled" else stops
        return Answer(title=f"Cancel {record.id}", parts=(Text(text=f"{record.request.text}: {said}"),))
