"""Every operation by its cases, which are data: facts in, what was typed, and out what is planned, answered or said."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bot.core.operation import Change, Operation, Risk
from bot.core.parser import build
from bot.core.plan import Plan
from bot.core.ports import Sizing
from tests.operations.runner import COMMANDS, HERE, Run, cases

CASES = cases()
PLANS = [name for name, case in CASES.items() if "summary" in case["out"]]
SIZES = [name for name in PLANS if name.startswith(("scale/", "ops_undo/sizes"))]
SHIFTS = [name for name in PLANS if CASES[name]["operation"] in ("rollback", "traffic", "unpin", "ops undo")]
SHIFTS = [name for name in SHIFTS if name not in SIZES and not name.startswith("rollback/together")]
NO_OPS = [name for name, case in CASES.items() if "why" in case["out"]]
SENTENCE = re.compile(r"[.?`)]$")


def folder_of(command: str) -> Path:
    return HERE / command.replace(" ", "_")


def texts(value: Any) -> list[str]:
    """Every text in plain data."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    expected = CASES[name]["out"]
    outcome = Run(CASES[name]).outcome()
    assert {field: outcome.get(field, "nothing like it") for field in expected} == expected
    assert set(expected) & {"summary", "why", "says", "denied", "fails", "answer"}, "a case says what came of it"


@pytest.mark.parametrize("name", CASES)
def test_nothing_that_is_said_shows_how_it_was_made(name: str) -> None:
    said = texts(Run(CASES[name]).outcome())
    assert not [text for text in said if re.search(r"None|\{|\bTrue\b|\bFalse\b|  |\.\.|nan", text)]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "says" in case["out"]])
def test_a_refusal_is_a_sentence(name: str) -> None:
    assert SENTENCE.search(str(Run(CASES[name]).outcome()["says"]))


@pytest.mark.parametrize("name", NO_OPS)
def test_nothing_to_do_says_why(name: str) -> None:
    assert len(str(CASES[name]["out"]["why"]).split()) > 3


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_can_be_approved_stored_and_undone(name: str) -> None:
    plan, again = Run(CASES[name]).plan(), Run(CASES[name]).plan()
    bound: dict[str, Any] = {"actor": "a", "operation": "o", "params": {}}
    assert plan.digest(**bound) == again.digest(**bound), "the same world gives the same plan"
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert plan.summary.startswith(f"{plan.target}: ") and not plan.is_nothing
    calls = [step for step in plan.steps if step.kind == "call"]
    assert bool(calls) <= bool(plan.by_hand)
    assert all(call.title for call in calls)
    assert not calls or plan.steps[-1].kind == "check", "whether it arrived is looked at"
    assert not any(call.undo for call in calls) or plan.undo_by_hand


@pytest.mark.parametrize("name", SHIFTS)
def test_a_shift_of_traffic_is_whole_and_can_be_put_back(name: str) -> None:
    plan = Run(CASES[name]).plan()
    assert (plan.hold is None) == plan.lets_go, "either traffic is held, or it is let go"
    assert isinstance(plan.facts["traffic_moved_pct"], int)
    calls = [step for step in plan.steps if step.kind == "call"]
    assert bool(calls) == bool(plan.by_hand) == bool(plan.undo_by_hand)
    for call in calls:
        assert call.undo is not None
        for split in (call.args["traffic"], call.undo.args["traffic"]):
            assert isinstance(split, dict) and sum(split.values()) == 100 and all(split.values()), split
    assert all(call.args["traffic"] == plan.steps[-1].args["traffic"] for call in calls)


@pytest.mark.parametrize("name", PLANS)
def test_a_stored_request_gives_the_same_plan(name: str) -> None:
    run, stored = Run(CASES[name]), Run(CASES[name])
    params = json.loads(json.dumps(run.made().model_dump(mode="json")))
    made = build(COMMANDS[CASES[name]["operation"]], params)
    assert stored.plan_of(made) == run.plan()


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_made_again_with_what_it_chose_does_the_same(name: str) -> None:
    run, plan = Run(CASES[name]), Run(CASES[name]).plan()
    again = run.plan_of(run.made().model_copy(update=plan.chosen))
    assert (again.steps, again.version, again.hold) == (plan.steps, plan.version, plan.hold)
    assert plan.verdict is None or not again.verdict.since(plan.verdict).is_worse_than(plan.verdict)


def test_where_several_services_go_is_decided_once() -> None:
    """What is forgotten, or counted differently, between the approval and the doing leads nowhere else."""
    case = CASES["rollback/together: a group goes back in one plan, who needs others first"]
    plan = Run(case).plan()
    later = Run(case | {"facts": {**case["facts"], "history": [{"split": {"a": 100}, "hours": 9}]}})
    again = later.plan_of(later.made().model_copy(update=plan.chosen))
    assert (again.steps, again.summary) == (plan.steps, plan.summary)
    assert later.plan().steps != plan.steps


