"""Releases and sizes as they are sent to Cloud Run, to the field."""

from typing import Any

import pytest
from google.cloud import run_v2

from bot.core.errors import NotFound, Permanent, Refused, Uncertain
from bot.core.ports import LATEST, Effect, Progress, Sizing, Traffic
from bot.providers.cloud_run import CloudRun, stamp
from tests.providers.recorded import NAME, TARGET, Recorded, stamped

IMAGE = f"us-docker.pkg.dev/p/app/web@sha256:{'7' * 64}"
EFFECT = Effect(key="7k3q000000/2/do", version="7")
MADE = f"{NAME}/revisions/web-new@8"
SIDECAR = {"name": "proxy", "image": "proxy:1"}
WEB = {"image": "web:6", "ports": [{"container_port": 80}], "resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}}}
TEMPLATE = {
    "revision": "web-00007-abc",
    "labels": {"schema": "12", "git": "abc"},
    "containers": [SIDECAR, WEB],
    "max_instance_request_concurrency": 80,
}


def google(**service: Any) -> Recorded:
    return Recorded({"template": TEMPLATE, "traffic": [{"type_": 1, "percent": 100}], **service})


def release(recorded: Recorded, traffic: Traffic | None = None, **more: Any) -> run_v2.UpdateServiceRequest:
    asked: dict[str, Any] = {"name": "web-new", "image": IMAGE, **more}
    assert CloudRun(recorded).release(EFFECT, target=TARGET, traffic=traffic or {"web-2": 100}, **asked) == MADE
    return recorded.sent[0]


def scale(recorded: Recorded, key: str = EFFECT.key, **sizing: Any) -> run_v2.UpdateServiceRequest:
    CloudRun(recorded).scale(Effect(key=key, version="7"), target=TARGET, sizing=Sizing(**sizing))
    return recorded.sent[0]


def limits(request: run_v2.UpdateServiceRequest) -> dict[str, str]:
    return dict(request.service.template.containers[1].resources.limits)


# --- a release


def test_a_release_is_the_newest_one_with_another_image_and_no_traffic() -> None:
    request = release(google(annotations={"team": "ops"}))
    template = request.service.template
    assert list(request.update_mask.paths) == ["template", "traffic", "annotations"]
    assert request.service.etag == '"e7"'
    assert (template.revision, [one.image for one in template.containers]) == ("web-new", ["proxy:1", IMAGE])
    assert dict(template.labels) == TEMPLATE["labels"]
    assert limits(request) == {"cpu": "1000m", "memory": "1Gi"}
    assert [(one.revision, one.percent, one.tag) for one in request.service.traffic] == [("web-2", 100, "")]
    marks = {stamp.KEY: EFFECT.key, stamp.VERSION: "7", stamp.RELEASE: "web-new"}
    assert dict(request.service.annotations) == {"team": "ops", **marks}


@pytest.mark.parametrize(
    ("tag", "before", "sent"),
    [
        ("", [], []),
        ("next", [], [("web-new", "next")]),
        ("", [{"type_": 2, "revision": "web-1", "tag": "live"}], [("web-1", "live")]),
        ("next", [{"type_": 2, "revision": "web-1", "tag": "live"}], [("web-1", "live"), ("web-new", "next")]),
        ("next", [{"type_": 2, "revision": "web-1", "tag": "next"}], [("web-new", "next")]),  # it moves
    ],
)
def test_preview_tags(tag: str, before: list[Any], sent: list[Any]) -> None:
    request = release(google(traffic=[*before, {"type_": 1, "percent": 100}]), {"web-1": 90, "web-2": 10}, tag=tag)
    shares, tags = list(request.service.traffic)[:2], list(request.service.traffic)[2:]
    assert [(one.revision, one.percent) for one in shares] == [("web-1", 90), ("web-2", 10)]
    assert [(one.revision, one.tag, one.percent) for one in tags] == [(*pair, 0) for pair in sent]


def test_labels_and_size_of_a_release() -> None:
    sizing = Sizing(min_instances=2, max_instances=30, cpu=2, memory_mb=2048, concurrency=40)
    request = release(google(), labels={"schema": "13"}, sizing=sizing)
    assert list(request.update_mask.paths) == ["scaling", "template", "traffic", "annotations"]
    assert dict(request.service.template.labels) == {"schema": "13", "git": "abc"}
    assert limits(request) == {"cpu": "2000m", "memory": "2048Mi"}
    assert request.service.template.max_instance_request_concurrency == 40
    assert (request.service.scaling.min_instance_count, request.service.scaling.max_instance_count) == (2, 30)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"traffic": {LATEST: 100}}, "traffic stays at releases by name"),
        ({"traffic": {"web-1": 90}}, "traffic must add up to 100 %"),
        ({"name": "shop-1"}, r"is called web-…, not shop-1"),
        ({"image": "us-docker.pkg.dev/p/app/web:7"}, "of an image by digest"),
        ({"image": "us-docker.pkg.dev/p/app/web@sha256:7"}, "because tags move"),
        ({"image": ""}, "by digest"),
    ],
)
def test_a_release_that_will_not_do_is_not_sent(asked: dict[str, Any], words: str) -> None:
    recorded = google()
    with pytest.raises(Permanent, match=words):
        release(recorded, **{"traffic": {"web-1": 100}, **asked})
    assert not recorded.sent


