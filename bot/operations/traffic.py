"""Traffic: any split of a service's traffic, by hand."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.operation import Risk, ServiceRef, param
from bot.core.parser import shown
from bot.core.plan import Hold, Plan, Verdict
from bot.core.ports import LATEST, ComputeReads, ImageReads, SecretReads, ServiceState
from bot.core.rollout import Rollout, by_name, existing, left_behind, shifted, still
from bot.core.safety import can_take
from bot.core.traffic import describe, spread


def shares(said: Any) -> Any:
    """`["A=90", "B=10"]` to percents by release. Raises ValueError that says what to write."""
    if not isinstance(said, list):
        return said
    split: dict[str, int] = {}
    for pair in said:
        name, _, percent = str(pair).partition("=")
        number = percent.removesuffix("%")
        if not name or not (number.isascii() and number.isdigit() and len(number) <= 3):
            raise ValueError(f"write RELEASE=PERCENT in whole percents, such as A=90 B=10, not `{shown(str(pair))}`.")
        release = LATEST if name.upper() == LATEST else name
        if release in split:
            raise ValueError(f"{shown(release)} is given twice.")
        split[release] = int(number)
    return split


class Traffic(
    Rollout,
    risk=Risk.ROLLOUT,
    examples=("traffic backend backend-00042-bad=10 --rest", "traffic backend A=90 B=10"),
):
    """Split a service's traffic between releases."""

    service: ServiceRef = param("Service whose traffic is split.", positional=True)
    split: Annotated[dict[str, int], BeforeValidator(shares)] = param(
        "RELEASE=PERCENT, as many as wanted; LATEST means the newest ready release.",
        positional=True,
        completes="releases of service",
    )
    rest: bool = param("Spread what is left to 100 over the other releases that serve now.", default=False)

    def plan(self, compute: ComputeReads, images: ImageReads, secrets: SecretReads, catalog: Catalog) -> Plan:
        now, releases = compute.service(self.service), compute.releases(self.service)
        still(self.service, now)
        if LATEST in self.split and not now.latest_ready:
            raise UserError(f"{self.service} has no ready release that LATEST could mean; name one.")
        for name in (name for name in self.split if name != LATEST):
            existing(self.service, name, releases)
        wanted = self._whole(now)
        named = by_name(wanted, now)
        if wanted == now.asked and named == now.serving:
            why = f"traffic of {self.service} is split so already: {describe(wanted)}"
            return Plan(target=self.service, version=now.version, why=why)
        pinned = LATEST not in wanted
        plan = shifted(self, now, wanted, compute, f"split traffic: {describe(wanted)}")
        return plan.model_copy(
            update={
                "verdict": Verdict(findings=can_take(self.service, named, now, releases, catalog, images, secrets)),
                "hold": Hold(traffic=wanted) if pinned else None,
                "lets_go": not pinned,
                "notes": (*([self._note()] if pinned else []), *left_behind(plan, catalog)),
            }
        )

    def _note(self) -> str:
        return f"Traffic then stays so: new releases get none until `unpin {self.service}`."

    def _whole(self, now: ServiceState) -> dict[str, int]:
        """The split that is meant, summing to 100. Raises UserError."""
        total = sum(self.split.values())
        meant = {now.latest_ready if name == LATEST else name for name in self.split}
        others = {name: share for name, share in now.serving.items() if name not in meant}
        whole = {name: share for name, share in self.split.items() if share}
        if total == 100:
            return whole
        if not self.rest or total > 100:
            raise UserError(f"That is {total} %, not 100 %.{self._suggestion(total, others)}")
        if not others:
            raise UserError(f"No other release serves, so nothing can take the {100 - total} % that are left.")
        left = {name: share for name, share in spread(others, 100 - total).items() if share}
        return {**whole, **left}

    def _suggestion(self, total: int, others: dict[str, int]) -> str:
        if not total:
            return " Write RELEASE=PERCENT, such as A=90 B=10."
        whole = " ".join(f"{name}={share}" for name, share in spread(self.split, 100).items())
        rest = f", or add `--rest` to leave {100 - total} % to {', '.join(others)}" if others and total < 100 else ""
        return f" Did you mean `{whole}`{rest}?"
