"""The timeline of releases: what is told, and how it reads in every state."""

import pytest

from bot.core import timeline
from bot.core.plan import Step
from bot.core.request import OPEN, STATES, State
from tests.doors.slack.harness import record
from tests.rollouts import SAID, rolling, stage, staged_plan, until

HEAD = "2026-11-20 12:00 UTC, deploy of ai-square/prod/backend by Ana Alvarez: "
SUMMARY = staged_plan().summary.removeprefix("ai-square/prod/backend: ")
TOLD: dict[State, tuple[str, str]] = {
    "queued": (f"queued: {SUMMARY}", "plain"),
    "running": (f"running: {SUMMARY}", "plain"),
    "applied": (SUMMARY, "good"),
    "failed": (f"failed: {SUMMARY}", "bad"),
    "cancelled": (f"cancelled: {SUMMARY}", "plain"),
    "uncertain": (f"uncertain: {SUMMARY}", "bad"),
}


@pytest.mark.parametrize("state", STATES)
def test_what_moved_something_is_told(state: State) -> None:
    assert timeline.belongs(rolling(state)) is (state in TOLD)
    assert timeline.belongs(rolling(state, doing=0)) is (state in TOLD and state in OPEN), "nothing came of it"
    assert not timeline.belongs(rolling(state, plan=None))


@pytest.mark.parametrize("verb", ["Compute.release", "Compute.set_traffic", "Compute.scale", "Jobs.run_job"])
def test_it_is_about_releases_and_traffic_whatever_it_is_called(verb: str) -> None:
    made = record("applied", doing=1, plan=staged_plan(steps=(Step(verb=verb),)))
    assert timeline.belongs(made) is (verb in ("Compute.release", "Compute.set_traffic"))


@pytest.mark.parametrize("state", TOLD)
def test_how_it_reads(state: State) -> None:
    said, mood = TOLD[state]
    line = timeline.line(rolling(state))
    assert (line.text, line.mood) == (HEAD + said, mood)


def test_one_that_runs_says_where_it_is_and_what_was_found() -> None:
    line = timeline.line(rolling(), until(2))
    assert line.text == f"{HEAD}Stage 2 of 4 (25 %), watched until 2026-11-20 13:10 UTC at least. {SAID}"
    assert line.mood == "plain"
    begun = timeline.line(rolling(), (stage(1),))
    assert begun.text == f"{HEAD}Stage 1 of 4 (10 %), watched until 2026-11-20 12:10 UTC at least."


def test_one_that_waits_for_a_person_stands_out() -> None:
    line = timeline.line(rolling(), until(2, "held"))
    assert line.text.startswith(f"{HEAD}Stage 2 of 4 (25 %), not decided in its time: it waits for a person.")
    assert line.mood == "warning"


def test_one_that_stops_is_only_running() -> None:
    line = timeline.line(rolling(cancel_by="Ben"), until(2))
    assert line.text == f"{HEAD}running: {SUMMARY}"


def test_what_was_found_afterwards_belongs_to_it() -> None:
    line = timeline.line(rolling("applied", judged="broken", judgement="Errors rose."))
    assert (line.text, line.mood) == (f"{HEAD}{SUMMARY}. Errors rose.", "warning")


def test_what_runs_says_where_it_leads_and_what_has_ended_how() -> None:
    told = {state: timeline.line(rolling(state, detail="in progress.")).text for state in ("running", "failed")}
    assert told == {"running": f"{HEAD}running: {SUMMARY}", "failed": f"{HEAD}failed: in progress."}
