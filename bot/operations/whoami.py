"""Who aisq takes the asker for."""

from bot.core.answer import Answer, Text
from bot.core.operation import Look, Risk
from bot.core.request import Actor


class Whoami(Look, risk=Risk.READ):
    """Show who you are to aisq, and which roles you have."""

    def answer(self, actor: Actor) -> Answer:
        roles = ", ".join(actor.roles) or "no role: ask for an entry in policies/roles.yaml"
        return Answer(title=actor.name, parts=(Text(text=f"{actor.id}; {roles}; times are shown in {actor.zone}."),))
