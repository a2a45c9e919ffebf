"""Google's clients and Google's errors. Nothing else constructs a client, opens a channel or reads an error code.

Google's packages take half a second to import, so they are imported when a client is first needed.
"""

import ipaddress
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bot.core.errors import (
    CloudError,
    ConfigError,
    Forbidden,
    NotFound,
    Permanent,
    Refused,
    Transient,
    Uncertain,
)
from bot.core.request import Target

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError

Client = TypeVar("Client")
CHANNEL_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
DOWNLOAD = "artifactregistry.repositories.downloadArtifacts"
LOGIN = "run `gcloud auth application-default login`, or give aisq's process a service account"
_PERMISSION = re.compile(r"[Pp]ermission ['\"]?([a-zA-Z]+(?:\.[a-zA-Z]+){2,})")  # Permission 'run.services.get' denied
_IMAGE = re.compile(r"must have permission to read\s+the image")  # User must have …: Cloud Run names no permission
_LONGEST = 300  # characters of a sentence of Google's that are passed on


class Google:
    """Google's synchronous gRPC clients, each made once a process.

    Without `endpoint` they speak TLS to Google with the default credentials; with "127.0.0.1:PORT" they speak
    plain text to that address, which must be on this machine. Raises ConfigError for any other.

    `reading` and `writing` are the keyword arguments of every call: our own deadline, and no retries by the client.
    Repeating is the engine's business; a client that repeats in secret outlives its deadline.
    """

    def __init__(
        self, endpoint: str | None = None, *, read_timeout_s: float = 10.0, write_timeout_s: float = 15.0
    ) -> None:
        if endpoint is not None and not _is_loopback(endpoint):
            problem = f"{endpoint!r} is not on this machine; write 127.0.0.1:PORT, or nothing for Google itself"
            raise ConfigError(problem, file="settings", field="google endpoint")
        self._endpoint = endpoint
        self.reading: dict[str, Any] = {"retry": None, "timeout": read_timeout_s}
        self.writing: dict[str, Any] = {"retry": None, "timeout": write_timeout_s}
        self._clients: dict[tuple[int, type], Any] = {}
        self._channels: dict[int, Any] = {}

    def client(self, kind: type[Client], host: str = "") -> Client:
        """The client of this class for this process: a channel does not survive a fork. Raises Permanent.

        `host` is for the client of an API that others offer too: it names no host of Google's by itself.
        """
        key = os.getpid(), kind
        if key not in self._clients:
            with translated("log in to Google"):
                made = self._live(kind, host) if self._endpoint is None else self._local(kind, self._endpoint)
            self._clients.setdefault(key, made)
        return cast(Client, self._clients[key])

    def _live(self, kind: Any, host: str) -> Any:
        return kind(transport="grpc", client_options={"api_endpoint": host, "scopes": SCOPES} if host else None)

    def _local(self, kind: Any, endpoint: str) -> Any:
        import grpc

        pid = os.getpid()
        if pid not in self._channels:
            self._channels.setdefault(pid, grpc.insecure_channel(endpoint, options=CHANNEL_OPTIONS))
        return kind(transport=kind.get_transport_class("grpc")(channel=self._channels[pid]))


def place(target: Target, key: str) -> str:
    """The target's project, region, …; raises Permanent when the catalog gives none."""
    if found := target.place.get(key):
        return found
    raise Permanent(f"the catalog gives no {key} for {target}; add it there")


def instant(moment: datetime) -> datetime:
    """Google's datetime, which has nanoseconds, as a plain one in UTC."""
    return datetime.combine(moment.date(), moment.timetz()).astimezone(UTC)


def sentence(text: str) -> str:
    """Foreign text as one line without its full stop: the first paragraph, cut at 300 characters."""
    line = " ".join(text.strip().partition("\n\n")[0].split())
    printable = "".join(char for char in line if char.isprintable())
    cut = printable if len(printable) <= _LONGEST else f"{printable[:_LONGEST]}…"
    return cut.removesuffix(".")


