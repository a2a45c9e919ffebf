"""What served at a moment of the past, and in which order services go back to it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.core.catalog import Catalog
from bot.core.counts import Counts
from bot.core.errors import UserError
from bot.core.instants import in_utc
from bot.core.ports import MetricReads, Traffic
from bot.core.request import Target
from bot.core.system import HistoryReads, Serving
from bot.core.traffic import describe

MOST_PCT = 50  # who answered more than that was no preview then
AS_SEEN = timedelta(minutes=10)  # for how long after a look nobody may have looked again


def served_at(
    target: Target,
    at: datetime,
    now: datetime,
    max_age: timedelta,
    history: HistoryReads,
    metrics: MetricReads,
    previews: frozenset[str],
) -> str:
    """The release that had all traffic then, from our own history, else from what monitoring counted; `previews` are
    those that are reached by a tag alone now.

    Raises UserError when none had all of it, or when nobody knows.
    """
    if now - at > max_age:
        raise UserError(
            f"{in_utc(at)} is more than {max_age.days} days ago: nobody kept what {target} was then. Name a release:"
            f" `rollback {target} --to RELEASE`."
        )
    own = history.served(target)
    found = _at(own, at)
    if found is None:
        counts = Counts(metrics, target, now)
        counted = _at(counts.spans(max_age, frozenset()), at)
        if counted is None:
            raise UserError(_unknown(target, at, own, counts.trouble))
        found = counted.model_copy(update={"split": _without(counted.split, previews)})
    if len(found.split) != 1:
        raise UserError(
            f"At {in_utc(at)} traffic of {target} was split: {describe(found.split)}. Choose another moment, or name a"
            f" release: `rollback {target} --to RELEASE`."
        )
    return next(iter(found.split))


def _without(split: Traffic, previews: frozenset[str]) -> Traffic:
    """What was counted, without single requests and without the few that a preview answered: nobody had split it."""
    left = {name: share for name, share in split.items() if share and (name not in previews or share > MOST_PCT)}
    return left or split


def in_order(catalog: Catalog, targets: Sequence[Target]) -> tuple[Target, ...]:
    """Who needs another comes before it, as it must be able to do without what is newer there; else as in the catalog.

    Services that need each other in a circle stay as they stand in the catalog.
    """
    left, ordered = list(targets), list[Target]()
    while left:
        free = [one for one in left if not any(_needs(catalog, other, one) for other in left if other != one)]
        ordered.append(free[0] if free else left[0])
        left.remove(ordered[-1])
    return tuple(ordered)


def _needs(catalog: Catalog, one: Target, other: Target) -> bool:
    return (one.system, one.environment) == (other.system, other.environment) and (
        other.name in catalog.entry(one).needs
    )


def _at(spans: Sequence[Serving], at: datetime) -> Serving | None:
    """The span in which an instant lies; spans are newest first."""
    return next((span for span in _closed(spans) if span.since <= at <= span.until), None)


def _closed(spans: Sequence[Serving]) -> Iterator[Serving]:
    """Spans that follow each other closely, each until the next one began: nobody looks all the time."""
    ends = [*(span.until + AS_SEEN for span in spans[:1]), *(span.since for span in spans[:-1])]
    for span, end in zip(spans, ends, strict=True):
        yield span.model_copy(update={"until": end if end - span.until <= AS_SEEN else span.until})


def _unknown(target: Target, at: datetime, own: Sequence[Serving], trouble: str) -> str:
    why = f" Monitoring cannot be read: {trouble.rstrip('.')}." if trouble else ""
    first = f" The earliest that is known is {in_utc(own[-1].since)}." if own else ""
    said = f"What {target} served at {in_utc(at)} is not known.{first}{why}"
    return f"{said} Name a release: `rollback {target} --to RELEASE`."
