"""How an API is declared: its methods, their message classes, and what every call needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.names import service_of
from bot.sandbox.refusal import Refused


def _always(_: Any) -> bool:
    return True


def _none(_: Any) -> dict[str, str]:
    return {}


def _no_patience(_: Any) -> float:
    return 0.0


@dataclass(frozen=True)
class Method:
    """One RPC.

    `answer` runs under the world's lock and raises Refused. `resource` is the full name that a request addresses,
    `concerns` the Cloud Run service that faults see it as. `routing` is the key that x-goog-request-params must
    carry ("location" or the field's name), empty for a method without one. `patience_s` and `finished` let a call
    wait for its answer, in sandbox seconds. `commits` marks changes, and `annotations` picks those of a request.
    """

    request: Any
    response: Any
    answer: Callable[[Any], Any]
    resource: Callable[[Any], str]
    routing: str
    permission: str
    commits: bool = False
    annotations: Callable[[Any], dict[str, str]] = _none
    concerns: Callable[[Any], str] | None = None
    patience_s: Callable[[Any], float] = _no_patience
    finished: Callable[[Any], bool] = _always

    def service(self, request: Any) -> str:
        return self.concerns(request) if self.concerns else service_of(self.resource(request))

    def read(self, data: bytes) -> Any:
        parse = getattr(self.request, "deserialize", None) or self.request.FromString
        return parse(data)

    def write(self, answer: Any) -> bytes:
        data = answer.SerializeToString() if hasattr(answer, "SerializeToString") else type(answer).serialize(answer)
        return bytes(data)


@dataclass(frozen=True)
class Api:
    """One gRPC service, "google.cloud.run.v2.Services", of an endpoint, "run.googleapis.com"."""

    service: str
    endpoint: str
    methods: Mapping[str, Method]
    denial: Callable[[str, str], Refused]
