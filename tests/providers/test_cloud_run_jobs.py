"""Jobs in the sandbox: run at most once a key, whatever goes wrong."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core import exceptions as gx
from google.cloud import run_v2

from bot.core.errors import CloudError, Forbidden, NotFound, Permanent, Refused, Transient, Uncertain
from bot.core.ports import Effect, JobState, Progress
from bot.providers._google import Google
from bot.providers.cloud_run import CloudRun, stamp
from tests.providers.recorded import NAME, TARGET

KEY = "op/0/do"


def effect_of(rig: Any, run: CloudRun, position: int = 0) -> Effect:
    """Of an operation that is this test's alone: a run is found by its key in the whole location."""
    return rig.effect(run, f"{rig.name}/{position}/do")


def send(rig: Any, run: CloudRun, effect: Effect | None = None, image: str = "") -> str:
    return run.run_job(effect or effect_of(rig, run), target=rig.target, job=rig.job, image=image)


def finished(rig: Any, run: CloudRun, operation: str) -> Progress:
    rig.control.advance(30)
    return run.poll(rig.target, operation)


def commits(rig: Any) -> int:
    return len([call for call in rig.control.calls(rig.job, "UpdateJob") if call["committed"]])


def test_a_run_is_made_and_followed_to_its_end(rig: Any, run: CloudRun) -> None:
    before = run.service(rig.target).version
    operation = send(rig, run)
    assert operation.endswith(f"/jobs/{rig.job}/executions/{rig.job}-{rig.name}-0d@{before}")
    assert run.poll(rig.target, operation) == Progress(state="running")
    assert run.job(rig.target, rig.job).last_ended == "running"
    assert finished(rig, run, operation) == Progress(state="succeeded", version=before)
    assert run.service(rig.target).version == before, "the service is left alone"
    state = run.job(rig.target, rig.job)
    assert (state.last_run, state.last_ended, state.version) == (f"{rig.job}-{rig.name}-0d", "succeeded", "2")


def test_the_run_carries_our_key(rig: Any, run: CloudRun) -> None:
    send(rig, run)
    (made,) = rig.runs()
    assert made["annotations"] == {stamp.KEY: f"{rig.name}/0/do", stamp.VERSION: "4"}


def test_of_another_image_by_digest(rig: Any, run: CloudRun) -> None:
    image = rig.control.push("us-central1-docker.pkg.dev/pool/app/migrate", "v2")
    finished(rig, run, send(rig, run, image=image))
    assert rig.runs()[0]["image"] == image == run.job(rig.target, rig.job).image
    with pytest.raises(Permanent, match="by digest, …@sha256:…, because tags move"):
        send(rig, run, effect_of(rig, run, 1), image=image.partition("@")[0] + ":v2")
    assert len(rig.runs()) == 1


def test_a_run_that_fails_says_why_and_leaves_the_version(rig: Any, run: CloudRun) -> None:
    rig.control.job_quality(rig.job_path, fails=True)
    ended = finished(rig, run, send(rig, run))
    assert (ended.state, ended.version) == ("failed", "4")
    assert ended.detail == f"Task {rig.job}-{rig.name}-0d-task0 failed with message: The container exited with an error"


def test_each_step_has_a_run_of_its_own(rig: Any, run: CloudRun) -> None:
    for position in range(3):
        finished(rig, run, send(rig, run, effect_of(rig, run, position)))
    assert [one["name"].removeprefix(f"{rig.job}-") for one in rig.runs()] == [
        f"{rig.name}-{position}d" for position in range(3)
    ]


@pytest.mark.parametrize("kind", ["lose_request", "lose_answer"])
@pytest.mark.parametrize("forgotten", [False, True])
def test_after_a_lost_answer_it_is_adopted_and_never_run_twice(
    rig: Any, run: CloudRun, kind: str, forgotten: bool
) -> None:
    effect = effect_of(rig, run)
    rig.control.fault(kind, rig.job, method="UpdateJob")
    with pytest.raises(Uncertain, match="run job"):
        send(rig, run, effect)
    if forgotten:
        rig.control.fault("forget_operations", rig.job, times=0)
    found = run.find(rig.target, effect.key)
    assert (found is None) == (kind == "lose_request" or forgotten)
    operation = found or send(rig, run, effect)
    assert send(rig, run, effect) == operation
    assert finished(rig, run, operation).state == "succeeded"
    assert send(rig, run, effect) == operation, "long after"
    assert commits(rig) == len(rig.runs()) == 1


