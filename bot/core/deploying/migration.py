"""The job that brings the database to the schema of a release, and the backup before it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel

from bot.core.errors import NotFound, UserError
from bot.core.parser import shown
from bot.core.plan import Finding, Step, step
from bot.core.ports import JobReads, Jobs, Release
from bot.core.promises import Delivery, Migration
from bot.core.request import Target
from bot.core.safety import BREAKS

RUNS_FOR_S = 3600
VERSION = re.compile(r"[a-z0-9_-]{1,63}")  # what a label may hold


class Migrating(BaseModel, frozen=True):
    """What a migration adds to a plan."""

    steps: tuple[Step, ...] = ()
    labels: dict[str, str] = {}
    findings: tuple[Finding, ...] = ()
    by_hand: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_breaking: bool = False  # nothing leads back from it


class Run(NamedTuple):
    """One run of a job; without an image it runs the one that it has."""

    job: str
    image: str
    title: str

    def step(self, target: Target, *, may_stay: bool) -> Step:
        made = step(Jobs.run_job, target, job=self.job, image=self.image)
        more = {"may_stay": may_stay, "may_be_left": True, "deadline_s": RUNS_FOR_S}
        return made.called(f"{self.title} (job {self.job})").model_copy(update=more)


class Wanted(NamedTuple):
    """To which schema `version`; `breaking`: it takes away what the release before needs."""

    version: str
    breaking: bool


def migrating(
    target: Target,
    wanted: Wanted,
    declared: Migration | None,
    label: str,
    delivery: Delivery | None,
    stable: Release,
    image: str,
    jobs: JobReads,
) -> Migrating:
    """Raises UserError for a migration that cannot be, or that nobody could tell of later."""
    if declared is None or not label:
        missing = "migration" if declared is None else "schema_label"
        raise UserError(f"The catalog says no `{missing}` of {target}: declare it, or leave --migrate out.")
    _check(target, wanted, declared, label, delivery, stable)
    runs = [Run(declared.job, image if declared.with_release_image else "", f"migrate to {wanted.version}")]
    if declared.backup_job:
        runs.insert(0, Run(declared.backup_job, "", "back up the database"))
    for run in runs:
        _check_job(target, run.job, jobs)
    harmless = [True] * (len(runs) - 1) + [not wanted.breaking]  # what only adds, and a backup, may stay
    return Migrating(
        steps=tuple(run.step(target, may_stay=may) for run, may in zip(runs, harmless, strict=True)),
        labels={label: wanted.version} | ({BREAKS: wanted.version} if wanted.breaking else {}),
        findings=(_finding(wanted, stable),),
        by_hand=tuple(jobs.by_hand_job(target, run.job, run.image) for run in runs),
        notes=tuple(_notes(wanted, declared, stable)),
        is_breaking=wanted.breaking,
    )


def _check(
    target: Target, wanted: Wanted, declared: Migration, label: str, delivery: Delivery | None, stable: Release
) -> None:
    if not VERSION.fullmatch(wanted.version):
        allowed = "small letters, digits, - and _, 63 at most"
        raise UserError(f"`{shown(wanted.version)}` cannot be kept as a release's label: write {allowed}.")
    if stable.labels.get(label) == wanted.version:
        raise UserError(f"{stable.name} needs schema {wanted.version} already: leave --migrate out.")
    if delivery and delivery.backup_before_migration and not declared.backup_job:
        raise UserError(
            f"The catalog promises a backup before each migration of {target}, and names no job that makes one:"
            " declare `migration.backup_job`."
        )


def _check_job(target: Target, name: str, jobs: JobReads) -> None:
    try:
        found = jobs.job(target, name)
    except NotFound:
        raise UserError(f"There is no job {name} where {target} is: make it, or change `migration`.") from None
    if found.last_ended == "running":
        raise UserError(f"Job {name} is running ({found.last_run}): ask again when it has ended.")


def _finding(wanted: Wanted, stable: Release) -> Finding:
    if wanted.breaking:
        said = f"the migration to {wanted.version} takes away what {stable.name} needs: rollback is lost once it ran"
        return Finding(level="risk", subject="schema", sentence=said)
    said = f"the migration to {wanted.version} only adds, so {stable.name} goes on with it"
    return Finding(level="good", subject="schema", sentence=said)


def _notes(wanted: Wanted, declared: Migration, stable: Release) -> Iterator[str]:
    if not declared.backup_job:
        yield "No backup is made before the migration: the catalog names no `migration.backup_job`."
    if wanted.breaking:
        yield f"From the migration on, {stable.name} may fail until the new release has all traffic."
        yield "Who cancels or rolls back meanwhile does not wait for the migration: it goes on to its end, and stays."
