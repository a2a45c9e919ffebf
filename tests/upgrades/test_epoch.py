"""What an application_version of the durable library fixes, and what rows fix: a change of it says what to do."""

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from bot.engine import workflow
from bot.engine.apply import Applier
from tests.upgrades import epoch
from tests.upgrades.epoch import Json, changes, recorded, today

Change = Callable[[Json], Any]


def test_today_is_as_it_was_recorded(tmp_path: Path) -> None:
    assert changes(recorded(), today(tmp_path)) == []


@pytest.fixture
def story_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the run by the durable library, which takes seconds."""
    before = recorded()
    steps = [(name, {}) for name in before["steps"]["applied"].split(", ")]
    monkeypatch.setattr(epoch, "_replayable", lambda _: (before["run"], steps))


@pytest.mark.usefixtures("story_only")
def test_a_step_that_is_called_otherwise_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Applier._apply

    def renaming(applier: Applier, operation: str, durable: Any) -> str:
        return real(applier, operation, lambda name, *more: durable(name.replace("do ", "step "), *more))

    monkeypatch.setattr(Applier, "_apply", renaming)
    (said,) = changes(recorded(), today(tmp_path))
    assert "steps put back was begin, do 0, undo 0, finish, is begin, step 0, unstep 0, finish" in said
    assert "or raise EPOCH in bot/engine/workflow.py" in said and "python -m tests.upgrades.keep" in said


REPLAYED: dict[str, Change] = {
    "run workflow was apply, is applies": lambda now: now["run"].update(workflow="applies"),
    "run queue was changes, is work": lambda now: now["run"].update(queue="work"),
    "run application was aisq, is bot": lambda now: now["run"].update(application="bot"),
    "run serialization was portable_json, is py_pickle": lambda now: now["run"].update(serialization="py_pickle"),
    "run inputs was": lambda now: now["run"].update(inputs='{"namedArgs":{},"positionalArgs":["OPERATION","TARGET"]}'),
    "steps applied was begin, do 0, do 1, finish, is begin, do 0, do 1, tell, finish": lambda now: now["steps"].update(
        applied="begin, do 0, do 1, tell, finish"
    ),
    "outputs applied: do 0 was": lambda now: now["outputs"]["applied: do 0"].pop("began"),
    "outputs refused: finish was": lambda now: now["outputs"]["refused: finish"].update(state="dict"),
}
ROWS: dict[str, Change] = {
    "Plan.chosen was {JsonValue}?, is gone": lambda now: now["models"]["Plan"].pop("chosen"),
    "Step.deadline_s was integer?, is number?": lambda now: now["models"]["Step"].update(deadline_s="number?"),
    "Step.title was string?, is string": lambda now: now["models"]["Step"].update(title="string"),
    "Plan.cost is new and has no default": lambda now: now["models"]["Plan"].update(cost="number"),
    "Pin.by was string, is gone": lambda now: now["models"].pop("Pin"),
    "rollback.to was string or null?, is gone": lambda now: now["operations"]["rollback"].pop("to"),
    "rollback.judge_errors() was method?, is gone": lambda now: now["operations"]["rollback"].pop("judge_errors()"),
    "Compute.set_traffic.traffic was argument, is gone": lambda now: now["writes"]["Compute.set_traffic"].pop(
        "traffic"
    ),
    "Compute.set_traffic.tag is new and has no default": lambda now: now["writes"]["Compute.set_traffic"].update(
        tag="argument"
    ),
    "effects.ending was TEXT null, is TEXT": lambda now: now["tables"]["effects"].update(ending="TEXT"),
    "pins.pin was JSON, is gone": lambda now: now["tables"].pop("pins"),
}
FINE: dict[str, Change] = {
    "a field with a default": lambda now: now["models"]["Plan"].update(cost="number?"),
    "a model of a field that is new": lambda now: now["models"].update(Cost={"usd": "number"}),
    "a parameter with a default": lambda now: now["operations"]["rollback"].update(slowly="boolean?"),
    "an operation": lambda now: now["operations"].update(deploy={"service": "string"}),
    "a write": lambda now: now["writes"].update({"Compute.scale": {"target": "argument"}}),
    "a column": lambda now: now["tables"]["operations"].update(cost="TEXT null"),
    "a table": lambda now: now["tables"].update(costs={"usd": "DOUBLE"}),
}


def changed(change: Change) -> list[str]:
    now = deepcopy(before := recorded())
    change(now)
    return changes(before, now)


@pytest.mark.parametrize("what", REPLAYED)
def test_what_is_replayed_stays_or_the_epoch_is_raised(what: str) -> None:
    (said,) = changed(REPLAYED[what])
    assert f"within epoch ops-1: {what}" in said and "Either keep it as it was, or raise EPOCH" in said


@pytest.mark.parametrize("what", ROWS)
def test_what_rows_are_made_of_stays(what: str) -> None:
    (said,) = changed(ROWS[what])
    assert what in said and "Keep it, and add what is new beside it" in said


@pytest.mark.parametrize("what", FINE)
def test_what_is_added_is_fine(what: str) -> None:
    assert changed(FINE[what]) == []


def test_a_raised_epoch_is_to_be_recorded_and_frees_what_is_replayed_but_not_rows() -> None:
    def raised(now: Json) -> None:
        now.update(epoch="ops-2")
        REPLAYED["run queue was changes, is work"](now)
        ROWS["pins.pin was JSON, is gone"](now)

    recording, rows = changed(raised)
    assert recording == "EPOCH is ops-2, and what it fixes is not recorded: python -m tests.upgrades.keep"
    assert "pins.pin was JSON, is gone" in rows and "queue" not in rows


def test_what_is_recorded_can_be_written_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, text = recorded(), epoch.FILE.read_text()
    monkeypatch.setattr(epoch, "FILE", tmp_path / "epoch.yaml")
    epoch.record(before)
    assert recorded() == before and epoch.FILE.read_text() == text
    assert before["epoch"] == workflow.EPOCH and not re.search(r"\s\n", text)
