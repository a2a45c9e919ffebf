"""The reply that says that a stage of a rollout waits for a person."""

from bot.core import staged
from bot.core.plan import Plan
from bot.core.staged import Stages
from bot.core.stages import StageRecord
from bot.core.system import OperationRecord
from bot.doors.slack.draw import blocks, spoken
from bot.doors.slack.draw.blocks import Card, Words
from bot.doors.slack.draw.cards import ASKS, asked_for


def undecided(record: OperationRecord, stages: Stages) -> Card:
    """Which stage waits, what was found in it, and what can be said; `stages` are those that have begun."""
    head = f"{ASKS}: {asked_for(record)}"
    lines = [blocks.words(head, bold=True)]
    stage = staged.steerable(record, stages)
    if record.plan and stage:
        lines += _waits(record, record.plan, stage)
    return spoken.card(head, [blocks.rich(*lines)], (), "")


def _waits(record: OperationRecord, plan: Plan, stage: StageRecord) -> list[Words]:
    choices = (
        f"Promote now and Roll back are on its message; or type `ops advance {record.id} --stage"
        f" {staged.number(plan, stage)}` to go on, `ops cancel {record.id}` to go back."
    )
    return [blocks.sentence(staged.told(plan, stage)), blocks.sentence(stage.sentence), blocks.sentence(choices)]


def concerns_all(stage: StageRecord) -> bool:
    """Whether nobody asked for the wait: who holds a stage knows that they do."""
    return stage.steered != "hold"
