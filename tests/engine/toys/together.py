"""One rollback of two services, for these tests: the second is in the same environment, called frontend."""

from bot.core.catalog import Catalog
from bot.core.operation import Risk, ServiceRef, param
from bot.core.plan import Checked, Hold, Plan, Step, Versioned, step
from bot.core.ports import Compute, ComputeReads, Traffic
from bot.core.request import Target
from bot.core.rollout import Rollout, check_serving


class Together(Rollout, risk=Risk.ROLLOUT):
    """Send all traffic of two services to releases of theirs, or of neither."""

    service: ServiceRef = param("The first service.", positional=True)
    to: str = param("Release.", default="backend-00041-kex")
    other: str = param("The environment of the second.", default="prod")

    def plan(self, compute: ComputeReads, catalog: Catalog) -> Plan:
        both = (self.service, catalog.target("ai-square", self.other, "frontend"))
        now = [compute.service(one) for one in both]
        steps = [made for one, state in zip(both, now, strict=True) for made in self._moved(one, state.asked)]
        hold = Hold(traffic={self.to: 100})
        return Plan(
            target=both[0],
            version=now[0].version,
            others=(Versioned(target=both[1], version=now[1].version, hold=hold),),
            summary="both go back",
            steps=tuple(steps),
            hold=hold,
        )

    def _moved(self, target: Target, asked: Traffic) -> tuple[Step, Step]:
        back = step(Compute.set_traffic, target, traffic=asked)
        go = step(Compute.set_traffic, target, traffic={self.to: 100}).undone_by(back).called(f"move {target.name}")
        place = {"target": target.model_dump(mode="json"), "traffic": {self.to: 100}}
        return go, Step(kind="check", verb="there", args=place, title=f"see {target.name}", deadline_s=5)

    def check_there(self, compute: ComputeReads, target: Target, traffic: Traffic) -> Checked:
        """Whether traffic of one of them arrived."""
        return check_serving(target, compute, traffic)
