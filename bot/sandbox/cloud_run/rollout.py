"""Rollouts: what happens between the commit of an update and the end of its operation.

A new revision becomes ready after 60 % of the duration, traffic moves after 80 %, the operation ends at 100 %; so
while `reconciling`, readiness and traffic_statuses pass through values that match neither before nor after.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from google.cloud import run_v2
from google.longrunning import operations_pb2 as lro

from bot.sandbox.agenda import Agenda
from bot.sandbox.cloud_run import readiness
from bot.sandbox.cloud_run.etag import etag
from bot.sandbox.cloud_run.operations import Operations
from bot.sandbox.cloud_run.readiness import Images, Secrets
from bot.sandbox.cloud_run.state import LATEST, ServiceState, condition, put
from bot.sandbox.cloud_run.texts import Failure, did_not_start
from bot.sandbox.faults import ROLLOUTS, Fault, Faults, Kind
from bot.sandbox.names import short

READY_AT, MOVED_AT = 0.6, 0.8  # parts of the duration


@dataclass
class Rollout:
    """One change on its way. `cut` is the revision that it made, if any."""

    state: ServiceState
    generation: int
    cut: run_v2.Revision | None
    failing: bool
    failure: Failure | None = None


class Rollouts:
    """Starts rollouts, and lets the agenda carry them out."""

    def __init__(
        self, agenda: Agenda, faults: Faults, operations: Operations, images: Images, secrets: Secrets, usual_s: float
    ) -> None:
        self._agenda, self._faults, self._operations = agenda, faults, operations
        self._images, self._secrets, self._usual_s = images, secrets, usual_s

    def start(
        self, state: ServiceState, cut: run_v2.Revision | None, now: datetime, seconds: float | None = None
    ) -> lro.Operation:
        """`state` shows what is asked for already. `seconds` (of sandbox time) overrides the usual duration."""
        _reconcile(state, now)
        operation = self._operations.start(state.name, run_v2.Service.pb(state.shown), state.shown.generation)
        struck = self._faults.strike(ROLLOUTS, state.name, "UpdateService")
        if "stuck_rollout" not in struck:
            self._plan(Rollout(state, state.shown.generation, cut, "fail_rollout" in struck), now, struck, seconds)
        copy = lro.Operation()
        copy.CopyFrom(operation)
        return copy

    def _plan(self, rollout: Rollout, now: datetime, struck: dict[Kind, Fault], seconds: float | None) -> None:
        usual = self._usual_s if seconds is None else seconds
        duration = timedelta(seconds=struck["slow_rollout"].seconds if "slow_rollout" in struck else usual)
        if rollout.cut:
            self._agenda.at(now + duration * READY_AT, lambda at: self._become_ready(rollout, at))
        self._agenda.at(now + duration * MOVED_AT, lambda at: self._move(rollout, at))
        self._agenda.at(now + duration, lambda at: self._end(rollout, at))

    def _become_ready(self, rollout: Rollout, at: datetime) -> None:
        state, cut = rollout.state, rollout.cut
        if cut is None or short(cut.name) not in state.revisions:
            return
        rollout.failure = readiness.start(state, cut, self._images, self._secrets)
        if rollout.failing:
            rollout.failure = did_not_start(state.name, short(cut.name), 0)
        settle_revision(cut, at, rollout.failure)
        if not rollout.failure and cut.create_time >= state.revisions.get(state.latest_ready, cut).create_time:
            state.shown.latest_ready_revision = cut.name

    def _move(self, rollout: Rollout, at: datetime) -> None:
        state = rollout.state
        if state.shown.generation != rollout.generation:
            return
        rollout.failure = rollout.failure or self._refusal(rollout)
        if not rollout.failure:
            state.serve(at)

    def _refusal(self, rollout: Rollout) -> Failure | None:
        """A target that cannot serve fails the whole rollout."""
        state = rollout.state
        releases = [t.revision for t in state.targets if t.type_ != LATEST]
        for release in releases:
            if failure := readiness.target(state, release, self._images, self._secrets):
                return failure
        return did_not_start(state.name, (releases or [state.latest_ready])[0], 0) if rollout.failing else None

    def _end(self, rollout: Rollout, at: datetime) -> None:
        state, failure = rollout.state, rollout.failure
        if state.shown.generation != rollout.generation:
            return  # a newer change ends the operation of this one
        state.shown.reconciling = False
        if not failure:
            state.shown.observed_generation = state.shown.generation
        state.shown.terminal_condition = _condition("Ready", at, failure)
        state.shown.conditions = put(state.shown.conditions, _condition("RoutesReady", at, failure))
        if rollout.cut:
            configured = _condition("ConfigurationsReady", at, failure)
            state.shown.conditions = put(state.shown.conditions, configured)
        state.touch(at)
        self._operations.finish(state.shown, failure)


def settle_revision(revision: run_v2.Revision, at: datetime, failure: Failure | None) -> None:
    """A new revision has started, or has not."""
    revision.reconciling, revision.observed_generation = False, revision.generation
    kinds = ("Ready", "ContainerHealthy", "ResourcesAvailable")
    revision.conditions = put(revision.conditions, *(_condition(kind, at, failure) for kind in kinds))
    revision.update_time, revision.etag = at, etag(revision.name, at)


def _reconcile(state: ServiceState, now: datetime) -> None:
    states = run_v2.Condition.State
    state.shown.reconciling = True
    state.shown.terminal_condition = run_v2.Condition(
        type_="Ready", state=states.CONDITION_RECONCILING, last_transition_time=now
    )
    state.touch(now)


def _condition(kind: str, at: datetime, failure: Failure | None) -> run_v2.Condition:
    return condition(kind, at, failure.message, **failure.reason) if failure else condition(kind, at)