def test_traffic_meanwhile_is_at_releases_that_can_serve() -> None:
    with pytest.raises(NotFound, match="has no release web-9 any more"):
        release(google(), {"web-9": 100})


def test_a_service_without_a_container_has_nothing_to_be_like() -> None:
    with pytest.raises(Permanent, match="no container"):
        release(google(template={}))


# --- what became of a release


def made(generation: int, key: str = EFFECT.key, revision: str = "web-new") -> run_v2.Service:
    service = stamped(generation, key)
    service.annotations[stamp.RELEASE] = revision
    return service


def test_a_release_is_found_by_its_operation_or_by_the_mark() -> None:
    recorded = google()
    recorded.operation(made(8), done=False)
    assert CloudRun(recorded).find(TARGET, EFFECT.key) == MADE
    recorded.operations.clear()
    assert CloudRun(recorded).find(TARGET, EFFECT.key) is None
    recorded.now = made(8)
    assert CloudRun(recorded).find(TARGET, EFFECT.key) == MADE


def test_calling_again_after_it_was_made_makes_no_other() -> None:
    recorded = google()
    recorded.now = made(7)  # should the cloud count no generation for it
    assert CloudRun(recorded).release(
        EFFECT, target=TARGET, name="web-new", image=IMAGE, traffic={"web-1": 100}
    ) == MADE.replace("@8", "@7")
    assert not recorded.sent


def test_it_is_made_when_it_is_there_however_long_it_starts() -> None:
    recorded = google()
    recorded.now = made(8)
    recorded.now.reconciling = True
    assert CloudRun(recorded).poll(TARGET, MADE) == Progress(state="running", version="8")
    recorded.revisions = ("web-new",)
    assert CloudRun(recorded).poll(TARGET, MADE) == Progress(state="succeeded", version="8")


def test_a_release_that_never_came_to_be() -> None:
    recorded = google()
    recorded.now = made(8)
    recorded.now.terminal_condition = run_v2.Condition(state=3, message="No quota.")
    assert CloudRun(recorded).poll(TARGET, MADE) == Progress(state="failed", version="8", detail="No quota")
    recorded.now.generation = 9
    with pytest.raises(Uncertain, match="changed again"):
        CloudRun(recorded).poll(TARGET, MADE)


def test_the_mark_of_a_release_goes_with_the_next_change() -> None:
    recorded = google()
    recorded.now = made(7, key="earlier")
    CloudRun(recorded).set_traffic(EFFECT, target=TARGET, traffic={"web-1": 100})
    assert stamp.RELEASE not in recorded.sent[0].service.annotations


# --- size


