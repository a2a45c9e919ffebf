"""Log entries of releases, as functions of what was true: for every request that was counted there is one.

Entries are mappings by path ("httpRequest.status"). Each minute's can be made at any time, in any order, and are the
same. A kind of entry is known before its single entries are, so that a filter need not look at what it cannot want.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from google.cloud import run_v2

from bot.sandbox.cloud_run.state import ServiceState
from bot.sandbox.monitoring import latency, traffic
from bot.sandbox.names import project_of, short
from bot.sandbox.query import OPEN, Node

Entry = dict[str, Any]
PATHS = ("/", "/api/orders", "/api/orders/{id}", "/api/search", "/api/session")
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"
SEVERITY = {"4": "WARNING", "5": "ERROR"}  # by the first digit of the status; else INFO
# What an application writes when it fails: also what it should not write.
TROUBLES = (
    "upstream request timeout after 1000 ms: GET /api/orders",
    "could not connect to postgres://app:s3cr3t-pw@10.20.0.5:5432/app: connection timed out",
    "TypeError: Cannot read properties of undefined (reading 'id')",
)
_OPEN_IN_KIND = ("timestamp", "insertId", "trace", "httpRequest.latency_ms")


@dataclass(frozen=True)
class Kind:
    """Entries that differ only in when they were written and in numbers of their own."""

    fields: Entry
    code: str
    variation: int
    variations: int

    @property
    def log(self) -> str:
        """A letter for the log that it is in."""
        return str(self.fields["logName"].rpartition("%2F")[2][:1])

    def may_be(self, asked: Node) -> bool:
        return asked.may_accept({**self.fields, **dict.fromkeys(_OPEN_IN_KIND, OPEN)})


def kinds(state: ServiceState, release: str, asked: Node) -> list[Kind]:
    """Those of the entries of a release's requests that may be wanted."""
    return [kind for kind in _kinds(state, release) if kind.may_be(asked)]


def of_requests(seed: int, state: ServiceState, release: str, kinds: list[Kind], minutes: range) -> Iterator[Entry]:
    """One entry a request, and one more by the application for each that failed; in no order within a minute."""
    counted = traffic.requests(seed, state, release, minutes.start, minutes.stop) if kinds else {}
    for code, counts in counted.items():
        wanted = [kind for kind in kinds if kind.code == code]
        for place in np.flatnonzero(counts) if wanted else ():
            yield from _minute(seed, state, release, code, minutes.start + int(place), int(counts[place]), wanted)


def of_starts(state: ServiceState, release: str) -> Iterator[Entry]:
    """What Cloud Run and the container wrote when the release was started for the first time."""
    revision = state.revisions.get(release)
    ready = next((one for one in revision.conditions if one.type_ == "Ready"), None) if revision else None
    if not revision or not ready:
        return
    at, started = _plain(ready.last_transition_time), ready.state == run_v2.Condition.State.CONDITION_SUCCEEDED
    lines = _good_start(state, revision) if started else _bad_start(state, revision)
    for number, (log, severity, text) in enumerate(lines):
        when = at - timedelta(seconds=len(lines) - number)
        fields = _fields(state, release, log, severity, {"textPayload": text})
        yield {**fields, "timestamp": when, "insertId": _id(release, text, when)}


def _minute(
    seed: int, state: ServiceState, release: str, code: str, minute: int, count: int, wanted: list[Kind]
) -> Iterator[Entry]:
    project = project_of(state.name)
    for number, (at, took_ms) in enumerate(_answers(seed, state, release, code, minute, count)):
        began = datetime.fromtimestamp(at, UTC)
        for kind in wanted:
            if (number + minute) % kind.variations == kind.variation:
                request = _id(release, code, number, minute)
                whole = {**kind.fields, "timestamp": began, "insertId": f"{request}{kind.log}"}
                whole["trace"] = f"projects/{project}/traces/{request * 2}"
                yield whole | ({"httpRequest.latency_ms": took_ms} if "httpRequest.status" in whole else {})


