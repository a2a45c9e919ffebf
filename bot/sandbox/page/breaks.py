"""The fault panel: what one can break with one press, as data, and what still waits to strike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.sandbox.page.look import Json, Seen

RATES = (2, 10, 60, 300)


@dataclass(frozen=True)
class Break:
    """`where` says what is told: the release that serves, a new deployment, the cloud, Slack, or the bot.

    `real_seconds` in `what` become the town's.
    """

    title: str
    about: str
    where: Literal["quality", "release", "cloud", "slack", "bot"]
    what: Mapping[str, Any] = field(default_factory=dict)
    grave: bool = False


BREAKS: dict[str, Break] = {
    "bad": Break("Release goes bad", "What serves fails 8 % from now on", "quality", {"error_rate": 0.08}),
    "well": Break("Release recovers", "What serves is well again", "quality", {"error_rate": 0.0004}),
    "deploy": Break("Deploy a bad release", "It takes all traffic, and fails 8 %", "release",
                    {"error_rate": 0.08, "traffic": 100}),
    "slow": Break("Slow operation", "The next rollout takes 15 s", "cloud",
                  {"kind": "slow_rollout", "real_seconds": 15}),
    "conflict": Break("Conflict, 409", "The next write comes too late", "cloud",
                      {"kind": "error", "code": "ABORTED", "method": "UpdateService"}),
    "unavailable": Break("Unavailable, 503", "The next five calls fail", "cloud",
                         {"kind": "error", "code": "UNAVAILABLE", "times": 5}),
    "limited": Break("Slack says 429", "Its next five calls, 2 s each", "slack",
                     {"kind": "ratelimited", "times": 5, "retry_after_s": 2}),
    "kill": Break("kill -9 the bot", "Now; another one takes over", "bot", grave=True),
}  # fmt: skip


def waiting(seen: Seen) -> list[str]:
    """The faults that have not struck yet, in words."""
    return [*map(_of_cloud, seen.faults), *map(_of_slack, seen.slack_faults)]


def _of_cloud(waits: Json) -> str:
    fault = waits["fault"]
    code = f" {fault['code']}" if fault["kind"] == "error" else ""
    left = fault["times"] - waits["struck"]
    return f"{fault['kind'].replace('_', ' ')}{code}{_times(left)}"


def _of_slack(fault: Json) -> str:
    return f"Slack: {fault['kind'].replace('_', ' ')}{_times(fault['times'])}"


def _times(count: int) -> str:
    return f", {count} times" if count > 1 else ""
