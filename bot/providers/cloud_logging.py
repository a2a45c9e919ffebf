"""Cloud Logging, through Google's own client (API v2)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, cast

from bot.core.errors import Permanent
from bot.core.ports import LogEntry, LogLevel
from bot.core.request import Target
from bot.providers._google import Google, place, translated

if TYPE_CHECKING:
    from google.cloud.logging_v2.types import LogEntry as Entry

PAGE = 1000  # the API allows no more
LONGEST = 4000  # characters of one entry
NEEDED = "logging.logEntries.list"
FILTER = (
    'resource.type="cloud_run_revision" AND resource.labels.location={region}'
    ' AND resource.labels.service_name={service} AND timestamp>="{since}" AND timestamp<"{until}"'
)


class CloudLogging:
    """What releases of Cloud Run wrote, and what was written of their requests. Offers LogReads.

    A target's place names `project`, `region` and `service`.
    """

    cloud: ClassVar[str] = "gcp"
    PERMISSIONS: ClassVar[dict[str, tuple[str, ...]]] = {"logs": (NEEDED,)}

    def __init__(self, google: Google) -> None:
        self._google = google

    def logs(
        self,
        target: Target,
        *,
        since: datetime,
        until: datetime,
        release: str = "",
        errors_only: bool = False,
        containing: str = "",
        limit: int,
    ) -> tuple[LogEntry, ...]:
        """Newest first. Raises Permanent for a limit under 1."""
        if limit < 1:
            raise Permanent(f"ask for one log entry at least, not for {limit}")
        if since >= until:
            return ()
        text = _filter(target, since, until, release, errors_only, containing)
        with translated(f"read the logs of {place(target, 'service')} in {place(target, 'project')}", NEEDED):
            return tuple(_entry(one) for one in islice(self._read(target, text, limit), limit))

    def _read(self, target: Target, text: str, limit: int) -> Iterator["Entry"]:
        from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
        from google.cloud.logging_v2.types import ListLogEntriesRequest

        request = ListLogEntriesRequest(
            resource_names=[f"projects/{place(target, 'project')}"],
            filter=text,
            order_by="timestamp desc",
            page_size=min(limit, PAGE),
        )
        yield from self._google.client(LoggingServiceV2Client).list_log_entries(request, **self._google.reading)


def _filter(target: Target, since: datetime, until: datetime, release: str, errors_only: bool, containing: str) -> str:
    """A text that stands alone is looked for in every field (Logging query language, "Global restrictions")."""
    text = FILTER.format(
        region=_quoted(place(target, "region")),
        service=_quoted(place(target, "service")),
        since=since.isoformat(),
        until=until.isoformat(),
    )
    more = [
        f"resource.labels.revision_name={_quoted(release)}" if release else "",
        "severity>=ERROR" if errors_only else "",
        _quoted(containing) if containing else "",
    ]
    return " AND ".join([text, *filter(None, more)])


def _quoted(text: str) -> str:
    plain = " ".join(text.split())
    return '"' + plain.replace("\\", r"\\").replace('"', r"\"") + '"'


def _entry(entry: "Entry") -> LogEntry:
    from google.logging.type import log_severity_pb2

    bare: Any = type(entry).pb(entry)
    return LogEntry(
        at=bare.timestamp.ToDatetime(tzinfo=UTC),
        level=cast(LogLevel, log_severity_pb2.LogSeverity.Name(bare.severity).lower()),
        text=_printable(_text(bare))[:LONGEST],
        release=bare.resource.labels.get("revision_name", ""),
        log=bare.log_name.rpartition("%2F")[2] or bare.log_name,
    )


def _text(bare: Any) -> str:
    """What was written: a line, the message of a structure, or the whole of it; of a request what it was."""
    from google.protobuf import json_format

    match bare.WhichOneof("payload"):
        case "text_payload":
            return str(bare.text_payload)
        case "json_payload":
            said: dict[str, Any] = json_format.MessageToDict(bare.json_payload)
            return str(said.get("message") or said.get("msg") or json.dumps(said, ensure_ascii=False, sort_keys=True))
    request = bare.http_request
    took = f" in {request.latency.ToMilliseconds()} ms" if request.HasField("latency") else ""
    return f"{request.request_method} {request.request_url} {request.status}{took}" if request.status else ""


def _printable(text: str) -> str:
    """Without what moves a terminal's cursor or colours it; lines and tabs stay."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t")
