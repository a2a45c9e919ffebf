"""The gRPC front: every call is logged, checked, struck by faults, answered."""

import importlib
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import grpc

from bot.sandbox import names
from bot.sandbox.calls import Call, Fate
from bot.sandbox.faults import CALLS, Fault, Kind
from bot.sandbox.method import Api, Method
from bot.sandbox.refusal import Refused, rate_limited
from bot.sandbox.world import World

# gRPC service to the module whose `api(world)` serves it: imported when the first call arrives.
APIS = {
    "google.cloud.run.v2.Services": "bot.sandbox.cloud_run.services_api",
    "google.cloud.run.v2.Revisions": "bot.sandbox.cloud_run.revisions_api",
    "google.longrunning.Operations": "bot.sandbox.cloud_run.operations_api",
    "google.monitoring.v3.MetricService": "bot.sandbox.monitoring.metrics_api",
    "google.devtools.artifactregistry.v1.ArtifactRegistry": "bot.sandbox.registry_api",
    "google.cloud.secretmanager.v1.SecretManagerService": "bot.sandbox.secrets_api",
}
_SHORTLY_S = 0.02  # after an answer has left, until its reader is killed
_STEP_S = 0.01  # between looks of a call that waits
_HANG_S = 300.0  # a hanging call whose caller set no deadline


