"""Looking at Cloud Run in the sandbox: services, releases, permissions, faults."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.core.errors import CloudError, Forbidden, NotFound, Permanent, Transient
from bot.core.ports import LATEST, SecretUse
from bot.core.request import Target
from bot.providers.cloud_run import CloudRun


def test_a_service(rig: Any, run: CloudRun) -> None:
    state = run.service(rig.target)
    assert state.asked == {LATEST: 100}
    assert state.serving == {rig.release(3): 100}
    assert state.latest_ready == rig.release(3)
    assert (state.version, state.busy, state.trouble) == ("4", False, "")
    assert state.url.startswith("https://")
    assert state.changed_by


def test_a_service_while_it_moves(rig: Any, run: CloudRun) -> None:
    rig.by_hand({1: 90, 2: 10})
    moving = run.service(rig.target)
    assert moving.busy
    assert moving.asked == {rig.release(1): 90, rig.release(2): 10}
    assert moving.serving == {rig.release(3): 100}
    rig.settle()
    moved = run.service(rig.target)
    assert not moved.busy
    assert moved.serving == moved.asked
    assert moved.version == moving.version == "5"


def test_a_deployment_that_takes_no_traffic(rig: Any, run: CloudRun) -> None:
    """A pinned service: the newest release is ready, and serves nothing."""
    rig.by_hand({2: 100})
    rig.settle()
    new = rig.control.release(rig.path, tag="preview")
    rig.settle()
    state = run.service(rig.target)
    assert state.latest_ready == new
    assert state.serving == {rig.release(2): 100}
    assert state.tags == {"preview": new}


def test_releases_newest_first(rig: Any, run: CloudRun) -> None:
    releases = run.releases(rig.target)
    assert [one.name for one in releases] == [rig.release(number) for number in (4, 3, 2, 1)]
    assert [one.ready for one in releases] == [False, True, True, True]
    assert releases[0].reason.startswith(f"Revision '{rig.release(4)}' is not ready and cannot serve traffic")
    assert "\n" not in releases[0].reason
    assert {one.secrets for one in releases} == {(SecretUse(secret="token", version="3"),)}
    assert all("@sha256:" in one.image and one.by and one.max_instances for one in releases)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_all_pages_are_read(rig: Any, run: CloudRun, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("bot.providers.cloud_run.reads.PAGE", size)
    assert len(run.releases(rig.target)) == 4
    assert len(rig.calls("ListRevisions")) == -(-4 // size)


@pytest.mark.parametrize("size", [1, 2, 100])
def test_what_runs_beside_it(rig: Any, run: CloudRun, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("bot.providers.cloud_run.reads.PAGE", size)
    before = calls(rig, "ListServices")
    places = run.places_beside(rig.target)
    names = [place["service"] for place in places]
    assert names == sorted(set(names)) and {rig.target.place["service"], "lone", "gcr-app"} <= set(names)
    assert {(place["project"], place["region"]) for place in places} == {("pool", "us-central1")}
    assert calls(rig, "ListServices") - before == -(-len(names) // size)


def test_where_nothing_runs_there_is_nothing_beside(run: CloudRun, target_of: Callable[[str], Target]) -> None:
    far = target_of("web")
    far = far.model_copy(update={"place": {**far.place, "region": "europe-west1"}})
    assert run.places_beside(far) == ()


def test_a_deleted_release_is_gone(rig: Any, run: CloudRun) -> None:
    rig.control.delete_release(rig.path, rig.release(1))
    assert rig.release(1) not in [one.name for one in run.releases(rig.target)]


@pytest.mark.parametrize("method", ["service", "releases"])
def test_a_service_that_does_not_exist(run: CloudRun, target_of: Callable[[str], Target], method: str) -> None:
    with pytest.raises(NotFound, match=r"could not .* service nosuch \(pool, us-central1\): .*does not exist"):
        getattr(run, method)(target_of("nosuch"))


@pytest.mark.parametrize("key", ["project", "region", "service"])
def test_a_target_without_a_place(run: CloudRun, target_of: Callable[[str], Target], key: str) -> None:
    whole = target_of("web")
    target = whole.model_copy(update={"place": {name: at for name, at in whole.place.items() if name != key}})
    with pytest.raises(Permanent, match=f"the catalog gives no {key} for s/prod/web"):
        run.service(target)


READS: list[tuple[str, str, str]] = [
    ("service", "GetService", "run.services.get"),
    ("releases", "ListRevisions", "run.revisions.list"),
    ("places_beside", "ListServices", "run.services.list"),
]


def struck(rig: Any, kind: str, call: str, **fields: Any) -> None:
    """The next call; one that lists a whole location is about no service."""
    rig.control.fault(kind, "*" if call == "ListServices" else rig.full, method=call, **fields)


def calls(rig: Any, call: str) -> int:
    """How many there were, about the service or about its whole location."""
    return len(rig.control.calls(rig.full.partition("/services/")[0] if call == "ListServices" else rig.full, call))


@pytest.mark.parametrize(("method", "call", "permission"), READS)
def test_the_missing_permission_is_named(rig: Any, run: CloudRun, method: str, call: str, permission: str) -> None:
    struck(rig, "error", call, code="PERMISSION_DENIED")
    with pytest.raises(Forbidden, match=permission) as caught:
        getattr(run, method)(rig.target)
    assert caught.value.permission == permission
    assert permission in run.PERMISSIONS[method]


@pytest.mark.parametrize(("method", "call", "permission"), READS)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "error", "code": "UNAVAILABLE"}, Transient),
        ({"kind": "error", "code": "INTERNAL"}, Transient),
        ({"kind": "error", "code": "RESOURCE_EXHAUSTED", "seconds": 7}, Transient),
        ({"kind": "lose_answer"}, Transient),
        ({"kind": "error", "code": "INVALID_ARGUMENT"}, Permanent),
    ],
)
def test_a_read_is_tried_once_and_says_what_went_wrong(
    rig: Any, run: CloudRun, method: str, call: str, permission: str, fault: dict[str, Any], kind: type[CloudError]
) -> None:
    struck(rig, call=call, **fault)
    before = calls(rig, call)
    with pytest.raises(kind, match=rf"aisq could not .*service {rig.name}") as caught:
        getattr(run, method)(rig.target)
    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after_s", 0) == fault.get("seconds", 0)
    assert calls(rig, call) - before == 1


@pytest.mark.parametrize(("method", "call", "permission"), READS)
def test_a_slow_answer_meets_our_deadline(rig: Any, method: str, call: str, permission: str) -> None:
    struck(rig, "error", call, code="DEADLINE_EXCEEDED")
    impatient = CloudRun(rig.google(read_timeout_s=0.2))
    with pytest.raises(Transient, match="no answer came in time"):
        getattr(impatient, method)(rig.target)


def test_a_cloud_that_cannot_be_reached(rig: Any) -> None:
    from bot.providers._google import Google

    nobody = CloudRun(Google("127.0.0.1:9", read_timeout_s=2))
    with pytest.raises(Transient, match="could not be reached") as caught:
        nobody.service(rig.target)
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize(
    ("traffic", "to"),
    [
        ({"web-2": 90, "web-1": 10}, "--to-revisions=web-2=90,web-1=10"),
        ({"web-1": 10, "web-2": 90, "web-3": 0}, "--to-revisions=web-2=90,web-1=10"),
        ({"web-1": 100}, "--to-revisions=web-1=100"),
        ({LATEST: 100}, "--to-latest"),
        ({LATEST: 100, "web-1": 0}, "--to-latest"),
        ({LATEST: 5, "web-1": 95}, "--to-revisions=web-1=95,LATEST=5"),
        ({"web 1;rm": 100}, "'--to-revisions=web 1;rm=100'"),
    ],
)
def test_by_hand(run: CloudRun, target_of: Callable[[str], Target], traffic: dict[str, int], to: str) -> None:
    line = run.by_hand_traffic(target_of("web"), traffic)
    assert line == f"gcloud run services update-traffic web {to} --region=us-central1 --project=pool"
