"""One call, from its arrival to its answer: logged, struck by faults, checked, answered."""

import time
from typing import Any
from urllib.parse import parse_qs

import grpc

from bot.sandbox import names, strikes
from bot.sandbox.calls import Call
from bot.sandbox.faults import CALLS, Fault, Kind
from bot.sandbox.method import Api, Method
from bot.sandbox.refusal import Refused
from bot.sandbox.world import World

_STEP_S = 0.01  # between looks of a call that waits


class Answer:
    """Answers calls of one method. Faults strike in this order: hold, kill, lost request, error, lost answer."""

    def __init__(self, world: World, api: Api, name: str, method: Method) -> None:
        self._world, self._api, self._name, self._method = world, api, name, method

    def __call__(self, data: bytes, context: Any) -> bytes:
        request = self._method.read(data)
        call, struck = self._arrive(request)
        try:
            if hold := struck.get("hold"):
                self._world.stopping.wait(hold.seconds)
            self._before(call, context, struck)
            outcome = self._act(request, context, call)
            self._after(call, context, struck)
            if isinstance(outcome, Refused):
                raise outcome
            return self._method.write(outcome)
        except Refused as refused:
            _abort(context, refused)
            raise

    def _arrive(self, request: Any) -> tuple[Call, dict[Kind, Fault]]:
        with self._world.settled() as now:
            resource, service = self._method.resource(request), self._method.service(request)
            call = self._world.calls.arrive(now, time.time(), self._api.service, self._name, resource, service)
            call.annotations = self._method.annotations(request)
            return call, self._world.faults.strike(CALLS, service, self._name)

    def _before(self, call: Call, context: Any, struck: dict[Kind, Fault]) -> None:
        """What keeps a call from ever reaching the service."""
        if (kill := struck.get("kill")) and kill.when == "before":
            call.end("killed before")
            strikes.kill(kill)
            raise strikes.unavailable()
        if "lose_request" in struck:
            call.end("lost request")
            raise strikes.unavailable()
        if fault := struck.get("error"):
            call.end("error", fault.code)
            denial = self._api.denial(self._method.permission, call.resource)
            number = self._world.vault.numbers.get(names.project_of(call.resource), 0)
            strikes.hang_if_asked(fault, context, self._world.stopping)
            raise strikes.error(fault, denial, self._api.endpoint, number)

    def _after(self, call: Call, context: Any, struck: dict[Kind, Fault]) -> None:
        """What happens once the service has acted, or refused to."""
        kill = struck.get("kill")
        if kill and kill.when == "after_commit":
            call.fate = "killed after commit"
            strikes.kill(kill)
            raise strikes.unavailable()
        if "lose_answer" in struck:
            call.fate = "lost answer"
            raise strikes.unavailable()
        if kill and kill.when == "after_answer":
            call.fate = "killed after answer"
            strikes.kill_when_answered(kill, context)

    def _act(self, request: Any, context: Any, call: Call) -> Any:
        """The answer or the refusal; a method that waits is asked again until it has finished."""
        give_up = time.monotonic() + self._world.clock.real_s(self._method.patience_s(request))
        while True:
            outcome = self._once(request, context, call)
            left = min(give_up - time.monotonic(), context.time_remaining() or float("inf"))
            over = isinstance(outcome, Refused) or self._method.finished(outcome)
            if over or left <= 0 or not context.is_active() or self._world.stopping.wait(min(_STEP_S, left)):
                return outcome

    def _once(self, request: Any, context: Any, call: Call) -> Any:
        with self._world.settled():
            try:
                _check_routing(context, self._method.routing, call.resource)
                answer = self._method.answer(request)
            except Refused as refused:
                call.end("refused", refused.code, refused.message)
                return refused
            call.committed = self._method.commits and not request.validate_only
            call.end("committed" if call.committed else "answered")
            state = self._world.cloud_run.services.get(call.service)
            if call.committed and state:
                call.describe(state.shown, answer.name)
            return answer


def _check_routing(context: Any, key: str, resource: str) -> None:
    """The header by which Google's front ends route a call (AIP-4222); some methods have none."""
    if not key:
        return
    headers = dict(context.invocation_metadata())
    given = parse_qs(headers.get("x-goog-request-params", ""))
    wanted = names.location_of(resource) if key == "location" else resource
    if given.get(key) != [wanted]:
        raise Refused("INVALID_ARGUMENT", f"The header x-goog-request-params must carry {key}={wanted}.")


def _abort(context: Any, refused: Refused) -> None:
    if refused.details:
        status = refused.status().SerializeToString()
        context.set_trailing_metadata((("grpc-status-details-bin", status),))
    context.abort(grpc.StatusCode[refused.code], refused.message)
