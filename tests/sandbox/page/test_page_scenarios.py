"""Scenarios as data, and how one notices what is done."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.sandbox.page.scenarios import CHECKS, Facts, Run, Scenario, load

GOOD, BAD = "web-00003-cid", "web-00004-bad"
CALM: dict[str, Any] = {
    "service": {"traffic": {BAD: 100}, "wanted": {BAD: 100}, "reconciling": False, "latest_ready": BAD},
    "good": GOOD, "cards": [], "writes": [], "by_hand": [], "approvals": [], "deaths": [], "waits": False,
}  # fmt: skip
BACK = {"traffic": {GOOD: 100}, "wanted": {GOOD: 100}, "reconciling": False, "latest_ready": BAD}
NEWEST = {"traffic": {BAD: 100}, "wanted": {"LATEST": 100}, "reconciling": False, "latest_ready": BAD}
WRITE = [{"seq": 7}]
ENDED = [{"text": "Failed: rollback"}]


def facts(**changes: Any) -> Facts:
    return Facts(**{**CALM, **changes})


@pytest.mark.parametrize(
    ("check", "changes", "holds"),
    [
        ("asked", {}, False), ("asked", {"cards": [{}]}, True),
        ("approved", {}, False), ("approved", {"approvals": [1.0]}, True),
        ("changed", {}, False), ("changed", {"by_hand": WRITE}, True),
        ("changed", {"by_hand": WRITE, "service": {**BACK, "reconciling": True}}, False),
        ("killed", {"deaths": [1.0], "approvals": [2.0]}, False),
        ("killed", {"deaths": [3.0], "approvals": [2.0]}, True),
        ("killed", {"deaths": [3.0]}, False), ("killed", {"approvals": [2.0]}, False),
        ("serves_good", {"service": BACK}, False), ("serves_good", {"service": BACK, "writes": WRITE}, True),
        ("serves_good", {"service": {**BACK, "reconciling": True}, "writes": WRITE}, False),
        ("serves_latest", {"service": NEWEST, "writes": WRITE}, True), ("serves_latest", {"writes": WRITE}, False),
        ("written_once", {"service": BACK, "writes": WRITE, "deaths": [3.0], "approvals": [2.0]}, True),
        ("written_once", {"service": BACK, "writes": WRITE * 2, "deaths": [3.0], "approvals": [2.0]}, False),
        ("written_once", {"service": BACK, "writes": WRITE}, False),
        ("refused", {"approvals": [1.0], "by_hand": WRITE, "cards": ENDED}, True),
        ("refused", {"approvals": [1.0], "by_hand": WRITE, "cards": [{"text": "About to begin: x"}]}, False),
        ("refused", {"approvals": [1.0], "by_hand": WRITE}, False),
        ("refused", {"approvals": [1.0], "by_hand": WRITE, "waits": True, "cards": ENDED}, False),
        ("refused", {"approvals": [1.0], "by_hand": WRITE, "writes": WRITE, "cards": ENDED}, False),
        ("refused", {"by_hand": WRITE, "cards": ENDED}, False),
    ],
)  # fmt: skip
def test_checks(check: str, changes: dict[str, Any], holds: bool) -> None:
    assert CHECKS[check](facts(**changes)) is holds


def test_every_shipped_scenario_says_what_it_is() -> None:
    shipped = load()
    assert [one.title for one in shipped.values()] == [
        "Bad release",
        "Pinned traffic",
        "Bot dies half-way",
        "Approval goes stale",
    ]
    assert {step.once for one in shipped.values() for step in one.steps} == CHECKS.keys()
    assert all(one.goal.endswith(".") and one.steps[0].type for one in shipped.values())


def run(scenario: Scenario) -> Run:
    return Run("s", scenario, GOOD, BAD, since=0, after="0", began=0.0)


def made(**more: Any) -> Scenario:
    steps = [{"once": "asked", "say": "ask"}, {"once": "approved", "as": "ben", "say": "approve {good}"}]
    return Scenario.model_validate({"title": "T", "goal": "G {bad}.", "begin": [], "steps": steps, **more})


def test_a_step_counts_after_those_before_it_and_stays() -> None:
    playing = run(made())
    playing.notice(facts(approvals=[1.0]))
    assert (playing.done, playing.solved) == (set(), False)
    playing.notice(facts(cards=[{}]))
    assert (playing.done, playing.solved) == ({"asked"}, False)
    playing.notice(facts(approvals=[1.0]))
    assert playing.solved
    assert playing.said(playing.scenario.steps[1].say) == f"approve {GOOD}" and playing.said("{bad}") == BAD


def test_what_happens_meanwhile_happens_once() -> None:
    playing = run(made(meanwhile={"once": "asked", "do": [{"traffic": {"{good}": 100}}]}))
    assert not playing.is_time()
    playing.notice(facts(cards=[{}]))
    assert [playing.is_time(), playing.is_time()] == [True, False]
    assert not run(made()).is_time()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"steps": [{"once": "dreamt", "say": "x"}]}, "`once` is one of asked, approved"),
        ({"begin": [{"release": {}, "traffic": {}}]}, "an act is one of release, traffic, fault"),
        ({"begin": [{}]}, "an act is one of release, traffic, fault"),
        ({"steps": [{"once": "asked", "say": "x", "does": "dance"}]}, "kill"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_wrong_scenario_is_refused(wrong: Mapping[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        made(**wrong)


def test_scenarios_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "scenarios.yaml"
    file.write_text("a: {title: A, goal: Do., begin: [], steps: [{once: asked, say: ask, as: ana}]}")
    assert load(file)["a"].steps[0].as_ == "ana"