@pytest.mark.parametrize("name", SHIFTS)
def test_a_plan_sees_whether_traffic_arrived(name: str) -> None:
    run = Run(CASES[name])
    made, plan = run.made(), run.plan()
    (look,) = (step for step in plan.steps if step.kind == "check")
    before = made.check_serving(run.world.compute, **look.args)  # type: ignore[attr-defined]
    run.world.compute.move(plan.target, look.args["traffic"])
    after = made.check_serving(run.world.compute, **look.args)  # type: ignore[attr-defined]
    assert (before.state == "holds", after.state) == (False, "holds")


@pytest.mark.parametrize("name", SIZES)
def test_a_plan_sees_whether_the_size_arrived(name: str) -> None:
    run = Run(CASES[name])
    made, plan = run.made(), run.plan()
    (look,) = (step for step in plan.steps if step.kind == "check")
    size, starts = Sizing.model_validate(look.args["sizing"]), bool(look.args["starts"])
    before = made.check_sized(run.world.compute, size, starts)  # type: ignore[attr-defined]
    run.world.compute.resize(plan.target, size)
    after = made.check_sized(run.world.compute, size, starts)  # type: ignore[attr-defined]
    assert (before.state, after.state) == ("broken", "holds")


@pytest.mark.parametrize("typed, store", [("ops list", "ledger"), ("audit", "audit")])
@pytest.mark.parametrize("limit, asked", [("", 20), (" --limit 7", 7), (" --limit 1000", 100), (" --limit 0", 1)])
def test_how_much_is_shown(typed: str, store: str, limit: str, asked: int) -> None:
    run = Run({"operation": typed, "typed": typed + limit})
    run.outcome()
    assert getattr(run.world, store).asked == {"limit": asked}


@pytest.mark.parametrize("limit, shown", [("", 20), (" --limit 1000", 100)])
def test_how_many_releases_are_shown(limit: str, shown: int) -> None:
    many = [f"r{number}" for number in range(150)]
    run = Run({"operation": "releases", "typed": f"releases backend{limit}", "facts": {"releases": many}})
    assert len(run.outcome()["answer"]) == 2 + shown


def test_an_entry_is_no_longer_than_people_read() -> None:
    said = "x" * 400 + " password=hunter2 " + "y" * 4000
    run = Run({"operation": "logs", "typed": "logs backend", "facts": {"logs": [[1, "info", said]]}})
    (row,) = (line for line in run.outcome()["answer"] if "xxx" in line)
    assert len(row) < 600 and row.endswith("…") and "password=***" in row


# --- the registry


@pytest.mark.parametrize("command", COMMANDS)
def test_every_operation_has_cases(command: str) -> None:
    mine = [name for name, case in CASES.items() if case["operation"] == command]
    rollback_like = COMMANDS[command].risk not in (Risk.READ, Risk.CONTROL)
    assert folder_of(command).is_dir()
    assert len(mine) >= (5 if rollback_like else 3), mine


def test_rollback_has_seen_everything() -> None:
    assert len([name for name in CASES if name.startswith("rollback/")]) >= 30


def test_every_folder_is_of_an_operation() -> None:
    folders = {path.name for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {folder_of(command).name for command in COMMANDS}


@pytest.mark.parametrize("operation", COMMANDS.values(), ids=COMMANDS)
def test_every_operation_says_what_it_does(operation: type[Operation]) -> None:
    said = (operation.__doc__ or "").strip()
    assert said.endswith(".") and said[0].isupper() and len(said) <= 100
    assert isinstance(operation.risk, Risk)
    assert (operation.risk is Risk.READ) == (operation.verb == "answer")
    assert (operation.risk is Risk.CONTROL) == (operation.verb == "act")


@pytest.mark.parametrize("operation", COMMANDS.values(), ids=COMMANDS)
def test_every_step_that_looks_has_its_method(operation: type[Operation]) -> None:
    plans = [Run(CASES[name]).plan() for name in PLANS if CASES[name]["operation"] == operation.command()]
    assert bool(plans) == issubclass(operation, Change)
    looks = {f"{step.kind}_{step.verb}" for plan in plans for step in (*plan.steps, *plan.afterwards)}
    assert all(hasattr(operation, look) for look in looks if not look.startswith("call_"))


def test_a_case_that_is_wrong_fails() -> None:
    """The runner compares: an outcome that is not the expected one is seen."""
    name = PLANS[0]
    wrong = CASES[name] | {"out": {"summary": "something else"}}
    assert Run(wrong).outcome()["summary"] != wrong["out"]["summary"]
    assert json.dumps(Run(CASES[name]).outcome(), ensure_ascii=False)
