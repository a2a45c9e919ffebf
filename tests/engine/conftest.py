"""The whole bot in this process: shipped catalog and policies, a fresh database, a platform and a clock of our own.

Nothing runs by itself: a test says `bot.say(…)`, `bot.work()`, `bot.clock.advance(…)`, and looks.
"""

import itertools
from bisect import insort
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from bot.app import App
from bot.core.catalog import Catalog
from bot.core.clocktime import Standpoint
from bot.core.errors import BotError, NotFound, Refused
from bot.core.operation import Operation
from bot.core.ports import (
    LATEST,
    Effect,
    Image,
    JobState,
    LogEntry,
    Metric,
    Point,
    Progress,
    Release,
    Requests,
    SecretUse,
    ServiceState,
    Sizing,
    Traffic,
    Vulnerabilities,
)
from bot.core.request import Address, Ask, Target
from bot.core.rules import PolicyFiles
from bot.core.system import OperationRecord
from bot.engine.apply import Applier
from bot.engine.bind import Providers
from bot.engine.check import Checker
from bot.engine.effect import Effector
from bot.engine.people import Person
from bot.engine.policy import Policy
from bot.settings import HERE, Settings
from bot.stores.catalog_files import load_catalog
from bot.stores.policy_files import policy_files
from bot.stores.tables import HeardRow
from tests.both import url_of_sqlite as url

__all__ = ["url"]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANA, BEN, CHO, DEV, EVE = "slack:U0ANA", "slack:U0BEN", "slack:U0CHO", "slack:U0DEV", "slack:U0EVE"
GOOD, BAD = "backend-00041-kex", "backend-00042-bad"
DIGEST = "sha256:" + "4" * 64  # of v43


class StillClock:
    """Moves only when told to, or when somebody sleeps."""

    def __init__(self) -> None:
        self.instant, self.slept_s = NOON, 0.0

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return (self.instant - NOON).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self.advance(seconds)

    def nap(self, seconds: float) -> None:
        self.sleep(min(seconds, 1.0))

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


