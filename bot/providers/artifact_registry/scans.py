"""What Container Analysis found in images, through Google's own client of its API (Grafeas v1)."""

from collections import Counter
from typing import get_args

from grafeas import grafeas_v1 as grafeas

from bot.core.ports import Severity, Vulnerabilities
from bot.providers._google import Google, instant, translated

HOST = "containeranalysis.googleapis.com"
PAGE = 1000
KNOWN: tuple[Severity, ...] = get_args(Severity)
FINISHED = grafeas.DiscoveryOccurrence.AnalysisStatus.FINISHED_SUCCESS


def found(google: Google, project: str, image: str) -> Vulnerabilities:
    """`image` is PATH@DIGEST. Occurrences are kept in the project of the image's registry."""
    address = f"https://{image}".replace("\\", r"\\").replace('"', r"\"")
    request = grafeas.ListOccurrencesRequest(
        parent=f"projects/{project}",
        filter=f'resourceUrl="{address}" AND (kind="VULNERABILITY" OR kind="DISCOVERY")',
        page_size=PAGE,
    )
    client = google.client(grafeas.GrafeasClient, HOST)
    with translated(f"read what the scan of image {image} found", "containeranalysis.occurrences.list"):
        occurrences = list(client.list_occurrences(request, **google.reading))
    scans = [one.discovery.last_scan_time or one.update_time for one in occurrences if _finished(one)]
    counted = Counter(_severity(one.vulnerability) for one in occurrences if one.kind == grafeas.NoteKind.VULNERABILITY)
    return Vulnerabilities(
        by_severity={severity: counted[severity] for severity in KNOWN if counted[severity]},
        scanned_at=instant(max(scans)) if scans else None,
    )


def _finished(one: grafeas.Occurrence) -> bool:
    return one.kind == grafeas.NoteKind.DISCOVERY and one.discovery.analysis_status == FINISHED


def _severity(vulnerability: grafeas.VulnerabilityOccurrence) -> Severity:
    """As the distribution rates it, which knows how it uses the package; else as the note does."""
    level = vulnerability.effective_severity or vulnerability.severity
    return next((known for known in KNOWN if level and known == level.name.lower()), "unknown")
