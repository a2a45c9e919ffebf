"""Cloud Run jobs: run once a key, and the runs followed to their end.

RunJob has no name of our choosing and no idempotency token, so a lost answer would leave a second run possible. An
update of the job with `start_execution_token` runs it too: that run is called JOB-TOKEN, and a token that was used
before is refused (magic-modules PR 19060: "Resource 'job-token' already exists"). The update has no mask: what was read
is sent back whole, with its etag.
"""

from google.cloud import run_v2

from bot.core.errors import NotFound, Permanent, Refused, Transient, Uncertain
from bot.core.ports import Effect, JobState, Progress
from bot.core.request import Target
from bot.providers._google import Google, sentence, translated
from bot.providers.cloud_run import names, stamp
from bot.providers.cloud_run.reads import Reads
from bot.providers.cloud_run.state import FAILED, SUCCEEDED
from bot.providers.cloud_run.writes import BY_DIGEST, TRIES, must_be_at

STATUS = run_v2.ExecutionReference.CompletionStatus
ENDED = {
    STATUS.EXECUTION_SUCCEEDED: "succeeded",
    STATUS.EXECUTION_FAILED: "failed",
    STATUS.EXECUTION_CANCELLED: "cancelled",
    STATUS.EXECUTION_RUNNING: "running",
    STATUS.EXECUTION_PENDING: "running",
}


class JobRuns:
    """Jobs in the project and region of a target."""

    def __init__(self, google: Google, reads: Reads) -> None:
        self._google, self._reads = google, reads

    def job(self, target: Target, name: str) -> JobState:
        found = self._get(target, name)
        newest, condition = found.latest_created_execution, found.terminal_condition
        return JobState.model_validate(
            {
                "name": name,
                "image": found.template.template.containers[0].image if found.template.template.containers else "",
                "version": str(found.generation),
                "last_run": names.short(newest.name),
                "last_ended": ENDED.get(newest.completion_status, ""),
                "trouble": sentence(condition.message) if condition.state == FAILED else "",
            }
        )

    def run(self, effect: Effect, target: Target, name: str, image: str) -> str:
        """Raises Refused when somebody changed the target, NotFound without such a job, Permanent for a bad image."""
        if image and not BY_DIGEST.fullmatch(image):
            raise Permanent(f"a job is run of an image by digest, …@sha256:…, because tags move; {image} is none")
        run = names.ran(target, name, effect.key, effect.version)
        for _ in range(TRIES):
            if self._found(names.run_of(run)) is not None:
                return run
            must_be_at(effect.version, self._reads.get(target), target)
            job = self._get(target, name)
            if job.annotations.get(stamp.KEY) == effect.key:
                return run  # begun already, and not to be seen yet
            try:
                self._start(effect, job, image)
            except Refused:
                continue  # somebody ran or changed the job at the same moment: with an etag, only one of us did
            except Permanent:
                if self._found(names.run_of(run)) is not None:
                    return run  # an earlier call of ours came through meanwhile, and used the name
                raise
            return run
        raise Transient(f"job {name} is being worked on by Cloud Run itself; its etag moved {TRIES} times")

    def poll(self, target: Target, cloud_operation: str) -> Progress:
        """Of one run. The target was left alone, so its version is the one that it had."""
        version = cloud_operation.rpartition("@")[2]
        run = self._found(names.run_of(cloud_operation))
        if run is None:
            return self._begun(target, cloud_operation, version)
        completed = next((one for one in run.conditions if one.type_ == "Completed"), None)
        if completed is None or completed.state not in (SUCCEEDED, FAILED):
            return Progress(state="running")
        if completed.state == SUCCEEDED:
            return Progress(state="succeeded", version=version)
        detail = sentence(completed.message) or "the run failed, and nobody says why"
        return Progress(state="failed", version=version, detail=detail)

    def _begun(self, target: Target, cloud_operation: str, version: str) -> Progress:
        """A run is there a moment after the update of its job; or never, when the job cannot be as it was asked."""
        execution = names.short(names.run_of(cloud_operation))
        name = names.run_of(cloud_operation).split("/")[-3]
        job = self._get(target, name)
        if job.start_execution_token != execution.removeprefix(f"{name}-"):
            raise Uncertain(f"run {execution} of job {name} is not there, and the job was run or changed again since")
        if job.terminal_condition.state == FAILED:
            return Progress(state="failed", version=version, detail=sentence(job.terminal_condition.message))
        return Progress(state="running")

    def _start(self, effect: Effect, job: run_v2.Job, image: str) -> None:
        """`job` carries the etag that was just read. The mark goes to the job and, by its template, to the run."""
        if image and not job.template.template.containers:
            raise Permanent(f"job {names.short(job.name)} has no container that could have another image")
        if image:
            job.template.template.containers[0].image = image
        for annotations in (job.annotations, job.template.annotations):
            stamp.put(annotations, effect.key, effect.version)
        job.start_execution_token = names.suffix(effect.key)
        jobs = self._google.client(run_v2.JobsClient)
        with translated(f"run job {names.short(job.name)}", "run.jobs.run", write=True):
            jobs.update_job(run_v2.UpdateJobRequest(job=job), **self._google.writing)

    def _get(self, target: Target, name: str) -> run_v2.Job:
        jobs = self._google.client(run_v2.JobsClient)
        with translated(f"read job {name}", "run.jobs.get"):
            return jobs.get_job(run_v2.GetJobRequest(name=names.job(target, name)), **self._google.reading)

    def _found(self, run: str) -> run_v2.Execution | None:
        executions = self._google.client(run_v2.ExecutionsClient)
        try:
            with translated(f"read run {names.short(run)}", "run.executions.get"):
                return executions.get_execution(run_v2.GetExecutionRequest(name=run), **self._google.reading)
        except NotFound:
            return None
