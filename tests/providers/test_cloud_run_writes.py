"""Changing traffic in the sandbox: at most once a key, whatever goes wrong and whoever else writes."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.cloud import run_v2
from google.protobuf.field_mask_pb2 import FieldMask

from bot.core.errors import CloudError, Forbidden, NotFound, Permanent, Refused, Transient, Uncertain
from bot.core.ports import LATEST, Effect, Traffic
from bot.providers._google import Google
from bot.providers.cloud_run import CloudRun

KEY = "op/0/do"
STAMP = "aisq.dev/effect"


def split_of(rig: Any, shares: dict[int, int]) -> Traffic:
    return {rig.release(number): percent for number, percent in shares.items()}


def send(rig: Any, run: CloudRun, shares: dict[int, int], effect: Effect | None = None) -> str:
    return run.set_traffic(effect or rig.effect(run), target=rig.target, traffic=split_of(rig, shares))


def wait_for(condition: Callable[[], object]) -> None:
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)


@pytest.mark.parametrize(
    "shares", [{1: 100}, {2: 90, 1: 10}, {1: 34, 2: 33, 3: 33}, {3: 100}, {1: 100, 2: 0}, {1: 1, 2: 99}]
)
def test_a_split_is_set_and_served(rig: Any, run: CloudRun, shares: dict[int, int]) -> None:
    before = run.service(rig.target)
    operation = send(rig, run, shares)
    assert run.poll(rig.target, operation).state == "running"
    ended = rig.finished(run, operation)
    wanted = {release: percent for release, percent in split_of(rig, shares).items() if percent}
    after = run.service(rig.target)
    assert (ended.state, ended.version) == ("succeeded", str(int(before.version) + 1))
    assert after.asked == after.serving == rig.control.service(rig.path)["traffic"] == wanted
    assert after.version == ended.version


def test_following_the_newest_again(rig: Any, run: CloudRun) -> None:
    rig.finished(run, send(rig, run, {1: 100}))
    rig.finished(run, run.set_traffic(rig.effect(run, "op/1/do"), target=rig.target, traffic={LATEST: 100}))
    after = run.service(rig.target)
    assert after.asked == {LATEST: 100}
    assert after.serving == {rig.release(3): 100}


def test_each_step_starts_where_the_last_one_ended(rig: Any, run: CloudRun) -> None:
    version = run.service(rig.target).version
    for step, shares in enumerate([{1: 10, 3: 90}, {1: 50, 3: 50}, {1: 100}]):
        ended = rig.finished(run, send(rig, run, shares, Effect(key=f"op/{step}/do", version=version)))
        version = ended.version
    assert version == run.service(rig.target).version == "7"


def test_tags_stay_where_they_are(rig: Any, run: CloudRun) -> None:
    tagged = rig.control.release(rig.path, tag="preview", traffic=10)
    rig.settle()
    for step, shares in enumerate([{1: 100}, {1: 60, 2: 40}]):
        rig.finished(run, send(rig, run, shares, rig.effect(run, f"op/{step}/do")))
        assert run.service(rig.target).tags == {"preview": tagged}
    ended = run.set_traffic(rig.effect(run, "op/2/do"), target=rig.target, traffic={tagged: 100})
    rig.finished(run, ended)
    after = run.service(rig.target)
    assert (after.serving, after.tags) == ({tagged: 100}, {"preview": tagged})


def test_no_release_is_made_although_gcloud_named_the_last_one(rig: Any, run: CloudRun) -> None:
    before = [one.name for one in run.releases(rig.target)]
    rig.finished(run, send(rig, run, {1: 100}))
    assert [one.name for one in run.releases(rig.target)] == before


@pytest.mark.parametrize("traffic", [{"a": 90}, {"a": 60, "b": 50}, {}, {"a": 110, "b": -10}, {LATEST: 99}], ids=str)
def test_a_split_that_does_not_add_up_is_not_sent(rig: Any, run: CloudRun, traffic: Traffic) -> None:
    with pytest.raises(Permanent, match="traffic must add up to 100 %"):
        run.set_traffic(rig.effect(run), target=rig.target, traffic=traffic)
    assert not rig.calls("UpdateService")


@dataclass
class Case:
    """What is in the way of one call: how the call ends, and which calls the sandbox must have seen."""

    id: str
    fault: dict[str, Any]
    error: type[CloudError] | None
    words: str = ""
    method: str = "UpdateService"
    fields: dict[str, Any] = field(default_factory=dict)
    committed: int = 0
    updates: int = 1


CASES = [
    Case("etag conflict once", {"kind": "error", "code": "ABORTED"}, None, committed=1, updates=2),
    Case("etag conflict thrice", {"kind": "error", "code": "ABORTED", "times": 3}, None, committed=1, updates=4),
    Case(
        "etag conflict for ever", {"kind": "error", "code": "ABORTED", "times": 0}, Transient, "etag moved 4 times",
        updates=4,
    ),
    Case(
        "too many requests", {"kind": "error", "code": "RESOURCE_EXHAUSTED", "seconds": 7}, Transient, "quota",
        fields={"retry_after_s": 7.0},
    ),
    Case("503 before the commit", {"kind": "lose_request"}, Uncertain, "nobody here knows"),
    Case("503 after the commit", {"kind": "lose_answer"}, Uncertain, "nobody here knows", committed=1),
    Case("500", {"kind": "error", "code": "INTERNAL"}, Uncertain, "an error of its own"),
    Case(
        "no permission to change", {"kind": "error", "code": "PERMISSION_DENIED"}, Forbidden, "run.services.update",
        fields={"permission": "run.services.update"},
    ),
    Case("refused as wrong", {"kind": "error", "code": "INVALID_ARGUMENT"}, Permanent, "aisq could not give service"),
    Case("name taken", {"kind": "error", "code": "ALREADY_EXISTS"}, Permanent, "aisq could not give service"),
    Case(
        "read 503", {"kind": "error", "code": "UNAVAILABLE"}, Transient, "could not be reached", "GetService", updates=0
    ),
    Case(
        "no permission to read", {"kind": "error", "code": "PERMISSION_DENIED"}, Forbidden, "run.services.get",
        "GetService", {"permission": "run.services.get"}, updates=0,
    ),
    Case(
        "no permission to read releases", {"kind": "error", "code": "PERMISSION_DENIED"}, Forbidden,
        "run.revisions.get", "GetRevision", {"permission": "run.revisions.get"}, updates=0,
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_a_fault_becomes(rig: Any, run: CloudRun, case: Case) -> None:
    effect = rig.effect(run)
    rig.fault(**case.fault, method=case.method)
    if case.error is None:
        send(rig, run, {1: 100}, effect)
    else:
        with pytest.raises(case.error, match=case.words) as caught:
            send(rig, run, {1: 100}, effect)
        assert type(caught.value) is case.error
        assert {name: getattr(caught.value, name) for name in case.fields} == case.fields
        assert "\n" not in str(caught.value)
    assert len(rig.calls("UpdateService")) == case.updates
    assert len(rig.commits()) == case.committed


@pytest.mark.parametrize("kind", ["lose_request", "lose_answer"])
def test_after_a_lost_answer_looking_and_calling_again_commit_once(rig: Any, run: CloudRun, kind: str) -> None:
    effect = rig.effect(run)
    rig.fault(kind)
    with pytest.raises(Uncertain):
        send(rig, run, {1: 100}, effect)
    found = run.find(rig.target, KEY)
    assert (found is None) == (kind == "lose_request")
    operation = found or send(rig, run, {1: 100}, effect)
    with pytest.raises(Refused, match="it is at generation 5, not 4"):
        send(rig, run, {1: 100}, effect)
    assert rig.finished(run, operation).state == "succeeded"
    assert [call["annotations"][STAMP] for call in rig.commits()] == [KEY]


def test_a_call_that_arrives_late_commits_or_is_refused_but_never_both(rig: Any) -> None:
    """Our deadline passes while the network holds the call; the same effect is sent again, then the first arrives."""
    impatient = CloudRun(rig.google(write_timeout_s=0.3))
    effect = rig.effect(impatient)
    rig.fault("hold", seconds=0.8)
    with pytest.raises(Uncertain, match="no answer came in time"):
        send(rig, impatient, {1: 100}, effect)
    assert impatient.find(rig.target, KEY) is None
    operation = send(rig, impatient, {1: 100}, effect)
    wait_for(lambda: all(call["fate"] != "arrived" for call in rig.calls("UpdateService")))
    assert sorted(call["code"] for call in rig.calls("UpdateService")) in (["", "ABORTED"], ["", "CANCELLED"])
    assert len(rig.commits()) == 1
    assert impatient.find(rig.target, KEY) == operation


def test_many_at_once_with_one_effect_commit_once(rig: Any, run: CloudRun) -> None:
    effect = rig.effect(run)

    def call(_: int) -> str:
        try:
            return send(rig, run, {1: 100}, effect)
        except (Refused, Transient) as error:
            return type(error).__name__

    with ThreadPoolExecutor(6) as pool:
        ends = list(pool.map(call, range(12)))
    assert len(rig.commits()) == 1
    assert len([end for end in ends if "/operations/" in end]) == 1


def meanwhile(rig: Any, run: CloudRun, effect: Effect, act: Callable[[], object]) -> str | CloudError:
    """Send while the network holds the call; `act` once it has arrived, so after our read and before the commit."""
    rig.fault("hold", seconds=0.6)
    ends: list[str | CloudError] = []

    def call() -> None:
        try:
            ends.append(send(rig, run, {1: 100}, effect))
        except CloudError as error:
            ends.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    wait_for(lambda: rig.calls("UpdateService"))
    act()
    thread.join()
    return ends[0]


def test_an_etag_that_the_cloud_moved_is_read_again(rig: Any, run: CloudRun) -> None:
    """A rollout that ends moves the etag, and nobody changed anything."""
    rig.by_hand({2: 100})
    end = meanwhile(rig, run, rig.effect(run), rig.settle)
    assert isinstance(end, str)
    assert [call["code"] for call in rig.calls("UpdateService")] == ["ABORTED", ""]
    assert rig.finished(run, end).state == "succeeded"


@pytest.mark.parametrize("after_our_read", [True, False])
def test_somebody_elses_change_is_never_overwritten(rig: Any, run: CloudRun, after_our_read: bool) -> None:
    effect = rig.effect(run)

    def somebody() -> None:
        rig.by_hand({2: 100})

    if after_our_read:
        end = meanwhile(rig, run, effect, somebody)
    else:
        somebody()
        with pytest.raises(Refused) as caught:
            send(rig, run, {1: 100}, effect)
        end = caught.value
    who = run.service(rig.target).changed_by
    assert isinstance(end, Refused)
    found = f"it is at generation 5, not 4, with traffic {rig.release(2)} 100 %"
    assert f"was changed by {who} since it was looked at: {found}" in str(end)
    assert not rig.commits()
    assert run.find(rig.target, KEY) is None
    assert run.service(rig.target).asked == {rig.release(2): 100}


def test_an_unknown_version_is_refused(rig: Any, run: CloudRun) -> None:
    with pytest.raises(Refused, match="it is at generation 4, not known"):
        send(rig, run, {1: 100}, Effect(key=KEY, version=""))


@pytest.mark.parametrize("number", [1, 4])
def test_a_release_that_cannot_serve_is_refused_before_the_call(rig: Any, run: CloudRun, number: int) -> None:
    effect = rig.effect(run)
    if number == 1:
        rig.control.delete_release(rig.path, rig.release(1))
    kind, words = {
        1: (NotFound, f"has no release {rig.release(1)} any more; choose another"),
        4: (Permanent, f"release {rig.release(4)} of .* cannot serve: Revision .* is not ready"),
    }[number]
    with pytest.raises(kind, match=words) as caught:
        send(rig, run, {2: 50, number: 50}, effect)
    assert type(caught.value) is kind
    assert not rig.calls("UpdateService")


def test_a_stuck_operation_stays_running(rig: Any, run: CloudRun) -> None:
    rig.fault("stuck_rollout")
    operation = send(rig, run, {1: 100})
    for _ in range(3):
        assert rig.finished(run, operation).state == "running"


def test_a_failed_rollout_says_why_and_at_which_version(rig: Any, run: CloudRun) -> None:
    rig.fault("fail_rollout")
    ended = rig.finished(run, send(rig, run, {1: 100}))
    assert (ended.state, ended.version) == ("failed", "5")
    assert "is not ready and cannot serve traffic" in ended.detail
    assert "\n" not in ended.detail
    state = run.service(rig.target)
    assert state.serving == {rig.release(3): 100}
    assert state.trouble
    undone = rig.finished(run, send(rig, run, {3: 100}, Effect(key="op/0/undo", version=ended.version)))
    assert (undone.state, undone.version) == ("succeeded", "6")
    assert run.service(rig.target).trouble == ""


def test_other_peoples_annotations_stay(rig: Any, run: CloudRun, google: Google) -> None:
    theirs = run_v2.Service(name=rig.full, annotations={"team": "payments"})
    request = run_v2.UpdateServiceRequest(service=theirs, update_mask=FieldMask(paths=["annotations"]))
    google.client(run_v2.ServicesClient).update_service(request, **google.writing)
    rig.settle()
    rig.finished(run, send(rig, run, {1: 100}))
    kept = rig.control.service(rig.path)["annotations"]
    assert (kept["team"], kept[STAMP]) == ("payments", KEY)
