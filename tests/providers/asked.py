"""Which permissions the methods of Google's providers need: each is played against the sandbox, which logs every call,
and whose APIs say what each asks for."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from importlib import import_module
from typing import Any

from bot.core.errors import NotFound, Uncertain
from bot.core.ports import SecretUse, Sizing
from bot.providers.artifact_registry import ArtifactRegistry
from bot.providers.cloud_logging import CloudLogging
from bot.providers.cloud_monitoring import CloudMonitoring
from bot.providers.cloud_run import CloudRun, names
from bot.providers.secret_manager import SecretManager
from bot.sandbox.blueprint import Blueprint
from bot.sandbox.clock import ManualClock
from bot.sandbox.front import APIS
from bot.sandbox.world import World
from tests.providers.conftest import Rig, target_for

Permissions = frozenset[str]
ACT_AS, DOWNLOAD = "iam.serviceAccounts.actAs", "artifactregistry.repositories.downloadArtifacts"
# What no log of the sandbox shows. Cloud Run asks of who makes a release to act as its account (docs "Introduction to
# service identity") and, since January 2025, to read its image; of who runs a job by updating it, to run it too. And
# where it tells nothing of releases, instead of NOT_FOUND, it is asked whether the service is there.
BESIDE: dict[str, Permissions] = {
    "releases": frozenset({"run.services.get"}),
    "release": frozenset({ACT_AS, DOWNLOAD}),
    "scale": frozenset({ACT_AS, DOWNLOAD}),
    "run_job": frozenset({ACT_AS, DOWNLOAD, "run.jobs.run"}),
}
IMAGE = "us-central1-docker.pkg.dev/pool/app/asked"
MISSING = "sha256:" + "0123456789abcdef" * 4


def permission_of() -> dict[tuple[str, str], str]:
    """By gRPC service and method, as the sandbox's APIs have them."""
    world = World(Blueprint.model_validate({"projects": {}}), ManualClock())
    apis = {service: import_module(module).api(world) for service, module in APIS.items()}
    return {(service, name): one.permission for service, api in apis.items() for name, one in api.methods.items()}


class Asked:
    """Plays the methods of the ports on one service, each until it has shown all that it may need.

    `followed` is what finding a write, and following it to its end, needs, by the kind of write.
    """

    def __init__(self, rig: Rig) -> None:
        self._rig, self._permission = rig, permission_of()
        self._google = rig.google(read_timeout_s=60, write_timeout_s=60)
        self._run = CloudRun(self._google)
        self._position = 0
        self._needed, self.followed = dict[str, Permissions](), dict[str, Permissions]()
        self._look()
        self._write()

    def needed(self, method: str) -> Permissions:
        """What one method of a port needs, whatever it meets."""
        return self._needed[method] | BESIDE.get(method, frozenset())

    def of_effects(self, verb: str) -> Permissions:
        """All that one write of a kind needs, from its intent to its ending."""
        return self.needed(verb) | self.followed[verb]

    def _look(self) -> None:
        run, target, rig = self._run, self._rig.target, self._rig
        images, metrics = ArtifactRegistry(self._google), CloudMonitoring(self._google)
        gone, now = target_for("nobody"), rig.now()
        rig.control.push(IMAGE, "v1")
        hour = (now - timedelta(hours=1), now)
        self._asked("service", lambda: run.service(target))
        self._asked("releases", lambda: run.releases(target), lambda: run.releases(gone))
        self._asked("release_named", lambda: run.release_named(target, rig.release(3)))
        self._asked("release_name", lambda: run.release_name(target, "x"))
        self._asked("places_beside", lambda: run.places_beside(target))
        self._asked("makes_release", lambda: run.makes_release(target, Sizing(cpu=2)))
        self._asked("preview_url", lambda: run.preview_url(target, "green"))
        self._asked("by_hand_traffic", lambda: run.by_hand_traffic(target, {"a": 100}))
        self._asked("by_hand_release", lambda: run.by_hand_release(target, "a", IMAGE))
        self._asked("by_hand_scale", lambda: run.by_hand_scale(target, Sizing(cpu=2)))
        self._asked("job", lambda: run.job(target, rig.job))
        self._asked("by_hand_job", lambda: run.by_hand_job(target, rig.job))
        self._asked("image", *(lambda said=said: images.image(target, IMAGE + said) for said in (":v1", f"@{MISSING}")))
        self._asked("vulnerabilities", lambda: images.vulnerabilities(target, f"{IMAGE}:v1"))
        self._asked("by_hand_copy", lambda: images.by_hand_copy(target, f"{IMAGE}@{MISSING}", IMAGE))
        self._asked("requests", lambda: metrics.requests(target, *hour, 60, 500))
        self._asked("series", lambda: metrics.series(target, "latency_p95", *hour, 60))
        self._asked("lag_s", lambda: metrics.lag_s(target))
        log = CloudLogging(self._google)
        self._asked("logs", lambda: log.logs(target, since=hour[0], until=hour[1], limit=5))
        secret, vault = SecretUse(secret="token", version="3"), SecretManager(self._google)
        self._asked("secret_state", lambda: vault.secret_state(target, secret))

    def _write(self) -> None:
        run, target, rig = self._run, self._rig.target, self._rig
        image, now = rig.control.push(IMAGE, "v2"), {rig.release(3): 100}
        self._written("set_traffic", lambda effect: run.set_traffic(effect, target, {rig.release(2): 100}))
        self._written(
            "release", lambda effect: run.release(effect, target, run.release_name(target, "new"), image, now)
        )
        rig.control.traffic(rig.path, {"LATEST": 100})
        rig.settle()
        self._written("scale", lambda effect: run.scale(effect, target, Sizing(cpu=2)))
        self._written("run_job", lambda effect: run.run_job(effect, target, rig.job, image))

    def _written(self, verb: str, write: Callable[[Any], str]) -> None:
        """Made, looked for, and followed: by its own name, and where Cloud Run knows nothing of it any more."""
        rig, key = self._rig, f"{self._rig.name}/{self._position}/do"
        self._position += 1
        effect = rig.effect(self._run, key)
        said = list[str]()
        self._needed[verb] = self._permissions(lambda: said.append(write(effect)))
        lost = said[0] if names.run_of(said[0]) else f"{names.parent(rig.target)}/operations/nobody-knows"
        unseen = lost.replace(f"{rig.job}-", f"{rig.job}-not-there-")
        follow = [
            lambda: self._run.find(rig.target, f"{key}/unknown"),
            lambda: self._run.poll(rig.target, said[0]),
            rig.settle,
            lambda: self._run.poll(rig.target, said[0]),
            lambda: self._run.poll(rig.target, unseen),
        ]
        self.followed[verb] = frozenset().union(*map(self._permissions, follow))

    def _asked(self, method: str, *calls: Callable[[], Any]) -> None:
        self._needed[method] = frozenset().union(*map(self._permissions, calls))

    def _permissions(self, call: Callable[[], Any]) -> Permissions:
        """Of every call that it makes to the cloud."""
        control = self._rig.control
        before = max((one["seq"] for one in control.calls()), default=0)
        with suppress(NotFound, Uncertain):
            call()
        made = [one for one in control.calls(since=before) if one["api"] != "console"]
        return frozenset(self._permission[one["api"], one["method"]] for one in made)
