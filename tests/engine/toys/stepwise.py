"""A rollout in stages, for these tests: each shifts traffic and is watched, the last one gives all of it."""

from datetime import timedelta

from bot.core.operation import Risk, ServiceRef, param
from bot.core.plan import Checked, Moment, Plan, Step, step
from bot.core.ports import Compute, ComputeReads, MetricReads
from bot.core.request import Request
from bot.core.rollout import Rollout, look_serving
from bot.core.stages import Stage
from bot.core.traffic import merge

WEIGHTS = (10, 50, 100)
BAKE_S, HOLD_S, LOOK_S = 6, 12, 2
ENOUGH = 10  # requests


class Stepwise(Rollout, risk=Risk.ROLLOUT):
    """Give all traffic to a release, in stages."""

    service: ServiceRef = param("Service.", positional=True)
    to: str = param("Release.", default="backend-00041-kex")

    def plan(self, compute: ComputeReads, request: Request) -> Plan:
        now = compute.service(self.service)
        (old,) = now.serving
        back = step(Compute.set_traffic, self.service, traffic={old: 100})
        steps = [made for weight in WEIGHTS for made in self._stage(old, weight, back)]
        return Plan(
            target=self.service,
            version=now.version,
            summary=f"{self.service}: all traffic to {self.to}, in stages",
            steps=(*steps, look_serving({self.to: 100})),
            stages=tuple(Stage(weight_pct=weight, bake_s=BAKE_S, max_hold_s=HOLD_S) for weight in WEIGHTS),
            facts={"by": request.id},
        )

    def _stage(self, old: str, weight: int, back: Step) -> tuple[Step, Step]:
        traffic = merge([(self.to, weight), (old, 100 - weight)])
        go = step(Compute.set_traffic, self.service, traffic=traffic).undone_by(back).called(f"{weight} %")
        bake = Step(kind="check", verb="bake", title=f"watch {weight} %", if_late="ask", deadline_s=BAKE_S + HOLD_S)
        return go, bake

    def check_bake(self, metrics: MetricReads, moment: Moment) -> Checked:
        """Any error of the new release is one too many; it must have answered some requests, for a while."""
        counted = metrics.requests(self.service, moment.started_at, moment.now, LOOK_S)
        mine = [one for one in counted if one.release == self.to]
        total, errors = sum(one.total for one in mine), sum(one.errors for one in mine)
        said = f"{errors} errors in {total} requests"
        again = moment.now + timedelta(seconds=LOOK_S)
        late = moment.now >= moment.started_at + timedelta(seconds=BAKE_S)
        state = "broken" if errors else "holds" if late and total >= ENOUGH else "not yet"
        return Checked.model_validate(
            {"state": state, "sentence": said, "evidence": {"total": total, "errors": errors}, "look_again_at": again}
        )
