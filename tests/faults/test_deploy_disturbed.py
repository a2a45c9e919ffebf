"""A deploy by a real bot in a small cloud, and what comes between: a rescue, a tag that moves, a job that fails."""

from collections.abc import Iterator

import pytest

from bot.core.request import LEFT_AS_IT_IS
from bot.sandbox.crash_town import GOOD, IMAGE, NEW, SERVICE, Town
from tests.faults.releases import BACKUP, MIGRATE, WEIGHTS, Releases, about
from tests.faults.scene import played_in

BACKEND, STAGING = "ai-square/prod/backend", "ai-square-staging/us-central1/backend"
AT_ONCE = f"deploy backend {NEW} --unpin --strategy all-at-once"


@pytest.fixture
def here(two: Town) -> Iterator[Releases]:
    with played_in(two, Releases) as made:
        yield made


def check_rescued(here: Releases, deploy: str, rescue: str) -> None:
    """The deploy was cancelled and has put back what it changed, once; the rescue found it so, and holds it."""
    state, detail = here.ended(deploy)
    assert (state, here.ended(rescue)[0], here.split(SERVICE)) == ("cancelled", "applied", {GOOD: 100})
    assert detail.startswith(f"cancelled by Ana Alvarez's rollback {rescue}") and "put back as it was" in detail
    assert "Cancelled" in here.told(deploy) and "Done" in here.told(rescue)
    assert (here.locks(), here.pins(), here.moves()[-1]) == ([BACKEND], [(rescue, {GOOD: 100})], {GOOD: 100})


@pytest.mark.parametrize("stage", [1, *(pytest.param(one, marks=pytest.mark.slow) for one in (2, 3)), 4])
def test_a_rollback_at_every_stage_stops_it(here: Releases, stage: int) -> None:
    deploy = here.deploy_to(stage)
    new = f"backend-{deploy}"
    check_rescued(here, deploy, here.run("rollback backend"))
    shifts = [{name: share for name, share in ((new, one), (GOOD, 100 - one)) if share} for one in WEIGHTS[:stage]]
    assert here.moves() == [{GOOD: 100}, *shifts, {GOOD: 100}], "made without traffic, shifted, put back by one write"


def test_a_rollback_while_a_shift_is_rolled_out_does_not_wait_for_it(here: Releases) -> None:
    here.cloud.fault("slow_rollout", method="UpdateService", nth=2, seconds=90_000)
    deploy = here.run(f"deploy backend {NEW} --unpin --bake 24h")
    here.until(lambda: len(here.moves()) == 2)
    check_rescued(here, deploy, here.run("rollback backend"))
    assert len(here.moves()) == 3


def test_after_it_a_deploy_needs_two_decisions(here: Releases) -> None:
    """That the service is no longer locked, and that its traffic may move: else it would get nothing, and say done."""
    deploy = here.deploy_to(1)
    rescue = here.run("rollback backend")
    here.ended(rescue)
    pinned = here.refused(f"deploy backend {NEW}")
    assert pinned.startswith(f"Traffic of {BACKEND} is pinned to {GOOD} since 20") and f"(`{rescue}`)" in pinned
    assert "Add `--unpin`" in pinned and "`--no-traffic`" in pinned
    assert "locked" in here.refused(f"deploy backend {NEW} --unpin")
    assert here.ended(here.run("unlock backend"))[0] == "applied"
    assert about(here.plan(AT_ONCE)) not in (deploy, rescue)
    assert len(here.moves()) == 3


def test_the_digest_that_was_approved_is_released_though_the_tag_moved(here: Releases) -> None:
    card = here.plan(AT_ONCE)
    assert here.cloud.push(IMAGE, NEW, error_rate=0.5) != here.image
    assert here.approve(card)
    assert here.ended(about(card))[0] == "applied"
    made = {one["name"]: one["image"] for one in here.cloud.service(SERVICE)["releases"]}
    assert made[f"backend-{about(card)}"] == here.image


def test_what_never_ran_healthy_in_staging_is_not_promoted(here: Releases) -> None:
    made = here.cloud.release(STAGING, error_rate=0.2, traffic=100)
    here.until(lambda: here.split(STAGING) == {made: 100})
    said = here.refused("promote backend --source staging --unpin")
    assert said.startswith(f"{made} never ran healthy in ai-square/staging/backend")
    assert (here.moves(), here.split(SERVICE)) == ([], {GOOD: 100})


def runs(here: Releases, job: str) -> list[str]:
    """How those ended that the bot began, by their images."""
    found = here.cloud.job(job)["executions"]
    return [one["state"] for one in found if "aisq.dev/effect" in one["annotations"]]


def test_backup_then_migration_then_the_release_that_says_which_schema_it_needs(here: Releases) -> None:
    before = len(runs(here, BACKUP)), len(runs(here, MIGRATE))
    deploy = here.run(f"{AT_ONCE} --migrate 12")
    assert here.ended(deploy)[0] == "applied"
    assert (len(runs(here, BACKUP)), len(runs(here, MIGRATE))) == (before[0] + 1, before[1] + 1)
    assert here.cloud.job(MIGRATE)["image"] == here.image
    assert f"label schema is missing on {GOOD}" in here.told(about(here.plan("rollback backend")))


def test_a_backup_that_fails_ends_it_before_anything_is_changed(here: Releases) -> None:
    before = len(runs(here, MIGRATE))
    here.cloud.job_quality(BACKUP, fails=True)
    state, detail = here.ended(here.run(f"{AT_ONCE} --migrate 13"))
    assert (state, here.moves(), here.split(SERVICE)) == ("failed", [], {GOOD: 100})
    assert "backup" in detail and len(runs(here, MIGRATE)) == before


def test_who_cancels_a_breaking_migration_is_not_told_that_it_is_put_back(here: Releases) -> None:
    here.cloud.job_quality(MIGRATE, seconds=3000)
    began = len(runs(here, MIGRATE))
    deploy = here.run(f"{AT_ONCE} --migrate 14 --breaking")
    here.until(lambda: len(runs(here, MIGRATE)) > began)
    alone = len(here.people.ephemerals("U0ANA"))
    assert here.ask(f"ops cancel {deploy}")
    here.until(lambda: len(here.people.ephemerals("U0ANA")) > alone)
    said = str(here.people.ephemerals("U0ANA")[-1])
    assert "but for what cannot be undone once it has begun: migrate to 14 (job migrate)" in said
    state, detail = here.ended(deploy)
    assert (state, here.moves()) == ("failed", [])
    assert detail.startswith(LEFT_AS_IT_IS) and "cannot be undone: migrate to 14 (job migrate)" in detail
