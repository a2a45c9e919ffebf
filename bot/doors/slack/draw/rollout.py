"""What lives on the card of a change in stages: where it is, what was found, old against new, and its buttons."""

from collections.abc import Iterator

from bot.core import staged
from bot.core.instants import zone_of
from bot.core.staged import Stages
from bot.core.system import OperationRecord
from bot.doors.slack.draw import blocks, charts
from bot.doors.slack.draw.blocks import Block

ADVANCE, HOLD, BACK = "aisq.advance", "aisq.hold", "aisq.back"
DRAWN = 1  # charts; the others are told, so that the text alone has room for the steps and the buttons too


def rollout(record: OperationRecord, stages: Stages) -> Iterator[Block]:
    """How it stands, as sentences and charts; nothing of what has no stages, or not yet."""
    if record.plan is None or not stages:
        return
    found = [blocks.words(one.text, bold=True) for one in staged.news(record, stages)]
    lines = [blocks.sentence(staged.standing(record, stages)), *found]
    if any(lines):
        yield blocks.rich(*lines)
    for at, series in enumerate(staged.compared(stages)):
        yield from charts.as_blocks(series, zone_of(record.request.actor.zone), native=at < DRAWN)


def controls(record: OperationRecord, stages: Stages) -> Iterator[Block]:
    """What can be said of it now. A button is bound to the stage that is shown; going back is right at each."""
    if record.plan is None or not staged.goes_on(record):
        return
    stage = staged.steerable(record, stages)
    back = blocks.button(BACK, "Roll back" if stages else "Cancel", record.id, "danger", _sure(record))
    if stage is None:
        yield blocks.actions(back)
        return
    seen = f"{record.id} {staged.number(record.plan, stage)}"
    found = " ".join(one.text for one in staged.verdict(stages))
    name = record.plan.stage_name(stage.position)
    ask = blocks.confirm(f"Leave {name} now?", found or "Nothing was found yet.", "Promote now", "Not yet")
    promote = blocks.button(ADVANCE, "Promote now", seen, "primary", ask)
    hold = [blocks.button(HOLD, "Hold", seen)] if stage.state == "baking" else []
    yield blocks.actions(promote, *hold, back)


def _sure(record: OperationRecord) -> Block:
    said = f"No other stage begins, and what it changed is put back: {record.request.text}"
    return blocks.confirm("Go back?", said, "Go back", "Not now")
