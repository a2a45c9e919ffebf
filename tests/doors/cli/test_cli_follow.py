"""Following an operation by its row."""

import signal
from zoneinfo import ZoneInfo

import pytest

from bot.core.errors import StoreError
from bot.core.system import OperationRecord
from bot.doors.cli.follow import LOOKS_UNTIL_PLANNED_AGAIN, Follower
from tests.doors.cli.fakes import ID, FakeFront, Paper, a_look, a_record
from tests.rollouts import NEW, SAID, rolling, stage, until

SOON_S = 0.001


def follower(front: FakeFront, paper: Paper | None = None, look_every_s: float = SOON_S) -> Follower:
    return Follower(front, paper or Paper(), look_every_s=look_every_s)


def ended(*records: object) -> tuple[Paper, str]:
    """What is said while rows move, and the state at the end."""
    paper, front = Paper(), FakeFront(*records)  # type: ignore[arg-type]
    record = follower(front, paper).ended(a_record("waiting"), paper.cards(ZoneInfo("UTC")))
    return paper, record.state


def test_it_waits_until_there_is_a_plan() -> None:
    front = FakeFront(a_record("accepted"), a_record("accepted"), a_record("waiting"))
    assert follower(front).planned(ID).state == "waiting"
    assert not front.proceeded


def test_an_answer_ends_the_wait_too() -> None:
    assert follower(FakeFront(a_look())).planned(ID).state == "answered"


@pytest.mark.parametrize(("looks", "times"), [(LOOKS_UNTIL_PLANNED_AGAIN - 1, 0), (2 * LOOKS_UNTIL_PLANNED_AGAIN, 2)])
def test_what_nobody_plans_is_planned_again(looks: int, times: int) -> None:
    front = FakeFront(*[a_record("accepted")] * looks, a_record("waiting"))
    follower(front).planned(ID)
    assert front.proceeded == [ID] * times


def test_a_change_in_this_process_is_seen_at_once() -> None:
    front = FakeFront(a_record("accepted"), a_record("waiting"))
    patient = follower(front, look_every_s=3600.0)
    (moved,) = front.listeners
    looking = front.record

    def record(operation: str) -> OperationRecord:
        row = looking(operation)
        moved()  # planned just after we looked
        return row

    front.record = record  # type: ignore[method-assign]
    assert patient.planned(ID).state == "waiting"


def test_each_change_is_one_line_where_there_is_no_terminal() -> None:
    paper, state = ended(
        a_record("waiting", revision=2),
        a_record("waiting", revision=2),
        a_record("queued", revision=3, detail="approved by Ben"),
        a_record("running", revision=4, doing=1),
        a_record("applied", revision=5, doing=1, detail="all traffic to backend-00041-kex"),
    )
    assert state == "applied"
    assert paper.beside_it == (
        "waiting for 1 other person to approve until 2026-11-20 13:00:00 UTC\n"
        "begins in a moment: approved by Ben\n"
        "running\n"
        "[x] send all traffic to backend-00041-kex\n"
        "[x] see that it serves\n"
        "applied: all traffic to backend-00041-kex\n"
    )
    assert paper.out == ""


def test_an_outcome_that_is_there_already_is_said_once() -> None:
    paper, state = ended(a_record("denied", detail="denied by Ben"))
    assert (state, paper.beside_it) == ("denied", "denied: denied by Ben\n")


def test_a_database_that_stays_away_ends_it() -> None:
    with pytest.raises(StoreError):
        ended(a_record("waiting"), StoreError("away"))


def test_a_terminal_is_redrawn_only_when_something_changed() -> None:
    paper = Paper(terminal=True)
    rows = [a_record("queued", revision=3)] * 5 + [a_record("applied", revision=4, doing=1, detail="done")]
    follower(FakeFront(*rows), paper).ended(a_record("queued", revision=3), paper.cards(ZoneInfo("UTC")))
    shown = paper.beside_it
    assert shown.count("begins in a moment") <= 2  # once by the frame, once by the first row
    assert "applied: done" in shown
    assert shown.rstrip().endswith("\x1b[?25h")  # the cursor is back


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_waits_until_nothing_is_drawn_but_only_once(times: int) -> None:
    paper, front = Paper(terminal=True), FakeFront(a_record("waiting"))
    looking, before, looked = front.record, signal.getsignal(signal.SIGINT), list[int]()

    def record(operation: str) -> OperationRecord:
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        looked.append(times)
        return looking(operation)

    front.record = record  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        follower(front, paper).ended(a_record("waiting"), paper.cards(ZoneInfo("UTC")))
    assert looked == [1] * (times == 1)  # the first waited until the look was over, the second did not
    assert paper.beside_it.rstrip().endswith("\x1b[?25h")  # the cursor is back, and nothing comes after
    assert signal.getsignal(signal.SIGINT) is before


def test_a_rollout_is_followed_stage_by_stage_and_says_nothing_twice() -> None:
    paper = Paper()
    front = FakeFront(*(rolling(revision=one) for one in range(3, 7)), rolling("applied", revision=8, detail="done"))
    front.rows = {rolling().id: front.rows[ID]}
    front.staged = [(stage(1),), (stage(1),), (stage(1, "held", sentence=SAID),), until(2), until(4, "passed")]
    follower(front, paper).ended(rolling(), paper.cards(ZoneInfo("UTC")))
    said = paper.beside_it.splitlines()
    assert [line[:31] for line in said[:3]] == [
        "running: Stage 1 of 4 (10 %): s",
        "running: Stage 1 of 4 (10 %): s",
        "running: Stage 2 of 4 (25 %): s",
    ], "the second row said nothing new"
    assert "To go on: `aisq ops advance 7k3qabcdef --stage 1`" in said[1] and said[1].endswith(SAID)
    assert said[3] == f"[x] make release {NEW}" and said[-1] == "applied: done"


def test_stages_are_not_asked_for_where_there_are_none() -> None:
    front = FakeFront(a_record("applied"))
    front.staged = []
    follower(front).ended(a_record("applied"), Paper().cards(ZoneInfo("UTC")))
