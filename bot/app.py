"""Composition root: constructs everything and hands it over. No rule lives here."""

import inspect
import socket
import uuid
from contextlib import ExitStack
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bot import operations, providers
from bot.core import folder
from bot.core.catalog import Catalog
from bot.core.ports import ComputeReads
from bot.core.request import Target
from bot.core.rules import Freezes, PolicyFiles, acts, traits
from bot.core.system import AuditReads, Clock, Desk, Directory, HistoryReads, LedgerReads, LockReads, Manual, PinReads
from bot.engine.accept import Acceptor
from bot.engine.apply import Applier
from bot.engine.bind import Binder, Providers
from bot.engine.check import Checker
from bot.engine.choices import Choices
from bot.engine.clock import SystemClock
from bot.engine.desk import OperationDesk
from bot.engine.effect import Effector
from bot.engine.facts import FactFinder
from bot.engine.front import Front
from bot.engine.gate import Gate
from bot.engine.manual import RegistryManual
from bot.engine.observe import Observer, Watch
from bot.engine.overview import Overview
from bot.engine.people import People, Source
from bot.engine.policy import Policy
from bot.engine.registry import Names, Registry
from bot.engine.run import Engine
from bot.engine.sweep import Judging, Keeper, Sweeper
from bot.settings import Settings
from bot.stores import database
from bot.stores.audit import SqlAudit
from bot.stores.catalog_files import load_catalog
from bot.stores.history import SqlHistory, SqlPins
from bot.stores.leases import leases_in, only_worker
from bot.stores.ledger import SqlLedger
from bot.stores.locks import SqlLocks
from bot.stores.messages import SqlMessages
from bot.stores.policy_files import policy_files
from bot.stores.repeat import soon
from bot.stores.retention import SqlRetention

if TYPE_CHECKING:
    from bot.engine.worker import Worker


