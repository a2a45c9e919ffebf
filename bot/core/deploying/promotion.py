"""What goes from one environment to the next: the same digest, of a release that served well where it comes from."""

from datetime import datetime
from typing import NamedTuple

from bot.core.catalog import Catalog
from bot.core.counts import Counts
from bot.core.deploying.image import DIGEST
from bot.core.errors import UserError
from bot.core.lastgood import Past, merged
from bot.core.memory import bar_of, previewed
from bot.core.parser import did_you_mean, near, shown
from bot.core.ports import ComputeReads, MetricReads, Release
from bot.core.request import Target
from bot.core.system import HistoryReads
from bot.core.traffic import describe


class Proof(NamedTuple):
    """What is to be proven: that the source serves, or served, this digest well; without one, what serves there."""

    source: Target
    digest: str | None


class Proven(NamedTuple):
    """An image, PATH@DIGEST as the source runs it, and what is known of how it did."""

    image: str
    sentence: str

    @property
    def digest(self) -> str:
        return self.image.partition("@")[2]


def source_of(service: Target, said: str | None, catalog: Catalog) -> Target:
    """The same service where it comes from. Raises UserError when there is no such place."""
    system = catalog.systems[service.system]
    order = system.promotion
    at = order.index(service.environment) if service.environment in order else 0
    name = said or (order[at - 1] if at else "")
    if not name:
        first = f"Nothing comes before {service.environment} in {service.system}"
        raise UserError(f"{first}: say where from, `--source ENVIRONMENT`, or declare `promotion` in the catalog.")
    if name not in system.environments or name == service.environment:
        others = [one for one in system.environments if one != service.environment]
        hint = did_you_mean(near(name, others))
        raise UserError(f"{service.system} has no other environment `{shown(name)}`.{hint}")
    if service.name not in system.environments[name].services:
        raise UserError(f"{name} of {service.system} has no {service.name}: there is nothing that could be promoted.")
    return catalog.target(service.system, name, service.name)


def proven(
    wanted: Proof,
    compute: ComputeReads,
    history: HistoryReads,
    metrics: MetricReads,
    catalog: Catalog,
    now: datetime,
) -> Proven:
    """What ran well in the source. Raises UserError for what never did."""
    release = _serving(wanted, compute)
    previews = previewed(compute.service(wanted.source)) - {release.name}
    past = _past(wanted.source, release.name, previews, history, metrics, catalog, now)
    bar = bar_of(wanted.source, catalog, now)
    if past is None or past.health == "unknown":
        why = past.sentence() if past else f"{release.name} is not known to have served all traffic there"
        raise UserError(f"{release.name} never ran healthy in {wanted.source}, as far as is known: {why}.")
    if past.health != "good":
        raise UserError(f"{release.name} never ran healthy in {wanted.source}: {bar.why_not(past)}.")
    return Proven(release.image, f"In {wanted.source.environment}, {past.sentence()}.")


def _serving(wanted: Proof, compute: ComputeReads) -> Release:
    """The release of the digest, else the one that has all traffic."""
    source = wanted.source
    if wanted.digest:
        found = [one for one in compute.releases(source) if one.image.endswith(f"@{wanted.digest}")]
        if not DIGEST.fullmatch(wanted.digest) or not found:
            raise UserError(f"No release of {source} is of `{shown(wanted.digest)}`. Write a digest that ran there.")
        return found[0]
    now = compute.service(source)
    if len(now.serving) != 1:
        raise UserError(f"Traffic of {source} is split: {describe(now.serving)}. Promote what has all of it.")
    release = compute.release_named(source, next(iter(now.serving)))
    if not DIGEST.fullmatch(release.image.partition("@")[2]):
        raise UserError(f"{release.name} of {source} runs {release.image or 'an unknown image'}, named by no digest.")
    return release


def _past(
    source: Target,
    release: str,
    previews: frozenset[str],
    history: HistoryReads,
    metrics: MetricReads,
    catalog: Catalog,
    now: datetime,
) -> Past | None:
    """How it did, by our own history and by what monitoring counted."""
    bar = bar_of(source, catalog, now)
    own = [one for one in bar.pasts(history.served(source)) if one.release == release]
    if own and own[0].health == "good":
        return own[0]
    counted = bar.pasts(Counts(metrics, source, now).spans(bar.max_age, previews))
    found = merged(own, [one for one in counted if one.release == release])
    return found[0] if found else None