def test_a_call_that_arrives_late_runs_nothing_more(rig: Any) -> None:
    impatient = CloudRun(rig.google(write_timeout_s=0.3))
    effect = effect_of(rig, impatient)
    rig.control.fault("hold", rig.job, method="UpdateJob", seconds=0.8)
    with pytest.raises(Uncertain, match="no answer came in time"):
        send(rig, impatient, effect)
    operation = send(rig, impatient, effect)
    deadline = threading.Event()
    while not all(call["fate"] != "arrived" for call in rig.control.calls(rig.job, "UpdateJob")):
        deadline.wait(0.01)
    assert len(rig.runs()) == 1
    assert finished(rig, impatient, operation).state == "succeeded"


def test_many_at_once_with_one_effect_run_once(rig: Any, run: CloudRun) -> None:
    effect = effect_of(rig, run)
    with ThreadPoolExecutor(6) as pool:
        ends = set(pool.map(lambda _: send(rig, run, effect), range(12)))
    assert len(ends) == len(rig.runs()) == 1


def test_somebody_changed_the_service_since(rig: Any, run: CloudRun) -> None:
    effect = effect_of(rig, run)
    rig.by_hand({2: 100})
    with pytest.raises(Refused, match="it is at generation 5, not 4"):
        send(rig, run, effect)
    assert not rig.runs()


def test_an_etag_that_moved_is_read_again(rig: Any, run: CloudRun) -> None:
    rig.control.fault("error", rig.job, method="UpdateJob", code="ABORTED", times=2)
    send(rig, run)
    assert len(rig.runs()) == 1
    rig.control.fault("error", rig.job, method="UpdateJob", code="ABORTED", times=0)
    with pytest.raises(Transient, match="its etag moved 4 times"):
        send(rig, run, effect_of(rig, run, 1))


@pytest.mark.parametrize(
    ("method", "code", "kind", "permission"),
    [
        ("UpdateJob", "PERMISSION_DENIED", Forbidden, "run.jobs.update"),
        ("GetJob", "PERMISSION_DENIED", Forbidden, "run.jobs.get"),
        ("GetExecution", "PERMISSION_DENIED", Forbidden, "run.executions.get"),
        ("UpdateJob", "RESOURCE_EXHAUSTED", Transient, ""),
        ("GetJob", "UNAVAILABLE", Transient, ""),
        ("UpdateJob", "INVALID_ARGUMENT", Permanent, ""),
    ],
)
def test_faults(rig: Any, run: CloudRun, method: str, code: str, kind: type[CloudError], permission: str) -> None:
    effect = effect_of(rig, run)
    rig.control.fault("error", rig.job, method=method, code=code)
    with pytest.raises(kind) as caught:
        send(rig, run, effect)
    assert type(caught.value) is kind
    if isinstance(caught.value, Forbidden):
        assert caught.value.permission == permission in CloudRun.PERMISSIONS["run_job"]
    assert not rig.runs()


def test_a_job_that_is_not_there(rig: Any, run: CloudRun) -> None:
    with pytest.raises(NotFound, match="aisq could not read job nothing"):
        run.job(rig.target, "nothing")
    with pytest.raises(NotFound):
        run.run_job(effect_of(rig, run), target=rig.target, job="nothing")


def test_a_job_that_never_ran(rig: Any, run: CloudRun) -> None:
    image = f"us-central1-docker.pkg.dev/pool/app/{rig.job}:latest"
    assert run.job(rig.target, rig.job) == JobState(name=rig.job, image=image, version="1")


def test_by_hand(run: CloudRun) -> None:
    assert run.by_hand_job(TARGET, "migrate") == "gcloud run jobs execute migrate --wait --region=r --project=p"
    said = run.by_hand_job(TARGET, "migrate", "web@sha256:7")
    assert said == ("gcloud run jobs update migrate --image=web@sha256:7 --execute-now --wait --region=r --project=p")


# --- answers that the sandbox never gives