class Platform:
    """One service on a platform that keeps the contract of core/ports.py.

    `fail(method, error)` makes the next call of a method fail before it acts, `lose(method, error)` after; `after`
    holds functions to call when a write has committed. `writes` are the keys that committed, in order.
    """

    def __init__(self, clock: StillClock) -> None:
        self.clock = clock
        self.version, self.asked, self.serving = 7, {BAD: 100}, {BAD: 100}
        self.releases_: list[Release] = [_release(BAD, 1), _release(GOOD, 30), _release("backend-00040-fom", 90)]
        self.tags: dict[str, str] = {}
        self.size: dict[str, Any] = {"min_instances": 1, "max_instances": 10}
        self.trouble = ""
        self.latest_ready, self.busy, self.lag, self.missing_images = BAD, False, 180, set[str]()
        self.secrets: dict[str, str] = {}
        self.scans: dict[str, Vulnerabilities] = {}
        self.digests: dict[str, str] = {}  # of references by tag
        self.counts: list[Requests] = []
        self.entries: list[LogEntry] = []
        self.job_image = "us-docker.pkg.dev/p/r/migrate:latest"
        self.polls_needed, self.rollout_fails, self.forgets, self.never_arrives = 1, "", False, False
        self.writes: list[str] = []
        self.after: list[Callable[[], None]] = []
        self.calls: list[str] = []
        self._operations: dict[str, dict[str, Any]] = {}
        self._stamp = ""
        self._failing: dict[str, list[tuple[BotError, bool]]] = {}

    def fail(self, method: str, *errors: BotError) -> None:
        self._failing.setdefault(method, []).extend((error, False) for error in errors)

    def lose(self, method: str, error: BotError) -> None:
        self._failing.setdefault(method, []).append((error, True))

    def somebody_sets(self, traffic: Traffic) -> None:
        """A change past aisq."""
        self.version, self.asked, self.serving, self._stamp = self.version + 1, traffic, traffic, ""

    # --- ComputeReads, Compute

    def service(self, target: Target) -> ServiceState:
        self._begin("service")
        return ServiceState(
            asked=self.asked, serving=self.serving, tags=self.tags, version=str(self.version), busy=self.busy,
            latest_ready=self.latest_ready, trouble=self.trouble, **self.size,
        )  # fmt: skip

    def releases(self, target: Target) -> tuple[Release, ...]:
        self._begin("releases")
        return tuple(self.releases_)

    def release_named(self, target: Target, name: str) -> Release:
        self._begin("release_named")
        found = [release for release in self.releases_ if release.name == name]
        if not found:
            raise NotFound(f"{target} has no release {name}")
        return found[0]

    def release_name(self, target: Target, suffix: str) -> str:
        return f"{target.name}-{suffix}"

    def places_beside(self, target: Target) -> tuple[dict[str, str], ...]:
        return (target.place,)

    def makes_release(self, target: Target, sizing: Sizing) -> bool:
        return False

    def preview_url(self, target: Target, tag: str) -> str:
        return f"https://{tag}.example"

    def by_hand_traffic(self, target: Target, traffic: Traffic) -> str:
        return f"by hand {traffic}"

    def by_hand_release(self, target: Target, name: str, image: str, tag: str = "") -> str:
        return f"by hand {name} {image}"

    def by_hand_scale(self, target: Target, sizing: Sizing) -> str:
        return f"by hand {sizing}"

    def set_traffic(self, effect: Effect, /, target: Target, traffic: Traffic) -> str:
        return self._write("set_traffic", effect, target, traffic)

    def release(
        self,
        effect: Effect,
        /,
        target: Target,
        name: str,
        image: str,
        traffic: Traffic,
        tag: str = "",
        sizing: Sizing | None = None,
        labels: dict[str, str] | None = None,
    ) -> str:
        """It is ready at once, unless the test says otherwise of `releases_`."""

        def make() -> None:
            made = Release(name=name, created_at=self.clock.now(), ready=True, image=image, labels=labels or {})
            self.releases_.insert(0, made)
            self.latest_ready = name
            self.tags |= {tag: name} if tag else {}

        return self._write("release", effect, target, traffic, make)

    def scale(self, effect: Effect, /, target: Target, sizing: Sizing) -> str:
        def resize() -> None:
            self.size |= sizing.model_dump(exclude_none=True)

        return self._write("scale", effect, target, self.asked, resize)

    def _write(
        self, method: str, effect: Effect, target: Target, traffic: Traffic, act_too: Callable[[], None] = lambda: None
    ) -> str:
        lost = self._begin(method)
        if str(self.version) != effect.version:
            raise Refused(f"{target} is at version {self.version}, not {effect.version}")
        self.version, self.asked, self._stamp = self.version + 1, traffic, effect.key
        act_too()
        name = f"operations/{len(self._operations)}"
        self._operations[name] = {"key": effect.key, "polls": 0, "traffic": traffic, "version": self.version}
        self.writes.append(effect.key)
        for act in self.after:
            act()
        if lost:
            raise lost
        return name

    # --- JobReads, Jobs

    def job(self, target: Target, job: str) -> JobState:
        self._begin("job")
        return JobState(name=job, image=self.job_image, version="1")

    def by_hand_job(self, target: Target, job: str, image: str = "") -> str:
        return f"by hand {job} {image}"

    def run_job(self, effect: Effect, /, target: Target, job: str, image: str = "") -> str:
        """It leaves the target's version as it is."""
        lost = self._begin("run_job")
        if str(self.version) != effect.version:
            raise Refused(f"{target} is at version {self.version}, not {effect.version}")
        name = f"operations/{len(self._operations)}"
        self._operations[name] = {"key": effect.key, "polls": 0, "traffic": self.asked, "version": self.version}
        self.job_image = image or self.job_image
        self.writes.append(effect.key)
        for act in self.after:
            act()
        if lost:
            raise lost
        return name

    # --- Effects

    def find(self, target: Target, key: str) -> str | None:
        self._begin("find")
        found = None if self.forgets else next((n for n, o in self._operations.items() if o["key"] == key), None)
        return found or (f"stamp@{self.version}" if self._stamp == key else None)

    def poll(self, target: Target, cloud_operation: str) -> Progress:
        self._begin("poll")
        operation = self._operations.get(cloud_operation) or {
            "polls": 0,
            "version": self.version,
            "traffic": self.asked,
        }
        operation["polls"] += 1
        if operation["polls"] < self.polls_needed:
            return Progress(state="running")
        version = str(operation["version"])
        if self.rollout_fails:
            detail, self.rollout_fails = self.rollout_fails, ""
            return Progress(state="failed", version=version, detail=detail)
        if not self.never_arrives:
            named = {
                self.latest_ready if name == LATEST else name: share for name, share in operation["traffic"].items()
            }
            self.serving = named
        return Progress(state="succeeded", version=version)

    # --- ImageReads, SecretReads, MetricReads

    def image(self, target: Target, reference: str) -> Image:
        self._begin("image")
        if reference in self.missing_images:
            raise NotFound(f"no image {reference}")
        return Image(digest=self.digests.get(reference, reference.rpartition("@")[2]))

    def vulnerabilities(self, target: Target, reference: str) -> Vulnerabilities:
        self._begin("vulnerabilities")
        return self.scans.get(reference, Vulnerabilities(scanned_at=NOON))

    def by_hand_copy(self, target: Target, image: str, to: str) -> str:
        return f"copy {image} {to}"

    def secret_state(self, target: Target, secret: SecretUse) -> Any:
        self._begin("secret_state")
        state = self.secrets.get(secret.secret, "enabled")
        if state == "gone":
            raise NotFound(f"no secret {secret.secret}")
        return state

    def requests(
        self, target: Target, since: datetime, until: datetime, step_s: int, slower_than_ms: int | None = None
    ) -> tuple[Requests, ...]:
        self._begin("requests")
        return tuple(one for one in self.counts if since < one.until <= until)

    def series(
        self, target: Target, metric: Metric, since: datetime, until: datetime, step_s: int
    ) -> tuple[Point, ...]:
        """Every answer took 100 ms."""
        self._begin("series")
        read = {"requests": lambda one: one.total / step_s, "errors": lambda one: 100 * one.errors / one.total}
        value = read.get(metric, lambda one: 100.0)
        found = [one for one in self.counts if since < one.until <= until]
        return tuple(Point(release=one.release, until=one.until, value=value(one)) for one in found)

    def lag_s(self, target: Target) -> int:
        return self.lag

    # --- LogReads

    def logs(
        self,
        target: Target,
        *,
        since: datetime,
        until: datetime,
        release: str = "",
        errors_only: bool = False,
        containing: str = "",
        limit: int,
    ) -> tuple[LogEntry, ...]:
        self._begin("logs")
        found = [one for one in self.entries if since <= one.at < until and release in ("", one.release)]
        return tuple(found[:limit])

    def only_good(self) -> None:
        """GOOD serves all and is followed, the bad release was never made, and nothing is counted yet; v43 is built."""
        self.asked, self.serving, self.latest_ready = {LATEST: 100}, {GOOD: 100}, GOOD
        self.releases_ = [one for one in self.releases_ if one.name != BAD]
        self.counts.clear()
        self.digests["gcr.io/ai-square-prod/backend:v43"] = DIGEST

    def serve(
        self, release: str, *, minutes: int, until: datetime, per_minute: int = 600, error_rate: float = 0.0
    ) -> None:
        """Let monitoring have counted a release's requests, minute by minute."""
        for minute in range(minutes):
            at = until - timedelta(minutes=minute)
            one = Requests(release=release, until=at, total=per_minute, errors=round(per_minute * error_rate))
            insort(self.counts, one, key=lambda one: one.until)

    def _begin(self, method: str) -> BotError | None:
        """The error to raise once the call has taken effect, if its answer is to be lost."""
        self.calls.append(method)
        waiting = self._failing.get(method)
        if not waiting:
            return None
        error, committed = waiting.pop(0)
        if not committed:
            raise error
        return error


