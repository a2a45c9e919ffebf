"""Images as a build pipeline pushes them: what releases of them are like, tags that move, copies between registries."""

from typing import Any

import pytest

from tests.sandbox.harness import IMAGE, Cloud, Http, template

STAGING = "europe-west1-docker.pkg.dev/staging/app/web"


def posted(http: Http, path: str, **body: Any) -> dict[str, Any]:
    answer = http.post(f"/sandbox/images{path}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def deployed(cloud: Cloud, image: str) -> str:
    """The release that a deployment of the image makes."""
    cloud.update("template", template=template(image=image))
    cloud.settle()
    return str(cloud.service().latest_created_revision.rpartition("/")[2])


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_release_is_like_its_image(cloud: Cloud, http: Http, by: str) -> None:
    pushed = posted(http, "", reference=IMAGE, tag="v2", error_rate=0.05, p95_ms=400)
    release = deployed(cloud, f"{IMAGE}:v2" if by == "tag" else pushed["image"])
    quality = cloud.truth.truths[release].quality
    assert (quality.error_rate, quality.p95_ms, quality.starts) == (0.05, 400, True)
    assert cloud.truth.split == {release: 100}


def test_an_image_that_never_starts(cloud: Cloud, http: Http) -> None:
    posted(http, "", reference=IMAGE, tag="broken", ready=False)
    release = deployed(cloud, f"{IMAGE}:broken")
    assert cloud.service().latest_ready_revision.rpartition("/")[2] != release
    assert release not in cloud.truth.split


def test_an_image_that_nobody_described_is_good(cloud: Cloud) -> None:
    with cloud.world.settled() as now:
        pushed = cloud.world.registry.push(IMAGE, "v9", now)
    assert cloud.truth.truths[deployed(cloud, pushed.uri)].error_rate == 0.001


def test_a_release_of_an_image_that_runs_already_is_like_it_is_now(cloud: Cloud) -> None:
    with cloud.world.settled() as now:
        cloud.truth.truths["web-00003-cid"].error_rates.append((now, 0.2))
        running = cloud.truth.revisions["web-00003-cid"].containers[0].image
    again = template(image=running)
    again.labels = {"again": "1"}
    cloud.update("template", template=again)
    made = cloud.settle().latest_created_revision.rpartition("/")[2]
    assert cloud.truth.truths[made].error_rate == 0.2


def test_a_tag_moves_and_the_digest_stays_what_it_is(cloud: Cloud, http: Http) -> None:
    first, second = (posted(http, "", reference=IMAGE, tag="v2", error_rate=rate) for rate in (0.0, 0.5))
    assert first["digest"] != second["digest"]
    assert cloud.world.registry.digest_of(f"{IMAGE}:v2") == second["image"]
    assert (first["tags"], second["tags"]) == (["v2"], ["v2"])
    assert cloud.truth.truths[deployed(cloud, first["image"])].error_rate == 0.0


def test_an_image_in_one_registry_is_not_in_the_other_until_it_is_copied(cloud: Cloud, http: Http) -> None:
    pushed = posted(http, "", reference=STAGING, tag="v2", error_rate=0.05)
    there = f"{IMAGE}@{pushed['digest']}"
    assert cloud.world.registry.digest_of(there) is None
    copied = posted(http, "/copy", image=f"{STAGING}:v2", to=IMAGE, tag="v2")
    assert copied["image"] == there == cloud.world.registry.digest_of(f"{IMAGE}:v2")
    assert cloud.world.registry.quality_of(there) == cloud.world.registry.quality_of(pushed["image"])
    assert posted(http, "/copy", image=pushed["image"], to=f"{IMAGE}-too")["tags"] == []


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("", {"tag": "v2"}, 400, "reference"),
        ("", {"reference": IMAGE, "error_rate": 2}, 400, "less than or equal to 1"),
        ("", {"reference": IMAGE, "vulnerabilities": {"AWFUL": 1}}, 400, "CRITICAL"),
        ("/copy", {"image": f"{IMAGE}:nope", "to": STAGING}, 404, "there is no"),
    ],
)
def test_what_cannot_be(http: Http, path: str, body: dict[str, Any], status: int, words: str) -> None:
    answer = http.post(f"/sandbox/images{path}", json=body)
    assert answer.status_code == status
    assert words in answer.json()["error"]
