"""What can be asked."""

from bot.core.answer import Answer
from bot.core.operation import Look, Risk, param
from bot.core.pages import overview, page
from bot.core.system import Manual


class Help(Look, risk=Risk.READ, examples=("help", "help rollback")):
    """List the commands, or explain one."""

    topic: str = param("Command to explain.", rest=True, default="")

    def answer(self, manual: Manual) -> Answer:
        return page(manual.command(self.topic)) if self.topic else overview(manual.commands())
