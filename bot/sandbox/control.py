"""Control over HTTP and JSON: the clock, faults, the log of calls, and what people do in consoles."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox import console, pipeline
from bot.sandbox.blueprint import SecretState
from bot.sandbox.clock import ManualClock, ScaledClock
from bot.sandbox.cloud_run.executions import told
from bot.sandbox.faults import Fault
from bot.sandbox.monitoring import history
from bot.sandbox.refusal import Refused
from bot.sandbox.world import World

Body = TypeVar("Body", bound=BaseModel)
_SPLIT = TypeAdapter(dict[str, int])
_JOB = "/sandbox/jobs/{project}/{location}/{name}"
_SERVICE = "/sandbox/services/{project}/{location}/{name}"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Advance(_Strict):
    advance_s: float = Field(ge=0)


class Rate(_Strict):
    rate: float = Field(gt=0)


class Minutes(_Strict):
    """How many of the last whole minutes."""

    last: int = Field(default=45, ge=1, le=1440)


class Selection(_Strict):
    """Which calls: see CallLog.select."""

    resource: str = ""
    method: str = ""
    since: int = Field(default=0, ge=0)


class JobQuality(_Strict):
    """How long a run takes from now on, in sandbox seconds, and whether it fails; what is left out stays."""

    seconds: float | None = Field(default=None, ge=0)
    fails: bool | None = None


class ImageName(_Strict):
    reference: str


class SecretVersion(_Strict):
    """`name` is projects/P/secrets/S, or S if the name is unique."""

    name: str
    version: str | int
    state: SecretState


def routes(world: World) -> list[Route]:
    """Everything below /sandbox."""
    control = _Control(world)
    table = [
        ("/sandbox/clock", "GET", control.clock),
        ("/sandbox/clock", "POST", control.advance),
        ("/sandbox/clock/rate", "POST", control.rate),
        ("/sandbox/faults", "GET", control.faults),
        ("/sandbox/faults", "POST", control.fault),
        ("/sandbox/faults", "DELETE", control.no_faults),
        ("/sandbox/calls", "GET", control.calls),
        ("/sandbox/services", "GET", control.services),
        (_SERVICE, "GET", control.service),
        (_SERVICE + "/minutes", "GET", control.minutes),
        (_SERVICE + "/releases", "POST", control.deploy),
        (_SERVICE + "/releases/{release}", "POST", control.quality),
        (_SERVICE + "/releases/{release}", "DELETE", control.remove),
        (_SERVICE + "/traffic", "POST", control.traffic),
        ("/sandbox/jobs", "GET", control.jobs),
        (_JOB, "GET", control.job),
        (_JOB, "POST", control.job_quality),
        ("/sandbox/images", "POST", control.push),
        ("/sandbox/images/copy", "POST", control.copy),
        ("/sandbox/images/delete", "POST", control.delete_image),
        ("/sandbox/registries/readers", "POST", control.let_read),
        ("/sandbox/secrets/state", "POST", control.secret_state),
    ]
    return [Route(path, _plain(answer), methods=[method]) for path, method, answer in table]


class _Control:
    def __init__(self, world: World) -> None:
        self._world = world

    async def clock(self, _: Request) -> Any:
        clock = self._world.clock
        return {"origin_unix_s": clock.origin_unix_s, "rate": clock.rate, "now": clock.now().isoformat()}

    async def advance(self, request: Request) -> Any:
        seconds, clock = (await _body(request, Advance)).advance_s, self._world.clock
        if isinstance(clock, ManualClock):
            clock.advance(seconds)
            return await self.clock(request)
        raise ValueError("This clock runs by itself; only a sandbox started with --rate 0 is moved by hand.")

    async def rate(self, request: Request) -> Any:
        asked, clock = await _body(request, Rate), self._world.clock
        if not isinstance(clock, ScaledClock):
            raise ValueError("This clock is moved by hand; it has no rate to change.")  # noqa: TRY004
        with self._world.settled():
            clock.run_at(asked.rate)
        return await self.clock(request)

    async def faults(self, _: Request) -> Any:
        with self._world.settled():
            return [waiting.model_dump() for waiting in self._world.faults]

    async def fault(self, request: Request) -> Any:
        fault = await _body(request, Fault)
        with self._world.settled():
            return {"id": self._world.faults.add(fault)}

    async def no_faults(self, _: Request) -> Any:
        with self._world.settled():
            self._world.faults.clear()
        return {}

    async def calls(self, request: Request) -> Any:
        asked = Selection.model_validate(dict(request.query_params))
        with self._world.settled():
            found = self._world.calls.select(asked.resource, asked.method, asked.since)
            return [call.model_dump(mode="json") for call in found]

    async def services(self, _: Request) -> Any:
        with self._world.settled() as now:
            return [console.truth(state, now) for state in self._world.cloud_run.services.values()]

    async def service(self, request: Request) -> Any:
        with self._world.settled() as now:
            return console.truth(self._world.cloud_run.state(_name(request)), now)

    async def minutes(self, request: Request) -> Any:
        asked = Minutes.model_validate(dict(request.query_params))
        with self._world.settled() as now:
            state = self._world.cloud_run.state(_name(request))
            return history.minutes(self._world.seed, state, now, asked.last)

    async def deploy(self, request: Request) -> Any:
        deployment = await _body(request, console.Deployment)
        with self._world.settled() as now:
            return console.deploy(self._world, _name(request), deployment, now)

    async def quality(self, request: Request) -> Any:
        change = await _body(request, console.Change)
        with self._world.settled() as now:
            return console.set_quality(self._world, _name(request), request.path_params["release"], change, now)

    async def remove(self, request: Request) -> Any:
        with self._world.settled():
            return console.remove(self._world, _name(request), request.path_params["release"])

    async def traffic(self, request: Request) -> Any:
        split = _SPLIT.validate_json(await request.body())
        with self._world.settled() as now:
            return console.set_traffic(self._world, _name(request), split, now)

    async def jobs(self, _: Request) -> Any:
        with self._world.settled():
            return [told(state) for state in self._world.jobs.jobs.values()]

    async def job(self, request: Request) -> Any:
        with self._world.settled():
            return told(self._world.jobs.state(_name(request, "jobs")))

    async def job_quality(self, request: Request) -> Any:
        asked = await _body(request, JobQuality)
        with self._world.settled():
            state = self._world.jobs.state(_name(request, "jobs"))
            state.seconds = state.seconds if asked.seconds is None else asked.seconds
            state.fails = state.fails if asked.fails is None else asked.fails
            return told(state)

    async def push(self, request: Request) -> Any:
        asked = await _body(request, pipeline.Push)
        with self._world.settled() as now:
            return pipeline.push(self._world, asked, now)

    async def copy(self, request: Request) -> Any:
        asked = await _body(request, pipeline.Copy)
        with self._world.settled() as now:
            return pipeline.copy(self._world, asked, now)

    async def let_read(self, request: Request) -> Any:
        asked = await _body(request, pipeline.Reader)
        with self._world.settled():
            return pipeline.let_read(self._world, asked)

    async def delete_image(self, request: Request) -> Any:
        asked = await _body(request, ImageName)
        with self._world.settled():
            return {"deleted": self._world.registry.delete(asked.reference).uri}

    async def secret_state(self, request: Request) -> Any:
        asked = await _body(request, SecretVersion)
        with self._world.settled() as now:
            return console.set_secret(self._world, asked.name, str(asked.version), asked.state, now)


def _plain(answer: Any) -> Any:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await answer(request))
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, 400)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        except KeyError as error:
            return JSONResponse({"error": f"there is no {error.args[0]}"}, 404)
        except Refused as refused:
            status = {"NOT_FOUND": 404, "INVALID_ARGUMENT": 400}.get(refused.code, 409)
            return JSONResponse({"error": refused.message}, status)

    return endpoint


def _name(request: Request, kind: str = "services") -> str:
    path = request.path_params
    return f"projects/{path['project']}/locations/{path['location']}/{kind}/{path['name']}"


async def _body(request: Request, model: type[Body]) -> Body:
    return model.model_validate_json(await request.body() or b"{}")
