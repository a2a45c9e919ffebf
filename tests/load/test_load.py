"""A hundred people at once for half a minute, on two replicas: nothing lost, nothing there twice.

Lost is what was acknowledged without a sentence and has no row, no outcome or no answer; there twice is a delivery with
two rows, or an operation with two messages. That aisq says "ask again" when it cannot write a request down in time is
neither, but most people must not hear it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest

from bot.sandbox.books import Books
from bot.sandbox.deliveries import Delivery, Slack
from bot.sandbox.postgres import Databases
from bot.sandbox.soak_evidence import Evidence, Operation
from bot.sandbox.soak_plan import ON_CALL
from bot.sandbox.soak_town import CHANNEL, Town, town
from bot.sandbox.soak_verdict import as_audited, at_most_once, chain, not_lost, serial

PEOPLE, SECONDS, SERVICES, REPLICAS = 100, 30.0, 10, 2
DRAINED_WITHIN_S = 420.0
TEXTS = {
    "whoami": 5,
    "status {service}": 4,
    "ops": 3,
    "releases {service}": 2,
    "rollback {service}": 2,
    "traffic {service} {service}-00001-old=50 {service}-00002-mid=50": 2,
    'rollback {service} --to {service}-00001-old --break-glass "drill"': 1,
    "rollback {service} --dry-run": 1,
}
AT_WORK = "select 1 from operations where state in ('accepted', 'queued', 'running')"
OWED = (
    "select 1 from operations left join messages on messages.operation = operations.id"
    " where revision > coalesce(shown, 1)"
)


@dataclass(frozen=True)
class Loaded:
    """What there was when all of it had been answered."""

    evidence: Evidence
    ephemerals: Counter[str]
    drained_after_s: float


@pytest.fixture(scope="module")
def loaded(databases: Databases) -> Iterator[Loaded]:
    with town(databases, services=SERVICES, replicas=REPLICAS, rate=1.0, seed=1, expires_min=60) as here:
        for bot in here.bots:
            bot.start()
        for bot in here.bots:
            bot.wait_ready()
        sent = asyncio.run(crowd(here))
        began, books = time.monotonic(), Books(here.database)
        while (books.ours(AT_WORK) or books.ours(OWED)) and time.monotonic() < began + DRAINED_WITHIN_S:
            time.sleep(0.5)
        drained_after_s = time.monotonic() - began
        calls = [one for one in here.cloud.calls(method="UpdateService") if one["api"] != "console"]
        evidence = Evidence(books, calls, here.people.messages(CHANNEL), sent)
        seen = Counter({who: len(here.people.ephemerals(who)) for who in ON_CALL})
        assert evidence.operations and evidence.audit and evidence.heard  # read while the database is there
        report(evidence, drained_after_s)
        yield Loaded(evidence, seen, drained_after_s)


async def crowd(here: Town) -> list[Delivery]:
    """Everybody asks again as soon as they are answered."""
    until = time.monotonic() + SECONDS
    urls = [bot.url for bot in here.bots]

    async def person(slack: Slack, number: int) -> None:
        random = Random(number)
        while time.monotonic() < until:
            text = random.choices(list(TEXTS), list(TEXTS.values()))[0]
            way = random.sample(urls, len(urls)) * 2
            await slack.command(random.choice(ON_CALL), text.format(service=random.choice(here.services)), way)

    async with Slack(CHANNEL) as slack:
        await asyncio.gather(*(person(slack, number) for number in range(PEOPLE)))
        return slack.sent


def report(evidence: Evidence, drained_after_s: float) -> None:
    """For `pytest -s`."""
    sent = evidence.sent
    times = sorted(one.ms for one in sent if one.acknowledged)
    print(f"\n{len(sent)} deliveries, {sum(one.attempts > 1 for one in sent)} repeated")
    print(f"p50 {times[len(times) // 2]:.0f} ms, p99 {times[len(times) * 99 // 100]:.0f} ms")
    print(f"refused {refused(evidence)}, unanswered {sum(not one.acknowledged for one in sent)}")
    print(f"sentences {Counter(one.said[:70] for one in sent if one.said)}")
    print(f"states {Counter(one.state for one in evidence.operations.values())}, drained after {drained_after_s:.0f} s")


def refused(evidence: Evidence) -> int:
    return sum(bool(one.said) for one in evidence.sent)


def changes(evidence: Evidence) -> Iterator[Operation]:
    """Those that everybody sees."""
    return (one for one in evidence.operations.values() if one.verb == "plan" and one.digest and one.state != "planned")


pytestmark = pytest.mark.slow


def test_most_are_acknowledged_without_a_sentence(loaded: Loaded) -> None:
    sent = loaded.evidence.sent
    assert len(sent) > PEOPLE, "nobody was answered"
    assert refused(loaded.evidence) < len(sent) / 2
    assert sum(not one.acknowledged for one in sent) < len(sent) / 20


@pytest.mark.parametrize("check", [not_lost, as_audited, at_most_once, serial], ids=lambda one: one.__name__)
def test_nothing_is_lost_or_there_twice(loaded: Loaded, check: type) -> None:
    assert list(check(loaded.evidence)) == []


def test_the_audit_chain_is_whole(loaded: Loaded) -> None:
    waiting = {one.id for one in loaded.evidence.operations.values() if one.state == "waiting"}
    assert [said for said in chain(loaded.evidence) if said.split()[0] not in waiting] == []


def test_everything_has_its_outcome_or_waits_for_people(loaded: Loaded) -> None:
    states = Counter(one.state for one in loaded.evidence.operations.values())
    assert states.keys() <= {"answered", "waiting", "applied", "planned", "nothing_to_do", "rejected", "failed"}
    failed = [one.detail for one in loaded.evidence.operations.values() if one.state == "failed"]
    assert [said for said in failed if "the plan changed" not in said and "changes the target" not in said] == []


def test_every_change_has_one_message(loaded: Loaded) -> None:
    told = [one.get("metadata", {}).get("event_payload", {}).get("operation", "") for one in loaded.evidence.messages]
    times = Counter(told)
    assert {id: count for id, count in times.items() if count > 1} == {}
    assert {one.id for one in changes(loaded.evidence)} <= times.keys()


def test_every_look_is_answered_once(loaded: Loaded) -> None:
    """As many whispers as there are looks; they say nothing of the request that they answer."""
    seen = {one["metadata"]["event_payload"]["operation"] for one in loaded.evidence.messages if "metadata" in one}
    whispered = Counter(
        one.request["actor"]["id"].removeprefix("slack:")
        for one in loaded.evidence.operations.values()
        if one.id not in seen
    )
    assert loaded.ephemerals == whispered