def _release(name: str, days: int) -> Release:
    image = f"us-docker.pkg.dev/p/r/backend@sha256:{name}"
    made = NOON - timedelta(days=days)
    return Release(
        name=name,
        created_at=made,
        ready=True,
        image=image,
        max_instances=10,
        secrets=(SecretUse(secret="db", version="1"),),
    )


class Everybody:
    """Slack's knowledge of people; `gone` are deactivated, `silent` means that Slack does not answer."""

    def __init__(self) -> None:
        self.gone, self.silent = {"U0EVE"}, False

    def person(self, id: str) -> Person:
        return Person(
            name=id.removeprefix("U0").lower(),
            active=None if self.silent else id not in self.gone,
            zone="Europe/Berlin",
        )


def close(app: App) -> None:
    """End it; no thread of it gives back a connection after its pool was let go of."""
    app.front.stop()
    for pool in (app.front._quick, app.front._plans, app.front._looks):
        pool.shutdown()
    app._engine.dispose()


class Bot(App):
    """The bot, and what people do with it."""

    _policies: ClassVar = dict[tuple[Any, ...], tuple[PolicyFiles, Catalog, Policy]]()

    def __init__(self, folder: Path, url: str, catalog: Catalog, files: PolicyFiles) -> None:
        self.clock = StillClock()
        self.platform = Platform(self.clock)
        self.catalog, self.files, self.everybody = catalog, files, Everybody()
        settings = Settings(state_dir=folder, database_url=SecretStr(url))
        super().__init__(settings, {"slack": self.everybody, "os": self.everybody})
        self._deliveries = itertools.count(1)

    @cached_property
    def policy(self) -> Policy:
        """That of an earlier one, where it is the same: to make it takes longer than many a test."""
        known = (id(self.files), id(self.catalog), tuple(self.registry.operations.items()))
        if known not in self._policies:
            self._policies[known] = (self.files, self.catalog, App.policy.func(self))
        return self._policies[known][2]

    @cached_property
    def platforms(self) -> Providers:
        return Providers({"cloud_run": Platform}, lambda _: self.platform)

    def ask(self, actor: str, text: str, *, heard_as: str = "", signature: str = "", channel: str = "C0AISQ") -> str:
        """Accept a request, and plan or answer it at once; its id. Raises what the door would show."""
        heard = heard_as or f"delivery-{next(self._deliveries)}"
        place = Address(door="test")
        asked = Ask(actor=actor, text=text, address=place, heard_as=heard, signature=signature, channel=channel)
        accepted = self.front._acceptor.accept(asked)
        self.engine.proceed(accepted.id)
        return accepted.id

    def read(self, text: str, *, channel: str = "C0AISQ") -> Operation:
        """What a line means, said in UTC."""
        return self.registry.read(text, self.names.within(channel), Standpoint("UTC", self.clock.now()))

    def heard(self, heard_as: str) -> str | None:
        """The operation that a delivery began."""
        with self.ledger._reading() as session:
            row = session.get(HeardRow, heard_as)
            return row.operation if row else None

    def say(self, actor: str, text: str, **more: Any) -> OperationRecord:
        """The same; the record."""
        return self.ledger.operation(self.ask(actor, text, **more))

    def approved(self, text: str = "rollback backend", by: str = ANA, approver: str = BEN) -> str:
        """A change that waits for nothing but to be run; its id."""
        record = self.say(by, text)
        assert record.state == "waiting", record
        self.say(approver, f"approve {record.id}")
        return record.id

    @cached_property
    def checker(self) -> Checker:
        return Checker(self.registry, self.binder, self.ledger, self.clock)

    @cached_property
    def applier(self) -> Applier:
        effector = Effector(self.binder, self.ledger, self.clock)
        return Applier(self.engine.review, effector, self.checker, self.ledger, self.clock, "this process")

    def work(self, operation: str) -> OperationRecord:
        """Run it to its outcome, without a durable library."""
        self.applier.apply(operation, lambda name, call, *args: call(*args))
        return self.ledger.operation(operation)


@pytest.fixture(scope="session")
def shipped_catalog() -> Catalog:
    return load_catalog(HERE / "catalog")


@pytest.fixture(scope="session")
def shipped_policies() -> PolicyFiles:
    return policy_files(HERE / "policies")


@pytest.fixture
def bot(tmp_path: Path, url: str, shipped_catalog: Catalog, shipped_policies: PolicyFiles) -> Iterator[Bot]:
    """A good release served for a day, then a bad one for ten minutes; monitoring has counted both."""
    made = Bot(tmp_path, url, shipped_catalog, shipped_policies)
    since = NOON - timedelta(minutes=10)
    made.platform.serve(GOOD, minutes=120, until=since)
    made.platform.serve(BAD, minutes=10, until=NOON, error_rate=0.1)
    yield made
    close(made)
