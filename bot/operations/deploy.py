"""Deploy: a new release of an image, which gets its traffic stage by stage while a judge watches it."""

from bot.core.catalog import Catalog
from bot.core.deploying.operation import Deployment, Seen
from bot.core.operation import Risk, ServiceRef, param
from bot.core.plan import Moment, Plan
from bot.core.ports import ComputeReads, ImageReads, JobReads, MetricReads
from bot.core.request import Request
from bot.core.system import LedgerReads, LockReads, PinReads


class Deploy(
    Deployment,
    risk=Risk.ROLLOUT,
    examples=(
        "deploy backend v1.43",
        "deploy backend v1.43 --strategy blue-green",
        "deploy backend v1.43 --no-traffic",
    ),
):
    """Bring out a new release, give it traffic stage by stage, and go back by itself if it is worse."""

    service: ServiceRef = param("Service to deploy to.", positional=True)
    image: str = param("What to deploy: a tag, a digest or PATH:TAG.", positional=True)

    def plan(
        self,
        compute: ComputeReads,
        images: ImageReads,
        jobs: JobReads,
        pins: PinReads,
        locks: LockReads,
        ledger: LedgerReads,
        metrics: MetricReads,
        catalog: Catalog,
        request: Request,
        moment: Moment,
    ) -> Plan:
        seen = Seen(compute, images, jobs, pins, locks, ledger, metrics, catalog)
        plan = self.released(self.image, seen, request, moment)
        return plan.model_copy(update={"chosen": {"image": plan.facts["image"]}}) if plan.steps else plan
