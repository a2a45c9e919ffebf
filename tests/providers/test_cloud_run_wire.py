"""What is sent to Cloud Run, to the field, and answers that the sandbox never gives."""

from typing import Any

import pytest
from google.cloud import run_v2

from bot.core.errors import NotFound, Permanent, Refused, Uncertain
from bot.core.ports import LATEST, Effect, Progress
from bot.providers.cloud_run import CloudRun, stamp
from tests.providers.recorded import NAME, TARGET, Recorded, stamped


def entry(target: run_v2.TrafficTarget) -> tuple[str, str, int, str]:
    return ({1: "LATEST", 2: "REVISION"}[target.type_], target.revision, target.percent, target.tag)


def tagged(revision: str, tag: str, percent: int = 0) -> dict[str, Any]:
    return {"type_": 2, "revision": revision, "tag": tag, "percent": percent}


@pytest.mark.parametrize(
    ("before", "traffic", "sent"),
    [
        ([], {"web-1": 100}, [("REVISION", "web-1", 100, "")]),
        (
            [{"type_": 1, "percent": 100}],
            {"web-1": 10, "web-2": 90},
            [("REVISION", "web-2", 90, ""), ("REVISION", "web-1", 10, "")],
        ),
        ([tagged("web-9", "", 0)], {"web-1": 100, "web-2": 0}, [("REVISION", "web-1", 100, "")]),
        (
            [tagged("web-1", "live", 60), tagged("web-2", "old", 40)],
            {"web-1": 100},
            [("REVISION", "web-1", 100, ""), ("REVISION", "web-1", 0, "live"), ("REVISION", "web-2", 0, "old")],
        ),
        (
            [{"type_": 1, "percent": 100, "tag": "next"}],
            {"web-1": 100},
            [("REVISION", "web-1", 100, ""), ("LATEST", "", 0, "next")],
        ),
        ([tagged("web-1", "live", 100)], {LATEST: 100}, [("LATEST", "", 100, ""), ("REVISION", "web-1", 0, "live")]),
        (
            [],
            {LATEST: 10, "web-1": 90},
            [("REVISION", "web-1", 90, ""), ("LATEST", "", 10, "")],
        ),
    ],
)
def test_traffic_targets(before: list[Any], traffic: dict[str, int], sent: list[Any]) -> None:
    google = Recorded({"traffic": before, "latest_ready_revision": f"{NAME}/revisions/web-3"})
    CloudRun(google).set_traffic(Effect(key="k", version="7"), target=TARGET, traffic=traffic)
    assert [entry(target) for target in google.sent[0].service.traffic] == sent


def test_the_rest_of_an_update() -> None:
    google = Recorded({"annotations": {"team": "ops", stamp.KEY: "older"}, "template": {"revision": "web-00007-abc"}})
    CloudRun(google).set_traffic(Effect(key="op/0/do", version="7"), target=TARGET, traffic={"web-1": 100})
    request = google.sent[0]
    assert list(request.update_mask.paths) == ["traffic", "annotations"]
    assert request.service.etag == '"e7"'
    assert request.service.template.revision == ""
    marks = {"team": "ops", stamp.KEY: "op/0/do", stamp.VERSION: "7"}
    assert dict(request.service.annotations) == marks
    assert not request.allow_missing
    assert not request.validate_only


def test_every_call_has_a_deadline_and_no_hidden_retry() -> None:
    google = Recorded({})
    CloudRun(google).set_traffic(Effect(key="k", version="7"), target=TARGET, traffic={"web-1": 100})
    assert google.options == [{"retry": None, "timeout": 10.0}, {"retry": None, "timeout": 15.0}]


def test_the_newest_release_must_be_ready_to_follow_it() -> None:
    google = Recorded({"latest_ready_revision": ""})
    with pytest.raises(Permanent, match="has no release that is ready"):
        CloudRun(google).set_traffic(Effect(key="k", version="7"), target=TARGET, traffic={LATEST: 100})
    assert not google.sent


def test_a_change_that_asked_for_nothing_new_is_not_made_twice() -> None:
    """Should such a change make no generation, the version alone would let it through again."""
    google = Recorded({"annotations": {stamp.KEY: "k", stamp.VERSION: "7"}})
    found = CloudRun(google).set_traffic(Effect(key="k", version="7"), target=TARGET, traffic={"web-1": 100})
    assert found == f"{NAME}@7"
    assert not google.sent


