"""One request through the terminal's door, with a front that plays rows back."""

import json
from typing import Any

import pytest

from bot.core.errors import Denied, StoreError, UserError
from bot.doors.cli.door import Door, asked
from bot.doors.cli.options import Options
from tests.doors.cli.fakes import (
    ID,
    FakeFront,
    FakeWorkers,
    Paper,
    a_look,
    a_record,
    an_answer,
    lines,
)

OTHER = "q45jswpm2g"


class Run:
    """One command: its front, its workers, its screen and its exit code."""

    def __init__(self, front: FakeFront, said: list[str], *, alive: bool = True, **options: Any) -> None:
        self.front, self.workers, self.paper = front, FakeWorkers(alive), Paper()
        door = Door(front, self.workers, self.paper, "os:ana", Options(**options), look_every_s=0.001)
        self.code = door.run(said)

    @property
    def out(self) -> str:
        return self.paper.out

    @property
    def beside(self) -> str:
        return self.paper.beside_it


def rollback(*records: Any, said: str = "rollback backend", **options: Any) -> Run:
    return Run(FakeFront(*records), said.split(), **options)


def test_a_look_is_drawn() -> None:
    run = Run(FakeFront(a_look()), ["status", "backend"])
    assert (run.code, run.out) == (0, "ai-square/prod/backend\nbackend-00041-kex 100 % serves.\n")
    assert run.beside == ""


def test_what_is_asked() -> None:
    run = Run(FakeFront(a_look()), ["rollback", "backend", "--reason", "5xx & more"], channel="C0AISQ")
    (ask,) = run.front.asked
    assert ask.text == 'rollback backend --reason "5xx & more"'
    assert (ask.actor, ask.channel, ask.address.door, ask.signature) == ("os:ana", "C0AISQ", "cli", "")


def test_the_same_words_twice_are_two_requests() -> None:
    heard = {Run(FakeFront(a_look()), ["status"]).front.asked[0].heard_as for _ in range(2)}
    assert len(heard) == 2


def test_a_look_that_found_something_wrong_says_so_with_its_code() -> None:
    assert Run(FakeFront(a_look(an_answer(good=False))), ["audit", "verify"]).code == 6


def test_a_change_is_followed_to_its_end() -> None:
    run = rollback(
        a_record("accepted"),
        a_record("waiting"),
        a_record("queued", revision=3, detail="approved by Ben"),
        a_record("applied", revision=4, doing=1, detail="all traffic moved"),
    )
    assert run.code == 0
    assert lines(run.out)[0] == "7k3q9x2m4p  rollback ai-square/prod/backend"
    assert "aisq approve 7k3q9x2m4p --digest 73d2cddcd029" in run.out
    assert lines(run.beside)[-1] == "applied: all traffic moved"


def test_what_is_still_to_be_judged_is_said() -> None:
    run = rollback(a_record("queued"), a_record("applied", revision=3, judged="pending"))
    assert lines(run.beside)[-1] == "The metrics are judged once they have arrived: `aisq ops show 7k3q9x2m4p`."


def test_no_wait_returns_after_the_plan() -> None:
    run = rollback(a_record("waiting"), a_record("applied"), no_wait=True)
    assert run.code == 4
    assert "Needs 1 other person" in run.out
    assert run.beside == ""


ENDINGS = {
    "expired": ("waiting", "expired", 4), "denied": ("waiting", "denied", 3), "cancelled": ("running", "cancelled", 5),
    "failed": ("running", "failed", 5), "uncertain": ("running", "uncertain", 6), "applied": ("queued", "applied", 0),
}  # fmt: skip


@pytest.mark.parametrize(("first", "last", "code"), ENDINGS.values(), ids=ENDINGS)
def test_the_outcome_is_the_exit_code(first: str, last: str, code: int) -> None:
    run = rollback(a_record(first), a_record(last, revision=9, detail="why"))
    assert run.code == code
    assert lines(run.beside)[-1].endswith("why")


