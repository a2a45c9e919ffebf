"""What every operation that brings out a release has: how it gets its traffic, and what is looked at meanwhile."""

import re
from typing import Annotated, NamedTuple

from pydantic import Field

from bot.core.catalog import Catalog
from bot.core.compute import Compute
from bot.core.deploying.course import Course, course
from bot.core.deploying.image import SHORT, by_digest, path_of, scan
from bot.core.deploying.judging import Judging
from bot.core.deploying.looks import check_followed, check_ready
from bot.core.deploying.migration import Migrating, Wanted, migrating
from bot.core.deploying.plan import Outset, left_aside, rolled_out
from bot.core.deploying.spending import Spending
from bot.core.deploying.stage import Watched
from bot.core.deploying.standing import Standing, left_alone, standing
from bot.core.errors import UserError
from bot.core.locking import spoken, stopping
from bot.core.operation import param
from bot.core.parser import shown
from bot.core.plan import Checked, Finding, Moment, Plan, Verdict
from bot.core.ports import ComputeReads, ImageReads, JobReads, MetricReads, Release, ServiceState
from bot.core.promises import Strategy
from bot.core.request import Request
from bot.core.rollout import Rollout, lasting, still
from bot.core.system import LedgerReads, LockReads, PinReads
from bot.core.units import Duration, Weights

PREVIEW = "preview"
TAG = re.compile(r"[a-z]([a-z0-9-]{0,44}[a-z0-9])?")  # with its service's name, one label of a host's name


class Seen(NamedTuple):
    """What a plan is made from."""

    compute: ComputeReads
    images: ImageReads
    jobs: JobReads
    pins: PinReads
    locks: LockReads
    ledger: LedgerReads
    metrics: MetricReads
    catalog: Catalog


