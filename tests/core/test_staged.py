"""How a rollout in stages stands: every state of a stage, and what people may still say of it."""

from typing import Any

import pytest

from bot.core import staged
from bot.core.answer import Series, Tasks, Text
from bot.core.canary.drawn import charts
from bot.core.canary.record import RECORD, CanaryRecord
from bot.core.plan import Step
from bot.core.request import STATES, State
from bot.core.stages import StageRecord
from tests.rollouts import NEW, OLD, SAID, counted, rolling, stage, staged_plan, until

SINCE = "since 2026-11-20 13:00 UTC"
ABOUT: dict[str, tuple[dict[str, Any], str]] = {
    "it bakes": (
        {"state": "baking"},
        f"{SINCE}, watched until 2026-11-20 13:10 UTC at least; a person decides if it is not decided by"
        " 2026-11-20 17:10 UTC",
    ),
    "its time is over": ({"state": "held"}, f"{SINCE}, not decided in its time: it waits for a person"),
    "somebody holds it": (
        {"state": "held", "steered": "hold", "steered_by": "Ana"},
        f"{SINCE}, held by Ana until somebody decides",
    ),
    "the judge let it go on": ({"state": "passed"}, f"{SINCE}, passed"),
    "it passed by itself after a hold was taken back": (
        {"state": "passed", "steered": "advance", "steered_by": "Ben"},
        f"{SINCE}, let pass by Ben",
    ),
    "it is worse": ({"state": "broken"}, f"{SINCE}, broken"),
}


@pytest.mark.parametrize("name", ABOUT)
def test_what_is_said_of_a_stage(name: str) -> None:
    told, said = ABOUT[name]
    assert staged.about(staged_plan(), stage(2).model_copy(update=told)) == said


def test_where_a_rollout_is() -> None:
    assert staged.standing(rolling(), until(2)) == (
        "Stage 2 of 4 (25 %): since 2026-11-20 13:00 UTC, watched until 2026-11-20 13:10 UTC at least; a person decides"
        " if it is not decided by 2026-11-20 17:10 UTC."
    )
    assert staged.standing(rolling(), until(4)).startswith("Stage 4 of 4 (100 %): since 2026-11-20 15:00 UTC, watched")


@pytest.mark.parametrize("state", STATES)
def test_where_it_was_when_it_ended(state: State) -> None:
    said = staged.standing(rolling(state), until(2))
    if state == "applied":
        assert said == "", "all of it was passed"
    else:
        assert said.startswith("Stage 2" if state == "running" else "It had come to stage 2 of 4 (25 %).")


@pytest.mark.parametrize(
    "detail, told", [("", [SAID]), ("no quota", [SAID]), (SAID, []), (f"{SAID[:-1]}; put back as it was", [])]
)
def test_what_was_found_is_news_until_the_outcome_says_it(detail: str, told: list[str]) -> None:
    assert [one.text for one in staged.news(rolling("failed", detail=detail), until(2))] == told


def test_one_that_is_told_to_stop_waits_for_nothing() -> None:
    stops = rolling(cancel_by="Ana")
    assert staged.standing(stops, until(2)) == "It had come to stage 2 of 4 (25 %)."
    assert staged.steerable(stops, until(2)) is None and not staged.asks(stops, until(2, "held"))


def test_what_has_no_stages_is_not_told_of() -> None:
    without = rolling(plan=staged_plan(steps=staged_plan().steps[:2]))
    for record, stages in ((rolling(), ()), (rolling(plan=None), until(2)), (without, ())):
        assert staged.parts(record, stages) == () and staged.standing(record, stages) == ""
    assert not staged.goes_on(without) and not staged.goes_on(rolling(plan=None))


STEERED = {"baking": True, "held": True, "passed": False, "broken": False}


@pytest.mark.parametrize("state", STEERED)
def test_what_can_be_steered_is_the_last_stage_until_it_is_left(state: str) -> None:
    stages = until(2, state)
    assert staged.steerable(rolling(), stages) == (stages[-1] if STEERED[state] else None)
    assert staged.asks(rolling(), stages) is (state == "held")
    assert staged.number(staged_plan(), stages[-1]) == 2


def test_nothing_can_be_steered_before_or_after() -> None:
    assert staged.steerable(rolling(), ()) is None
    assert all(staged.steerable(rolling(state), until(2)) is None for state in STATES if state != "running")


def test_everything_in_reading_order() -> None:
    where, verdict, progress, errors, slow = staged.parts(rolling(), until(2, "held"))
    assert isinstance(where, Text) and where.text.startswith("Stage 2 of 4 (25 %)")
    assert verdict == Text(text=SAID, mood="warning")
    assert isinstance(progress, Tasks)
    assert [task.state for task in progress.tasks] == ["done", "running", "pending", "pending"]
    assert [task.title for task in progress.tasks][1] == "watch 25 % for 10m or longer"
    assert isinstance(errors, Series) and isinstance(slow, Series)
    assert (errors.title, slow.title, errors.unit) == ("Errors", "Answers over 300 ms", "%")
    assert list(errors.lines) == [f"{NEW} (new)", f"{OLD} (old)"]
    assert errors.lines[f"{NEW} (new)"][:3] == (0.0, 1.667, 3.333) and len(errors.at) == 40


