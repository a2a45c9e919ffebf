"""The world: everything that the sandbox's cloud knows, behind one lock."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random

from bot.sandbox import blueprint
from bot.sandbox.agenda import Agenda
from bot.sandbox.artifact_registry import Registry
from bot.sandbox.calls import CallLog
from bot.sandbox.clock import Clock
from bot.sandbox.cloud_run.cloud import CloudRun
from bot.sandbox.cloud_run.executions import Executions
from bot.sandbox.cloud_run.founding import found
from bot.sandbox.cloud_run.jobs import Jobs
from bot.sandbox.cloud_run.operations import Operations
from bot.sandbox.cloud_run.rollout import Rollouts
from bot.sandbox.faults import Faults
from bot.sandbox.secret_manager import Vault

SCANNED_AFTER = timedelta(minutes=2)  # the push of an image


class World:
    """State, faults and calls. Use it inside `with world.settled() as now`, and nowhere sleep inside."""

    def __init__(self, plan: blueprint.Blueprint, clock: Clock, seed: int = 1) -> None:
        self.clock, self.seed, self.plan = clock, seed, plan
        self.began = clock.now()
        self.faults, self.calls = Faults(), CallLog()
        self.registry, self.vault = Registry(), Vault()
        self.stopping = threading.Event()
        self._lock, self._agenda, random = threading.RLock(), Agenda(), Random(seed)
        operations = Operations(random)
        rollouts = Rollouts(self._agenda, self.faults, operations, self.registry, self.vault, plan.rollout_s)
        self.cloud_run = CloudRun(clock.now, rollouts, operations, self.registry, random)
        executions = Executions(self._agenda, self.faults, operations, self.registry, self.vault)
        self.jobs = Jobs(clock.now, self._agenda, executions, operations, random)
        for name, project in plan.projects.items():
            self._found(name, project)

    @contextmanager
    def settled(self) -> Iterator[datetime]:
        """Hold the lock, with everything done that is due; gives the sandbox instant."""
        with self._lock:
            now = self.clock.now()
            self._agenda.settle(now)
            yield now

    def _found(self, name: str, project: blueprint.Project) -> None:
        self.vault.numbers[name] = project.number
        self.registry.readers |= {(owner, name) for owner in project.pulls_from}
        for secret, versions in project.secrets.items():
            self.vault.add(name, secret, versions, self.began)
        for key, service in project.services.items():
            location = key.rpartition("/")[0] or project.location
            for release in service.releases:
                self._push(service, release)
            full = f"projects/{name}/locations/{location}/services/{key.rpartition('/')[2]}"
            self.cloud_run.services[full] = found(full, service, self.registry, self.began)
        for key, job in project.jobs.items():
            location = key.rpartition("/")[0] or project.location
            pushed = blueprint.digest(job.image, job.tag).rpartition("@")[2]
            self.registry.add(job.image, pushed, job.tag, self.began - job.age)
            full = f"projects/{name}/locations/{location}/jobs/{key.rpartition('/')[2]}"
            self.jobs.found(full, job, self.began)

    def _push(self, service: blueprint.Service, release: blueprint.Release) -> None:
        if release.image_exists:
            digest = blueprint.digest(service.image, release.tag).rpartition("@")[2]
            pushed = self.began - release.age
            image = self.registry.add(service.image, digest, release.tag, pushed, release.quality)
            if release.vulnerabilities is not None:
                image.vulnerabilities, image.scanned = dict(release.vulnerabilities), pushed + SCANNED_AFTER
