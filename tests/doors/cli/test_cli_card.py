"""How a terminal shows a change: its plan, its progress, its outcome."""

from zoneinfo import ZoneInfo

import pytest

from bot.core.plan import Finding, Step, Verdict
from bot.core.request import STATES
from bot.core.stages import StageRecord
from bot.core.system import OperationRecord
from bot.doors.cli.card import Cards, measured, people
from bot.doors.cli.progress import steps
from tests.doors.cli.fakes import CHECK, SHIFT, Paper, a_plan, a_record, approved, widest
from tests.rollouts import NEW, SAID, rolling, until

EVIL = "\x1b]0;root\x07[red]x[/red] \x1b[2K\u202e"


def plan_of(record: OperationRecord, columns: int = 80) -> str:
    paper = Paper(columns=columns)
    assert record.plan is not None
    paper.show(paper.cards(ZoneInfo("Europe/Berlin")).plan(record, record.plan))
    return paper.out


def standing_of(record: OperationRecord, part: str = "standing") -> str:
    paper = Paper()
    cards: Cards = paper.cards(ZoneInfo("UTC"))
    paper.show(getattr(cards, part)(record))
    return paper.out


def test_a_plan_that_waits_says_all_that_an_approver_must_know() -> None:
    assert plan_of(a_record("waiting")) == (
        "7k3q9x2m4p  rollback ai-square/prod/backend\n"
        "ai-square/prod/backend: all traffic to backend-00041-kex, away from\n"
        "backend-00042-guz 100 %\n"
        "Reason: 5xx since 14:02\n"
        "As last counted: error rate 4.53 %\n"
        "\n"
        "GO WITH RISK\n"
        "  good  image: image sha256:24302b5749ed is in the registry\n"
        "  risk  schema: the release does not say which schema it needs\n"
        "\n"
        "Steps\n"
        "  1. send all traffic to backend-00041-kex\n"
        "  2. see that it serves\n"
        "\n"
        "Then judged\n"
        "  1. compare errors before and after\n"
        "\n"
        "To know\n"
        "  Traffic then stays at backend-00041-kex: new releases get none until `unpin\n"
        "  backend`.\n"
        "\n"
        "By hand\n"
        "  gcloud run services update-traffic backend \\\n"
        "      --to-revisions=backend-00041-kex=100 --region=us-central1 \\\n"
        "      --project=ai-square-prod\n"
        "\n"
        "Undo by hand\n"
        "  gcloud run services update-traffic backend \\\n"
        "      --to-revisions=backend-00042-guz=100 --region=us-central1 \\\n"
        "      --project=ai-square-prod\n"
        "\n"
        "Needs 1 other person to approve (policy grant.prod.rollout), until 2026-11-20\n"
        "14:00:00 CET:\n"
        "  aisq approve 7k3q9x2m4p --digest 73d2cddcd029\n"
    )


def test_a_bare_plan_has_no_empty_headings() -> None:
    bare = a_plan(verdict=None, notes=(), by_hand=(), undo_by_hand=(), measured={}, afterwards=())
    shown = plan_of(a_record("planned", plan=bare, params={}))
    assert shown.splitlines()[3:] == [
        "",
        "Steps",
        "  1. send all traffic to backend-00041-kex",
        "  2. see that it serves",
    ]


def test_break_glass_cannot_be_overlooked() -> None:
    shown = plan_of(a_record("queued", params={"break_glass": "prod is on fire", "reason": ""}))
    assert "! BREAK GLASS by Ana: prod is on fire" in shown
    assert "Reason" not in shown


def test_a_step_without_a_title_is_named_by_its_verb() -> None:
    assert "1. Compute.set_traffic" in plan_of(a_record(plan=a_plan(steps=(Step(verb="Compute.set_traffic"),))))


def test_a_plan_without_an_end_of_its_approval() -> None:
    assert "Needs 1 other person to approve (policy grant.prod.rollout):" in plan_of(a_record(expires_at=None))