@pytest.mark.parametrize(
    "state, mood", [("baking", "plain"), ("held", "warning"), ("passed", "good"), ("broken", "bad")]
)
def test_the_mood_of_a_verdict(state: str, mood: str) -> None:
    assert [one.mood for one in staged.verdict(until(2, state))] == [mood]


def test_a_stage_that_has_just_begun_shows_what_was_found_in_the_one_before() -> None:
    stages = (*until(1, "passed"), stage(2))
    assert staged.verdict(stages) == (Text(text=SAID, mood="good"),)
    assert len(staged.compared(stages)) == 2
    assert staged.verdict((stage(1),)) == staged.compared((stage(1),)) == ()


@pytest.mark.parametrize("evidence", [{RECORD: {"canary": 7}}, {RECORD: None}, {"something": "else"}])
def test_counts_of_another_version_are_not_drawn(evidence: dict[str, Any]) -> None:
    assert staged.compared(until(1, evidence=evidence)) == ()


def test_a_minute_without_requests_or_without_counts_is_a_gap() -> None:
    record = CanaryRecord.model_validate(counted(3)[RECORD])
    (reading,) = record.readings
    first, second, third = reading.minutes
    silent = first.model_copy(update={"canary": first.canary.model_copy(update={"total": 0, "bad": {}})})
    uncounted = second.model_copy(update={"canary": second.canary.model_copy(update={"bad": {"slow": 3}})})
    minutes = (silent, uncounted, third)
    (errors, _) = charts(record.model_copy(update={"readings": (reading.model_copy(update={"minutes": minutes}),)}))
    assert errors.lines[f"{NEW} (new)"] == (None, None, 3.333)
    assert errors.lines[f"{OLD} (old)"] == (0.185, 0.185, 0.185)


def test_plans_whose_stages_have_no_weights() -> None:
    bare = staged_plan(stages=())
    said = staged.standing(rolling(plan=bare), until(2))
    assert said == f"Stage 2 of 4: {SINCE}, watched until 2026-11-20 17:10 UTC at least."


BEGUN: dict[str, tuple[int, tuple[StageRecord, ...], int]] = {  # writes by the row, stages, writes that count
    "no stage has begun": (1, (), 1),
    "the first one bakes": (2, until(1), 2),
    "the second write is made": (3, until(1, "passed"), 3),
    "the first one was broken, and traffic is put back": (3, until(1, "broken"), 2),
    "it was cancelled while the second write was made, and put back": (4, until(1, "passed"), 3),
    "all are passed": (6, until(4, "passed"), 6),
}


@pytest.mark.parametrize("name", BEGUN)
def test_writes_that_put_back_are_not_counted(name: str) -> None:
    doing, stages, begun = BEGUN[name]
    assert staged.begun(rolling(doing=doing), stages) == begun
    assert staged.begun(rolling(doing=doing, plan=None), stages) == doing


def test_a_step_without_a_title_goes_by_its_verb() -> None:
    steps = (Step(kind="check", verb="judged", if_late="ask", deadline_s=60),)
    assert staged.task(staged_plan(steps=steps, stages=()), 0, None).title == "judged"


BRIEF = {"baking": "watched until 2026-11-20 13:10 UTC at least", "passed": "passed", "broken": "broken"}


@pytest.mark.parametrize("state", BRIEF)
def test_in_short(state: str) -> None:
    assert staged.brief(staged_plan(), stage(2, state)) == f"Stage 2 of 4 (25 %), {BRIEF[state]}."


MAKES_WAY = {"waiting": "pending", "planned": "pending", "queued": "running", "running": "done", "applied": "done"}


@pytest.mark.parametrize("state", MAKES_WAY)
def test_what_it_stops_first(state: State) -> None:
    stops = rolling(state, plan=staged_plan(preempts=("aaaa",), stops=("bbbb", "aaaa")), doing=0)
    assert [(one.title, one.state) for one in staged.first(stops)] == [
        ("stop aaaa, which runs there", MAKES_WAY[state]),
        ("stop bbbb, which runs there", MAKES_WAY[state]),
    ]


def test_what_failed_after_a_write_had_stopped_it_and_most_stop_nothing() -> None:
    failed = rolling("failed", plan=staged_plan(preempts=("aaaa",)), doing=1)
    assert [one.state for one in staged.first(failed)] == ["done"]
    assert staged.first(rolling()) == staged.first(rolling(plan=None)) == ()


def test_what_was_not_counted_yet_is_not_drawn() -> None:
    assert staged.compared(until(1, evidence=counted(0))) == ()
    assert len(staged.compared(until(1, evidence=counted(1)))) == 2
