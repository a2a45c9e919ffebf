"""Advance: a stage of a rollout has baked long enough."""

from typing import Annotated

from pydantic import Field

from bot.core.answer import Answer, Text
from bot.core.operation import Control, Risk, param
from bot.core.request import Actor, Request
from bot.core.system import Desk


class OpsAdvance(Control, risk=Risk.CONTROL, examples=("ops advance 7k3q", "ops advance 7k3q --stage 2")):
    """Let a rollout go on from its stage now, whatever it still waits for."""

    stage: Annotated[int, Field(ge=1)] | None = param(
        "Stage that you saw, from 1; default: the one that had begun last when you asked.", default=None
    )

    def act(self, desk: Desk, actor: Actor, request: Request) -> Answer:
        record, stage = desk.steer(self.operation.id, "advance", self.stage, actor, request.received_at)
        assert record.plan is not None, "what has stages has a plan"
        said = f"{record.request.text}: {record.plan.stage_name(stage.position)} is left, and it goes on"
        return Answer(title=f"Advance {record.id}", parts=(Text(text=said, mood="good"),))
