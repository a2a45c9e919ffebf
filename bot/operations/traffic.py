"""Traffic: any split of a service's traffic, by hand."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.operation import Risk, ServiceRef, param
from bot.core.parser import did_you_mean, near
from bot.core.plan import Hold, Plan, Verdict
from bot.core.ports import LATEST, ComputeReads, ImageReads, SecretReads, ServiceState
from bot.core.rollout import Rollout, shifted
from bot.core.safety import can_take
from bot.core.traffic import describe, spread


def shares(said: Any) -> Any:
    """`["A=90", "B=10"]` to percents by release. Raises ValueError that says what to write."""
    if not isinstance(said, list):
        return said
    split: dict[str, int] = {}
    for pair in said:
        name, equals, percent = str(pair).partition("=")
        if not (name and equals and percent.rstrip("%").isascii() and percent.rstrip("%").isdigit()):
            raise ValueError(f"write RELEASE=PERCENT, such as A=90 B=10, instead of `{str(pair)[:40]}`")
        if name in split:
            raise ValueError(f"{name} is given twice")
        split[name] = int(percent.rstrip("%"))
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
        if now.busy:
            raise UserError(f"{self.service} is still rolling out a change; ask again when it is done.")
        wanted = self._whole(now, {release.name for release in releases})
        if wanted == now.asked == now.serving:
            return Plan(target=self.service, version=now.version, why=f"{self.service} is split so: {describe(wanted)}")
        gaining = [one for one in releases if wanted.get(one.name, 0) > now.serving.get(one.name, 0)]
        left = [one for one in releases if now.serving.get(one.name) and one not in gaining]
        label = str(getattr(catalog.entry(self.service), "schema_label", ""))
        found = can_take(self.service, gaining, left, label, images, secrets)
        plan = shifted(self, now, wanted, compute, f"split traffic: {describe(wanted)}")
        pinned = LATEST not in wanted
        return plan.model_copy(
            update={
                "verdict": Verdict(findings=found),
                "hold": Hold(traffic=wanted) if pinned else None,
                "lets_go": not pinned,
                "notes": (self._note(),) if pinned else (),
            }
        )

    def _note(self) -> str:
        return f"Traffic then stays so: new releases get none until `unpin {self.service}`."

    def _whole(self, now: ServiceState, known: set[str]) -> dict[str, int]:
        """The split that is meant, summing to 100. Raises UserError."""
        for name in self.split:
            if name != LATEST and name not in known:
                names = near(name, known)
                raise UserError(f"{self.service} has no release `{name[:60]}`.{did_you_mean(names)}", choices=names)
        total = sum(self.split.values())
        others = {name: share for name, share in now.serving.items() if share and name not in self.split}
        if self.rest and total < 100:
            if not others:
                raise UserError(f"No other release serves, so nothing can take the {100 - total} % that are left.")
            return {**self._nonzero(), **spread(others, 100 - total)}
        if total != 100:
            raise UserError(f"That is {total} %, not 100.{self._suggestion(total, others)}")
        return self._nonzero()

    def _nonzero(self) -> dict[str, int]:
        return {name: share for name, share in self.split.items() if share}

    def _suggestion(self, total: int, others: dict[str, int]) -> str:
        if not total:
            return " Write RELEASE=PERCENT, such as A=90 B=10."
        whole = " ".join(f"{name}={share}" for name, share in spread(self.split, 100).items())
        rest = f", or add `--rest` to leave {100 - total} % to {', '.join(others)}" if others and total < 100 else ""
        return f" Did you mean `{whole}`{rest}?"