class Recorded(Google):
    """A job and a run as the test has them."""

    def __init__(self, job: dict[str, Any], run: run_v2.Execution | None = None) -> None:
        super().__init__()
        self.job, self.run, self.refuses = run_v2.Job({"name": "projects/p/locations/r/jobs/m", **job}), run, False

    def client(self, kind: type[Any], host: str = "") -> Any:
        return self

    def get_service(self, *_: Any, **__: Any) -> run_v2.Service:
        return run_v2.Service(name=NAME, generation=7)

    def get_job(self, *_: Any, **__: Any) -> run_v2.Job:
        return run_v2.Job(self.job)

    def get_execution(self, *_: Any, **__: Any) -> run_v2.Execution:
        if self.run is None:
            raise gx.NotFound("no")
        return self.run

    def update_job(self, request: run_v2.UpdateJobRequest, **_: Any) -> Any:
        self.sent = request.job
        if self.refuses:
            raise gx.AlreadyExists("Resource 'm-op-0d' already exists.")
        return SimpleNamespace()


RUN = "projects/p/locations/r/jobs/m/executions/m-op-0d@7"
CONTAINERS = {"template": {"template": {"containers": [{"image": "m:1"}]}}}


def ran(google: Recorded) -> str:
    return CloudRun(google).run_job(Effect(key=KEY, version="7"), target=TARGET, job="m")


def test_what_is_sent() -> None:
    google = Recorded({**CONTAINERS, "etag": '"e"', "labels": {"team": "ops"}, "annotations": {"a": "b"}})
    assert ran(google) == RUN
    assert (google.sent.etag, google.sent.start_execution_token) == ('"e"', "op-0d")
    assert dict(google.sent.labels) == {"team": "ops"}
    assert dict(google.sent.annotations) == {"a": "b", stamp.KEY: KEY, stamp.VERSION: "7"}
    assert dict(google.sent.template.annotations) == {stamp.KEY: KEY, stamp.VERSION: "7"}


def test_a_run_that_cannot_be_seen_yet_is_not_begun_again() -> None:
    google = Recorded({**CONTAINERS, "annotations": {stamp.KEY: KEY}, "start_execution_token": "op-0d"})
    assert ran(google) == RUN
    assert not hasattr(google, "sent")
    assert CloudRun(google).poll(TARGET, RUN) == Progress(state="running")


def test_a_name_that_is_taken_by_our_own_earlier_call_is_adopted() -> None:
    google = Recorded(CONTAINERS)
    google.refuses = True
    with pytest.raises(Permanent, match="already exists"):
        ran(google)
    google.get_job = lambda *_, **__: (setattr(google, "run", run_v2.Execution()), run_v2.Job(google.job))[1]  # type: ignore[method-assign]
    assert ran(google) == RUN


def test_a_job_without_a_container() -> None:
    with pytest.raises(Permanent, match="has no container"):
        CloudRun(Recorded({})).run_job(
            Effect(key=KEY, version="7"), target=TARGET, job="m", image=f"m@sha256:{'7' * 64}"
        )
    assert CloudRun(Recorded({})).job(TARGET, "m").image == ""


@pytest.mark.parametrize(
    ("job", "progress"),
    [
        ({"start_execution_token": "op-0d"}, Progress(state="running")),
        (
            {"start_execution_token": "op-0d", "terminal_condition": {"state": 3, "message": "No quota."}},
            Progress(state="failed", version="7", detail="No quota"),
        ),
    ],
)
def test_a_run_that_is_not_there_yet(job: dict[str, Any], progress: Progress) -> None:
    assert CloudRun(Recorded(job)).poll(TARGET, RUN) == progress


def test_a_run_that_is_gone_after_somebody_ran_the_job_again() -> None:
    with pytest.raises(Uncertain, match="run m-op-0d of job m is not there"):
        CloudRun(Recorded({"start_execution_token": "other"})).poll(TARGET, RUN)


@pytest.mark.parametrize(
    ("conditions", "progress"),
    [
        ([], Progress(state="running")),
        ([{"type_": "Completed", "state": 2}], Progress(state="running")),
        ([{"type_": "Completed", "state": 4}], Progress(state="succeeded", version="7")),
        (
            [{"type_": "Completed", "state": 3}],
            Progress(state="failed", version="7", detail="the run failed, and nobody says why"),
        ),
    ],
)
def test_progress(conditions: list[Any], progress: Progress) -> None:
    execution = run_v2.Execution({"conditions": conditions})
    assert CloudRun(Recorded({}, execution)).poll(TARGET, RUN) == progress