@pytest.mark.parametrize(
    ("scaling", "template", "asked", "fields", "bounds"),
    [
        ({}, {}, {"min_instances": 2}, ["scaling"], ((2, 0), (0, 0))),
        ({}, {}, {"max_instances": 50}, ["scaling"], ((0, 50), (0, 0))),
        (
            {},
            {},
            {"max_instances": 150},
            ["scaling", "template"],
            ((0, 150), (0, 150)),
        ),  # of a revision: 100 unless said
        ({}, {"max_instance_count": 20}, {"max_instances": 10}, ["scaling"], ((0, 10), (0, 20))),
        ({}, {"max_instance_count": 20}, {"max_instances": 30}, ["scaling", "template"], ((0, 30), (0, 30))),
        ({}, {"min_instance_count": 3}, {"min_instances": 5}, ["scaling"], ((5, 0), (3, 0))),
        ({}, {"min_instance_count": 3}, {"min_instances": 1}, ["scaling", "template"], ((1, 0), (0, 0))),
        ({"min_instance_count": 2}, {}, {"min_instances": 2}, [], ((2, 0), (0, 0))),  # so it is already
        ({"min_instance_count": 2}, {}, {"min_instances": 0}, ["scaling"], ((0, 0), (0, 0))),
    ],
)
def test_bounds_are_the_services_own_where_that_is_enough(
    scaling: dict[str, int], template: dict[str, int], asked: dict[str, int], fields: list[str], bounds: Any
) -> None:
    recorded = google(scaling=scaling, template={**TEMPLATE, "scaling": template})
    assert CloudRun(recorded).makes_release(TARGET, Sizing(**asked)) == ("template" in fields)
    request = scale(recorded, **asked)
    assert list(request.update_mask.paths) == [*fields, "annotations"]
    found = (request.service.scaling, request.service.template.scaling)
    assert tuple((one.min_instance_count, one.max_instance_count) for one in found) == bounds
    assert request.service.template.revision == ("web-7k3q000000-2d" if "template" in fields else "")


@pytest.mark.parametrize(
    ("asked", "cpu", "memory", "concurrency"),
    [
        ({"cpu": 2}, "2000m", "1Gi", 80),
        ({"cpu": 0.5, "concurrency": 1}, "500m", "1Gi", 1),
        ({"memory_mb": 1536}, "1000m", "1536Mi", 80),
        ({"concurrency": 200}, "1000m", "1Gi", 200),
    ],
)
def test_the_size_of_an_instance_needs_a_new_release(
    asked: dict[str, Any], cpu: str, memory: str, concurrency: int
) -> None:
    request = scale(google(), **asked)
    assert list(request.update_mask.paths) == ["template", "annotations"]
    assert limits(request) == {"cpu": cpu, "memory": memory}
    assert request.service.template.max_instance_request_concurrency == concurrency
    assert stamp.RELEASE not in request.service.annotations  # it takes traffic, so its rollout is waited for


@pytest.mark.parametrize("asked", [{"cpu": 1}, {"memory_mb": 1024}, {"concurrency": 80}])
def test_a_size_that_it_has_makes_no_release(asked: dict[str, Any]) -> None:
    assert not CloudRun(google()).makes_release(TARGET, Sizing(**asked))


@pytest.mark.parametrize(("key", "name"), [("op/0/do", "web-op-0d"), ("op/0/undo", "web-op-0u"), ("op", "web-op-")])
def test_a_release_that_nobody_named_is_named_after_its_write(key: str, name: str) -> None:
    assert scale(google(), key, cpu=2).service.template.revision == name


@pytest.mark.parametrize("traffic", [[{"type_": 2, "revision": "web-1", "percent": 100}], [{"type_": 1, "tag": "t"}]])
def test_a_new_release_that_would_serve_nobody_is_not_made(traffic: list[Any]) -> None:
    whole = traffic if traffic[0].get("percent") else [*traffic, {"type_": 2, "revision": "web-1", "percent": 100}]
    recorded = google(traffic=whole)
    with pytest.raises(Permanent, match="held at named releases, and that size needs a new one"):
        scale(recorded, cpu=2)
    assert not recorded.sent
    assert scale(recorded, min_instances=2), "bounds of the service hold for whatever serves"


def test_a_size_is_not_given_to_a_release_like_one_that_never_started() -> None:
    recorded = google(latest_created_revision=f"{NAME}/revisions/web-4")
    with pytest.raises(Permanent, match="a new release like the newest one, and web-4 is not ready"):
        scale(recorded, cpu=2)
    assert scale(recorded, min_instances=2)


