"""What the tests of the Slack door share: time that stands still, a server on loopback, operations told by hand."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette

from bot.core.answer import Answer, Text
from bot.core.plan import Finding, Hold, Plan, Step, Verdict
from bot.core.ports import Effect
from bot.core.request import Actor, Address, Approval, Request, State, Target, Verb
from bot.core.system import EffectRecord, OperationRecord, Proposal
from bot.sandbox.slack import FakeSlack
from bot.stores.ledger import SqlLedger

SECRET, TOKEN, TEAM = "sandbox-signing-secret", "xoxb-sandbox", "T0AISQ"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANA = Actor(id="slack:U0ANA", name="Ana Alvarez", roles=("sre-oncall",), zone="Europe/Berlin")
BEN = Actor(id="slack:U0BEN", name="Ben Brooks", roles=("sre-oncall",))
CHANNEL = "C0AISQ"
BACKEND = Target(
    system="ai-square", environment="prod", name="backend", kind="service", type="cloud_run", cloud="gcp",
    place={"project": "ai-square-prod", "region": "us-central1", "service": "backend"},
)  # fmt: skip


def calls_of(slack: FakeSlack, method: str) -> int:
    """How often aisq called it."""
    return sum(call.method == method for call in slack.workspace.calls)


class StillTime:
    """A clock that moves only when told to; called, it gives the seconds that a fake Slack takes for now."""

    def __init__(self) -> None:
        self.instant = NOON

    def __call__(self) -> float:
        return self.instant.timestamp()

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return (self.instant - NOON).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """Serve an app by uvicorn on a free port of loopback, without its slow main loop; yields the address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", access_log=False, lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.servers[0].close()
    for connection in list(server.server_state.connections):
        connection.transport.abort()


def plan(**changed: Any) -> Plan:
    """A rollback of the backend, as the operation plans it."""
    move = Step(verb="Compute.set_traffic", title="send all traffic to backend-00041-kex")
    look = Step(kind="check", verb="serving", title="see that it serves", deadline_s=120)
    judge = Step(kind="judge", verb="errors", title="compare errors before and after", deadline_s=1200)
    told: dict[str, Any] = {
        "target": BACKEND,
        "version": "42",
        "summary": "ai-square/prod/backend: all traffic to backend-00041-kex, away from backend-00042-bad 100 %",
        "steps": (move.undone_by(Step(verb="Compute.set_traffic")), look),
        "afterwards": (judge,),
        "verdict": Verdict(
            findings=(
                Finding(level="good", subject="image", sentence="image sha256:24302b5749ed is in the registry"),
                Finding(level="risk", subject="age", sentence="backend-00041-kex is 40 days old"),
            )
        ),
        "hold": Hold(traffic={"backend-00041-kex": 100}, away_from=("backend-00042-bad",)),
        "notes": ("Traffic then stays at backend-00041-kex: new releases get none until `unpin backend`.",),
        "by_hand": ("gcloud run services update-traffic backend --to-revisions=backend-00041-kex=100",),
        "undo_by_hand": ("gcloud run services update-traffic backend --to-revisions=backend-00042-bad=100",),
        "measured": {"error_rate_pct": 4.9},
    }
    return Plan(**{**told, **changed})


def request(id: str = "7k3qabcdef", **changed: Any) -> Request:
    """What ana asked in the channel of ai-square."""
    place = {"channel": CHANNEL, "user": "U0ANA", "team": TEAM, "response_url": ""}
    told: dict[str, Any] = {
        "id": id,
        "actor": ANA,
        "operation": "rollback",
        "verb": "plan",
        "params": {"reason": "5xx since 14:02"},
        "target": BACKEND,
        "text": 'rollback backend --reason "5xx since 14:02"',
        "address": Address(door="slack", place=place),
        "channel": CHANNEL,
        "received_at": NOON,
    }
    return Request(**{**told, **changed})


def record(state: State = "waiting", **changed: Any) -> OperationRecord:
    """A row of that request in some state."""
    told: dict[str, Any] = {
        "request": request(),
        "state": state,
        "revision": 2,
        "detail": plan().summary,
        "plan": plan(),
        "digest": "c0ffee" * 8,
        "approvals_needed": 1,
        "permitted_by": "grant.prod.rollout",
        "expires_at": NOON + timedelta(minutes=30),
        "updated_at": NOON,
    }
    return OperationRecord(**{**told, **changed})


class Teller:
    """Moves rows of a ledger by hand, as the engine would."""

    def __init__(self, ledger: SqlLedger, time: StillTime) -> None:
        self.ledger, self.time = ledger, time
        self._numbers = itertools.count(1)

    def asked(self, verb: Verb = "plan", state: State = "accepted", **changed: Any) -> str:
        """Persist a request; its id."""
        made = request(f"op{next(self._numbers):08d}", verb=verb, received_at=self.time.now(), **changed)
        self.ledger.accept(made, heard_as=made.id, signature="", state=state, detail="no" if state == "denied" else "")
        return made.id

    def waiting(self, **changed: Any) -> str:
        """A change that waits for approval."""
        id = self.asked(**changed)
        self.planned(id)
        return id

    def planned(self, id: str, state: State = "waiting", **changed: Any) -> None:
        told: dict[str, Any] = {
            "state": state,
            "detail": plan().summary,
            "plan": plan(),
            "digest": "c0ffee" * 8,
            "approvals_needed": 1,
            "expires_at": self.time.now() + timedelta(minutes=30),
        }
        self.ledger.propose(id, Proposal(**{**told, **changed}))

    def answered(self, text: str = "backend-00041-kex 100 % serves.") -> str:
        """A look that has its answer."""
        id = self.asked("answer", operation="status", text="status backend")
        self.ledger.propose(
            id, Proposal(state="answered", detail="", answer=Answer(title="S", parts=(Text(text=text),)))
        )
        return id

    def approve(self, id: str) -> None:
        given = Approval(actor=BEN, digest="c0ffee" * 8, given_at=self.time.now())
        self.ledger.approve(id, given)

    def run(self, id: str) -> int:
        """Begin its one write; the fencing token."""
        token = self.ledger.claim(id, "this process")
        assert isinstance(token, int)
        self.ledger.begin(id, token, "in progress")
        self.ledger.intend(id, token, Effect(key=f"{id}/0/do", version="42"), plan().steps[0])
        return token

    def finish(self, id: str, token: int, state: State = "applied", detail: str = "") -> None:
        effect = Effect(key=f"{id}/0/do", version="42")
        ended = EffectRecord(effect=effect, call=plan().steps[0], ending="succeeded", version="43")
        self.ledger.settle(id, token, ended)
        self.ledger.finish(id, token, state, detail or plan().summary, judge=state == "applied")
