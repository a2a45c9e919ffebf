"""Whether a plan can be carried out, asked before anybody approves it: half of it would be worse than none, and so is
one that waits for hours."""

from collections.abc import Iterator

from bot.core.deploying.running import ALL_DUE
from bot.core.errors import UserError
from bot.core.operation import Change
from bot.core.plan import Plan, Step
from bot.core.ports import Effects
from bot.core.request import DUE
from bot.core.system import LedgerReads, Replicas
from bot.engine.bind import Providers
from bot.engine.effect import write_of

AFTERWARDS = (Effects.find.__name__, Effects.poll.__name__)  # what every write is followed by


def check_doable(made: Change, plan: Plan, providers: Providers) -> None:
    """Raises Permanent when a target's platform lacks a step; TypeError or ValueError for a step that is a bug."""
    for step in (*plan.steps, *plan.afterwards):
        if step.kind != "call":
            _check_method(made, f"{step.kind}_{step.verb}")
    known = [one.target for one in plan.targets]
    for step in _all(plan):
        if plan.target_of(step) not in known:
            raise ValueError(f"{made.command()} plans a step on {plan.target_of(step)}, which its plan does not name")
    for write in _writes(plan):
        _, method, _ = write_of(write)
        for needed in (method, *AFTERWARDS):
            providers.name(plan.target_of(write), needed)


def check_free(plan: Plan, ledger: LedgerReads) -> None:
    """Raises UserError while something that takes its time runs on one of its targets, unless it stops that: it would
    wait until that is over, and then be another plan."""
    targets = () if plan.books_only or plan.rescues else plan.targets
    for target in (one.target.full_name for one in targets):
        for other in ledger.operations(states=DUE, target=target, limit=ALL_DUE):
            if other.plan and other.plan.takes_its_time and other.id not in plan.preempts:
                runs = f"`{other.id}` ({other.request.operation}) runs on {target} and takes its time"
                stop = f"a `rollback` stops it, all else is to wait until it is over, or for `ops cancel {other.id}`"
                raise UserError(f"{runs}, and this plan does not stop it. Ask again: {stop}.")


def check_carried(plan: Plan, replicas: Replicas) -> None:
    """Raises UserError while a process lives that could take over what takes its time, and then not carry it on: it
    would neither look at a stage nor hear a cancel, for hours. A rescue does not wait for that."""
    hosts = replicas.older() if plan.takes_its_time and not plan.rescues else ()
    if hosts:
        where = f"An older version of aisq still works on {', '.join(hosts)}, and could not carry this on"
        raise UserError(f"{where} if it took it over. Ask again when it has ended; a `rollback` need not wait.")


def _writes(plan: Plan) -> Iterator[Step]:
    return (step for step in _all(plan) if step.kind == "call")


def _all(plan: Plan) -> Iterator[Step]:
    """Every step before the outcome, its undo too."""
    for step in plan.steps:
        yield from (one for one in (step, step.undo) if one)


def _check_method(made: Change, name: str) -> None:
    if not callable(getattr(made, name, None)):
        raise TypeError(f"{made.command()} plans a step {name}, which it does not have")
