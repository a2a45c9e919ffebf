"""What a case looks at beside the service itself: metrics, logs, images, and looks that are refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.core.errors import Forbidden, NotFound, Transient
from bot.core.ports import Requests, Sizing
from tests.providers.conformance.platform import Row

MANY_ERRORS, FEW_ERRORS = 0.1, 0.01  # of all answers
NEAR = 0.04  # of a share
SLOW_MS = 50
ENDS: dict[str, type[Exception]] = {"throttled": Transient, "forbidden": Forbidden, "unreachable": Transient}


class Watch:
    """`name` is what the platform calls a release, `image` gives an image by its kind."""

    def __init__(self, row: Row, name: Callable[[str], str], image: Callable[[str], str]) -> None:
        self._row, self._name, self._image = row, name, image
        self._since = row.now()

    def time_passes(self, step: dict[str, Any]) -> None:
        """Whole minutes of it can be looked at afterwards: as much more passes as the metrics are late.

        Metrics count by the minute: the one that runs has in it what was before, so it passes first, and one more.
        """
        metrics = self._row.metrics()
        self._row.pass_time(2)
        self._since = self._row.now()
        self._row.pass_time(step["time passes"] + metrics.lag_s(self._row.target) / 60)

    def answered(self, step: dict[str, Any]) -> None:
        """Shares of all requests since time began to pass, and how many failed."""
        counted = self._counted()
        total = sum(one.total for one in counted)
        for name, wanted in step["answered"].items():
            mine = [one for one in counted if one.release == self._name(name)]
            share = sum(one.total for one in mine) / total
            assert share == pytest.approx(wanted["share"] / 100, abs=NEAR if wanted["share"] else 0)
            assert all(one.slow is not None and (one.slow_from_ms or 0) >= SLOW_MS for one in mine)
            if "errors" in wanted:
                rate = sum(one.errors for one in mine) / sum(one.total for one in mine)
                assert rate > MANY_ERRORS if wanted["errors"] == "many" else rate < FEW_ERRORS

    def wrote_errors(self, step: dict[str, Any]) -> None:
        for name, any_ in step["wrote errors"].items():
            release = self._name(name)
            found = self._row.logs().logs(
                self._row.target, since=self._since, until=self._row.now(), release=release, errors_only=True, limit=50
            )
            assert bool(found) is any_
            assert {one.release for one in found} <= {release}
            assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)

    def known(self, step: dict[str, Any]) -> None:
        """By tag and by digest; a registry tells the digest, and what a scan found."""
        for kind in step["known"]:
            by_digest, by_tag = self._image(kind), self._row.by_tag(kind)
            for reference in (by_digest, by_tag):
                assert self._row.images().image(self._row.target, reference).digest == by_digest.partition("@")[2]
            assert self._row.images().vulnerabilities(self._row.target, by_digest).scanned_at

    def unknown(self, step: dict[str, Any]) -> None:
        for kind in step["unknown"]:
            with pytest.raises(NotFound):
                self._row.images().image(self._row.target, self._image(kind))

    def looks(self, step: dict[str, Any]) -> None:
        """A look that is struck fails as it must, with what is missing; the next one does not."""
        struck = step["looks"]
        for look in (self._service, self._releases, self._release):
            self._row.strike_read(struck)
            with pytest.raises(ENDS[struck]) as caught:
                look()
            assert not isinstance(caught.value, Forbidden) or caught.value.permission
            look()

    def by_hand(self, _: dict[str, Any]) -> None:
        """What a person would type instead is one line, and names the service or the job."""
        run, target, image = self._row.provider(), self._row.target, self._row.image("good")
        service, name = target.place["service"], run.release_name(target, "next")
        lines = {
            run.by_hand_traffic(target, {self._name("old"): 90, self._name("older"): 10}): service,
            run.by_hand_release(target, name, image, "next"): service,
            run.by_hand_scale(target, Sizing(max_instances=7)): service,
            run.by_hand_job(target, self._row.job, image): self._row.job,
        }
        for line, about in lines.items():
            assert about in line.split() and "\n" not in line
            assert all(word.isascii() for word in line)

    def _counted(self) -> tuple[Requests, ...]:
        metrics, target = self._row.metrics(), self._row.target
        until = self._row.now() - timedelta(seconds=metrics.lag_s(target))
        counted = metrics.requests(target, self._since, until, 60, SLOW_MS)
        assert counted and all(self._since < one.until <= until for one in counted)
        return counted

    def _service(self) -> Any:
        return self._row.provider().service(self._row.target)

    def _releases(self) -> Any:
        return self._row.provider().releases(self._row.target)

    def _release(self) -> Any:
        return self._row.provider().release_named(self._row.target, self._name("old"))
