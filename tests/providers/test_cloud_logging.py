"""Logs of the sandbox's Cloud Logging, what is asked of it, and entries that the sandbox never writes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.logging_v2.types import ListLogEntriesRequest
from google.cloud.logging_v2.types import LogEntry as Wire
from google.protobuf import json_format

from bot.core.errors import CloudError, Forbidden, Permanent, Transient
from bot.core.ports import LogEntry
from bot.core.request import Target
from bot.providers._google import Google
from bot.providers.cloud_logging import LONGEST, CloudLogging

MINUTE = timedelta(minutes=1)
GET = {"requestMethod": "GET", "requestUrl": "/x"}
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def logs(google: Google) -> CloudLogging:
    return CloudLogging(google)


def ask(rig: Any, logs: CloudLogging, minutes: float = 5, **more: Any) -> tuple[LogEntry, ...]:
    asked = {"since": rig.now() - minutes * MINUTE, "until": rig.now(), "limit": 200, **more}
    return logs.logs(rig.target, **asked)


@pytest.fixture
def busy(rig: Any) -> Any:
    """Release 2 fails 2 % of 2 requests a second."""
    rig.by_hand({2: 100})
    rig.control.advance(1800)
    return rig


def test_the_newest_come_first_and_no_more_than_asked(busy: Any, logs: CloudLogging) -> None:
    found = ask(busy, logs, limit=50)
    assert len(found) == 50
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
    assert busy.now() - found[0].at < timedelta(seconds=20)
    assert {one.release for one in found} == {busy.release(2)}
    assert len({call["seq"] for call in busy.control.calls(method="ListLogEntries")}) >= 1


def test_requests_and_what_the_application_said(busy: Any, logs: CloudLogging) -> None:
    found = ask(busy, logs, minutes=30, limit=5000)
    by_log = {log: [one for one in found if one.log == log] for log in {one.log for one in found}}
    assert set(by_log) == {"requests", "stderr"}
    assert {one.level for one in by_log["requests"]} == {"info", "warning", "error"}
    failed = [one for one in by_log["requests"] if one.level == "error"]
    assert len(failed) == len(by_log["stderr"]) > 20
    assert all(one.text.startswith("GET https://") and " 500 in " in one.text for one in failed)
    assert any("could not connect to postgres://" in one.text for one in by_log["stderr"])


def test_errors_only(busy: Any, logs: CloudLogging) -> None:
    found = ask(busy, logs, minutes=30, errors_only=True)
    assert found and {one.level for one in found} == {"error"}


def test_one_release_only(busy: Any, logs: CloudLogging) -> None:
    assert ask(busy, logs, release=busy.release(2))
    assert ask(busy, logs, release=busy.release(1)) == ()


@pytest.mark.parametrize(
    ("containing", "found"),
    [("POSTGRES://", True), ("reading 'id'", True), ('quoted "text" \\', False), ("/API/search", True)],
)
def test_containing(busy: Any, logs: CloudLogging, containing: str, found: bool) -> None:
    entries = ask(busy, logs, minutes=30, containing=containing)
    assert bool(entries) is found
    assert all(containing.lower() in one.text.lower() for one in entries)


def test_since_is_in_and_until_is_not(busy: Any, logs: CloudLogging) -> None:
    edge = ask(busy, logs, limit=40)[20].at
    newer = ask(busy, logs, since=edge, limit=1000)
    older = ask(busy, logs, until=edge, limit=1000)
    assert newer[-1].at == edge > older[0].at
    assert ask(busy, logs, since=edge, until=edge) == ()


def test_why_a_release_did_not_start(rig: Any, logs: CloudLogging) -> None:
    rig.control.release(rig.path, name=f"{rig.name}-bad", ready=False)
    rig.settle()
    rig.control.advance(10)
    found = ask(rig, logs, release=f"{rig.name}-bad")
    assert found[0].text.startswith("Default STARTUP TCP probe failed 1 time consecutively")
    assert (found[0].level, found[0].log) == ("error", "system")
    assert "Error: the environment variable SESSION_KEY is not set" in [one.text for one in found]


def test_a_limit_that_asks_for_nothing(rig: Any, logs: CloudLogging) -> None:
    with pytest.raises(Permanent, match="one log entry at least, not for 0"):
        ask(rig, logs, limit=0)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("PERMISSION_DENIED", Forbidden), ("RESOURCE_EXHAUSTED", Transient), ("UNAVAILABLE", Transient)],
)
def test_faults(rig: Any, logs: CloudLogging, code: str, kind: type[CloudError]) -> None:
    rig.fault("error", method="ListLogEntries", code=code)
    with pytest.raises(kind, match=f"read the logs of {rig.name} in pool|its Google identity lacks") as caught:
        ask(rig, logs)
    if isinstance(caught.value, Forbidden):
        assert caught.value.permission == "logging.logEntries.list" == CloudLogging.PERMISSIONS["logs"][0]


# --- to the field


class Recorded(Google):
    """Answers with the entries that it was given."""

    def __init__(self, *entries: dict[str, Any]) -> None:
        super().__init__()
        self._entries, self.sent = entries, list[ListLogEntriesRequest]()

    def client(self, kind: type[Any], host: str = "") -> Any:
        return self

    def list_log_entries(self, request: ListLogEntriesRequest, **_: Any) -> list[Wire]:
        self.sent.append(request)
        return [
            Wire.wrap(json_format.ParseDict({"timestamp": AT.isoformat(), **one}, Wire.meta.pb()))
            for one in self._entries
        ]


PLACE = {"project": "p", "region": "r", "service": "web"}
TARGET = Target(system="s", environment="e", name="web", kind="service", type="cloud_run", cloud="gcp", place=PLACE)


def test_what_is_asked() -> None:
    google = Recorded()
    asked = {"release": 'web-1" OR severity>=DEBUG', "errors_only": True, "containing": 'a "b"\\\nc'}
    CloudLogging(google).logs(TARGET, since=AT, until=AT + MINUTE, limit=3000, **asked)
    request = google.sent[0]
    assert list(request.resource_names) == ["projects/p"]
    assert (request.order_by, request.page_size) == ("timestamp desc", 1000)
    assert request.filter == (
        'resource.type="cloud_run_revision" AND resource.labels.location="r" AND resource.labels.service_name="web"'
        ' AND timestamp>="2026-11-20T12:00:00+00:00" AND timestamp<"2026-11-20T12:01:00+00:00"'
        ' AND resource.labels.revision_name="web-1\\" OR severity>=DEBUG"'
        ' AND severity>=ERROR AND "a \\"b\\"\\\\ c"'
    )


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"textPayload": "two\nlines\tand \x1b[31mred"}, "two\nlines\tand [31mred"),
        ({"jsonPayload": {"message": "said", "more": 1}}, "said"),
        ({"jsonPayload": {"msg": "said by pino"}}, "said by pino"),
        ({"jsonPayload": {"event": "ü", "n": 1}}, '{"event": "ü", "n": 1.0}'),
        ({"httpRequest": {**GET, "status": 204, "latency": "0.120s"}}, "GET /x 204 in 120 ms"),
        ({"httpRequest": {**GET, "status": 101}}, "GET /x 101"),
        ({}, ""),
        ({"textPayload": "x" * (LONGEST + 1)}, "x" * LONGEST),
    ],
)  # fmt: skip
def test_what_an_entry_says(entry: dict[str, Any], text: str) -> None:
    (found,) = CloudLogging(Recorded(entry)).logs(TARGET, since=AT, until=AT + MINUTE, limit=1)
    assert found.text == text


@pytest.mark.parametrize(
    ("severity", "level"), [("DEFAULT", "default"), ("NOTICE", "notice"), ("EMERGENCY", "emergency")]
)
def test_levels_and_the_rest(severity: str, level: str) -> None:
    entry = {
        "severity": severity,
        "logName": "projects/p/logs/run.googleapis.com%2Fvarlog%2Fsystem",
        "resource": {"labels": {"revision_name": "web-1"}},
    }
    (found,) = CloudLogging(Recorded(entry)).logs(TARGET, since=AT, until=AT + MINUTE, limit=1)
    assert found == LogEntry(at=AT, level=level, text="", release="web-1", log="system")  # type: ignore[arg-type]
