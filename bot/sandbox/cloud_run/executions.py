"""Executions of Cloud Run jobs: each starts after two seconds, and ends when the job's time is over."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud import run_v2

from bot.sandbox import names
from bot.sandbox.agenda import Agenda
from bot.sandbox.cloud_run import texts
from bot.sandbox.cloud_run.etag import etag
from bot.sandbox.cloud_run.operations import Operations, end
from bot.sandbox.cloud_run.readiness import Images, Secrets, secret_failure
from bot.sandbox.cloud_run.state import condition, new_uid
from bot.sandbox.cloud_run.texts import Failure
from bot.sandbox.faults import ROLLOUTS, Faults
from bot.sandbox.names import short

START_S = 2.0
STATUS = run_v2.ExecutionReference.CompletionStatus


@dataclass
class JobState:
    """`shown` is what GetJob answers. `executions` are by short name, oldest first."""

    shown: run_v2.Job
    seconds: float
    fails: bool
    executions: dict[str, run_v2.Execution] = field(default_factory=dict)
    changed: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    @property
    def name(self) -> str:
        return self.shown.name

    def touch(self, now: datetime) -> None:
        """Move the etag: at every change, and with every execution. No two versions are the same."""
        self.changed = max(now, self.changed + timedelta(microseconds=1))
        self.shown.etag = etag(self.name, self.changed)


class Executions:
    """Starts executions, and lets the agenda end them. Faults of rollouts strike them."""

    def __init__(
        self, agenda: Agenda, faults: Faults, operations: Operations, images: Images, secrets: Secrets
    ) -> None:
        self._agenda, self._faults, self._operations = agenda, faults, operations
        self._images, self._secrets = images, secrets

    def start(
        self,
        state: JobState,
        name: str,
        now: datetime,
        method: str,
        overrides: run_v2.RunJobRequest.Overrides | None = None,
    ) -> run_v2.Execution:
        full = f"{state.name}/executions/{name}"
        execution = run_v2.Execution(
            name=full, uid=new_uid(full), creator=caller(state), generation=1, create_time=now, update_time=now,
            job=short(state.name), task_count=1, parallelism=1, template=state.shown.template.template,
            labels=state.shown.template.labels, annotations=state.shown.template.annotations, reconciling=True,
            conditions=[reconciling(now, "Completed")], etag=etag(full, now),
        )  # fmt: skip
        for override in overrides.container_overrides if overrides else ():
            execution.template.containers[0].env.extend(override.env)
        state.executions[name] = execution
        state.shown.execution_count += 1
        _refer(state, execution, STATUS.EXECUTION_RUNNING)
        state.touch(now)
        struck = self._faults.strike(ROLLOUTS, state.name, method)
        seconds = struck["slow_rollout"].seconds if "slow_rollout" in struck else state.seconds
        failing = state.fails or "fail_rollout" in struck
        self._agenda.at(now + timedelta(seconds=START_S), lambda at: _begin(execution, at))
        if "stuck_rollout" not in struck:
            done = now + timedelta(seconds=START_S + seconds)
            self._agenda.at(done, lambda at: self._end(state, execution, failing, at))
        return execution

    def _end(self, state: JobState, execution: run_v2.Execution, failing: bool, at: datetime) -> None:
        failure = self._failure(state, execution, failing)
        execution.completion_time, execution.update_time, execution.reconciling = at, at, False
        execution.running_count, execution.observed_generation = 0, 1
        execution.succeeded_count, execution.failed_count = (0, 1) if failure else (1, 0)
        reason = failure.reason if failure else {}
        execution.conditions = [condition("Completed", at, failure.message if failure else "", **reason)]
        _refer(state, execution, STATUS.EXECUTION_FAILED if failure else STATUS.EXECUTION_SUCCEEDED)
        state.touch(at)
        for operation in self._operations.of(state.name):
            about = run_v2.Execution()
            if operation.metadata.Unpack(run_v2.Execution.pb(about)) and about.name == execution.name:
                end(operation, run_v2.Execution.pb(execution), failure)

    def _failure(self, state: JobState, execution: run_v2.Execution, failing: bool) -> Failure | None:
        container, project = execution.template.containers[0], names.project_of(state.name)
        if not self._images.may_pull(project, container.image):
            return texts.job_without_access(container.image, project, self._secrets.numbers.get(project, 0))
        if self._images.digest_of(container.image) is None:
            return texts.job_without_image(short(execution.name), container.image)
        if failure := secret_failure(project, short(execution.name), container, self._secrets):
            return failure
        quality = self._images.quality_of(container.image)
        starts = quality.starts if quality else True
        return None if starts and not failing else texts.task_failed(short(execution.name))


def reconciling(now: datetime, kind: str = "Ready") -> run_v2.Condition:
    states = run_v2.Condition.State
    return run_v2.Condition(type_=kind, state=states.CONDITION_RECONCILING, last_transition_time=now)


def caller(state: JobState) -> str:
    return f"api@{names.project_of(state.name)}.iam.gserviceaccount.com"


def _begin(execution: run_v2.Execution, at: datetime) -> None:
    execution.start_time, execution.running_count, execution.update_time = at, 1, at


def _refer(state: JobState, execution: run_v2.Execution, status: int) -> None:
    newest = state.shown.latest_created_execution
    if execution.completion_time and newest.name != execution.name:
        return
    state.shown.latest_created_execution = run_v2.ExecutionReference(
        name=execution.name,
        create_time=execution.create_time,
        completion_time=execution.completion_time,
        completion_status=status,
    )


def told(state: JobState) -> dict[str, Any]:
    """The truth of a job, for people who rehearse."""
    return {
        "name": state.name, "image": state.shown.template.template.containers[0].image,
        "generation": state.shown.generation, "seconds": state.seconds, "fails": state.fails,
        "annotations": dict(state.shown.annotations),
        "executions": [_execution(execution) for execution in state.executions.values()],
    }  # fmt: skip


def _execution(execution: run_v2.Execution) -> dict[str, Any]:
    ended = "failed" if execution.failed_count else "succeeded" if execution.succeeded_count else "running"
    return {
        "name": short(execution.name), "state": ended, "image": execution.template.containers[0].image,
        "annotations": dict(execution.annotations),
    }  # fmt: skip
