"""What happens in a soak, as data: who asks what and when, who decides, what is killed, where the cloud fails.

The seed decides all of it. In which order threads, processes and packets then get their turn is the machine's choice,
so the same seed is the same attack and not the same run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

ANA, BEN, CHO, DEV = PEOPLE = ("U0ANA", "U0BEN", "U0CHO", "U0DEV")
ON_CALL = (ANA, BEN, CHO)  # whoever asks, two others may approve; dev may neither ask nor approve
# {old}, {mid}, {new}: releases; {a}, {b}: percents that sum to 100; {last}: what was last applied to the service.
ASKS = {
    "rollback": ("rollback {service}", 5),
    "rollback alone": ('rollback {service} --break-glass "drill"', 3),
    "rollback to": ("rollback {service} --to {old}", 3),
    "traffic": ("traffic {service} {old}={a} {mid}={b}", 9),
    "canary": ("traffic {service} {new}={a} {mid}={b}", 4),
    "unpin": ("unpin {service} --to {new}", 4),
    "ops undo": ("ops undo {last}", 6),
    "dry run": ("rollback {service} --dry-run", 2),
    "status": ("status {service}", 3),
    "not possible": ("traffic {service} {old}=90", 1),
}
FATES = {
    "approved": 12,
    "approved by a command": 4,
    "approved by two at once": 4,
    "approved, the click comes twice": 3,
    "approved, then cancelled": 5,
    "denied": 2,
    "cancelled while it waits": 2,
    "approved by who asked": 1,
    "left alone": 1,
}
AT_A_WRITE, FROZEN, PAUSED = "SIGKILL at a write", "SIGSTOP beyond the lease", "SIGSTOP for a moment"
BLOWS = {"SIGKILL": 3, AT_A_WRITE: 3, "SIGTERM": 2, FROZEN: 3, PAUSED: 1}
TROUBLES: tuple[dict[str, Any], ...] = (
    {"kind": "error", "method": "UpdateService", "code": "UNAVAILABLE"},
    {"kind": "error", "method": "UpdateService", "code": "ABORTED"},
    {"kind": "error", "method": "GetService", "code": "RESOURCE_EXHAUSTED", "seconds": 1.0},
    {"kind": "error", "method": "GetOperation", "code": "UNAVAILABLE", "times": 2},
    {"kind": "lose_answer", "method": "UpdateService"},
    {"kind": "lose_answer", "method": "UpdateService", "times": 2},
    {"kind": "lose_request", "method": "UpdateService"},
    {"kind": "hold", "method": "UpdateService", "seconds": 2.0},
    {"kind": "slow_rollout", "seconds": 60.0},
    {"kind": "fail_rollout"},
)
SLACK_TROUBLES: tuple[dict[str, Any], ...] = (
    {"kind": "lost_answer", "method": "chat.postMessage"},
    {"kind": "lost_answer", "method": "chat.update"},
    {"kind": "server_error", "method": "chat.postMessage"},
    {"kind": "ratelimited", "method": "chat.postMessage", "retry_after_s": 2},
)
RIVALRY, DEAF, AGAIN = 0.2, 0.04, 0.1  # parts of the requests: two at once; by somebody who may not; delivered twice
TROUBLE_EVERY_S, SLACK_TROUBLE_EVERY_S = 3.0, 6.0
CALM_S = 2.0  # before the first blow: replicas have just started


@dataclass(frozen=True)
class Move:
    """A request and what people make of it. `seed` decides which replica hears what, and who decides."""

    at_s: float
    seed: int
    who: str
    service: str
    ask: str
    text: str
    fate: str
    after_s: float
    comes_twice: bool


@dataclass(frozen=True)
class Blow:
    """A replica is hit; `for_s` until it is continued, or until it is started again."""

    at_s: float
    replica: int
    kind: str
    for_s: float


@dataclass(frozen=True)
class Trouble:
    """One fault, to be given to the control of the cloud, or of Slack."""

    at_s: float
    fault: dict[str, Any]
    of_slack: bool = False


@dataclass(frozen=True)
class Plan:
    """Each in the order of time."""

    moves: tuple[Move, ...]
    blows: tuple[Blow, ...]
    troubles: tuple[Trouble, ...]


def plan(
    seed: int,
    *,
    seconds: float,
    operations: int,
    services: Sequence[str],
    replicas: int,
    lease_s: float,
    blow_every_s: float,
) -> Plan:
    """The whole attack. A blow falls every `blow_every_s` on average, on any of the replicas."""
    moves = sorted(_moves(Random(f"{seed} moves"), seconds, operations, services), key=lambda one: one.at_s)
    return Plan(
        tuple(moves[:operations]),
        tuple(_blows(Random(f"{seed} blows"), seconds, replicas, lease_s, blow_every_s)),
        tuple(sorted(_troubles(Random(f"{seed} troubles"), seconds), key=lambda one: one.at_s)),
    )


def _moves(random: Random, seconds: float, operations: int, services: Sequence[str]) -> Iterator[Move]:
    made = 0
    while made < operations:
        at_s, service = random.uniform(0, seconds), random.choice(services)
        people = random.sample(ON_CALL, 2 if random.random() < RIVALRY else 1)
        for who in people:
            yield _move(random, at_s, DEV if random.random() < DEAF else who, service)
        made += len(people)


def _move(random: Random, at_s: float, who: str, service: str) -> Move:
    ask = _pick(random, {name: weight for name, (_, weight) in ASKS.items()})
    share = random.randrange(5, 100, 5)
    named = {"old": f"{service}-00001-old", "mid": f"{service}-00002-mid", "new": f"{service}-00003-new"}
    text = ASKS[ask][0].format(service=service, a=share, b=100 - share, last="{last}", **named)
    fate, after_s = _pick(random, FATES), random.uniform(0, 2)
    return Move(at_s, random.getrandbits(32), who, service, ask, text, fate, after_s, random.random() < AGAIN)


def _blows(random: Random, seconds: float, replicas: int, lease_s: float, every_s: float) -> Iterator[Blow]:
    """At times of their own, so that sometimes two replicas are down at once, or all."""
    for at_s in _times(random, seconds, every_s, CALM_S):
        kind = _pick(random, BLOWS)
        long = {FROZEN: lease_s + 2.0, PAUSED: lease_s / 3}
        yield Blow(at_s, random.randrange(replicas), kind, long.get(kind, random.uniform(0.2, 2.0)))


def _troubles(random: Random, seconds: float) -> Iterator[Trouble]:
    """For whatever service or message comes next, so that each of them strikes."""
    for at_s in _times(random, seconds, TROUBLE_EVERY_S):
        yield Trouble(at_s, dict(random.choice(TROUBLES)))
    for at_s in _times(random, seconds, SLACK_TROUBLE_EVERY_S):
        yield Trouble(at_s, dict(random.choice(SLACK_TROUBLES)), of_slack=True)


def _times(random: Random, seconds: float, every_s: float, at_s: float = 0.0) -> Iterator[float]:
    """From `at_s` on, until `seconds`, every `every_s` on average."""
    while (at_s := at_s + random.uniform(0.3, 1.7) * every_s) < seconds:
        yield at_s


def _pick(random: Random, weights: dict[str, int]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]
