"""A rescue of a whole environment, for these tests: two services go back, and what runs on them is stopped."""

from bot.core.catalog import Catalog
from bot.core.locks import Lock
from bot.core.operation import Risk, ServiceRef, param
from bot.core.plan import Checked, Hold, Plan, Step, Versioned, step
from bot.core.ports import Compute, ComputeReads, Traffic
from bot.core.request import DUE, Target
from bot.core.rollout import Rollout, check_serving
from bot.core.system import LedgerReads, OperationRecord


class Retreat(Rollout, risk=Risk.ROLLOUT):
    """Send all traffic of two services to one release; what is there already, and left alone, is left out."""

    service: ServiceRef = param("Any service of the environment.", positional=True)
    to: str = param("Release.", default="backend-00040-fom")

    def plan(self, compute: ComputeReads, catalog: Catalog, ledger: LedgerReads) -> Plan:
        both = [catalog.target("ai-square", "prod", name) for name in ("backend", "frontend")]
        here = both[0].model_copy(update={"name": "", "kind": "environment"})
        now = {one.name: compute.service(one) for one in both}
        runs = {one.name: self._running(one, ledger) for one in both}
        moving = [one for one in both if now[one.name].asked != {self.to: 100}]
        concerned = [one for one in both if one in moving or runs[one.name]]
        hold = Hold(traffic={self.to: 100})
        others = [Versioned(target=one, version=now[one.name].version, hold=hold) for one in concerned]
        if not concerned:
            return Plan(target=here, version="", why="both are there already")
        return Plan(
            target=here,
            version="",
            others=tuple(others),
            summary=f"{self.to} everywhere",
            steps=tuple(made for one in moving for made in self._moved(one, now[one.name].asked)),
            locks=tuple(Lock(target=one.full_name, reason=f"stopped {len(runs[one.name])}") for one in concerned),
            preempts=tuple(one.id for name in runs for one in runs[name]),
        )

    def _running(self, service: Target, ledger: LedgerReads) -> list[OperationRecord]:
        found = ledger.operations(states=DUE, target=service.full_name)
        return [one for one in found if one.request.operation == "stepwise"]

    def _moved(self, target: Target, asked: Traffic) -> tuple[Step, Step]:
        back = step(Compute.set_traffic, target, traffic=asked)
        go = step(Compute.set_traffic, target, traffic={self.to: 100}).undone_by(back).called(f"move {target.name}")
        place = {"target": target.model_dump(mode="json"), "traffic": {self.to: 100}}
        return go, Step(kind="check", verb="there", args=place, title=f"see {target.name}", deadline_s=5)

    def check_there(self, compute: ComputeReads, target: Target, traffic: Traffic) -> Checked:
        """Whether traffic of one of them arrived."""
        return check_serving(target, compute, traffic)