class Deployment(Rollout):
    """A release that gets its traffic by a strategy, or none."""

    strategy: Strategy | None = param("How it gets its traffic; default: as the catalog says.", default=None)
    weights: Weights | None = param(
        "Percent of the traffic, stage by stage, such as 10,25,50,100.", default=None, value="PERCENTS"
    )
    bake: Duration | None = param(
        "How long each stage is watched at least, such as 10m.", default=None, value="DURATION"
    )
    no_traffic: bool = param("Give it no traffic, only an address of its own.", default=False)
    tag: str | None = param("Preview tag, for an address of its own.", default=None)
    unpin: bool = param("End what holds traffic elsewhere, with this release.", default=False)
    migrate: Annotated[str, Field(min_length=1)] | None = param(
        "Schema version to which the database is migrated first.", default=None, value="VERSION"
    )
    breaking: bool = param("The migration takes away what serves now needs, so that rollback is lost.", default=False)

    fix: bool = param("It mends what burns the error budget, which then asks nothing of it.", default=False)

    def released(self, said: str, seen: Seen, request: Request, moment: Moment) -> Plan:
        """The plan for an image, however it is named. Raises UserError and CloudError."""
        self._check()
        service, compute = self.service, seen.compute
        now = compute.service(service)
        still(service, now)
        stands = self._standing(now, seen)
        stable = compute.release_named(service, stands.stable)
        entry, delivery = seen.catalog.entry(service), seen.catalog.delivery(service)
        path = path_of(getattr(entry, "image", "")) or path_of(stable.image)
        image = by_digest(service, said, path, seen.images)
        if not self.no_traffic and _digest(stable.image) == _digest(image):
            why = f"{stable.name} is of that very image, and serves all traffic of {service}"
            return Plan(target=service, version=now.version, why=why)
        spending = self._spending(seen, moment)
        usual = course(delivery, self.strategy, self.weights, self.bake)
        self._check_breaking(usual)
        chosen = spending.course(usual, chosen=bool(self.weights or self.bake))
        begins = Outset(
            target=service,
            now=now,
            standing=stands,
            release=compute.release_name(service, request.id),
            image=image,
            migrating=self._migrating(stable, image, seen),
            tag=self.tag or (PREVIEW if self.no_traffic else chosen.tag),
        )
        plan = self._planned(begins, chosen, compute)
        return spending.of(self._with_scan(plan, image, seen, moment))

    def check_ready(
        self, compute: ComputeReads, ledger: LedgerReads, request: Request, moment: Moment, release: str
    ) -> Checked:
        """Whether the release started; one that does not never gets traffic."""
        return check_ready(self.service, release, compute, ledger, request.id, moment)

    def check_judged(
        self,
        compute: ComputeReads,
        metrics: MetricReads,
        ledger: LedgerReads,
        catalog: Catalog,
        request: Request,
        moment: Moment,
        watched: Watched,
    ) -> Checked:
        """Whether a stage may be left, and which way."""
        looking = Judging(self.service, watched, request.id, moment)
        return looking.look(compute, metrics, ledger, catalog.slo(self.service))

    def check_followed(self, compute: ComputeReads, release: str) -> Checked:
        """Whether traffic follows the newest release, and that is the one that was made."""
        return check_followed(self.service, release, compute)

    def _check(self) -> None:
        """Raises UserError for what contradicts itself."""
        if self.no_traffic and (self.strategy or self.weights or self.bake or self.unpin):
            raise UserError("With --no-traffic there are no stages and nothing is unpinned: leave the rest out.")
        if self.breaking and not self.migrate:
            raise UserError("Only a migration can be breaking: say --migrate VERSION too, or leave --breaking out.")
        if self.tag is not None and not TAG.fullmatch(self.tag):
            raise UserError(f"`{shown(self.tag)}` is no preview tag: write small letters, digits and -, 46 at most.")

    def _check_breaking(self, usual: Course) -> None:
        """Raises UserError for a breaking migration before a release that could be put back, or that nobody uses."""
        if self.breaking and (self.no_traffic or usual.goes_on != "at once"):
            raise UserError(
                "After a breaking migration there is nothing to go back to, so the release gets all traffic at once:"
                " add `--strategy all-at-once`, and leave --no-traffic out."
            )

    def _standing(self, now: ServiceState, seen: Seen) -> Standing:
        if self.no_traffic:
            return left_alone(self.service, now)
        return standing(self.service, now, seen.pins.pin(self.service), seen.ledger, unpin=self.unpin)

    def _spending(self, seen: Seen, moment: Moment) -> Spending:
        return Spending(self.service, seen.metrics, seen.catalog, moment.now, fix=self.fix, idle=self.no_traffic)

    def _planned(self, begins: Outset, chosen: Course, compute: ComputeReads) -> Plan:
        if self.no_traffic:
            return left_aside(begins, compute, compute.preview_url(self.service, begins.tag))
        return rolled_out(begins, chosen, compute)

    def _migrating(self, stable: Release, image: str, seen: Seen) -> Migrating:
        if not self.migrate:
            return Migrating()
        entry, delivery = seen.catalog.entry(self.service), seen.catalog.delivery(self.service)
        declared, label = (entry.migration, entry.schema_label) if isinstance(entry, Compute) else (None, "")
        wanted = Wanted(self.migrate, self.breaking)
        return migrating(self.service, wanted, declared, label, delivery, stable, image, seen.jobs)

    def _with_scan(self, plan: Plan, image: str, seen: Seen, moment: Moment) -> Plan:
        """With what the registry knows of the image, and what people should know of the service."""
        delivery = seen.catalog.delivery(self.service)
        must_be_clean = bool(delivery and delivery.no_critical_vulnerabilities)
        found = scan(self.service, image, seen.images, must_be_clean=must_be_clean)
        there = Finding(level="good", subject="image", sentence=f"image {_digest(image)[:SHORT]} is in the registry")
        critical = {} if found.critical is None else {"critical_vulnerabilities": found.critical}
        locks = stopping(seen.locks.locks(), "deploys", self.service.full_name, moment.now)
        more = () if self.no_traffic else lasting(self.service, seen.catalog)
        findings = plan.verdict.findings if plan.verdict else ()
        return plan.model_copy(
            update={
                "verdict": Verdict(findings=(there, found.finding, *findings)),
                "notes": (*(spoken(one, of=self.service.full_name) for one in locks), *plan.notes, *more),
                "facts": {**plan.facts, **critical},
            }
        )


def _digest(image: str) -> str:
    return image.partition("@")[2]
