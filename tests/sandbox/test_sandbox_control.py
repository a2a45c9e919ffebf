"""Control over HTTP: what people do in consoles, and the truth."""

from typing import Any

import pytest

from bot.sandbox import control, server
from bot.sandbox.blueprint import Blueprint
from bot.sandbox.clock import ManualClock, ScaledClock
from bot.sandbox.world import World
from tests.sandbox.harness import IMAGE, NAME, PLAN, Cloud, Http, shown

WEB = "/sandbox/services/shop/europe-west1/web"
OLD, BAD, NEW = "web-00001-abe", "web-00002-bec", "web-00003-cid"


def posted(http: Http, path: str, body: Any, status: int = 200) -> Any:
    answer = http.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def truth(http: Http) -> Any:
    return http.get(WEB).json()


def test_the_truth_of_a_service(http: Http) -> None:
    seen = truth(http)
    assert seen["name"] == NAME
    assert (seen["project"], seen["location"], seen["service"], seen["rps"]) == ("shop", "europe-west1", "web", 10)
    assert (seen["traffic"], seen["wanted"]) == ({NEW: 100}, {"LATEST": 100})
    assert (seen["generation"], seen["observed_generation"], seen["reconciling"]) == (3, 3, False)
    assert seen["error_rate"] == 0.0004
    assert [(one["name"], one["error_rate"], one["percent"]) for one in seen["releases"]] == [
        (OLD, 0.0004, 0),
        (BAD, 0.05, 0),
        (NEW, 0.0004, 100),
    ]


def test_all_services(http: Http) -> None:
    assert len(http.get("/sandbox/services").json()) == 4


def test_a_deployment_takes_the_traffic_of_the_latest_and_shows_its_errors(http: Http, clock: ManualClock) -> None:
    release = posted(http, f"{WEB}/releases", {"error_rate": 0.08})["release"]
    assert truth(http)["reconciling"]
    clock.advance(10)
    seen = truth(http)
    assert seen["traffic"] == {release: 100}
    assert seen["error_rate"] == 0.08
    assert seen["latest_ready"] == seen["latest_created"] == release


def test_a_deployment_to_a_pinned_service_gets_no_traffic(http: Http, clock: ManualClock) -> None:
    posted(http, f"{WEB}/traffic", {OLD: 100})
    clock.advance(10)
    release = posted(http, f"{WEB}/releases", {"name": "web-00009-new"})["release"]
    clock.advance(10)
    assert release == "web-00009-new"
    assert truth(http)["traffic"] == {OLD: 100}
    assert truth(http)["latest_ready"] == release


@pytest.mark.parametrize(
    ("before", "percent", "after"),
    [
        ({"LATEST": 100}, 10, {NEW: 90, "web-9": 10}),
        ({OLD: 50, NEW: 50}, 25, {OLD: 38, NEW: 37, "web-9": 25}),
        ({OLD: 99, NEW: 1}, 50, {OLD: 50, "web-9": 50}),
        ({OLD: 100}, 100, {"web-9": 100}),
    ],
)
def test_a_deployment_can_be_given_its_share(
    http: Http, clock: ManualClock, before: dict[str, int], percent: int, after: dict[str, int]
) -> None:
    posted(http, f"{WEB}/traffic", before)
    clock.advance(10)
    posted(http, f"{WEB}/releases", {"name": "web-9", "traffic": percent})
    clock.advance(10)
    assert truth(http)["traffic"] == after


def test_a_deployment_that_does_not_start(cloud: Cloud, http: Http) -> None:
    operation = posted(http, f"{WEB}/releases", {"ready": False})["operation"]
    cloud.settle()
    assert truth(http)["traffic"] == {NEW: 100}
    assert "failed to start and listen" in cloud.operation(operation).error.message
    assert "PORT=8080" in cloud.operation(operation).error.message


