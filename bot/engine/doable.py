"""Whether a plan can be carried out, asked before anybody approves it: half of it would be worse than none."""

from collections.abc import Iterator

from bot.core.operation import Change
from bot.core.plan import Plan, Step
from bot.core.ports import Effects
from bot.engine.bind import Providers
from bot.engine.effect import write_of

AFTERWARDS = (Effects.find.__name__, Effects.poll.__name__)  # what every write is followed by


def check_doable(made: Change, plan: Plan, providers: Providers) -> None:
    """Raises Permanent when the target's platform lacks a step; TypeError or ValueError for a step that is a bug."""
    for step in (*plan.steps, *plan.afterwards):
        if step.kind != "call":
            _check_method(made, f"{step.kind}_{step.verb}")
    for write in _writes(plan):
        _, method, _ = write_of(write)
        for needed in (method, *AFTERWARDS):
            providers.name(plan.target, needed)


def _writes(plan: Plan) -> Iterator[Step]:
    """Every write, its undo too."""
    for step in plan.steps:
        yield from (one for one in (step, step.undo) if one and one.kind == "call")


def _check_method(made: Change, name: str) -> None:
    if not callable(getattr(made, name, None)):
        raise TypeError(f"{made.command()} plans a step {name}, which it does not have")