def test_approvals_that_were_given_are_not_asked_for_again() -> None:
    record = a_record(approvals_needed=3, approvals=(approved(),))
    assert "Needs 2 other people to approve" in plan_of(record)
    assert standing_of(record) == "waiting for 2 other people to approve until 2026-11-20 13:00:00 UTC\n"


def test_nothing_in_a_plan_is_markup_or_control() -> None:
    evil = a_plan(
        summary=EVIL,
        notes=(EVIL,),
        by_hand=(EVIL,),
        undo_by_hand=(EVIL,),
        steps=(Step(verb="x", title=EVIL),),
        verdict=Verdict(findings=(Finding(level="bad", subject=EVIL, sentence=EVIL),)),
        measured={EVIL: 1.0},
    )
    shown = plan_of(a_record(plan=evil, params={"reason": EVIL, "break_glass": EVIL}, detail=EVIL))
    assert "[red]x[/red]" in shown
    assert not set(shown) & {"\x1b", "\u202e", "\x07"}


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_a_plan_fits_the_terminal(columns: int) -> None:
    assert widest(plan_of(a_record(), columns).replace(" \\", "")) <= columns


STANDING = {
    "accepted": "being planned: x",
    "waiting": "waiting for 1 other person to approve until 2026-11-20 13:00:00 UTC",
    "queued": "begins in a moment: x",
    "running": "running",
    "answered": "answered: x",
    "planned": "only planned, nothing done: x",
    "rejected": "rejected: x",
    "nothing_to_do": "nothing to do: x",
    "applied": "applied: x",
    "denied": "denied: x",
    "failed": "failed: x",
    "cancelled": "cancelled: x",
    "expired": "expired: x",
    "uncertain": "UNCERTAIN: x",
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_one_line(state: str) -> None:
    assert standing_of(a_record(state, detail="x")) == f"{STANDING[state]}\n"


def test_a_state_without_a_detail() -> None:
    assert standing_of(a_record("queued")) == "begins in a moment\n"


def test_what_is_asked_to_stop_says_by_whom() -> None:
    assert standing_of(a_record("running", cancel_by="Ben")) == "running; Ben asked to stop it\n"


DEPLOY = (SHIFT, CHECK, SHIFT, CHECK)
HOW_FAR = {
    "not begun": ("queued", 0, "pending pending pending pending"),
    "the first write": ("running", 1, "running pending pending pending"),
    "the second write": ("running", 2, "done done running pending"),
    "done": ("applied", 2, "done done done done"),
    "done without a write": ("applied", 0, "done done done done"),
    "failed at the first": ("failed", 1, "failed pending pending pending"),
    "failed at the second": ("failed", 2, "done done failed pending"),
    "failed, and undone by more writes": ("failed", 4, "done done done done"),
    "uncertain": ("uncertain", 1, "failed pending pending pending"),
    "cancelled before it began": ("cancelled", 0, "pending pending pending pending"),
}


@pytest.mark.parametrize(("state", "begun", "expected"), HOW_FAR.values(), ids=HOW_FAR)
def test_how_far_the_steps_are(state: str, begun: int, expected: str) -> None:
    plan = a_plan(steps=DEPLOY)
    tasks = steps(a_record(state, plan=plan, doing=begun), plan).tasks
    assert " ".join(task.state for task in tasks) == expected


@pytest.mark.parametrize(
    ("state", "begun", "shows_steps"),
    [
        ("waiting", 0, False), ("queued", 0, True), ("running", 1, True), ("applied", 1, True), ("expired", 0, False),
        ("denied", 0, False), ("failed", 0, False), ("failed", 1, True),
    ],
)  # fmt: skip
def test_steps_are_shown_once_something_moves(state: str, begun: int, shows_steps: bool) -> None:
    shown = standing_of(a_record(state, doing=begun), "progress")
    assert ("see that it serves" in shown) is shows_steps


def test_progress_without_a_plan_is_one_line() -> None:
    assert standing_of(a_record("running", plan=None, doing=1), "progress") == "running\n"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("error_rate_pct", 4.5312, "error rate 4.53 %"),
        ("latency_p99_ms", 1234.0, "latency p99 1,234 ms"),
        ("instances", 7.0, "7 instances"),
    ],
)
def test_measured_numbers_have_their_unit(name: str, value: float, said: str) -> None:
    assert measured(name, value) == said


