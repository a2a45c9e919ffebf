"""Looking at Cloud Run."""

from google.cloud import run_v2

from bot.core.errors import NotFound, Permanent
from bot.core.ports import Release, ServiceState, Sizing
from bot.core.request import Target
from bot.providers._google import Google, translated
from bot.providers.cloud_run import names, sizing, state

PAGE = 100


class Reads:
    """Reads of services and revisions."""

    def __init__(self, google: Google) -> None:
        self._google = google

    def service(self, target: Target) -> ServiceState:
        return state.service_state(self.get(target))

    def get(self, target: Target) -> run_v2.Service:
        services = self._google.client(run_v2.ServicesClient)
        request = run_v2.GetServiceRequest(name=names.service(target))
        with translated(f"read {names.spoken(target)}", "run.services.get"):
            return services.get_service(request, **self._google.reading)

    def places_beside(self, target: Target) -> tuple[dict[str, str], ...]:
        """All pages."""
        services = self._google.client(run_v2.ServicesClient)
        request = run_v2.ListServicesRequest(parent=names.parent(target), page_size=PAGE)
        with translated(f"list what runs beside {names.spoken(target)}", "run.services.list"):
            found = [names.short(one.name) for one in services.list_services(request, **self._google.reading)]
        return tuple({**target.place, "service": name} for name in sorted(found))

    def releases(self, target: Target) -> tuple[Release, ...]:
        """All pages. A service always has a revision, so none at all means that there is no such service."""
        revisions = self._google.client(run_v2.RevisionsClient)
        request = run_v2.ListRevisionsRequest(parent=names.service(target), page_size=PAGE)
        with translated(f"list the releases of {names.spoken(target)}", "run.revisions.list"):
            found = [one for one in revisions.list_revisions(request, **self._google.reading) if not one.delete_time]
        if not found:
            self.get(target)
        known = (state.release(revision) for revision in found)
        return tuple(sorted(known, key=lambda release: (release.created_at, release.name), reverse=True))

    def release_named(self, target: Target, name: str) -> Release:
        revisions = self._google.client(run_v2.RevisionsClient)
        request = run_v2.GetRevisionRequest(name=names.revision(target, name))
        try:
            with translated(f"read release {name} of {names.spoken(target)}", "run.revisions.get"):
                return state.release(revisions.get_revision(request, **self._google.reading))
        except NotFound as error:
            raise NotFound(f"{names.spoken(target)} has no release {name} any more; choose another") from error

    def must_serve(self, target: Target, release: str) -> None:
        """Raises NotFound for a release that is gone, Permanent for one that cannot serve."""
        known = self.release_named(target, release)
        if not known.ready:
            raise Permanent(f"release {release} of {names.spoken(target)} cannot serve: {known.reason}")

    def preview_url(self, target: Target, tag: str) -> str:
        """Google makes it of the tag and the service's own (proto `TrafficTargetStatus.uri`)."""
        scheme, colon, rest = self.get(target).uri.partition("://")
        return f"{scheme}{colon}{tag}---{rest}" if rest else ""

    def makes_release(self, target: Target, size: Sizing) -> bool:
        return "template" in sizing.resize(self.get(target), size)
