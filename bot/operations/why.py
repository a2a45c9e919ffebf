"""What policy says about a command that is not run."""

from bot.core.answer import Answer
from bot.core.operation import Look, Risk, param
from bot.core.request import Request
from bot.core.system import Manual


class Why(Look, risk=Risk.READ, examples=("why rollback backend",)):
    """Show whether policy would let you run a command, and what would permit it."""

    wanted: str = param("The command, as you would type it.", rest=True)

    def answer(self, manual: Manual, request: Request) -> Answer:
        return manual.why(self.wanted, request.actor, request.channel)