def test_a_dry_run_is_a_plan_and_no_more() -> None:
    run = rollback(a_record("planned", detail="all traffic to x", expires_at=None))
    assert (run.code, lines(run.beside)) == (0, ["only planned, nothing done: all traffic to x"])
    assert "Steps" in run.out
    assert "approve" not in run.out


def test_nothing_to_do_says_why() -> None:
    empty = a_record().plan.model_copy(update={"steps": (), "why": "it serves already"})  # type: ignore[union-attr]
    run = rollback(a_record("nothing_to_do", plan=empty, detail="it serves already"))
    assert (run.code, run.out, run.beside) == (0, "", "nothing to do: it serves already\n")


@pytest.mark.parametrize(("state", "code"), [("rejected", 2), ("denied", 3), ("failed", 5)])
def test_a_change_that_cannot_be_planned_says_why(state: str, code: int) -> None:
    run = rollback(a_record(state, plan=None, detail="Which? Write `--to backend-00041-kex`."))
    assert (run.code, run.out) == (code, "")
    assert run.beside == f"{state}: Which? Write `--to backend-00041-kex`.\n"


@pytest.mark.parametrize("error", [UserError("no service `x`"), Denied("not you", policy="p")])
def test_refusals_at_the_door_are_for_the_caller(error: Exception) -> None:
    front = FakeFront(a_look())
    front.refusal = error  # type: ignore[assignment]
    with pytest.raises(type(error)):
        Run(front, ["status"])


def test_a_database_that_is_away_at_the_beginning_is_said_and_nothing_began() -> None:
    front = FakeFront(a_look())
    front.refusal = StoreError("aisq's database cannot be used now; ask again in a moment.")
    run = Run(front, ["status"])
    assert (run.code, run.out) == (5, "")
    assert run.beside == "aisq's database cannot be used now; ask again in a moment.\n"


def test_a_database_that_goes_away_later_leaves_a_way_to_look() -> None:
    run = rollback(a_record("waiting"), StoreError("It is away."))
    assert run.code == 6
    assert " ".join(lines(run.beside)[-2:]).endswith(
        "It is away. It may go on without this terminal: `aisq ops show 7k3q9x2m4p`."
    )


# --- Ctrl-C


def test_ctrl_c_leaves_it_running_and_says_how_to_look_and_stop_it() -> None:
    run = rollback(a_record("waiting"), KeyboardInterrupt(), a_record("waiting"))
    assert run.code == 4
    said = " ".join(run.beside.split())
    assert "It goes on without this terminal. Look: `aisq ops show 7k3q9x2m4p`" in said
    assert "stop it: `aisq ops cancel 7k3q9x2m4p`." in said


def test_ctrl_c_when_it_has_ended_meanwhile_says_nothing_more() -> None:
    run = rollback(a_record("waiting"), KeyboardInterrupt(), a_record("applied"))
    assert (run.code, "without this terminal" in run.beside) == (0, False)


def test_ctrl_c_where_nobody_else_works_says_that_it_waits() -> None:
    run = rollback(a_record("queued"), KeyboardInterrupt(), a_record("queued"), alive=False, here=True)
    assert run.code == 4
    assert run.workers.notes == ["started", "stopped within 5 s"]
    assert "aisq ops show 7k3q9x2m4p --here" in run.beside


# --- nobody at work


@pytest.mark.parametrize("no_wait", [False, True])
def test_when_nobody_works_it_says_so_and_offers_this_terminal(no_wait: bool) -> None:
    run = rollback(a_record("queued"), alive=False, no_wait=no_wait)
    assert run.code == 4
    assert " ".join(run.beside.split()) == (
        "No aisq is at work on this database, so it waits. Start one (`aisq serve`), or let this terminal do it: "
        "aisq ops show 7k3q9x2m4p --here"
    )


def test_here_works_until_the_outcome_and_hands_over() -> None:
    run = rollback(a_record("queued"), a_record("applied", revision=3), alive=False, here=True)
    assert (run.code, run.workers.notes) == (0, ["started", "stopped within 5 s"])


