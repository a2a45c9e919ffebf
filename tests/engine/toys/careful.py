"""A change whose call has no undo, for these tests: a job first, then all traffic."""

from bot.core.operation import Risk, ServiceRef, param
from bot.core.plan import Plan, step
from bot.core.ports import Compute, ComputeReads, Jobs
from bot.core.rollout import Rollout, look_serving

GOOD = "backend-00041-kex"


class Careful(Rollout, risk=Risk.ROLLOUT):
    """Run a job, then send all traffic to a release."""

    service: ServiceRef = param("Service.", positional=True)
    harmful: bool = param("Whether what the job made may not stay.", default=False)
    left: bool = param("Whether the job goes on by itself, so that nobody waits for it.", default=False)
    patience: int = param("How long the job may take, in seconds.", default=0)

    def plan(self, compute: ComputeReads) -> Plan:
        now = compute.service(self.service)
        job = step(Jobs.run_job, self.service, job="migrate").called("migrate")
        kept = {"may_stay": not self.harmful, "may_be_left": self.left, "deadline_s": self.patience}
        job = job.model_copy(update=kept)
        back = step(Compute.set_traffic, self.service, traffic=now.asked)
        go = step(Compute.set_traffic, self.service, traffic={GOOD: 100}).undone_by(back).called("move")
        return Plan(
            target=self.service,
            version=now.version,
            summary=f"{self.service}: migrated, then {GOOD}",
            steps=(job, go, look_serving({GOOD: 100})),
        )
