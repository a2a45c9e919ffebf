"""Cloud Run jobs in memory, and every way in which they change.

An execution comes from RunJob, or from an update of the job with a token: then it is called JOB-TOKEN, and a token that
was used before is refused.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from google.api import launch_stage_pb2
from google.cloud import run_v2
from google.longrunning import operations_pb2 as lro
from google.protobuf.message import Message

from bot.sandbox import blueprint, names
from bot.sandbox.agenda import Agenda
from bot.sandbox.cloud_run import texts
from bot.sandbox.cloud_run.etag import version_of
from bot.sandbox.cloud_run.executions import START_S, Executions, JobState, caller, reconciling
from bot.sandbox.cloud_run.founding import secret_variable
from bot.sandbox.cloud_run.operations import Operations, end
from bot.sandbox.cloud_run.state import condition, new_uid
from bot.sandbox.names import short
from bot.sandbox.refusal import invalid

MUTABLE = ("labels", "annotations", "client", "client_version", "launch_stage", "binary_authorization", "template")
_LETTERS = "bcdfghjklmnpqrstvwxz0123456789"


class Jobs:
    """Jobs by full name. Callers hold the world's lock."""

    def __init__(
        self,
        now: Callable[[], datetime],
        agenda: Agenda,
        executions: Executions,
        operations: Operations,
        random: Random,
    ) -> None:
        self._now, self._agenda, self._executions = now, agenda, executions
        self._operations, self._random = operations, random
        self.jobs: dict[str, JobState] = {}

    def found(self, name: str, plan: blueprint.Job, now: datetime) -> None:
        """A job from the world file."""
        made = now - plan.age
        shown = run_v2.Job(
            name=name, uid=new_uid(name), generation=1, observed_generation=1, create_time=made, update_time=made,
            template=_template(plan), terminal_condition=condition("Ready", made),
            launch_stage=launch_stage_pb2.LaunchStage.GA,
        )  # fmt: skip
        self.jobs[name] = JobState(shown, plan.seconds, plan.fails)
        self.jobs[name].touch(made)

    def state(self, name: str) -> JobState:
        if name not in self.jobs:
            raise texts.missing(name, "JOB")
        return self.jobs[name]

    def execution(self, name: str) -> run_v2.Execution:
        state = self.jobs.get(names.job_of(name))
        if not state or short(name) not in state.executions:
            raise texts.missing(name, "EXECUTION")
        return state.executions[short(name)]

    def update(self, request: run_v2.UpdateJobRequest) -> lro.Operation:
        """There is no mask: all that users own is replaced. With a token, the new template is executed at once."""
        state = self.state(request.job.name)
        _check_etag(state, request.job.etag)
        wanted = run_v2.Job(state.shown)
        for path in MUTABLE:
            setattr(wanted, path, getattr(request.job, path))
        token = wanted.start_execution_token = request.job.start_execution_token
        _check_token(state, token)
        if request.validate_only:
            return _validated(run_v2.Job.pb(wanted))
        now = self._now()
        wanted.generation, wanted.update_time, wanted.last_modifier = state.shown.generation + 1, now, caller(state)
        wanted.reconciling, wanted.terminal_condition = True, reconciling(now)
        state.shown = wanted
        state.touch(now)
        operation = self._operations.start(state.name, run_v2.Job.pb(wanted), wanted.generation)
        if token:
            self._executions.start(state, f"{short(state.name)}-{token}", now, "UpdateJob")
        self._agenda.at(now + timedelta(seconds=START_S), lambda at: self._ready(state, operation, at))
        return _copied(operation)

    def run(self, request: run_v2.RunJobRequest) -> lro.Operation:
        """The operation is about the execution, and ends with it. A token of the job is forgotten."""
        state = self.state(request.name)
        _check_etag(state, request.etag)
        if request.validate_only:
            return _validated(run_v2.Execution.pb(run_v2.Execution(job=short(state.name))))
        suffix = "".join(self._random.choice(_LETTERS) for _ in range(5))
        name = f"{short(state.name)}-{suffix}"
        execution = self._executions.start(state, name, self._now(), "RunJob", request.overrides)
        state.shown.start_execution_token = ""
        return _copied(self._operations.start(state.name, run_v2.Execution.pb(execution)))

    def _ready(self, state: JobState, operation: lro.Operation, at: datetime) -> None:
        """The job has its new configuration; its executions have lives of their own."""
        state.shown.reconciling, state.shown.observed_generation = False, state.shown.generation
        state.shown.terminal_condition = condition("Ready", at)
        state.touch(at)
        end(operation, run_v2.Job.pb(state.shown))


def _template(plan: blueprint.Job) -> run_v2.ExecutionTemplate:
    variables = [run_v2.EnvVar(name=key, value=value) for key, value in plan.env.items()]
    container = run_v2.Container(
        image=f"{plan.image}:{plan.tag}",
        env=variables + [secret_variable(key, reference) for key, reference in plan.secrets.items()],
    )
    task = run_v2.TaskTemplate(containers=[container], max_retries=0, timeout=timedelta(seconds=600))
    return run_v2.ExecutionTemplate(task_count=1, parallelism=1, template=task)


def _check_token(state: JobState, token: str) -> None:
    name = f"{short(state.name)}-{token}"
    if token and len(name) >= 63:
        raise invalid("job.start_execution_token", "The sum of job name and token length must be fewer than 63.")
    if token and name in state.executions:
        raise texts.exists(name)


def _check_etag(state: JobState, given: str) -> None:
    if not given or given == state.shown.etag:
        return
    try:
        specified = version_of(given)
    except ValueError as error:
        raise invalid("etag", "Invalid etag.") from error
    raise texts.conflict(state.name, specified, version_of(state.shown.etag))


def _validated(response: Message) -> lro.Operation:
    operation = lro.Operation(done=True)
    end(operation, response)
    return operation


def _copied(operation: lro.Operation) -> lro.Operation:
    copy = lro.Operation()
    copy.CopyFrom(operation)
    return copy
