"""grafeas.v1.Grafeas, as Container Analysis serves it: what the scans of images found."""

from collections.abc import Iterator
from typing import Any

from grafeas import grafeas_v1 as grafeas

from bot.sandbox import query
from bot.sandbox.artifact_registry import Image, Registry, repository_of
from bot.sandbox.method import Api, Method
from bot.sandbox.names import project_of
from bot.sandbox.paging import page
from bot.sandbox.refusal import Refused, denied
from bot.sandbox.world import World

_MOST = 1000  # "Maximum allowed page size is 1000"
_DEFAULT = 20  # "If not specified, defaults to 20"
KINDS = grafeas.NoteKind


def api(world: World) -> Api:
    def listed(request: grafeas.ListOccurrencesRequest) -> grafeas.ListOccurrencesResponse:
        asked, project = query.parse(request.filter), project_of(request.parent)
        if project not in world.vault.numbers:
            raise permission("containeranalysis.occurrences.list", request.parent)
        known = [one for one in _occurrences(world.registry, project) if asked.accepts(_fields(one))]
        shown, token = page(known, request.page_size or _DEFAULT, request.page_token, _MOST)
        return grafeas.ListOccurrencesResponse(occurrences=shown, next_page_token=token)

    method = Method(
        grafeas.ListOccurrencesRequest, grafeas.ListOccurrencesResponse, listed, lambda request: str(request.parent),
        "parent", "containeranalysis.occurrences.list",
    )  # fmt: skip
    return Api("grafeas.v1.Grafeas", "containeranalysis.googleapis.com", {"ListOccurrences": method}, permission)


def permission(needed: str, resource: str) -> Refused:
    return denied(f'permission denied for "{needed}" on "{resource}"', needed, resource)


def _occurrences(registry: Registry, project: str) -> Iterator[grafeas.Occurrence]:
    """Those of the project's own registries: a discovery an image, and one occurrence a vulnerability."""
    for image in registry.images.values():
        found = repository_of(image.reference)
        if found and project_of(found[0]) == project and image.scanned:
            yield _discovery(project, image)
            for severity, count in image.vulnerabilities.items():
                yield from (_vulnerability(project, image, severity, number) for number in range(count))


def _discovery(project: str, image: Image) -> grafeas.Occurrence:
    states = grafeas.DiscoveryOccurrence.AnalysisStatus
    discovery = grafeas.DiscoveryOccurrence(analysis_status=states.FINISHED_SUCCESS, last_scan_time=image.scanned)
    return grafeas.Occurrence(**_head(project, image, "discovery"), kind=KINDS.DISCOVERY, discovery=discovery)


def _vulnerability(project: str, image: Image, severity: str, number: int) -> grafeas.Occurrence:
    level = getattr(grafeas.Severity, severity)
    vulnerability = grafeas.VulnerabilityOccurrence(severity=level, effective_severity=level, type_="OS")
    head = _head(project, image, f"{severity.lower()}-{number}")
    return grafeas.Occurrence(**head, kind=KINDS.VULNERABILITY, vulnerability=vulnerability)


def _head(project: str, image: Image, name: str) -> dict[str, Any]:
    return {
        "name": f"projects/{project}/occurrences/{image.digest[7:19]}-{name}",
        "resource_uri": f"https://{image.uri}",
        "create_time": image.scanned,
        "update_time": image.scanned,
    }


def _fields(one: grafeas.Occurrence) -> dict[str, str]:
    return {"kind": one.kind.name, "resourceUrl": one.resource_uri, "resourceUri": one.resource_uri}