def test_a_deployment_with_an_image_secrets_and_a_tag(cloud: Cloud, http: Http) -> None:
    body = {"image": f"{IMAGE}:00001-abe", "secrets": {"DB": "db:3", "KEY": "key"}, "tag": "blue", "rollout_s": 1}
    release = posted(http, f"{WEB}/releases", body)["release"]
    after = cloud.settle(1)
    revision = cloud.revisions.get_revision(name=f"{NAME}/revisions/{release}")
    refs = [one.value_source.secret_key_ref for one in revision.containers[0].env]
    assert [(ref.secret, ref.version) for ref in refs] == [("db", "3"), ("key", "latest")]
    assert revision.containers[0].image.startswith(f"{IMAGE}@sha256:")
    assert [(s.revision, s.tag) for s in after.traffic_statuses] == [("", ""), (release, "blue")]


def test_a_deployment_pushes_a_new_image_and_names_its_revision_as_gcloud_does(cloud: Cloud, http: Http) -> None:
    release = posted(http, f"{WEB}/releases", {})["release"]
    after = cloud.settle()
    suffix = release.removeprefix("web-")
    assert after.template.revision == release
    assert after.template.containers[0].image == f"{IMAGE}:{suffix}"
    tag = cloud.registry.get_tag(
        name=f"projects/shop/locations/europe-west1/repositories/app/packages/web/tags/{suffix}"
    )
    revision = cloud.revisions.get_revision(name=after.latest_ready_revision)
    assert revision.containers[0].image.endswith(tag.version.rpartition("/")[2])


def test_somebody_else_changes_the_split_and_keeps_annotations_and_tags(cloud: Cloud, http: Http) -> None:
    cloud.update("annotations", annotations={"aisq.dev/effect": "k"})
    posted(http, f"{WEB}/releases", {"tag": "blue", "name": "web-9"})
    cloud.settle()
    posted(http, f"{WEB}/traffic", {OLD: 70, "LATEST": 30})
    after = cloud.settle()
    assert shown(after.traffic_statuses) == {OLD: 70, "LATEST": 30}
    assert [s.tag for s in after.traffic_statuses if s.tag] == ["blue"]
    assert dict(after.annotations) == {"aisq.dev/effect": "k"}
    assert truth(http)["traffic"] == {OLD: 70, "web-9": 30}


def test_changes_by_hand_are_in_the_log(http: Http) -> None:
    posted(http, f"{WEB}/traffic", {OLD: 100})
    posted(http, f"{WEB}/releases", {"name": "web-9"})
    calls = http.get("/sandbox/calls", params={"resource": "services/web"}).json()
    assert [(call["api"], call["method"], call["committed"]) for call in calls] == [
        ("console", "traffic", True),
        ("console", "deploy", True),
    ]
    assert calls[0]["traffic"] == {OLD: 100}
    assert calls[1]["generation"] == 5


def test_calls_can_be_selected(cloud: Cloud, http: Http) -> None:
    cloud.service()
    cloud.route({OLD: 100})
    cloud.service()

    def methods(**query: Any) -> list[str]:
        return [call["method"] for call in http.get("/sandbox/calls", params=query).json()]

    assert methods() == ["GetService", "UpdateService", "GetService"]
    assert methods(since=1) == ["UpdateService", "GetService"]
    assert methods(method="UpdateService") == ["UpdateService"]
    assert methods(resource="services/quiet") == []
    assert methods(resource=NAME, method="GetService", since=2) == ["GetService"]


def test_the_quality_of_a_release_can_change(http: Http) -> None:
    changed = posted(http, f"{WEB}/releases/{NEW}", {"error_rate": 0.5})
    assert changed == {"release": NEW, "error_rate": 0.5, "p95_ms": 0.0}
    changed = posted(http, f"{WEB}/releases/{NEW}", {"p95_ms": 300})
    assert changed == {"release": NEW, "error_rate": 0.5, "p95_ms": 300.0}
    assert truth(http)["error_rate"] == 0.5


def test_a_release_can_be_deleted_unless_it_serves(http: Http) -> None:
    assert http.delete(f"{WEB}/releases/{OLD}").json() == {"deleted": OLD}
    assert [one["name"] for one in truth(http)["releases"]] == [BAD, NEW]
    refused = http.delete(f"{WEB}/releases/{NEW}")
    assert (refused.status_code, "actively serving" in refused.json()["error"]) == (409, True)


