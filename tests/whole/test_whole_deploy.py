"""A deploy through the whole engine: who may, what gets traffic when, and what happens when it goes wrong."""

from datetime import timedelta

import pytest

from bot.core.deploying import course
from bot.core.errors import Denied, Fenced, NotFound, Transient
from bot.core.ports import LATEST, Vulnerabilities
from bot.core.request import LEFT_AS_IT_IS
from bot.engine import check
from tests.engine.conftest import ANA, BEN, CHO, DEV, DIGEST, GOOD, NOON

IMAGE = f"gcr.io/ai-square-prod/backend@{DIGEST}"
MINUTE = timedelta(minutes=1)
LATE = 2 * MINUTE
PER_PERCENT = 6  # requests a minute


@pytest.fixture
def bot(bot):
    """GOOD serves all and is followed; `bot.new` is how often the next release fails, `bot.old` how often GOOD does.

    Monitoring counts while the clock moves, one request of ten a second for each percent of the traffic.
    """
    bot.platform.only_good()
    bot.platform.serve(GOOD, minutes=90, until=NOON - LATE, error_rate=0.001)
    bot.new, bot.old, bot.counted = 0.001, 0.001, NOON - LATE
    bot.meanwhile, advance = [], bot.clock.advance  # a nap is as long as it may be: hours are played in a second

    def advancing(seconds):
        advance(seconds)
        count(bot)
        due = [one for one in bot.meanwhile if one[0] <= bot.clock.now()]
        bot.meanwhile = [one for one in bot.meanwhile if one not in due]
        for _, act in due:
            act()

    bot.clock.advance, bot.clock.nap = advancing, bot.clock.sleep
    bot.after_minutes = lambda minutes, act: bot.meanwhile.append((NOON + minutes * MINUTE, act))
    return bot


def count(bot):
    """What monitoring has by now."""
    while bot.counted + MINUTE <= bot.clock.now() - LATE:
        bot.counted += MINUTE
        for name, share in bot.platform.serving.items():
            rate = bot.old if name == GOOD else bot.new
            bot.platform.serve(
                name, minutes=1, until=bot.counted, per_minute=round(PER_PERCENT * share), error_rate=rate
            )


def deploy(bot, words="deploy backend v43"):
    return bot.approved(words)


def release(operation):
    return f"backend-{operation}"


def left(operation):
    return f"left, as it does no harm: make release {release(operation)}"


def states(bot, operation):
    return [stage.state for stage in bot.ledger.stages(operation)]


# --- by itself


def test_a_good_release_gets_all_traffic_and_is_followed(bot):
    operation = deploy(bot)
    done = bot.work(operation)
    assert (done.state, states(bot, operation)) == ("applied", ["passed"] * 4)
    assert (bot.platform.asked, bot.platform.serving) == ({LATEST: 100}, {release(operation): 100})
    assert bot.platform.writes == [f"{operation}/{position}/do" for position in (0, 2, 4, 6, 8, 10)]
    assert bot.platform.releases_[0].image == IMAGE
    minutes = (bot.clock.now() - NOON) / MINUTE
    assert 60 <= minutes <= 90, "three bakes of ten minutes, and half an hour with all traffic"
    assert bot.pins.pins() == ()


def test_a_bad_release_is_put_back_by_the_judge(bot):
    operation, bot.new = deploy(bot), 0.05
    done = bot.work(operation)
    assert (done.state, states(bot, operation)) == ("failed", ["broken"])
    assert (bot.platform.asked, bot.platform.serving) == ({GOOD: 100}, {GOOD: 100})
    assert done.detail.startswith(f"Roll back {release(operation)}: 5 % errors (")
    assert done.detail.endswith(f" good releases; put back as it was; {left(operation)}")
    assert (bot.clock.now() - NOON) / MINUTE < 10


def test_one_that_gets_worse_later_is_put_back_from_there(bot):
    operation = deploy(bot)
    bot.after_minutes(14, lambda: setattr(bot, "new", 0.05))
    done = bot.work(operation)
    assert (done.state, states(bot, operation)) == ("failed", ["passed", "broken"])
    assert bot.platform.serving == {GOOD: 100}
    assert [one for one in bot.platform.writes if one.endswith("undo")] == [f"{operation}/4/undo"]


# --- nobody knows


def test_too_few_requests_wait_for_a_person_who_lets_it_go_on(bot, monkeypatch):
    """The approval said for how long."""
    monkeypatch.setattr(course, "MAX_HOLD_S", 1800)
    operation = deploy(bot)
    monkeypatch.setattr("tests.whole.test_whole_deploy.PER_PERCENT", 0.01)
    bot.after_minutes(41, lambda: seen.append(states(bot, operation)))
    for minute in (45, 50, 55, 60):
        bot.after_minutes(minute, lambda: bot.say(ANA, f"ops advance {operation}"))
    seen = []
    done = bot.work(operation)
    assert seen == [["held"]]
    assert (done.state, bot.platform.serving) == ("applied", {release(operation): 100})
    assert "A stage that is not decided 30m after its time waits for a person" in " ".join(done.plan.notes)
    (first, *_) = bot.ledger.stages(operation)
    assert (first.state, first.steered_by) == ("passed", "ana")


