"""Hold: a rollout stays at its stage."""

from typing import Annotated

from pydantic import Field

from bot.core.answer import Answer, Text
from bot.core.operation import Control, Risk, param
from bot.core.request import Actor, Request
from bot.core.system import Desk


class OpsHold(Control, risk=Risk.CONTROL, examples=("ops hold 7k3q", "ops hold 7k3q --stage 2")):
    """Keep a rollout at its stage until somebody decides; what proves bad is still put back."""

    stage: Annotated[int, Field(ge=1)] | None = param(
        "Stage that you saw, from 1; default: the one that had begun last when you asked.", default=None
    )

    def act(self, desk: Desk, actor: Actor, request: Request) -> Answer:
        record, stage = desk.steer(self.operation.id, "hold", self.stage, actor, request.received_at)
        assert record.plan is not None, "what has stages has a plan"
        then = f"`ops advance {record.id}` lets it go on, `ops cancel {record.id}` puts it back"
        said = f"{record.request.text}: {record.plan.stage_name(stage.position)} is held until somebody decides; {then}"
        return Answer(title=f"Hold {record.id}", parts=(Text(text=said),))