@pytest.mark.parametrize("who", ["", "ana@example.com"])
def test_who_changed_it(who: str) -> None:
    google = Recorded({"last_modifier": who})
    with pytest.raises(Refused, match=f"was changed by {who or 'somebody'} since it was looked at"):
        CloudRun(google).set_traffic(Effect(key="k", version="6"), target=TARGET, traffic={"web-1": 100})
    with pytest.raises(Uncertain, match=f"changed again{' by ' + who if who else ''} before"):
        CloudRun(google).poll(TARGET, f"{NAME}@6")


def test_a_later_write_of_ours_is_not_taken_for_the_one_that_is_watched() -> None:
    google = Recorded({"annotations": {stamp.KEY: "later", stamp.VERSION: "6"}, "terminal_condition": {"state": 4}})
    with pytest.raises(Uncertain, match="was changed again before our change was seen to end"):
        CloudRun(google).poll(TARGET, f"{NAME}@6")


def test_no_releases_at_all_is_asked_after() -> None:
    """A service always has one; Google answers with an empty list for a parent that does not exist."""
    google = Recorded({}, revisions=())
    assert CloudRun(google).releases(TARGET) == ()
    assert google.options  # the service was read, which raises NotFound when there is none


def test_a_release_that_is_being_deleted_is_left_out() -> None:
    assert [one.name for one in CloudRun(Recorded({})).releases(TARGET)] == ["web-2", "web-1"]


def test_a_release_that_is_gone() -> None:
    with pytest.raises(NotFound, match="has no release web-9 any more"):
        CloudRun(Recorded({})).set_traffic(Effect(key="k", version="7"), target=TARGET, traffic={"web-9": 100})


@pytest.mark.parametrize(
    ("operations", "found"),
    [
        ([], None),
        ([stamped(8)], 0),
        ([stamped(8, key="other")], None),
        ([stamped(9), stamped(8)], 1),  # the newer one is somebody else's, who kept our mark
        ([stamped(9), stamped(9)], 1),  # both tell the newest state: ours is the older one
        ([stamped(8, name="projects/123/locations/r/services/web")], 0),  # the project by number
        ([stamped(8, name="projects/p/locations/r/services/webshop")], None),
        ([run_v2.Job(name="projects/p/locations/r/jobs/web", annotations={stamp.KEY: "l", stamp.VERSION: "7"})], None),
        ([stamped(8, version="not a number")], None),
    ],
)
def test_which_operation_is_ours(operations: list[Any], found: int | None) -> None:
    google = Recorded({})
    made = [google.operation(one) for one in operations]
    assert CloudRun(google).find(TARGET, "k") == (None if found is None else made[found])


@pytest.mark.parametrize(
    ("message", "fields", "progress"),
    [
        (stamped(8), {"done": False}, Progress(state="running", version="8")),  # another write may be made over it
        (stamped(8), {}, Progress(state="succeeded", version="8")),
        (stamped(9), {}, Progress(state="succeeded", version="8")),  # somebody changed it before it ended
        (stamped(7), {}, Progress(state="succeeded", version="7")),  # it asked for nothing new
        (stamped(8), {"error": "Broke.\n\nLogs: x"}, Progress(state="failed", version="8", detail="Broke")),
        (run_v2.Service(name=NAME, generation=9), {}, Progress(state="succeeded")),  # all annotations were replaced
        (run_v2.Job(name="j"), {}, Progress(state="succeeded")),
    ],
)
def test_progress(message: Any, fields: dict[str, Any], progress: Progress) -> None:
    google = Recorded({})
    name = google.operation(message, **fields)
    assert CloudRun(google).poll(TARGET, name) == progress


@pytest.mark.parametrize(
    ("service", "progress"),
    [
        ({"reconciling": True}, Progress(state="running", version="7")),
        ({"observed_generation": 7, "terminal_condition": {"state": 4}}, Progress(state="succeeded", version="7")),
        ({"observed_generation": 6, "terminal_condition": {"state": 4}}, Progress(state="failed", version="7")),
        (
            {"observed_generation": 6, "terminal_condition": {"state": 3, "message": "Broke."}},
            Progress(state="failed", version="7", detail="Broke"),
        ),
    ],
)
def test_progress_by_watching(service: dict[str, Any], progress: Progress) -> None:
    google = Recorded({"annotations": {stamp.KEY: "k", stamp.VERSION: "6"}, **service})
    assert CloudRun(google).find(TARGET, "k") == f"{NAME}@7"
    assert CloudRun(google).poll(TARGET, f"{NAME}@7") == progress