def test_when_monitoring_is_away_nothing_is_promoted_or_rolled_back(bot, monkeypatch):
    monkeypatch.setattr(check, "UNREAD_EVERY_S", 60.0)  # five hours of it
    operation = deploy(bot)
    bot.after_minutes(5, lambda: bot.platform.fail("requests", *[Transient("monitoring is away")] * 10_000))
    bot.after_minutes(300, lambda: seen.append((states(bot, operation), bot.platform.serving)))
    bot.after_minutes(301, lambda: bot.say(BEN, f"ops cancel {operation}"))
    seen = []
    done = bot.work(operation)
    assert seen == [(["held"], {GOOD: 90, release(operation): 10})]
    assert (done.state, bot.platform.serving) == ("cancelled", {GOOD: 100})


def test_an_outage_of_both_holds(bot):
    operation = deploy(bot)
    bot.after_minutes(2, lambda: (setattr(bot, "new", 0.3), setattr(bot, "old", 0.3)))
    bot.after_minutes(60, lambda: seen.append(bot.ledger.stages(operation)[0]))
    bot.after_minutes(61, lambda: bot.say(BEN, f"ops cancel {operation}"))
    seen = []
    bot.work(operation)
    assert (seen[0].state, "both releases are bad" in seen[0].sentence) == ("baking", True)


# --- what is not ready


def test_a_release_that_does_not_start_never_has_traffic(bot):
    operation = deploy(bot)

    def never():
        one = bot.platform.releases_[0]
        bot.platform.releases_[0] = one.model_copy(update={"ready": False, "reason": "the container failed to start"})
        bot.platform.latest_ready, bot.platform.trouble = GOOD, "not ready"

    bot.platform.after.append(never)
    done = bot.work(operation)
    said = f"{release(operation)} does not start: the container failed to start; {left(operation)}"
    assert (done.state, done.detail) == ("failed", said)
    assert bot.platform.writes == [f"{operation}/0/do"]
    assert (bot.platform.asked, bot.platform.serving) == ({GOOD: 100}, {GOOD: 100})


def test_the_next_deploy_takes_over_what_that_one_left(bot):
    test_a_release_that_does_not_start_never_has_traffic(bot)
    bot.platform.after.clear()
    bot.platform.trouble = ""
    operation = deploy(bot)
    notes = bot.ledger.operation(operation).plan.notes
    assert [one for one in notes if "that ends with this release" in one]
    assert bot.work(operation).state == "applied"
    assert bot.platform.asked == {LATEST: 100}


def test_one_that_stops_being_ready_is_put_back(bot):
    operation = deploy(bot)

    def gone():
        bot.platform.releases_ = [one for one in bot.platform.releases_ if one.name != release(operation)]

    bot.after_minutes(5, gone)
    done = bot.work(operation)
    assert (done.state, bot.platform.serving) == ("failed", {GOOD: 100})
    assert done.detail.startswith(f"{release(operation)} is gone")


def test_it_is_not_said_to_be_deployed_before_traffic_arrived(bot):
    operation = deploy(bot, "deploy backend v43 --strategy all-at-once")
    bot.platform.never_arrives = True
    done = bot.work(operation)
    assert done.state == "uncertain" and done.detail.startswith(LEFT_AS_IT_IS)
    assert "but backend-00041-kex 100 % serves" in done.detail


# --- somebody else


THEIRS = {GOOD: 60, "backend-00040-fom": 40}
FOUND = "somebody changed the service meanwhile: traffic is asked to be backend-00041-kex 60 %, backend-00040-fom 40 %"


@pytest.mark.parametrize("minutes, stages", [(5, 1), (15, 2), (30, 3), (45, 4)])
def test_a_change_in_the_console_stops_it_and_is_not_overwritten(bot, minutes, stages):
    """At any stage. What was found, and so what runs, is known and said: it is no guess that anybody must look into."""
    operation = deploy(bot)
    bot.after_minutes(minutes, lambda: bot.platform.somebody_sets(THEIRS))
    done = bot.work(operation)
    assert (done.state, bot.platform.asked, bot.platform.serving) == ("failed", THEIRS, THEIRS)
    version = bot.platform.version
    refused = f"it was not put back: ai-square/prod/backend is at version {version}, not {version - 1}"
    assert done.detail == f"{LEFT_AS_IT_IS}: {FOUND}; {refused}; {left(operation)}"
    assert states(bot, operation) == ["passed"] * (stages - 1) + ["broken"]
    assert len(bot.platform.writes) == 1 + stages, "the release and a shift for each stage: nothing over theirs"
    assert bot.pins.pins() == ()


def test_a_change_in_the_console_while_the_release_starts_stops_it_too(bot):
    operation = deploy(bot)
    bot.platform.after.append(lambda: bot.platform.somebody_sets(THEIRS))
    done = bot.work(operation)
    assert (done.state, bot.platform.asked, bot.platform.writes) == ("failed", THEIRS, [f"{operation}/0/do"])
    assert done.detail.startswith(FOUND)


