"""Logs: one JSON object a line, with the operation it is about and without any secret. The only file that knows how.

The field names are those that Cloud Logging reads: `severity`, `time`, `message`
(https://cloud.google.com/logging/docs/structured-logging).
"""

import logging
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

BLANK = "[redacted]"
SHORTEST = 4  # a known secret with fewer characters would blank half of every text
FILE_BYTES, FILES_KEPT = 5_000_000, 2
_operation: ContextVar[str] = ContextVar("operation", default="")
log = logging.getLogger(__name__)

# Each pattern keeps its first group and blanks the rest.
_PATTERNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"()\b(?:xox[a-z]|xapp)[.-][\w.-]*\w",  # Slack's tokens: xoxb-…, xapp-…, xoxe.xoxp-…
        r"()\bya29\.[\w.-]+",  # Google's access tokens
        r"()-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        r"(https?://hooks\.slack(?:-gov)?\.com/)[^\s\"'<>]+",
        r"(response_url[\"']?\s*[:=]\s*[\"']?)[^\s\"',}]+",
        r"(authorization[\"']?\s*[:=,]\s*b?[\"']?)(?:[a-z]+\s+)?[^\s\"',]+",
        r"(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}",
        r"(\w://[^\s:/@\"']*:)[^\s\"']+(?=@)",  # the password in a URL, which may itself contain @ and /
        r"(\b(?:password|passwd|pwd|signing_secret|client_secret|bot_token|api_key)[\"']?\s*[:=]\s*[\"']?)[^\s\"',;&}]+",
    )
]

_NAMES = re.compile(r"authorization|token|secret|password|response_url|signature|cookie", re.IGNORECASE)


@contextmanager
def about(operation: str) -> Iterator[None]:
    """What is logged inside is about this operation, in this thread or task."""
    before = _operation.set(operation)
    try:
        yield
    finally:
        _operation.reset(before)


class Redactor:
    """Blanks what looks like a secret, and the secrets that are known."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {form for secret in secrets for form in (secret, unquote(secret)) if len(form) >= SHORTEST}
        longest_first = sorted(known, key=len, reverse=True)  # one may be the beginning of another
        self._known = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def __call__(self, text: str) -> str:
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\g<1>{BLANK}", text)
        return self._known.sub(BLANK, text)

    def deep(self, value: Any) -> Any:
        """The same, for everything inside a JSON value; what is not JSON becomes text."""
        if isinstance(value, dict):
            return {self(str(key)): self._field(str(key), one) for key, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.deep(one) for one in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self(str(value))

    def _field(self, name: str, value: Any) -> Any:
        return BLANK if isinstance(value, str | bytes) and _NAMES.search(name) else self.deep(value)


class Formatter(JsonFormatter):
    """A record as one line of ASCII JSON, which no terminal acts on.

    Secrets go before it is serialised: afterwards a quote in one would hide it.
    """

    def __init__(self, redact: Redactor) -> None:
        super().__init__(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "severity", "name": "logger", "exc_info": "exception"},
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],  # uvicorn's, with escape sequences
        )
        self._redact = redact

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["time"] = at.replace("+00:00", "Z")
        super().add_fields(log_data, record, message_dict)
        if operation := _operation.get():
            log_data["operation"] = operation

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        cleaned: dict[str, Any] = self._redact.deep(log_data)
        return cleaned


def to_stderr(level: str, redact: Redactor) -> str:
    """For a process that nobody sits in front of; returns where that is, for a sentence."""
    _to(logging.StreamHandler(sys.stderr), level, redact)
    return "the log on stderr"


def to_file(path: Path, level: str, redact: Redactor) -> str:
    """For a terminal, whose screen is for the person; returns where that is. Errors go to stderr if no file can be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8")
    except OSError:
        return to_stderr("ERROR", redact)
    _to(handler, level, redact)
    return str(path)


def _to(handler: logging.Handler, level: str, redact: Redactor) -> None:
    handler.setFormatter(Formatter(redact))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level)
    for proud in ("dbos", "google"):  # else each prints in a format of its own, or to nobody, once it was imported
        logging.getLogger(proud).handlers[:] = [logging.NullHandler()]
        logging.getLogger(proud).propagate = True
    for chatty in ("alembic", "asyncio", "slack_bolt", "slack_sdk", "urllib3", "google", "grpc"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("a bug ended the process", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        name = args.thread.name if args.thread else "?"
        log.critical("a bug ended the thread %s", name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))