def test_images_and_secrets(http: Http, world: World) -> None:
    assert posted(http, "/sandbox/images/delete", {"reference": f"{IMAGE}:00001-abe"})["deleted"].startswith(
        f"{IMAGE}@"
    )
    assert posted(http, "/sandbox/secrets/state", {"name": "db", "version": 3, "state": "DISABLED"}) == {
        "name": "projects/shop/secrets/db/versions/3",
        "state": "DISABLED",
    }
    body = {"name": "projects/shop/secrets/key", "version": "1", "state": "DESTROYED"}
    assert posted(http, "/sandbox/secrets/state", body)["state"] == "DESTROYED"
    assert world.vault.complaint("shop", "key", "1")


def test_faults_over_http(http: Http) -> None:
    assert posted(http, "/sandbox/faults", {"kind": "error", "service": "web", "nth": 2}) == {"id": 1}
    (waiting,) = http.get("/sandbox/faults").json()
    assert waiting["fault"]["nth"] == 2
    assert http.delete("/sandbox/faults").json() == {}
    assert http.get("/sandbox/faults").json() == []


def test_the_clock(http: Http, clock: ManualClock) -> None:
    assert http.get("/sandbox/clock").json() == {
        "origin_unix_s": 1_789_999_980.0,
        "rate": 0.0,
        "now": "2026-09-21T14:13:00+00:00",
    }
    assert posted(http, "/sandbox/clock", {"advance_s": 60})["now"] == "2026-09-21T14:14:00+00:00"


def test_a_running_clock_is_not_moved_by_hand() -> None:
    running = Http(server.app(control.routes(World(Blueprint.model_validate(PLAN), ScaledClock()))))
    answer = running.post("/sandbox/clock", json={"advance_s": 60})
    assert answer.status_code == 400
    assert "only a sandbox started with --rate 0 is moved by hand" in answer.json()["error"]


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "complaint"),
    [
        ("GET", "/sandbox/services/shop/europe-west1/nope", None, 404, "of kind 'SERVICE'"),
        ("POST", "/sandbox/services/shop/europe-west1/nope/traffic", {OLD: 100}, 404, "does not exist"),
        ("POST", f"{WEB}/traffic", {OLD: 90}, 400, "sum to 90"),
        ("POST", f"{WEB}/traffic", {"web-nope": 100}, 404, f"web has {OLD}, {BAD}, {NEW}"),
        ("POST", f"{WEB}/traffic", [1], 400, "should be an object"),
        ("POST", f"{WEB}/traffic", {OLD: "x"}, 400, "valid integer"),
        ("POST", f"{WEB}/releases", {"error_rate": 2}, 400, "less than or equal to 1"),
        ("POST", f"{WEB}/releases", {"sped": 2}, 400, "sped"),
        ("POST", f"{WEB}/releases", {"name": "other"}, 400, "must be prefixed"),
        ("POST", f"{WEB}/releases", {"name": NEW}, 409, "already exists"),
        ("POST", f"{WEB}/releases/nope", {"error_rate": 0.1}, 404, "release nope"),
        ("POST", "/sandbox/faults", {"kind": "explode"}, 400, "kind"),
        ("POST", "/sandbox/clock", {"advance_s": -1}, 400, "greater than or equal to 0"),
        ("POST", "/sandbox/images/delete", {"reference": "no/image:x"}, 404, "no/image:x"),
        ("POST", "/sandbox/secrets/state", {"name": "nope", "version": 1, "state": "ENABLED"}, 404, "write projects/P"),
        ("POST", "/sandbox/secrets/state", {"name": "db", "version": 1, "state": "ENABLED"}, 400, "cannot be undone"),
        ("POST", "/sandbox/secrets/state", {"name": "db", "version": 1, "state": "GONE"}, 400, "ENABLED"),
        ("GET", "/sandbox/calls?since=x", None, 400, "since"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_and_changes_nothing(
    http: Http, verb: str, path: str, body: Any, status: int, complaint: str
) -> None:
    answer = http.request(verb, path, json=body)
    assert answer.status_code == status, answer.text
    assert complaint in answer.json()["error"]
    assert truth(http)["generation"] == 3


def test_a_body_that_is_no_json(http: Http) -> None:
    answer = http.post(f"{WEB}/traffic", content=b"{")
    assert answer.status_code == 400