def _answers(
    seed: int, state: ServiceState, release: str, code: str, minute: int, count: int
) -> Iterator[tuple[float, float]]:
    """When each was given (seconds since 1970), and how long it took in ms.

    Those made up come first, evenly over the minute, so that one that happens meanwhile changes none of them.
    """
    made_up = count - int(traffic.recorded(state, release, code, minute, minute + 1)[0])
    for number, took_ms in enumerate(_taken(seed, state, release, code, minute, made_up)):
        yield (minute + (number + 0.5) / made_up) * traffic.MINUTE_S, took_ms
    if state.recorded:
        at, took = state.recorded.between(release, code, minute, minute + 1)
        yield from zip(at.tolist(), took.tolist(), strict=True)


def _taken(seed: int, state: ServiceState, release: str, code: str, minute: int, count: int) -> list[float]:
    """How long each took: the middle of its bucket, so that the metrics tell the same."""
    row = latency.made_up(seed, state, release, code, minute, np.array([count]))[0]
    low = np.concatenate(([0.0], latency.EDGES_MS))
    high = np.concatenate((latency.EDGES_MS, latency.EDGES_MS[-1:]))
    took = np.repeat((low + high) / 2, row)
    return [float(one) for one in np.random.Generator(np.random.Philox(key=[minute, count])).permutation(took)]


def _kinds(state: ServiceState, release: str) -> Iterator[Kind]:
    for code in traffic.codes(state, release):
        severity = SEVERITY.get(code[0], "INFO")
        for number, path in enumerate(PATHS):
            request = {
                "httpRequest.requestMethod": "GET",
                "httpRequest.requestUrl": f"{state.shown.uri}{path.replace('{id}', '4711')}",
                "httpRequest.status": int(code),
                "httpRequest.userAgent": AGENT,
                "httpRequest.remoteIp": "203.0.113.7",
                "httpRequest.protocol": "HTTP/1.1",
            }
            yield Kind(_fields(state, release, "requests", severity, request), code, number, len(PATHS))
    for number, trouble in enumerate(TROUBLES):
        fields = _fields(state, release, "stderr", "ERROR", {"jsonPayload.message": trouble})
        yield Kind(fields, traffic.FAILED, number, len(TROUBLES))


def _fields(state: ServiceState, release: str, log: str, severity: str, more: Entry) -> Entry:
    project, location, name = state.name.split("/")[1::2]
    return {
        "logName": f"projects/{project}/logs/run.googleapis.com%2F{log}",
        "severity": severity,
        "resource.type": "cloud_run_revision",
        "resource.labels.project_id": project,
        "resource.labels.location": location,
        "resource.labels.service_name": name,
        "resource.labels.revision_name": release,
        "resource.labels.configuration_name": name,
        "labels.instanceId": hashlib.sha256(release.encode()).hexdigest(),
        **more,
    }


def _good_start(state: ServiceState, revision: run_v2.Revision) -> list[tuple[str, str, str]]:
    port, container = _port(revision), f"{short(state.name)}-1"
    probe = f'Default STARTUP TCP probe succeeded after 1 attempt for container "{container}" on port {port}.'
    return [
        ("varlog%2Fsystem", "INFO", _STARTING),
        ("stdout", "DEFAULT", f"listening on port {port}"),
        ("varlog%2Fsystem", "INFO", probe),
    ]


def _bad_start(state: ServiceState, revision: run_v2.Revision) -> list[tuple[str, str, str]]:
    probe = (
        f'Default STARTUP TCP probe failed 1 time consecutively for container "{short(state.name)}-1" on port '
        f"{_port(revision)}. The instance was not started. Connection failed with status CANCELLED."
    )
    return [
        ("varlog%2Fsystem", "INFO", _STARTING),
        ("stderr", "DEFAULT", "Error: the environment variable SESSION_KEY is not set"),
        ("varlog%2Fsystem", "WARNING", "Container called exit(1)."),
        ("varlog%2Fsystem", "ERROR", probe),
    ]


_STARTING = (
    "Starting new instance. Reason: DEPLOYMENT_ROLLOUT - Instance started due to traffic shifting between revisions "
    "due to deployment, traffic split adjustment, or deployment health check."
)


def _port(revision: run_v2.Revision) -> int:
    ports = revision.containers[0].ports if revision.containers else []
    return int(ports[0].container_port) if ports else 8080


def _plain(moment: Any) -> datetime:
    """Google's datetime, which has nanoseconds, as a plain one."""
    return datetime.fromtimestamp(moment.timestamp(), UTC)


def _id(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def accepted(asked: Node, entries: Iterator[Entry]) -> list[Entry]:
    return [entry for entry in entries if asked.accepts(entry)]
