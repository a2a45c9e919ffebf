"""Promote: what ran well in one environment goes to the next, as the very same image."""

from bot.core.catalog import Catalog
from bot.core.deploying.operation import Deployment, Seen
from bot.core.deploying.promotion import Proof, proven, source_of
from bot.core.operation import Risk, ServiceRef, param
from bot.core.plan import Moment, Plan
from bot.core.ports import ComputeReads, ImageReads, JobReads, MetricReads
from bot.core.registries import pulled
from bot.core.request import Request
from bot.core.system import HistoryReads, LedgerReads, LockReads, PinReads


class Promote(
    Deployment, risk=Risk.ROLLOUT, examples=("promote backend", "promote ai-square/prod/backend --source staging")
):
    """Bring out here what serves well in the environment before, as the very same image."""

    service: ServiceRef = param("Service to promote to.", positional=True)
    source: str | None = param(
        "Environment that it comes from; default: the one before this.", default=None, value="ENVIRONMENT"
    )
    image: str | None = param(
        "Digest that serves there; default: whatever serves there now.", default=None, value="DIGEST"
    )

    def plan(
        self,
        compute: ComputeReads,
        images: ImageReads,
        jobs: JobReads,
        pins: PinReads,
        locks: LockReads,
        ledger: LedgerReads,
        metrics: MetricReads,
        history: HistoryReads,
        catalog: Catalog,
        request: Request,
        moment: Moment,
    ) -> Plan:
        source = source_of(self.service, self.source, catalog)
        proof = proven(Proof(source, self.image), compute, history, metrics, catalog, moment.now)
        image = pulled(catalog, source, self.service, proof.image, images)
        plan = self.released(image, Seen(compute, images, jobs, pins, locks, ledger, metrics, catalog), request, moment)
        if not plan.steps:
            return plan
        return plan.model_copy(
            update={
                "summary": f"{plan.summary}, from {source.environment}",
                "notes": (proof.sentence, *plan.notes),
                "chosen": {"image": proof.digest},
            }
        )