def test_a_change_in_the_console_just_before_a_shift_is_found_by_the_cloud(bot):
    """No look lies between the two: the shift itself is refused."""
    operation = deploy(bot)
    steer = bot.ledger.found

    def found(*args):
        stage = steer(*args)
        if stage.state == "passed" and bot.platform.asked != THEIRS:
            bot.platform.somebody_sets(THEIRS)
        return stage

    bot.ledger.found = found
    done = bot.work(operation)
    assert (done.state, bot.platform.asked, len(bot.platform.writes)) == ("failed", THEIRS, 2)
    assert done.detail.startswith(f"{LEFT_AS_IT_IS}: ai-square/prod/backend is at version")


def test_cancelled_beside_a_change_in_the_console_theirs_stays(bot):
    operation = deploy(bot)

    def both():
        bot.platform.somebody_sets(THEIRS)
        bot.say(BEN, f"ops cancel {operation}")

    bot.after_minutes(15, both)
    done = bot.work(operation)
    assert (done.state, bot.platform.asked) == ("failed", THEIRS), "not cancelled, which says that it is as it was"
    assert "not put back" in done.detail


def test_after_a_change_in_the_console_whoever_goes_back_sees_it_first(bot):
    """The rollback is planned on what somebody made of it."""
    test_a_change_in_the_console_stops_it_and_is_not_overwritten(bot, 15, 2)
    record = bot.say(ANA, "rollback backend")
    assert (record.state, record.plan.preempts, record.plan.facts["traffic"]) == ("waiting", (), THEIRS)


# --- permission


def test_on_call_needs_one_other_person(bot):
    record = bot.say(ANA, "deploy backend v43")
    assert (record.state, record.approvals_needed) == ("waiting", 1)
    with pytest.raises(Denied):
        bot.say(DEV, "deploy backend v43")
    assert bot.say(DEV, "deploy backend v43 --dry-run").state == "planned"


def test_a_lock_stops_it_until_it_is_lifted(bot):
    bot.work(bot.say(ANA, 'lock backend --reason "incident 42"').id)
    denied = bot.say(ANA, "deploy backend v43")
    assert denied.state == "denied" and "locked" in denied.detail
    assert any("incident 42" in note for note in denied.plan.notes)
    bot.work(bot.approved("unlock backend"))
    assert bot.say(ANA, "deploy backend v43").state == "waiting"


def test_a_critical_vulnerability_takes_two(bot):
    bot.platform.scans[IMAGE] = Vulnerabilities(by_severity={"critical": 2}, scanned_at=NOON)
    record = bot.say(ANA, "deploy backend v43")
    assert (record.state, record.approvals_needed) == ("waiting", 2)
    assert bot.say(BEN, f"approve {record.id}").state == "answered"
    assert bot.ledger.operation(record.id).state == "waiting"
    bot.say(CHO, f"approve {record.id}")
    assert bot.work(record.id).state == "applied"


# --- between plan and apply


def test_the_digest_that_was_approved_is_deployed_though_the_tag_moved(bot):
    operation = deploy(bot)
    bot.platform.digests["gcr.io/ai-square-prod/backend:v43"] = "sha256:" + "5" * 64
    assert bot.work(operation).state == "applied"
    assert bot.platform.releases_[0].image == IMAGE


def test_an_image_that_was_deleted_meanwhile_is_not_deployed(bot):
    operation = deploy(bot)
    bot.platform.fail("image", NotFound(f"image {IMAGE} is not in its registry"))
    done = bot.work(operation)
    assert (done.state, bot.platform.writes) == ("failed", [])
    assert "is not in its registry" in done.detail


# --- without traffic


def test_without_traffic_it_has_an_address_and_the_next_deploy_takes_over(bot):
    operation = deploy(bot, "deploy backend v43 --no-traffic")
    done = bot.work(operation)
    assert (done.state, bot.platform.asked, bot.platform.serving) == ("applied", {GOOD: 100}, {GOOD: 100})
    assert bot.platform.tags == {"preview": release(operation)}
    assert "https://preview.example" in done.detail
    (pin,) = bot.pins.pins()
    assert (pin.traffic, pin.operation) == ({GOOD: 100}, operation)
    bot.platform.digests["gcr.io/ai-square-prod/backend:v44"] = "sha256:" + "6" * 64
    assert bot.work(deploy(bot, "deploy backend v44")).state == "applied"
    assert (bot.platform.asked, bot.pins.pins()) == ({LATEST: 100}, ())


@pytest.mark.parametrize("minutes", [5, 15])
def test_cancelled_while_nobody_was_at_it_traffic_goes_back_where_it_was(bot, minutes):
    """The process died during a bake, and what it had done is known from our own rows alone."""
    operation = deploy(bot)

    def die():
        raise Fenced("died")

    bot.after_minutes(minutes, die)
    with pytest.raises(Fenced):
        bot.work(operation)
    assert set(bot.platform.serving) == {GOOD, release(operation)}
    bot.say(BEN, f"ops cancel {operation}")
    done = bot.work(operation)
    assert (done.state, bot.platform.serving) == ("cancelled", {GOOD: 100})
    assert done.detail == f"cancelled by ben; put back as it was; {left(operation)}"
