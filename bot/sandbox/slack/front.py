"""What every request to the fake passes through: faults on the way in and out, and the log of calls."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from bot.sandbox.slack.cut import cut
from bot.sandbox.slack.faults import Fault, Faults, Kind
from bot.sandbox.slack.refusals import RateLimited, Refusal
from bot.sandbox.slack.reply import Reply
from bot.sandbox.slack.state import Call, Workspace

Endpoint = Callable[[Request], Awaitable[Reply]]
NEVER_ARRIVES = (Kind.HANG, Kind.RESET, Kind.DOWN)


@dataclass(frozen=True)
class Front:
    """Meets requests; `method` is the Web API's name, or "upload" or "response_url"."""

    workspace: Workspace
    faults: Faults

    async def meet(self, method: str, request: Request, endpoint: Endpoint) -> Response:
        """Let the next fault of this method happen to the request, or else answer it."""
        fault = self.faults.take(method)
        if fault and fault.kind in NEVER_ARRIVES:
            self._note(method, Reply(0), fault)
            if fault.kind is Kind.HANG:
                await asyncio.sleep(fault.delay_s)
            return await cut(request)
        reply = _instead(fault) or await endpoint(request)
        self._note(method, reply, fault)
        if fault and fault.kind is Kind.SLOW:
            await asyncio.sleep(fault.delay_s)
        if fault and fault.kind is Kind.LOST_ANSWER:
            return await cut(request)
        return reply.response()

    def _note(self, method: str, reply: Reply, fault: Fault | None) -> None:
        kind = fault.kind.value if fault else ""
        call = Call(self.workspace.now(), method, reply.args, reply.status, reply.error, kind)
        self.workspace.calls.append(call)


def _instead(fault: Fault | None) -> Reply | None:
    """The answer of a fault that keeps the call from being carried out."""
    if fault is None:
        return None
    if fault.kind is Kind.RATELIMITED:
        return Reply.limited(RateLimited(fault.retry_after_s))
    if fault.kind is Kind.ERROR:
        return Reply.refused(Refusal(fault.error))
    return Reply(500, "Internal Server Error") if fault.kind is Kind.SERVER_ERROR else None
