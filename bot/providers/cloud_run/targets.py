"""Cloud Run's traffic targets: splits and preview tags as the API has them."""

from collections.abc import Iterable, Iterator

from google.cloud import run_v2

from bot.core.errors import Permanent
from bot.core.ports import LATEST, Traffic
from bot.core.traffic import describe, merge

BY_LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
BY_NAME = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


def checked(traffic: Traffic) -> Traffic:
    """Shares of 0 left out. Raises Permanent for what does not add up."""
    if sum(traffic.values()) != 100 or any(percent < 0 for percent in traffic.values()):
        raise Permanent(f"traffic must add up to 100 %, with no share below 0: {describe(traffic)}")
    return merge(traffic.items())


def named(target: run_v2.TrafficTarget) -> str:
    return LATEST if target.type_ == BY_LATEST else target.revision


def split(traffic: Traffic) -> Iterator[run_v2.TrafficTarget]:
    for release, percent in traffic.items():
        if release == LATEST:
            yield run_v2.TrafficTarget(type_=BY_LATEST, percent=percent)
        else:
            yield run_v2.TrafficTarget(type_=BY_NAME, revision=release, percent=percent)


def kept_tags(targets: Iterable[run_v2.TrafficTarget], but: str = "") -> list[run_v2.TrafficTarget]:
    """Preview addresses are traffic targets too, and are lost when the list is replaced without them."""
    tagged = [target for target in targets if target.tag and target.tag != but]
    return [run_v2.TrafficTarget(type_=one.type_, revision=one.revision, tag=one.tag) for one in tagged]


def preview(release: str, tag: str) -> list[run_v2.TrafficTarget]:
    """The address of a release that need not have traffic; none without a tag."""
    return [run_v2.TrafficTarget(type_=BY_NAME, revision=release, tag=tag)] if tag else []
