"""google.logging.v2.LoggingServiceV2: ListLogEntries."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Any

from google.api import monitored_resource_pb2
from google.cloud.logging_v2.types import LogEntry, logging
from google.logging.type import http_request_pb2, log_severity_pb2

from bot.sandbox import query
from bot.sandbox.cloud_run.state import ServiceState
from bot.sandbox.faults import LOGS
from bot.sandbox.logs import entries
from bot.sandbox.logs.entries import Entry
from bot.sandbox.method import Api, Method
from bot.sandbox.monitoring import traffic
from bot.sandbox.paging import offset, token_at
from bot.sandbox.query import OPEN, Node
from bot.sandbox.refusal import Refused, denied, invalid
from bot.sandbox.world import World

_KEPT = timedelta(days=30)  # the _Default bucket's retention
_LATE = timedelta(seconds=5)  # from an entry's own instant until it can be read
_MOST, _DEFAULT = 1000, 50
_CHUNK = 30  # minutes that are made at once
_RESPONSE, _ENTRY = logging.ListLogEntriesResponse.meta.pb, LogEntry.meta.pb  # wrapped, they are ten times as slow


def api(world: World) -> Api:
    logs = _Logs(world)
    method = Method(
        logging.ListLogEntriesRequest, logging.ListLogEntriesResponse, logs.list_entries,
        lambda request: str(next(iter(request.resource_names), "")), "", "logging.logEntries.list",
        concerns=logs.concerned,
    )  # fmt: skip
    return Api("google.logging.v2.LoggingServiceV2", "logging.googleapis.com", {"ListLogEntries": method}, permission)


def permission(needed: str, resource: str) -> Refused:
    return denied(f"Permission denied for all log views ({needed})", needed, resource)


class _Logs:
    def __init__(self, world: World) -> None:
        self._world = world

    def concerned(self, request: logging.ListLogEntriesRequest) -> str:
        """The service that a filter names, if it names one."""
        try:
            found = [state.name for state in self._services(request, query.parse(request.filter))]
        except Refused:
            return ""
        return found[0] if len(found) == 1 else ""

    def list_entries(self, request: logging.ListLogEntriesRequest) -> Any:
        """Oldest first, unless `order_by` says otherwise. A page may end before all minutes were looked at."""
        self._check(request)
        asked, newest_first = query.parse(request.filter), request.order_by == "timestamp desc"
        size = min(request.page_size or _DEFAULT, _MOST)
        start = offset(request.page_token)
        found = list(islice(self._found(request, asked, newest_first), start, start + size + 1))
        more = token_at(start + size) if len(found) > size else ""
        return _RESPONSE(entries=[_wire(one) for one in found[:size]], next_page_token=more)

    def _check(self, request: logging.ListLogEntriesRequest) -> None:
        if not request.resource_names:
            raise invalid("resource_names", "Must specify at least one resource name.")
        for name in request.resource_names:
            if name.removeprefix("projects/") not in self._world.vault.numbers:
                raise permission("logging.logEntries.list", name)
        if request.order_by not in ("", "timestamp asc", "timestamp desc"):
            raise invalid("order_by", f"Invalid order_by: {request.order_by}")
        if request.page_size < 0:
            raise invalid("page_size", "page_size must not be negative.")

    def _found(self, request: logging.ListLogEntriesRequest, asked: Node, newest_first: bool) -> Iterator[Entry]:
        now = self._world.clock.now()
        states = [
            state
            for state in self._services(request, asked)
            if "logs_absent" not in self._world.faults.strike(LOGS, state.name, "ListLogEntries")
        ]
        releases = [(state, release) for state in states for release in state.truths]
        starts = [one for state, release in releases for one in entries.of_starts(state, release) if asked.accepts(one)]
        wanted = [(state, release, entries.kinds(state, release, asked)) for state, release in releases]
        for minutes in _chunks(asked, now, newest_first):
            made = [one for one in starts if _minute(one["timestamp"]) in minutes]
            for state, release, kinds in wanted:
                of_requests = entries.of_requests(self._world.seed, state, release, kinds, minutes)
                made += [one for one in of_requests if asked.accepts(one)]
            readable = [one for one in made if one["timestamp"] < now - _LATE]
            yield from sorted(readable, key=lambda one: (one["timestamp"], one["insertId"]), reverse=newest_first)

    def _services(self, request: logging.ListLogEntriesRequest, asked: Node) -> list[ServiceState]:
        projects = [name.removeprefix("projects/") for name in request.resource_names]
        states = self._world.cloud_run.services.values()
        return [one for one in states if one.name.split("/")[1] in projects and asked.may_accept(_known(one))]


def _known(state: ServiceState) -> dict[str, Any]:
    """What all entries of a service have in common; everything else is open."""
    project, location, name = state.name.split("/")[1::2]
    return _Partly(
        {
            "resource.type": "cloud_run_revision",
            "resource.labels.project_id": project,
            "resource.labels.location": location,
            "resource.labels.service_name": name,
            "else": OPEN,
        }
    )


class _Partly(dict[str, Any]):
    """Open in all that it does not say."""

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key, OPEN)


def _chunks(asked: Node, now: datetime, newest_first: bool) -> Iterator[range]:
    """Minutes that the filter may want, some at a time, in the order that is asked for."""
    edges = sorted({now - _KEPT, now, *(at for at in asked.instants if now - _KEPT < at < now)})
    spans = [(begin, end) for begin, end in pairwise(edges) if _may_be_at(asked, begin + (end - begin) / 2)]
    wanted = sorted({minute for begin, end in spans for minute in range(_minute(begin), _minute(end) + 1)})
    chunks = [wanted[place : place + _CHUNK] for place in range(0, len(wanted), _CHUNK)]
    for chunk in reversed(chunks) if newest_first else chunks:
        yield range(chunk[0], chunk[-1] + 1)


def _may_be_at(asked: Node, at: datetime) -> bool:
    return asked.may_accept(_Partly({"timestamp": at, "else": OPEN}))


def _minute(at: datetime) -> int:
    return math.floor(at.timestamp() / traffic.MINUTE_S)


def _wire(one: Entry) -> Any:
    entry = _ENTRY(
        log_name=one["logName"],
        insert_id=one["insertId"],
        trace=one.get("trace", ""),
        severity=log_severity_pb2.LogSeverity.Value(one["severity"]),
        labels=_below(one, "labels."),
        resource=monitored_resource_pb2.MonitoredResource(
            type=one["resource.type"], labels=_below(one, "resource.labels.")
        ),
    )
    entry.timestamp.FromDatetime(one["timestamp"])
    entry.receive_timestamp.FromDatetime(one["timestamp"] + timedelta(seconds=1))
    if "textPayload" in one:
        entry.text_payload = one["textPayload"]
    if "jsonPayload.message" in one:
        entry.json_payload.update({"message": one["jsonPayload.message"]})
    if "httpRequest.status" in one:
        entry.http_request.CopyFrom(_request(one))
    return entry


def _request(one: Entry) -> http_request_pb2.HttpRequest:
    said = _below(one, "httpRequest.")
    request = http_request_pb2.HttpRequest(
        request_method=said["requestMethod"], request_url=said["requestUrl"], status=said["status"],
        user_agent=said["userAgent"], remote_ip=said["remoteIp"], protocol=said["protocol"],
    )  # fmt: skip
    request.latency.FromMicroseconds(round(said["latency_ms"] * 1000))
    return request


def _below(one: Entry, prefix: str) -> dict[str, Any]:
    return {path.removeprefix(prefix): value for path, value in one.items() if path.startswith(prefix)}