def test_here_is_not_needed_when_somebody_works() -> None:
    run = rollback(a_record("queued"), a_record("applied", revision=3), here=True)
    assert (run.code, run.workers.notes) == (0, [])


def test_the_worker_here_is_stopped_whatever_happens() -> None:
    run = rollback(a_record("queued"), StoreError("away"), alive=False, here=True)
    assert (run.code, run.workers.notes) == (6, ["started", "stopped within 5 s"])


def about(other: str, operation: str = "approve", verb: str = "act") -> Any:
    params = {"operation": {"id": OTHER, "operation": "rollback", "requester": "slack:U0ANA"}}
    return FakeFront(
        a_look(operation=operation, verb=verb, params=params), others=[a_record(other, id=OTHER)]
    )  # fmt: skip


def test_an_approval_that_begins_something_says_when_nobody_works() -> None:
    run = Run(about("queued"), ["approve", OTHER], alive=False)
    assert run.code == 0
    assert f"aisq ops show {OTHER} --here" in run.beside


@pytest.mark.parametrize(("state", "alive"), [("queued", True), ("waiting", False), ("applied", False)])
def test_else_an_approval_has_no_more_to_say(state: str, alive: bool) -> None:
    assert Run(about(state), ["approve", OTHER], alive=alive).beside == ""


def test_an_operation_can_be_carried_out_here_later() -> None:
    front = about("queued", "ops show", "answer")
    front.rows[OTHER].append(a_record("applied", id=OTHER, revision=3, detail="done"))
    run = Run(front, ["ops", "show", OTHER], alive=False, here=True)
    assert (run.code, run.workers.notes) == (0, ["started", "stopped within 5 s"])
    assert lines(run.beside)[-1] == "applied: done"


# --- JSON


def test_a_look_as_json_is_its_answer_and_nothing_else() -> None:
    run = Run(FakeFront(a_look()), ["status"], json=True)
    assert json.loads(run.out) == an_answer().model_dump(mode="json")


def test_a_change_as_json_is_the_whole_operation_at_its_end() -> None:
    run = rollback(a_record("waiting"), a_record("applied", revision=3, detail="done"), json=True)
    whole = json.loads(run.out)
    assert (whole["state"], whole["request"]["id"], whole["plan"]["version"]) == ("applied", ID, "42")
    assert "Needs 1 other person to approve" in run.beside


def test_a_rejection_as_json_is_the_operation_too() -> None:
    run = rollback(a_record("rejected", plan=None, detail="write it so"), json=True)
    assert (run.code, json.loads(run.out)["detail"]) == (2, "write it so")


def test_json_acts_on_no_terminal_and_is_still_the_same_text() -> None:
    evil = "\x1b[2J\x9b2J\u202e日本\x7f"
    run = Run(FakeFront(a_look(an_answer(text=evil))), ["status"], json=True)
    assert not set(run.out) & {"\x1b", "\x9b", "\u202e", "\x7f"}
    assert json.loads(run.out)["parts"][0]["text"] == evil
    assert "日本" in run.out


def test_a_database_that_is_away_as_json() -> None:
    front = FakeFront(a_look())
    front.refusal = StoreError("away")
    assert json.loads(Run(front, ["status"], json=True).out) == {"error": "away", "choices": [], "remedy": ""}


# --- words


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (["status"], "status"),
        (["rollback backend --reason 'x y'"], "rollback backend --reason 'x y'"),
        (["rollback", "backend", "--reason", "it's 5xx"], 'rollback backend --reason "it\'s 5xx"'),
        (["rollback", "backend", "--reason="], "rollback backend --reason="),
        (["rollback", "backend", "--reason", ""], 'rollback backend --reason ""'),
    ],
)
def test_words_of_a_shell_become_one_line(said: list[str], text: str) -> None:
    assert asked(said) == text


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UserError, match="UTF-8"):
        asked(["status", "\udcff"])
