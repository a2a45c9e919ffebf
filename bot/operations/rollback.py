"""Rollback: back to the release that served well last, whether or not anything else works."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar

from bot.core.catalog import Catalog
from bot.core.going_back import Going, Seen, going, together
from bot.core.operation import Reference, Risk, param
from bot.core.plan import Checked, Moment, Plan
from bot.core.ports import ComputeReads, ImageReads, MetricReads, SecretReads, Traffic
from bot.core.reach import WIDE
from bot.core.request import Target
from bot.core.rollout import Rollout, check_serving, judge_errors
from bot.core.system import HistoryReads, LedgerReads
from bot.core.when import ReleaseOrPast

BackRef = Annotated[Target, Reference("service|group|environment|system")]


class Rollback(
    Rollout,
    risk=Risk.ROLLOUT,
    examples=(
        "rollback backend",
        'rollback backend --to backend-00041-kex --reason "5xx since 14:02"',
        "rollback ai-square --to 2026-11-20 07:05",
    ),
):
    """Send all traffic back to the last release that served well."""

    service: BackRef = param("Service to roll back, or a group or a system.", positional=True)
    to: ReleaseOrPast | None = param(
        "Release to go to, or a time; default: the last that served all traffic and was healthy.",
        default=None,
        completes="releases of service",
    )

    releases: ClassVar[Mapping[str, str]] = {}  # of several services, as a plan chose them; no parameter

    def plan(
        self,
        compute: ComputeReads,
        images: ImageReads,
        secrets: SecretReads,
        metrics: MetricReads,
        history: HistoryReads,
        ledger: LedgerReads,
        catalog: Catalog,
        moment: Moment,
    ) -> Plan:
        seen = Seen(compute, images, secrets, metrics, history, ledger, catalog, moment.now)
        if self.service.kind in WIDE:
            at = self.to if isinstance(self.to, datetime) else None
            return together(self.service, at, self.reason, seen, self.releases)
        return going(Going(self.service, self.to, self.reason), seen)

    def check_there(self, compute: ComputeReads, target: Target, traffic: Traffic) -> Checked:
        """Whether one of several services went back."""
        return check_serving(target, compute, traffic)

    def judge_errors_of(self, metrics: MetricReads, catalog: Catalog, moment: Moment, target: Target) -> Checked:
        """How one of several does afterwards."""
        found = judge_errors(target, metrics, catalog, moment)
        return found.model_copy(update={"sentence": f"{target.name}: {found.sentence}"})
