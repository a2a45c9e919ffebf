"""Stages: steps that take their time, and what people may say about them meanwhile."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, JsonValue

StageState = Literal["baking", "held", "passed", "broken"]
Steer = Literal["advance", "hold"]
LEFT: tuple[StageState, ...] = ("passed", "broken")  # nothing that is said of it counts any more
SAID: dict[Steer, StageState] = {"advance": "passed", "hold": "held"}  # what a stage is as soon as somebody says so


class Stage(BaseModel, frozen=True):
    """One stage of a rollout, as people approve it."""

    weight_pct: int  # of the traffic
    bake_s: int  # how long it is watched at least
    max_hold_s: int = 0  # how much longer it may stay undecided before a person is asked


class StageRecord(BaseModel, frozen=True):
    """A step that waits until its check holds, or until somebody decides: how it stands."""

    operation: str
    position: int  # of the step in the plan
    started_at: datetime  # when it was first tried; a crash does not move it
    state: StageState = "baking"
    sentence: str = ""  # what was found last
    evidence: dict[str, JsonValue] = {}  # what that was made from
    steered: Steer | None = None  # what was said of it last
    steered_by: str = ""  # a name

    @property
    def is_left(self) -> bool:
        return self.state in LEFT


class Steered(BaseModel, frozen=True):
    """What a step that waits must know: whether its operation is cancelled, and how its own stage stands."""

    cancel_by: str = ""
    stage: StageState | None = None  # of a step that keeps no record: None
