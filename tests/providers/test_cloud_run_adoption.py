"""Finding a write again, by the cloud's operations and by the mark on the service, and following it to its end."""

from typing import Any

import pytest

from bot.core.errors import CloudError, Forbidden, Refused, Transient, Uncertain
from bot.core.ports import Effect
from bot.providers.cloud_run import CloudRun

KEY = "op/0/do"


def write(rig: Any, run: CloudRun, number: int = 1, key: str = KEY) -> str:
    return run.set_traffic(rig.effect(run, key), target=rig.target, traffic={rig.release(number): 100})


def forget(rig: Any) -> None:
    rig.fault("forget_operations", "*", times=0)


def test_nothing_was_written(rig: Any, run: CloudRun) -> None:
    assert run.find(rig.target, KEY) is None
    write(rig, run, key="another")
    assert run.find(rig.target, KEY) is None


def test_by_the_operation(rig: Any, run: CloudRun) -> None:
    operation = write(rig, run)
    assert run.find(rig.target, KEY) == operation
    rig.settle()
    assert run.find(rig.target, KEY) == operation


def test_an_operation_outlives_the_next_change(rig: Any, run: CloudRun) -> None:
    first = write(rig, run, 1, "op/0/do")
    rig.settle()
    second = write(rig, run, 2, "op/1/do")
    rig.settle()
    assert (run.find(rig.target, "op/0/do"), run.find(rig.target, "op/1/do")) == (first, second)
    assert [run.poll(rig.target, one).version for one in (first, second)] == ["5", "6"]


def test_the_same_key_on_another_service_is_not_ours(rig: Any, run: CloudRun, target_of: Any) -> None:
    write(rig, run)
    assert run.find(target_of("lone"), KEY) is None


@pytest.mark.parametrize("settled_between", [True, False])
def test_somebody_who_keeps_our_mark_is_not_taken_for_us(rig: Any, run: CloudRun, settled_between: bool) -> None:
    """gcloud keeps annotations that it does not know, so its change carries our key too."""
    ours = write(rig, run)
    if settled_between:
        rig.settle()
    rig.by_hand({2: 100})
    assert run.find(rig.target, KEY) == ours
    ended = rig.finished(run, ours)
    assert (ended.state, ended.version) == ("succeeded", "5")
    assert run.service(rig.target).version == "6"
    with pytest.raises(Refused, match="it is at generation 6, not 5"):
        run.set_traffic(Effect(key="op/1/do", version="5"), target=rig.target, traffic={rig.release(3): 100})


def test_by_the_mark_when_the_cloud_forgot_its_operations(rig: Any, run: CloudRun) -> None:
    operation = write(rig, run)
    forget(rig)
    found = run.find(rig.target, KEY)
    assert found == f"{rig.full}@5"
    for name in (operation, found):
        assert run.poll(rig.target, name).state == "running"
    rig.settle()
    for name in (operation, found):
        ended = run.poll(rig.target, name)
        assert (ended.state, ended.version) == ("succeeded", "5")


def test_a_forgotten_rollout_that_failed(rig: Any, run: CloudRun) -> None:
    rig.fault("fail_rollout")
    operation = write(rig, run)
    forget(rig)
    ended = rig.finished(run, operation)
    assert (ended.state, ended.version) == ("failed", "5")
    assert "is not ready and cannot serve traffic" in ended.detail


@pytest.mark.parametrize("by", ["operation", "mark"])
def test_forgotten_and_changed_again_is_uncertain(rig: Any, run: CloudRun, by: str) -> None:
    operation = write(rig, run)
    rig.settle()
    rig.by_hand({2: 100})
    rig.settle()
    forget(rig)
    name = operation if by == "operation" else run.find(rig.target, KEY)
    assert name
    who = run.service(rig.target).changed_by
    with pytest.raises(Uncertain, match=f"was changed again by {who} before our change was seen to end"):
        run.poll(rig.target, name)


def test_an_operation_that_never_was(rig: Any, run: CloudRun) -> None:
    with pytest.raises(Uncertain, match="was changed again"):
        run.poll(rig.target, "projects/pool/locations/us-central1/operations/never")


@pytest.mark.parametrize(
    ("size", "pages", "by_operation"), [(1, 10, True), (2, 10, True), (1, 1, False), (100, 1, True)]
)
def test_how_far_back_it_looks(
    rig: Any, run: CloudRun, monkeypatch: pytest.MonkeyPatch, size: int, pages: int, by_operation: bool
) -> None:
    """Further back than that, the mark on the service still tells."""
    monkeypatch.setattr("bot.providers.cloud_run.follow.PAGE", size)
    monkeypatch.setattr("bot.providers.cloud_run.follow.PAGES", pages)
    operation = write(rig, run)
    rig.settle()
    for _ in range(2):
        rig.control.traffic("pool/us-central1/lone", {"lone-00001-abc": 100})
        rig.settle()
    found = run.find(rig.target, KEY)
    assert found == (operation if by_operation else f"{rig.full}@5")


@pytest.mark.parametrize(
    ("method", "call", "permission"),
    [
        ("find", "ListOperations", "run.operations.list"),
        ("poll", "GetOperation", "run.operations.get"),
        ("find", "GetService", "run.services.get"),
    ],
)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "error", "code": "PERMISSION_DENIED"}, Forbidden),
        ({"kind": "error", "code": "UNAVAILABLE"}, Transient),
        ({"kind": "error", "code": "RESOURCE_EXHAUSTED"}, Transient),
    ],
)
def test_looking_can_fail_and_that_is_not_an_answer(
    rig: Any, run: CloudRun, method: str, call: str, permission: str, fault: dict[str, Any], kind: type[CloudError]
) -> None:
    operation = write(rig, run)
    rig.control.fault(**fault, method=call)
    asked = {"find": lambda: run.find(rig.target, "another"), "poll": lambda: run.poll(rig.target, operation)}
    with pytest.raises(kind) as caught:
        asked[method]()
    if kind is Forbidden:
        assert permission in str(caught.value)
        assert permission in run.PERMISSIONS[method]


@pytest.mark.parametrize("method", ["find", "poll"])
def test_a_slow_answer_meets_our_deadline(rig: Any, run: CloudRun, method: str) -> None:
    operation = write(rig, run)
    impatient = CloudRun(rig.google(read_timeout_s=0.2))
    call = {"find": "ListOperations", "poll": "GetOperation"}[method]
    rig.control.fault("error", method=call, code="DEADLINE_EXCEEDED")
    asked = {"find": lambda: impatient.find(rig.target, KEY), "poll": lambda: impatient.poll(rig.target, operation)}
    with pytest.raises(Transient, match="no answer came in time"):
        asked[method]()
