"""Unpin: let traffic follow the newest release again."""

from collections.abc import Sequence

from bot.core.catalog import Catalog
from bot.core.deploying.running import gave_up
from bot.core.errors import UserError
from bot.core.operation import Risk, ServiceRef, param
from bot.core.plan import Plan, Verdict
from bot.core.ports import LATEST, ComputeReads, ImageReads, Release, SecretReads, ServiceState
from bot.core.rollout import Rollout, existing, left_behind, look_serving, shifted, still
from bot.core.safety import can_take
from bot.core.system import LedgerReads, Pin, PinReads
from bot.core.traffic import describe


class Unpin(Rollout, risk=Risk.ROLLOUT, examples=("unpin backend", "unpin backend --to backend-00043-fix")):
    """Let a service's traffic follow its newest release again."""

    service: ServiceRef = param("Service that is pinned.", positional=True)
    to: str | None = param(
        "The newest ready release, by name; needed when a rollback or its own deploy left it.",
        default=None,
        completes="releases of service",
        value="RELEASE",
    )

    def plan(
        self,
        compute: ComputeReads,
        images: ImageReads,
        secrets: SecretReads,
        pins: PinReads,
        ledger: LedgerReads,
        catalog: Catalog,
    ) -> Plan:
        now, releases = compute.service(self.service), compute.releases(self.service)
        still(self.service, now)
        pin = pins.pin(self.service)
        if now.asked == {LATEST: 100}:
            return self._followed(now, pin)
        newest = self._newest(now, releases)
        if self.to != newest:
            self._must_be_wanted(newest, pin, gave_up(self.service, newest, compute, ledger))
        found = can_take(self.service, {newest: 100}, now, releases, catalog, images, secrets)
        plan = shifted(self, now, {LATEST: 100}, compute, f"let traffic follow the newest release ({newest})")
        return plan.model_copy(
            update={
                "summary": f"{self.service}: {newest} gets all traffic, and from then on every newer ready release",
                "verdict": Verdict(findings=found),
                "lets_go": True,
                "notes": left_behind(plan, catalog),
                "facts": {**plan.facts, "newest": newest},
            }
        )

    def _followed(self, now: ServiceState, pin: Pin | None) -> Plan:
        """Nothing to change in the cloud; a pin that somebody overrode outside aisq is forgotten."""
        nothing = Plan(
            target=self.service,
            version=now.version,
            why=f"{self.service} is not pinned: traffic follows the newest release,"
            f" {now.latest_ready or 'of which none is ready yet'}",
        )
        if not pin:
            return nothing
        said = f"forget that {pin.by} pinned it to {describe(pin.traffic)}; traffic follows the newest release already"
        return Plan(
            target=self.service,
            version=now.version,
            summary=f"{self.service}: {said}",
            steps=(look_serving({LATEST: 100}),),
            lets_go=True,
            facts={"traffic": dict(now.asked), "traffic_moved_pct": 0},
        )

    def _must_be_wanted(self, newest: str, pin: Pin | None, deploy: str) -> None:
        """Raises UserError for a release that somebody rolled back from, or that its own `deploy` did not keep."""
        left = f"{pin.by} rolled back from" if pin and newest in pin.away_from else ""
        if left := left or (f"its deploy, `{deploy}`, did not go through with" if deploy else ""):
            raise UserError(
                f"The newest ready release is {newest}, which {left}. Deploy a better one, or say that you mean it:"
                f" `unpin {self.service} --to {newest}`."
            )

    def _newest(self, now: ServiceState, releases: Sequence[Release]) -> str:
        newest = now.latest_ready
        if not newest:
            raise UserError(f"{self.service} has no ready release that traffic could follow; deploy one first.")
        if self.to and existing(self.service, self.to, releases).name != newest:
            raise UserError(
                f"{self.to} is not the newest ready release of {self.service}, {newest} is, and only that can be"
                f" followed. To hold traffic at {self.to}: `traffic {self.service} {self.to}=100`."
            )
        return newest