@contextmanager
def translated(action: str, permission: str = "", *, write: bool = False) -> Iterator[None]:
    """Turn Google's errors into ours.

    `action` completes "aisq could not …" and names what it is done to; `permission` is what the call needs, told
    when Google does not say which one is missing. For a `write`, no clear answer is Uncertain; for a read, Transient.
    """
    from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    attempt = _Attempt(action, permission, write)
    try:
        yield
    except GoogleAPICallError as error:
        raise attempt.ended(error) from error
    except GoogleAPIError as error:
        raise attempt.unanswered("Google's client gave up") from error
    except GoogleAuthError as error:
        raise Permanent(f"aisq could not {action}: it has no Google identity that works; {LOGIN}") from error


@dataclass(frozen=True)
class _Attempt:
    """What was tried."""

    action: str
    permission: str
    write: bool

    def ended(self, error: "GoogleAPICallError") -> CloudError:
        from google.api_core import exceptions as gx

        match error:
            # Aborted and AlreadyExists are both gx.Conflict; only the first is about an etag.
            case gx.Aborted() if self.write:
                return Refused(f"aisq could not {self.action}: it was changed at the same moment")
            case gx.TooManyRequests():
                said = "Google's quota for that is used up for now"
                return Transient(f"aisq could not {self.action}: {said}", retry_after_s=_retry_after_s(error))
            case gx.Forbidden():
                return self._forbidden(error)
            case gx.NotFound():
                return NotFound(self._said(error))
            case gx.Unauthorized():
                return Permanent(f"aisq could not {self.action}: Google does not accept its identity; {LOGIN}")
            case gx.Aborted() | gx.Cancelled():
                return self.unanswered("the call was broken off")
            case gx.ClientError() | gx.MethodNotImplemented():
                return Permanent(self._said(error))
        return self._lost(error)

    def unanswered(self, why: str) -> CloudError:
        """No clear answer: a read can be repeated, a write may have been carried out."""
        if self.write:
            return Uncertain(f"aisq tried to {self.action}, and nobody here knows whether it was done: {why}")
        return Transient(f"aisq could not {self.action}: {why}")

    def _lost(self, error: "GoogleAPICallError") -> CloudError:
        from google.api_core import exceptions as gx

        if (error.message or "").startswith("Getting metadata from plugin failed"):  # before anything was sent
            return Transient(f"aisq could not {self.action}: it could not get a token from Google; {LOGIN}")
        match error:
            case gx.GatewayTimeout():
                return self.unanswered("no answer came in time")
            case gx.ServiceUnavailable() | gx.BadGateway():
                return self.unanswered("Google could not be reached")
        return self.unanswered("Google reported an error of its own")

    def _forbidden(self, error: "GoogleAPICallError") -> CloudError:
        told = dict(error.metadata or {})
        if error.reason == "SERVICE_DISABLED":
            return Permanent(self._said(error))
        quoted = _PERMISSION.search(error.message or "")
        usual = DOWNLOAD if _IMAGE.search(error.message or "") else self.permission
        missing = told.get("permission") or (quoted[1] if quoted else usual)
        lacks = f"the permission {missing}" if missing else "a permission that Google does not name"
        where = f" on {told['resource']}" if told.get("resource") else ""
        return Forbidden(f"aisq may not {self.action}: its Google identity lacks {lacks}{where}", permission=missing)

    def _said(self, error: "GoogleAPICallError") -> str:
        return f"aisq could not {self.action}: {sentence(error.message or type(error).__name__)}"


def _retry_after_s(error: "GoogleAPICallError") -> float:
    """What RetryInfo asks for, 0 without one (google/rpc/error_details.proto)."""
    from google.rpc.error_details_pb2 import RetryInfo

    delays = [detail.retry_delay for detail in error.details if isinstance(detail, RetryInfo)]
    return float(max((delay.ToTimedelta().total_seconds() for delay in delays), default=0.0))


def _is_loopback(endpoint: str) -> bool:
    host, _, port = endpoint.rpartition(":")
    try:
        return port.isdecimal() and (host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback)
    except ValueError:
        return False