def test_a_size_with_which_a_release_does_not_start_is_put_back() -> None:
    """The newest release is the one that the same operation made, and the one that takes its place is as before."""
    newest = {"latest_created_revision": f"{NAME}/revisions/web-op-0d"}
    request = scale(google(**newest), "op/0/undo", cpu=2)
    assert (request.service.template.revision, limits(request)["cpu"]) == ("web-op-0u", "2000m")
    for key in ("op/0/do", "op/1/undo", "other/0/undo"):
        with pytest.raises(Permanent, match="web-op-0d is not ready"):
            scale(google(**newest), key, cpu=2)


def test_an_empty_list_of_targets_follows_the_newest() -> None:
    assert scale(google(traffic=[]), cpu=2).service.template.revision


def test_a_service_that_is_scaled_by_hand_has_no_bounds() -> None:
    recorded = google(scaling={"scaling_mode": 2, "manual_instance_count": 3})
    with pytest.raises(Permanent, match="scaled by hand, to 3 instances"):
        scale(recorded, max_instances=5)
    assert scale(recorded, cpu=2)


def test_a_service_without_containers_has_no_size() -> None:
    state = CloudRun(google(template={})).service(TARGET)
    assert (state.cpu, state.memory_mb, state.concurrency) == (None, None, None)
    assert not CloudRun(google(template={})).makes_release(TARGET, Sizing(cpu=2))


@pytest.mark.parametrize(
    ("written", "cpu", "memory_mb"),
    [
        ({"cpu": "1", "memory": "512Mi"}, 1.0, 512),
        ({"cpu": "500m", "memory": "2Gi"}, 0.5, 2048),
        ({"cpu": "0.25", "memory": "1G"}, 0.25, 954),
        ({"cpu": "2", "memory": "268435456"}, 2.0, 256),
        ({"cpu": "many", "memory": ""}, None, None),
        ({}, None, None),
    ],
)
def test_sizes_are_read_as_kubernetes_writes_them(written: dict[str, str], cpu: Any, memory_mb: Any) -> None:
    template = {"containers": [{"image": "web", "resources": {"limits": written}}]}
    state = CloudRun(google(template=template)).service(TARGET)
    assert (state.cpu, state.memory_mb, state.concurrency) == (cpu, memory_mb, None)


@pytest.mark.parametrize("call", ["release", "scale"])
def test_a_change_by_somebody_else_is_refused(call: str) -> None:
    recorded = google(last_modifier="ana@example.com")
    run, stale = CloudRun(recorded), Effect(key="k", version="6")
    with pytest.raises(Refused, match=r"was changed by ana@example.com since .*generation 7, not 6"):
        if call == "release":
            run.release(stale, target=TARGET, name="web-new", image=IMAGE, traffic={"web-1": 100})
        else:
            run.scale(stale, target=TARGET, sizing=Sizing(cpu=2))
    assert not recorded.sent


# --- by hand


@pytest.mark.parametrize(
    ("sizing", "flags"),
    [
        ({"min_instances": 0, "max_instances": 5}, "--min=0 --max=5"),
        ({"cpu": 0.5, "memory_mb": 512, "concurrency": 1}, "--cpu=0.5 --memory=512Mi --concurrency=1"),
        ({"cpu": 2.0}, "--cpu=2"),
    ],
)
def test_scaling_by_hand(sizing: dict[str, Any], flags: str) -> None:
    said = CloudRun(google()).by_hand_scale(TARGET, Sizing(**sizing))
    assert said == f"gcloud run services update web {flags} --region=r --project=p"


def test_releasing_by_hand() -> None:
    run = CloudRun(google())
    name = run.release_name(TARGET, "7k3q000000")
    said = run.by_hand_release(TARGET, name, IMAGE, tag="next")
    assert name == "web-7k3q000000"
    assert said == (
        f"gcloud run deploy web --image={IMAGE} --revision-suffix=7k3q000000 --no-traffic --tag=next"
        " --region=r --project=p"
    )
    assert "--tag" not in run.by_hand_release(TARGET, name, IMAGE)