def test_people_are_counted() -> None:
    assert [people(1), people(2)] == ["1 other person", "2 other people"]


def progress_of(record: OperationRecord, stages: tuple[StageRecord, ...]) -> str:
    paper = Paper(columns=130)
    paper.show(paper.cards(ZoneInfo("UTC")).progress(record, stages))
    return paper.out


def test_a_rollout_shows_its_stages_what_was_found_and_old_against_new() -> None:
    shown = progress_of(rolling(doing=3), until(2)).splitlines()
    assert shown[:8] == [
        f"[x] make release {NEW}",
        "[x] see that it starts",
        f"[x] send 10 % to {NEW}",
        "[x] watch 10 % for 10m or longer: since 2026-11-20 12:00 UTC, passed",
        f"[x] send 25 % to {NEW}",
        "[~] watch 25 % for 10m or longer",
        f"[ ] send 50 % to {NEW}",
        "[ ] watch 50 % for 10m or longer",
    ]
    assert "Errors" in shown and any(line.startswith(f"{NEW} (new)  ▁") for line in shown)
    assert " ".join(shown).endswith(
        f"{SAID} running: Stage 2 of 4 (25 %): since 2026-11-20 13:00 UTC, watched until 2026-11-20 13:10 UTC at least;"
        " a person decides if it is not decided by 2026-11-20 17:10 UTC."
    )


def test_a_rollout_that_waits_for_a_person_says_what_can_be_typed() -> None:
    line = Paper().cards(ZoneInfo("UTC")).line(rolling(), until(2, "held"))
    assert line.style == "yellow"
    assert line.plain == (
        "running: Stage 2 of 4 (25 %): since 2026-11-20 13:00 UTC, not decided in its time: it waits for a person."
        " To go on: `aisq ops advance 7k3qabcdef --stage 2`; to go back: `aisq ops cancel 7k3qabcdef`."
        f" {SAID}"
    )


def test_a_rollout_that_was_put_back_says_why_and_draws_nothing_more() -> None:
    shown = progress_of(rolling("failed", doing=4, detail="put back"), until(2, "broken"))
    assert "[!] watch 25 % for 10m or longer: since 2026-11-20 13:00 UTC, broken" in shown
    assert f"[ ] send 50 % to {NEW}" in shown, "what puts it back is no next stage"
    assert shown.endswith(f"{SAID}\nfailed: put back\n") and "Errors" not in shown
    said = progress_of(rolling("failed", doing=4, detail=f"put back: {SAID}"), until(2, "broken"))
    assert said.count(SAID[:40]) == 1, "never twice"


def test_a_rollout_that_is_told_to_stop_says_by_whom() -> None:
    assert standing_of(rolling(cancel_by="Ben")) == "running; Ben asked to stop it\n"


def test_what_is_stopped_first_is_shown_before_the_steps() -> None:
    rescue = a_plan(preempts=("7k3qaaaaaa",), stops=("7k3qbbbbbb",))
    assert "\nStops first\n  7k3qaaaaaa, which runs there\n  7k3qbbbbbb, which runs there\n\nSteps\n" in plan_of(
        a_record("waiting", plan=rescue)
    ).replace("  stop ", "  ")
    shown = standing_of(a_record("queued", plan=rescue), "progress")
    assert shown.startswith("[~] stop 7k3qaaaaaa, which runs there\n[~] stop 7k3qbbbbbb, which runs there\n[ ] send")