class Front(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Finds the method of a call. Unknown methods are logged too, and answer UNIMPLEMENTED."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._apis: dict[str, Api] = {}
        self._importing = threading.Lock()

    def service(self, details: Any) -> Any:
        _, service, name = details.method.split("/")
        if service not in APIS:
            return None
        api = self._api(service)
        method = api.methods.get(name)
        answer = Answer(self._world, api, name, method) if method else _unimplemented(self._world, api, name)
        return grpc.unary_unary_rpc_method_handler(answer, method.read if method else bytes, None)

    def _api(self, service: str) -> Api:
        with self._importing:
            if service not in self._apis:
                self._apis[service] = importlib.import_module(APIS[service]).api(self._world)
            return self._apis[service]


class Answer:
    """Answers calls of one method."""

    def __init__(self, world: World, api: Api, name: str, method: Method) -> None:
        self._world, self._api, self._name, self._method = world, api, name, method

    def __call__(self, request: Any, context: Any) -> Any:
        call, struck = self._arrive(request)
        try:
            answer = self._deliver(request, context, call, struck)
        except Refused as refused:
            _abort(context, refused)
        return answer

    def _arrive(self, request: Any) -> tuple[Call, dict[Kind, Fault]]:
        resource, service = self._method.resource(request), self._method.service(request)
        with self._world.settled() as now:
            call = self._world.calls.arrive(now, time.time(), self._api.service, self._name, resource, service)
            return call, self._world.faults.strike(CALLS, service, self._name)

    def _deliver(self, request: Any, context: Any, call: Call, struck: dict[Kind, Fault]) -> bytes:
        if hold := struck.get("hold"):
            self._world.stopping.wait(hold.seconds)
        kill = struck.get("kill")
        self._before(call, context, struck, kill)
        answer = self._act(request, context, call)
        if kill and kill.when == "after_commit":
            _fate(call, "killed after commit")
            _kill(kill.pid)
            raise _unavailable()
        if "lose_answer" in struck:
            _fate(call, "lost answer")
            raise _unavailable()
        if kill and kill.when == "after_answer":
            _fate(call, "killed after answer")
            context.add_callback(lambda: _kill_shortly(kill))
        return self._method.write(answer)

    def _before(self, call: Call, context: Any, struck: dict[Kind, Fault], kill: Fault | None) -> None:
        """What keeps a call from ever reaching the service."""
        if kill and kill.when == "before":
            _fate(call, "killed before")
            _kill(kill.pid)
            raise _unavailable()
        if "lose_request" in struck:
            _fate(call, "lost request")
            raise _unavailable()
        if error := struck.get("error"):
            _fate(call, "error", error.code)
            raise self._error(error, call, context)

    def _error(self, fault: Fault, call: Call, context: Any) -> Refused:
        match fault.code:
            case "PERMISSION_DENIED":
                refused = self._api.denial(self._method.permission, call.resource)
            case "RESOURCE_EXHAUSTED":
                number = self._world.vault.numbers.get(names.project_of(call.resource), 0)
                refused = rate_limited(self._api.endpoint, f"project_number:{number}", fault.seconds or 1.0)
            case "DEADLINE_EXCEEDED":
                _hang(context, self._world.stopping, fault.seconds)
                refused = Refused("DEADLINE_EXCEEDED", "Deadline exceeded.")
            case _:
                refused = Refused(fault.code, _TEXTS.get(fault.code, "The request failed."))
        return Refused(refused.code, fault.message, *refused.details) if fault.message else refused

    def _act(self, request: Any, context: Any, call: Call) -> Any:
        """Answer, again and again while the method waits for something."""
        give_up = time.monotonic() + self._world.clock.real_s(self._method.patience_s(request))
        while True:
            answer = self._once(request, context, call)
            left = min(give_up - time.monotonic(), context.time_remaining() or float("inf"))
            if self._method.finished(answer) or left <= 0 or not context.is_active():
                return answer
            if self._world.stopping.wait(min(_STEP_S, left)):
                return answer

    def _once(self, request: Any, context: Any, call: Call) -> Any:
        with self._world.settled():
            try:
                _check_routing(context, self._method.routing, call.resource)
                answer = self._method.answer(request)
            except Refused as refused:
                _fate(call, "refused", refused.code, refused.message)
                raise
            call.committed = self._method.commits
            _fate(call, "committed" if self._method.commits else "answered")
            self._describe(call, answer)
            return answer

    def _describe(self, call: Call, answer: Any) -> None:
        """What a change of a service left behind."""
        state = self._world.cloud_run.services.get(call.service)
        if not self._method.commits or not state:
            return
        call.operation, call.generation = answer.name, state.shown.generation
        call.annotations = dict(state.shown.annotations)
        call.traffic = {t.revision or "LATEST": t.percent for t in state.targets if t.percent}


_TEXTS = {
    "UNAVAILABLE": "The service is currently unavailable.",
    "ABORTED": "The operation was aborted.",
    "INTERNAL": "Internal error encountered.",
}


def _check_routing(context: Any, key: str, resource: str) -> None:
    """The header by which Google's front ends route a call (AIP-4222)."""
    headers = dict(context.invocation_metadata())
    given = parse_qs(headers.get("x-goog-request-params", ""))
    wanted = names.location_of(resource) if key == "location" else resource
    if given.get(key) != [wanted]:
        raise Refused("INVALID_ARGUMENT", f"The header x-goog-request-params must carry {key}={wanted}.")


def _unimplemented(world: World, api: Api, name: str) -> Callable[[Any, Any], Any]:
    def refuse(_: Any, context: Any) -> Any:
        with world.settled() as now:
            call = world.calls.arrive(now, time.time(), api.service, name, "", "")
            _fate(call, "refused", "UNIMPLEMENTED")
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"The sandbox does not implement {api.service}/{name}.")

    return refuse


def _fate(call: Call, fate: Fate, code: str = "", message: str = "") -> None:
    call.fate, call.code, call.message = fate, code, message


def _unavailable() -> Refused:
    return Refused("UNAVAILABLE", "Connection reset by peer")


def _abort(context: Any, refused: Refused) -> None:
    if refused.details:
        status = refused.status().SerializeToString()
        context.set_trailing_metadata((("grpc-status-details-bin", status),))
    context.abort(grpc.StatusCode[refused.code], refused.message)


def _hang(context: Any, stopping: threading.Event, seconds: float) -> None:
    """Say nothing until the caller gives up."""
    until = time.monotonic() + (seconds or _HANG_S)
    while context.is_active() and time.monotonic() < until and not stopping.wait(_STEP_S):
        pass


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _kill_shortly(fault: Fault) -> None:
    timer = threading.Timer(fault.seconds or _SHORTLY_S, _kill, (fault.pid,))
    timer.daemon = True
    timer.start()
