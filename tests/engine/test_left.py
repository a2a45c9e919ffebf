"""At which version an operation leaves its targets, by how each of its writes ended."""

import pytest

from bot.core.plan import Plan, step
from bot.core.ports import Compute, Effect, Jobs
from bot.core.request import Target
from bot.core.system import EffectRecord
from bot.engine.left import left_at

BACKEND = Target(system="shop", environment="prod", name="backend", kind="service", type="cloud_run", cloud="gcp")
WORKER = BACKEND.model_copy(update={"name": "worker"})
PLAN = Plan(target=BACKEND, version="7")
HERE, THERE = BACKEND.full_name, WORKER.full_name


def wrote(ending, version="", before="7", target=BACKEND):
    call = step(Compute.set_traffic, target, traffic={"A": 100})
    return EffectRecord(effect=Effect(key="op/0/do", version=before), call=call, ending=ending, version=version)


def ran(ending, version=""):
    """A job, which leaves the target as it is, however it ends."""
    call = step(Jobs.run_job, BACKEND, job="migrate")
    return EffectRecord(effect=Effect(key="op/0/do", version="7"), call=call, ending=ending, version=version)


@pytest.mark.parametrize(
    "effects, left",
    [
        ([], {}),
        ([wrote("succeeded", "8")], {HERE: "8"}),
        ([wrote("succeeded", "8"), wrote("succeeded", "9")], {HERE: "9"}),
        ([wrote("failed", "8")], {HERE: "8"}),
        ([wrote("failed")], {HERE: "7"}),
        ([wrote("succeeded", "8"), wrote("succeeded")], {HERE: "8"}),
        ([wrote("succeeded", "8"), wrote("changed by someone else", "9")], {HERE: "8"}),
        ([wrote("changed by someone else")], {HERE: "7"}),
        ([wrote("uncertain", "8")], {HERE: None}),
        ([wrote(None)], {HERE: None}),
        ([wrote("cancelled")], {HERE: None}),
        ([wrote("cancelled", "8")], {HERE: "8"}),
        ([wrote("uncertain"), wrote("failed")], {HERE: None}),
        ([wrote("uncertain"), wrote("succeeded", "9")], {HERE: "9"}),
        ([wrote("succeeded", "8"), wrote("succeeded", "4", target=WORKER)], {HERE: "8", THERE: "4"}),
        ([ran("cancelled")], {HERE: "7"}),
        ([wrote("succeeded", "8"), ran(None)], {HERE: "8"}),
        ([ran("succeeded", "7"), wrote("succeeded", "8")], {HERE: "8"}),
    ],
)
def test_it_is_what_the_last_write_made_of_it(effects, left):
    assert left_at(PLAN, effects) == left
