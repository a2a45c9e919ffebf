"""What scans of images found, through Google's client of Container Analysis."""

from collections import Counter
from typing import Any

import pytest
from google.api_core import exceptions as gx
from grafeas import grafeas_v1 as grafeas

from bot.sandbox import pipeline
from tests.sandbox.harness import IMAGE, Cloud, client

FOUND = {"CRITICAL": 1, "LOW": 3}


def push(cloud: Cloud, **fields: Any) -> str:
    with cloud.world.settled() as now:
        return str(pipeline.push(cloud.world, pipeline.Push(reference=IMAGE, **fields), now)["image"])


def ask(cloud: Cloud, text: str, project: str = "shop", **more: Any) -> list[grafeas.Occurrence]:
    request = {"parent": f"projects/{project}", "filter": text, **more}
    return list(client(grafeas.GrafeasClient, cloud.channel).list_occurrences(request=request))


def of(image: str, kind: str = "VULNERABILITY") -> str:
    return f'resourceUrl="https://{image}" AND kind="{kind}"'


def test_an_occurrence_a_vulnerability(cloud: Cloud) -> None:
    image = push(cloud, vulnerabilities=FOUND)
    found = ask(cloud, of(image))
    assert Counter(one.vulnerability.effective_severity.name for one in found) == FOUND
    assert {one.resource_uri for one in found} == {f"https://{image}"}
    assert len({one.name for one in found}) == 4
    assert found[0].name.startswith("projects/shop/occurrences/")


def test_a_discovery_says_when_it_was_scanned(cloud: Cloud) -> None:
    (discovery,) = ask(cloud, of(push(cloud), "DISCOVERY"))
    assert discovery.discovery.analysis_status.name == "FINISHED_SUCCESS"
    assert discovery.discovery.last_scan_time == cloud.clock.now()
    assert not ask(cloud, of(push(cloud, vulnerabilities=None), "DISCOVERY")), "never scanned"


def test_both_kinds_at_once_and_in_pages(cloud: Cloud) -> None:
    image = push(cloud, vulnerabilities=FOUND)
    text = f'resourceUrl="https://{image}" AND (kind="VULNERABILITY" OR kind="DISCOVERY")'
    assert len(ask(cloud, text)) == len(ask(cloud, text, page_size=2)) == 5


def test_a_copy_is_scanned_where_it_is(cloud: Cloud) -> None:
    image = push(cloud, vulnerabilities=FOUND)
    asked = pipeline.Copy(image=image, to="europe-west1-docker.pkg.dev/other/app/web", tag="v2")
    cloud.clock.advance(600)
    with cloud.world.settled() as now:
        copied = pipeline.copy(cloud.world, asked, now)["image"]
    assert copied.rpartition("@")[2] == image.rpartition("@")[2]
    assert not ask(cloud, of(copied))
    assert len(ask(cloud, of(copied), "other")) == 4
    (discovery,) = ask(cloud, of(copied, "DISCOVERY"), "other")
    assert discovery.discovery.last_scan_time == now


def test_the_world_says_what_its_images_have(cloud: Cloud) -> None:
    """Scanned soon after they were pushed, and without any unless it says so."""
    assert len(ask(cloud, 'kind="DISCOVERY"')) == 5
    assert not ask(cloud, 'kind="VULNERABILITY"')


@pytest.mark.parametrize(
    ("text", "project", "error"),
    [('kind="X', "shop", gx.InvalidArgument), ("", "nowhere", gx.PermissionDenied)],
)
def test_refusals(cloud: Cloud, text: str, project: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        ask(cloud, text, project)


def test_missing_permission_is_named(cloud: Cloud) -> None:
    cloud.fault("error", method="ListOccurrences", code="PERMISSION_DENIED")
    with pytest.raises(gx.PermissionDenied, match=r"containeranalysis\.occurrences\.list"):
        ask(cloud, "")
