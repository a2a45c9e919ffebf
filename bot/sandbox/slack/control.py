"""/sandbox/slack/…: do what a person does in Slack, look at what is there, and make things go wrong."""

import json
from dataclasses import dataclass

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.sandbox.slack.actions import ACTIONS
from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.slack.looks import LOOKS
from bot.sandbox.slack.refusals import Unusable


def _unusable(sentence: str, status: int = 400) -> Response:
    return JSONResponse({"ok": False, "error": sentence}, status)


@dataclass(frozen=True)
class Control:
    """The control door of one fake. What it cannot do is answered with 400 and a sentence."""

    slack: FakeSlack

    async def do(self, request: Request) -> Response:
        """POST: an action of `actions.ACTIONS` with its body as JSON."""
        name = request.path_params["what"]
        if name not in ACTIONS:
            return _unusable(f"there is no action {name!r}; use one of {', '.join(ACTIONS)}", 404)
        action = ACTIONS[name]
        try:
            body = action.takes.model_validate(json.loads(await request.body() or b"{}"))
            return JSONResponse(await action.run(self.slack, body))
        except ValidationError as invalid:
            first = invalid.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            return _unusable(f"{name}: {field}: {first['msg']}")
        except json.JSONDecodeError as broken:
            return _unusable(f"{name}: the body is not JSON: {broken}")
        except Unusable as unusable:
            return _unusable(f"{name}: {unusable}")

    async def look(self, request: Request) -> Response:
        """GET: one of `looks.LOOKS`."""
        name = request.path_params["what"]
        if name not in LOOKS:
            return _unusable(f"there is no view {name!r}; use one of {', '.join(LOOKS)}", 404)
        return JSONResponse(LOOKS[name](self.slack, dict(request.query_params)))

    async def clear_faults(self, request: Request) -> Response:
        """DELETE: forget the faults of `?method=`, or all."""
        self.slack.faults.clear(request.query_params.get("method"))
        return JSONResponse({"ok": True})