class App:
    """The bot, put together. Doors take `front`; `worker()` makes this process one that takes work."""

    def __init__(self, settings: Settings, sources: dict[str, Source]) -> None:
        self.settings = settings
        self.executor = uuid.uuid4().hex
        self.registry = registry(settings)
        self._engine = database.connect(settings.database)
        reminder = timedelta(hours=self.files.limits.pin_reminder_h)
        self.ledger = SqlLedger(self._engine, self.clock, reminder)
        self.audit, self.pins = SqlAudit(self._engine), SqlPins(self._engine)
        self.locks, self.messages = SqlLocks(self._engine), SqlMessages(self._engine)
        self.history = SqlHistory(self._engine, self.clock)
        self.people = People(self.files.roles, sources)
        self.leases = leases_in(self._engine, settings.lease_s)

    @cached_property
    def clock(self) -> Clock:
        return SystemClock(self.settings.clock.origin_unix_s, self.settings.clock.rate)

    @cached_property
    def catalog(self) -> Catalog:
        return load_catalog(self.settings.catalog_dir)

    @cached_property
    def files(self) -> PolicyFiles:
        return policy_files(self.settings.policies_dir)

    @cached_property
    def platforms(self) -> Providers:
        return _providers(self.settings)

    @cached_property
    def policy(self) -> Policy:
        return Policy(self.files, acts(self.registry.operations), traits(self.catalog))

    @cached_property
    def gate(self) -> Gate:
        return Gate(self.policy, FactFinder(self.pins, self.locks, self.files.freezes, self.clock))

    @cached_property
    def binder(self) -> Binder:
        binder = Binder(self.platforms, self.clock, Watch(self.history))
        offers: dict[Any, object] = {
            Catalog: self.catalog,
            LedgerReads: self.ledger,
            HistoryReads: self.history,
            PinReads: self.pins,
            LockReads: self.locks,
            Freezes: self.files.freezes,
            AuditReads: self.audit,
            Directory: self.people,
        }
        for kind, thing in offers.items():
            binder.offer(kind, thing)
        return binder

    @cached_property
    def engine(self) -> Engine:
        expiry = timedelta(minutes=self.files.limits.approval_expires_min)
        ledger, leases = self.ledger, self.leases
        engine = Engine(self.registry, self.binder, self.gate, self.people, ledger, leases, self.clock, expiry)
        desk = OperationDesk(self.registry, engine, self.gate, self.people, self.ledger, self.clock)
        self.binder.offer(Desk, desk)
        self.binder.offer(Manual, RegistryManual(self.registry, self.names, self.gate, self.clock))
        return engine

    @cached_property
    def names(self) -> Names:
        return Names(self.catalog, self.ledger)

    @cached_property
    def front(self) -> Front:
        acceptor = Acceptor(self.registry, self.names, self.gate, self.people, self.ledger, self.clock, soon)
        engine, people, ledger = self.engine, self.people, self.ledger
        choices = Choices(self.registry, self.names, self.catalog, people, self.gate, self.binder, ledger, self.clock)
        overview = Overview(
            self.registry, self.gate, people, ledger, self.pins, self.locks, self.audit, self.files.freezes, self.clock
        )
        return Front(acceptor, engine, self.registry, ledger, choices, overview)

    def check(self) -> None:
        """Raises StoreError unless the database answers and has the schema of this version, or a newer one."""
        database.check(self._engine)

    def look(self) -> str:
        """The head of the audit chain. Raises StoreError as `check` does."""
        database.look(self._engine)
        return self.audit.head()

    def watched(self) -> list[Target]:
        """Services that are there and that some platform can show."""
        built = [target for target in self.catalog.targets() if not self.catalog.entry(target).planned]
        return [target for target in built if self.platforms.offers(target, ComputeReads.service.__name__)]

    def worker(self) -> "Worker":
        """Make this process one that takes work, once it is started; on SQLite the only one. Raises StoreError."""
        from bot.engine.worker import Tidier, Worker  # the durable library takes half a second to import
        from bot.engine.workflow import Workflows

        held, pool = ExitStack(), None
        if self.settings.database.startswith("sqlite"):
            held.enter_context(only_worker(self.settings.database.removeprefix("sqlite:///")))
        else:
            pool = held.enter_context(database.pool(self.settings.progress))
        # Connections of its own: however many of the others wait, the lease is renewed.
        leases = leases_in(held.enter_context(database.pool(self.settings.database, size=1)), self.settings.lease_s)
        checker = Checker(self.registry, self.binder, self.ledger, self.clock)
        effector = Effector(self.binder, self.ledger, self.clock)
        applier = Applier(self.engine.review, effector, checker, self.ledger, self.clock, self.executor)
        poll_s = max(0.1, self.settings.sweep_every_s / 5)  # what was decided waits for this look; it is a cheap one
        runs = Workflows(applier, self.settings.progress, pool, executor=self.executor, poll_s=poll_s)
        sweeper = Sweeper(self.ledger, runs, self.leases, self.executor, self.front.proceed, patience_s=2.0)
        tidier = Tidier(self.files.limits, self.clock, SqlRetention(self._engine).purge, self.audit.purge, runs.purge)
        return Worker(
            self.check,
            Keeper(leases, self.executor, socket.gethostname(), SystemClock().monotonic),
            runs,
            sweeper,
            Judging(self.ledger, checker.judge),
            Observer(self.watched(), self.binder, self.history, self.clock),
            tidier,
            held.close,
            sweep_every_s=self.settings.sweep_every_s,
            rate=self.settings.clock.rate,
        )


def registry(settings: Settings) -> Registry:
    """The operations that there are: the files of the folder are the list."""
    found = folder.every(operations, settings.operations_dir)
    return Registry({name.replace("_", " "): operation for name, operation in found.items()})


def _providers(settings: Settings) -> Providers:
    offered = {"google": _google(settings)}
    return Providers(
        folder.every(providers, settings.providers_dir),
        lambda made: made(**{name: offered[name] for name in inspect.signature(made).parameters}),
    )


def _google(settings: Settings) -> object:
    from bot.providers._google import Google

    return Google(settings.google.endpoint)
