"""What another epoch began is not replayed: it is ended, and begun anew from our rows."""

import time

import pytest

from bot.engine import workflow

LATER = "a later epoch"


def until(true, seconds=20):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def runs_of(operation):
    return {run.workflow_id: run.status for run in workflow.DBOS.list_workflows(workflow_id_prefix=f"{operation}/")}


@pytest.fixture
def worker(bot):
    """One that has begun to apply, and polls for an operation of the cloud that does not end."""
    made = bot.worker()
    made.start()
    bot.platform.polls_needed = 10**9
    bot.clock.sleep = lambda seconds: time.sleep(0.01)
    yield made
    made.stop(2)


def test_what_a_dead_process_of_another_epoch_was_running_is_begun_anew(bot, worker, monkeypatch):
    operation = bot.approved()
    worker.hurry()
    until(lambda: "poll" in bot.platform.calls)
    monkeypatch.setattr(workflow, "EPOCH", LATER)
    assert worker._workflows.take_over({bot.executor}) == []
    assert runs_of(operation) == {f"{operation}/1": "PENDING"}
    assert worker._workflows.take_over(set()) == [f"{operation}/1"]
    bot.platform.polls_needed = 1
    until(lambda: bot.ledger.operation(operation).state == "applied")
    assert bot.platform.writes == [f"{operation}/0/do"]
    until(lambda: runs_of(operation) == {f"{operation}/1": "CANCELLED", f"{operation}/2": "SUCCESS"})


def test_what_waits_in_the_queue_of_another_epoch_is_ended_too_once_its_process_is_dead(bot, worker, monkeypatch):
    running = bot.approved()
    worker.hurry()
    until(lambda: "poll" in bot.platform.calls)
    behind = "behind-it"
    target = bot.ledger.operation(running).plan.target.full_name
    worker._workflows.start(behind, target)
    assert worker._workflows.take_over({bot.executor}) == []
    monkeypatch.setattr(workflow, "EPOCH", LATER)
    assert sorted(worker._workflows.take_over({"another"})) == sorted([f"{running}/1", f"{behind}/1"])
    assert runs_of(behind) == {f"{behind}/1": "CANCELLED"}
    bot.platform.polls_needed = 1
    until(lambda: bot.ledger.operation(running).state == "applied")
