"""A provider that breaks a promise does not pass: each of these breaks one, and names the case that sees it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.core.errors import Forbidden
from bot.core.ports import Progress
from bot.providers import _google
from bot.providers.cloud_monitoring import CloudMonitoring
from bot.providers.cloud_run import stamp, targets, writes
from bot.providers.cloud_run.follow import Follow
from bot.providers.cloud_run.reads import Reads
from tests.providers.conformance.platform import CloudRunRow
from tests.providers.conformance.play import Played

CASES = {
    case["case"]: case["do"]
    for case in YAML(typ="safe", pure=True).load(Path(__file__).with_name("cases.yaml"))
}  # fmt: skip


def nothing(*_: Any, **__: Any) -> None:
    pass


def always_done(self: Follow, target: Any, cloud_operation: str) -> Progress:
    return Progress(state="succeeded", version=str(self._reads.get(target).generation))


def unnamed(self: Any, error: Any) -> Forbidden:
    return Forbidden("aisq may not do that")


def without_errors(requests: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **more: tuple(one.model_copy(update={"errors": 0}) for one in requests(*args, **more))


BROKEN: dict[str, tuple[object, str, object, str]] = {
    "loses preview tags": (
        targets, "kept_tags", lambda *_, **__: [],
        "preview tags of others stay when traffic moves and when a release is made",
    ),
    "overwrites what others did": (
        writes, "must_be_at", nothing,
        "somebody sets traffic between two of our writes, and is not overwritten",
    ),
    "leaves no mark": (
        stamp, "put", nothing,
        "the answer is lost, and the write was carried out",
    ),
    "does not find its mark": (
        Follow, "find", nothing,
        "the answer is lost, and the write was carried out",
    ),
    "takes a tag for an image": (
        writes, "BY_DIGEST", re.compile(".*"),
        "a release is never made of a tag",
    ),
    "does not look whether a release can serve": (
        Reads, "must_serve", nothing,
        "a release that never starts takes no traffic",
    ),
    "calls everything done": (
        Follow, "poll", always_done,
        "a rollout that fails says so, and can be put back",
    ),
    "does not say which permission is missing": (
        _google._Attempt, "_forbidden", unnamed,
        "a permission is missing",
    ),
    "counts no errors": (
        CloudMonitoring, "requests", without_errors(CloudMonitoring.requests),
        "a bad canary shows in its share of the requests, in its errors and in its logs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_seen(clean: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    owner, attribute, broken, case = BROKEN[name]
    monkeypatch.setattr(owner, attribute, broken)
    row = CloudRunRow(clean)
    with pytest.raises((AssertionError, KeyError)):
        Played(row).play(CASES[case])
        row.carried_out()
