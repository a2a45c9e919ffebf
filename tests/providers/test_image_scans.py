"""What scans found in images of the sandbox's registries, and occurrences that the sandbox never tells."""

from datetime import UTC, datetime
from typing import Any

import pytest
from grafeas import grafeas_v1 as grafeas

from bot.core.errors import CloudError, Forbidden, NotFound, Permanent, Transient
from bot.core.ports import Vulnerabilities
from bot.providers._google import Google
from bot.providers.artifact_registry import ArtifactRegistry
from bot.providers.artifact_registry.references import untagged

IMAGE = "us-central1-docker.pkg.dev/pool/app/scanned"
SHA = "sha256:" + "0123456789abcdef" * 4
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
STATUS = grafeas.DiscoveryOccurrence.AnalysisStatus


@pytest.fixture
def images(google: Google) -> ArtifactRegistry:
    return ArtifactRegistry(google)


@pytest.mark.parametrize("by", ["tag", "digest", "both"])
def test_by_severity(rig: Any, images: ArtifactRegistry, by: str) -> None:
    pushed = rig.control.push(IMAGE, "v2", vulnerabilities={"LOW": 3, "CRITICAL": 2, "HIGH": 1})
    digest = pushed.partition("@")[2]
    reference = {"tag": f"{IMAGE}:v2", "digest": pushed, "both": f"{IMAGE}:v1@{digest}"}[by]
    found = images.vulnerabilities(rig.target, reference)
    assert found.by_severity == {"critical": 2, "high": 1, "low": 3}
    assert list(found.by_severity) == ["critical", "high", "low"], "worst first"
    assert found.scanned_at == rig.now()


def test_an_image_without_any_and_one_that_was_never_scanned(rig: Any, images: ArtifactRegistry) -> None:
    clean = images.vulnerabilities(rig.target, rig.control.push(IMAGE, "clean"))
    assert (clean.by_severity, clean.scanned_at) == ({}, rig.now())
    unseen = rig.control.push(IMAGE, "unseen", vulnerabilities=None)
    assert images.vulnerabilities(rig.target, unseen) == Vulnerabilities()


def test_many_come_in_pages(rig: Any, images: ArtifactRegistry) -> None:
    pushed = rig.control.push(IMAGE, "old", vulnerabilities={"MEDIUM": 2300})
    assert images.vulnerabilities(rig.target, pushed).by_severity == {"medium": 2300}


def test_a_tag_that_is_not_there(rig: Any, images: ArtifactRegistry) -> None:
    with pytest.raises(NotFound, match=f"image {IMAGE}:nope is not in its registry"):
        images.vulnerabilities(rig.target, f"{IMAGE}:nope")
    assert images.vulnerabilities(rig.target, f"{IMAGE}@{SHA}") == Vulnerabilities(), "nobody scanned what is not there"


def test_another_registry(rig: Any, images: ArtifactRegistry) -> None:
    with pytest.raises(Permanent, match="in a registry that aisq cannot read"):
        images.vulnerabilities(rig.target, f"docker.io/library/nginx@{SHA}")


@pytest.mark.parametrize(
    ("method", "code", "kind"),
    [
        ("ListOccurrences", "PERMISSION_DENIED", Forbidden),
        ("GetTag", "PERMISSION_DENIED", Forbidden),
        ("ListOccurrences", "UNAVAILABLE", Transient),
        ("ListOccurrences", "RESOURCE_EXHAUSTED", Transient),
    ],
)
def test_faults(rig: Any, images: ArtifactRegistry, method: str, code: str, kind: type[CloudError]) -> None:
    rig.control.push(IMAGE, "v2")
    rig.control.fault("error", method=method, code=code)
    with pytest.raises(kind) as caught:
        images.vulnerabilities(rig.target, f"{IMAGE}:v2")
    if isinstance(caught.value, Forbidden):
        assert caught.value.permission in images.PERMISSIONS["vulnerabilities"]


# --- to the field


class Recorded(Google):
    def __init__(self, *occurrences: grafeas.Occurrence) -> None:
        super().__init__()
        self._occurrences, self.sent, self.host = occurrences, list[grafeas.ListOccurrencesRequest](), ""

    def client(self, kind: type[Any], host: str = "") -> Any:
        self.host = host
        return self

    def list_occurrences(self, request: grafeas.ListOccurrencesRequest, **_: Any) -> tuple[grafeas.Occurrence, ...]:
        self.sent.append(request)
        return self._occurrences


def found(*occurrences: grafeas.Occurrence) -> Vulnerabilities:
    reference = f"eu.gcr.io/p/team/app@{SHA}"
    return ArtifactRegistry(Recorded(*occurrences)).vulnerabilities(None, reference)  # type: ignore[arg-type]


def discovery(status: STATUS, **more: Any) -> grafeas.Occurrence:
    said = grafeas.DiscoveryOccurrence(analysis_status=status, **more)
    return grafeas.Occurrence(kind=grafeas.NoteKind.DISCOVERY, discovery=said, update_time=AT)


def vulnerability(**severities: int) -> grafeas.Occurrence:
    said = grafeas.VulnerabilityOccurrence(**severities)
    return grafeas.Occurrence(kind=grafeas.NoteKind.VULNERABILITY, vulnerability=said)


def test_what_is_asked() -> None:
    google = Recorded()
    ArtifactRegistry(google).vulnerabilities(None, f"eu.gcr.io/p/team/app:v1@{SHA}")  # type: ignore[arg-type]
    (request,) = google.sent
    assert (request.parent, request.page_size) == ("projects/p", 1000)
    assert request.filter == (
        f'resourceUrl="https://eu.gcr.io/p/team/app@{SHA}" AND (kind="VULNERABILITY" OR kind="DISCOVERY")'
    )
    assert google.host == "containeranalysis.googleapis.com"


@pytest.mark.parametrize(
    ("occurrence", "by_severity"),
    [
        (vulnerability(severity=4, effective_severity=2), {"low": 1}),  # what the distribution makes of it
        (vulnerability(severity=4), {"high": 1}),
        (vulnerability(), {"unknown": 1}),
        (grafeas.Occurrence(kind=grafeas.NoteKind.BUILD), {}),
    ],
)
def test_severities(occurrence: grafeas.Occurrence, by_severity: dict[str, int]) -> None:
    assert found(occurrence).by_severity == by_severity


@pytest.mark.parametrize(
    ("discoveries", "scanned_at"),
    [
        ([], None),
        ([discovery(STATUS.SCANNING)], None),
        ([discovery(STATUS.FINISHED_FAILED)], None),
        ([discovery(STATUS.FINISHED_UNSUPPORTED)], None),
        ([discovery(STATUS.FINISHED_SUCCESS)], AT),
        ([discovery(STATUS.FINISHED_SUCCESS, last_scan_time=AT.replace(hour=9))], AT.replace(hour=9)),
        ([discovery(STATUS.FINISHED_SUCCESS), discovery(STATUS.SCANNING)], AT),
    ],
)
def test_scanned_to_its_end(discoveries: list[grafeas.Occurrence], scanned_at: datetime | None) -> None:
    assert found(*discoveries).scanned_at == scanned_at


@pytest.mark.parametrize(
    "reference", ["gcr.io/p/a/b", "gcr.io/p/a/b:t", f"gcr.io/p/a/b@{SHA}", f"gcr.io/p/a/b:t@{SHA}"]
)
def test_what_stands_before_tag_and_digest(reference: str) -> None:
    assert untagged(reference) == "gcr.io/p/a/b"
    assert untagged("localhost:5000/a") == "localhost:5000/a"
