"""A change that depends on what is left of an error budget, for these tests."""

from bot.core.budget import budget_of, told
from bot.core.catalog import Catalog
from bot.core.operation import Change, Risk, ServiceRef, param
from bot.core.plan import Checked, Moment, Plan, step
from bot.core.ports import Compute, ComputeReads, MetricReads
from bot.core.rollout import look_serving


class Thrifty(Change, risk=Risk.ROLLOUT):
    """Give all traffic to a release, if the error budget lets it."""

    service: ServiceRef = param("Service.", positional=True)
    to: str = param("Release.", default="backend-00041-kex")

    def plan(self, compute: ComputeReads, metrics: MetricReads, catalog: Catalog, moment: Moment) -> Plan:
        budget = budget_of(self.service, metrics, catalog, moment.now)
        facts, measured = told(budget)
        return Plan(
            target=self.service,
            version=compute.service(self.service).version,
            summary=f"{self.service}: all traffic to {self.to}",
            steps=(step(Compute.set_traffic, self.service, traffic={self.to: 100}), look_serving({self.to: 100})),
            notes=(budget.sentence,),
            facts=facts,
            measured=measured,
        )

    def check_serving(self, compute: ComputeReads, traffic: dict[str, int]) -> Checked:
        """Whether it arrived."""
        arrived = compute.service(self.service).serving == traffic
        return Checked(state="holds" if arrived else "not yet", sentence="it serves")
