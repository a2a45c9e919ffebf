"""What is known of releases that served before: from our own history, else from what monitoring counted."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.core.catalog import Catalog
from bot.core.counts import Counts
from bot.core.errors import UserError
from bot.core.lastgood import Bar, Past, last_good, merged, percent
from bot.core.ports import Release, ServiceState
from bot.core.request import Target
from bot.core.rollout import by_name
from bot.core.system import HistoryReads


def bar_of(service: Target, catalog: Catalog, now: datetime) -> Bar:
    """What the catalog asks of a release that served well."""
    rule, slo = catalog.rollback(service), catalog.slo(service)
    return Bar(now=now, max_age=rule.max_age, min_requests=rule.min_requests, error_ratio=slo.error_ratio)


def previewed(now: ServiceState) -> frozenset[str]:
    """Releases that are reached by a preview tag alone: what they answer is no share of the traffic."""
    return frozenset(now.tags.values()) - now.serving.keys()


class Memory:
    """Of one service; monitoring is asked for the last good release, when our own history does not tell."""

    def __init__(
        self,
        service: Target,
        now: ServiceState,
        releases: Sequence[Release],
        bar: Bar,
        history: HistoryReads,
        counts: Counts,
    ) -> None:
        self._service, self._now, self._releases = service, now, releases
        self._bar, self._counts = bar, counts
        self._pasts = bar.pasts(history.served(service))
        self._skipped: tuple[str, ...] = ()
        newest = releases[0].name if now.busy and releases else now.latest_ready  # what LATEST is about to mean
        self._heading = by_name(now.asked, now.model_copy(update={"latest_ready": newest}))
        self._previews = previewed(now)

    def of(self, release: str) -> Past | None:
        """How one release did, if it is known to have served all traffic. Does not ask monitoring: it may be gone when
        the plan is made again, and an approved rollback must not fail for that."""
        return next((past for past in self._pasts if past.release == release), None)

    def last_good(self) -> Release:
        """The answer to "where back to?". Raises UserError, saying what to type, when nobody can know."""
        known = {release.name: release for release in self._releases}
        likely = [past for past in self._candidates() if past.release in known and past.health != "bad"]
        if not likely or likely[0].health != "good":
            self._pasts = merged(self._pasts, self._counted())
        found = last_good(self._candidates(), known, self._bar, blind=bool(self._counts.trouble))
        self._skipped = found.skipped
        if not found.release:
            raise UserError(self._what_to_type())
        return known[found.release]

    def left_behind(self, good: str) -> tuple[str, ...]:
        """The releases that traffic leaves, or was about to reach."""
        touched = self._now.serving.keys() | self._heading.keys()
        return tuple(one.name for one in self._releases if one.name in touched and one.name != good)

    def notes(self, good: str) -> Iterator[str]:
        """What people should know who are about to go back to `good`."""
        for name in self.left_behind(good):
            past = self.of(name)
            if past and past.health == "good":
                rate = f"{past.total:,} requests with {percent(past.error_rate)} errors"
                yield f"{name} answered {rate} while it served all traffic: it may not be the cause."
        yield from self._skipped
        if self._counts.trouble:
            yield _unread(self._counts.trouble)

    def _candidates(self) -> list[Past]:
        """Everything but the one release that gets all traffic: in a split, its members are candidates."""
        return [past for past in self._pasts if {past.release} != self._heading.keys()]

    def _counted(self) -> tuple[Past, ...]:
        return self._bar.pasts(self._counts.spans(self._bar.max_age, self._previews))

    def _what_to_type(self) -> str:
        others = [release for release in self._releases if {release.name} != self._heading.keys()]
        if not others:
            return f"{self._service} has no other release to go back to."
        bad = {past.release for past in self._pasts if past.health == "bad"}
        likeliest = min(others, key=lambda one: (not one.ready, one.name in bad))  # of equals the newest
        example = f"`rollback {self._service} --to {likeliest.name}`"
        newest = ", ".join(release.name for release in others[:5])
        return f"{' '.join(self._why_none())} If you know one that is good, say so: {example}. Newest first: {newest}."

    def _why_none(self) -> Iterator[str]:
        yield f"No other release is known to have served all traffic well in the last {self._bar.max_age.days} days."
        yield from self._skipped
        if self._counts.trouble:
            yield _unread(self._counts.trouble)
        elif self._previews:
            yield f"What releases with a preview tag answered does not count ({', '.join(sorted(self._previews))})."


def _unread(trouble: str) -> str:
    return f"Monitoring cannot be read: {trouble.rstrip('.')}."
