"""Changing a Cloud Run service, at most once a key.

Every change is one update with a narrow mask: it carries our mark, refuses any generation but the one that it was
made for, and sends the etag that was just read.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from google.cloud import run_v2
from google.protobuf.field_mask_pb2 import FieldMask

from bot.core.errors import Permanent, Refused, Transient
from bot.core.ports import LATEST, Effect, Sizing, Traffic
from bot.core.request import Target
from bot.core.traffic import describe
from bot.providers._google import Google, translated
from bot.providers.cloud_run import names, sizing, stamp, targets
from bot.providers.cloud_run.reads import Reads
from bot.providers.cloud_run.state import asked

TRIES = 4  # while only the cloud's own bookkeeping moves the etag
BY_DIGEST = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Change:
    """A change of a service. `action` completes "aisq could not …".

    `look` raises what keeps it from being made at all; `write` puts it into the service as it was just read, and gives
    the fields that are to be updated. `release` is the name of the one that it makes, if it makes one.
    """

    action: str
    look: Callable[[run_v2.Service], None]
    write: Callable[[run_v2.Service], Iterable[str]]
    release: str = ""


class Writes:
    """The writes of Compute."""

    def __init__(self, google: Google, reads: Reads) -> None:
        self._google, self._reads = google, reads

    def set_traffic(self, effect: Effect, target: Target, traffic: Traffic) -> str:
        """Raises Refused when somebody changed the service, NotFound or Permanent when a release cannot serve."""
        split = targets.checked(traffic)

        def write(now: run_v2.Service) -> list[str]:
            now.traffic = [*targets.split(split), *targets.kept_tags(now.traffic)]
            return ["traffic"]

        action = f"give {names.spoken(target)} the traffic {describe(split)}"
        return self._commit(effect, target, Change(action, lambda now: self._must_serve(split, now, target), write))

    def release(
        self,
        effect: Effect,
        target: Target,
        name: str,
        image: str,
        traffic: Traffic,
        tag: str,
        size: Sizing | None,
        labels: dict[str, str],
    ) -> str:
        """Raises Permanent for a name or an image that will not do, and for traffic that follows the newest release."""
        split = _frozen(targets.checked(traffic))
        _must_be_release(target, name, image)

        def write(now: run_v2.Service) -> list[str]:
            resized = sizing.resize(now, size or Sizing())
            container = sizing.serving(now.template.containers)
            if container is None:
                raise Permanent(f"{names.spoken(target)} has no container that a release could be like")
            now.template.revision, container.image = name, image
            now.template.labels.update(labels)
            now.traffic = [*targets.split(split), *targets.kept_tags(now.traffic, tag), *targets.preview(name, tag)]
            return [*(field for field in resized if field != "template"), "template", "traffic"]

        action = f"make release {name} of {names.spoken(target)}"
        change = Change(action, lambda now: self._must_serve(split, now, target), write, release=name)
        return self._commit(effect, target, change)

    def scale(self, effect: Effect, target: Target, size: Sizing) -> str:
        """Raises Permanent when the size needs a new release, and that would get no traffic."""

        def look(now: run_v2.Service) -> None:
            if "template" in sizing.resize(run_v2.Service(now), size):
                _must_take_traffic(now, target, names.made_before(target, effect.key))

        def write(now: run_v2.Service) -> Iterable[str]:
            needed = sizing.resize(now, size)
            now.template.revision = names.release(target, names.suffix(effect.key)) if "template" in needed else ""
            return needed

        return self._commit(effect, target, Change(f"scale {names.spoken(target)}", look, write))

    def _commit(self, effect: Effect, target: Target, change: Change) -> str:
        for attempt in range(TRIES):
            now = self._reads.get(target)
            must_be_at(effect.version, now, target)
            if (mark := stamp.read(now)) and mark.key == effect.key:
                return names.watched(target, mark.release, mark.made)  # ours already, and it asked for nothing new
            if not attempt:
                change.look(now)
            try:
                return self._update(effect, now, target, change)
            except Refused:
                continue  # of two calls that read the same etag Google takes one; whose it was shows in the generation
        raise Transient(f"{names.spoken(target)} is being worked on by Cloud Run itself; its etag moved {TRIES} times")

    def _update(self, effect: Effect, now: run_v2.Service, target: Target, change: Change) -> str:
        """`now` carries the etag that was just read. The mask is narrow, so nothing else of it counts."""
        fields = [*change.write(now), "annotations"]
        stamp.put(now.annotations, effect.key, effect.version, change.release)
        if "template" not in fields:
            now.template.revision = ""  # echoing the name that gcloud gave is refused as a second revision of that name
        services = self._google.client(run_v2.ServicesClient)
        with translated(change.action, "run.services.update", write=True):
            request = run_v2.UpdateServiceRequest(service=now, update_mask=FieldMask(paths=fields))
            operation = services.update_service(request, **self._google.writing).operation.name
        return names.watched(target, change.release, int(effect.version) + 1) if change.release else str(operation)

    def _must_serve(self, split: Traffic, now: run_v2.Service, target: Target) -> None:
        if LATEST in split and not now.latest_ready_revision:
            raise Permanent(f"{names.spoken(target)} has no release that is ready, so none can be the newest")
        for release in split:
            if release != LATEST:
                self._reads.must_serve(target, release)


def must_be_at(version: str, now: run_v2.Service, target: Target) -> None:
    if str(now.generation) != version:
        who = now.last_modifier or "somebody"
        found = f"it is at generation {now.generation}, not {version or 'known'}, with traffic {describe(asked(now))}"
        raise Refused(f"{names.spoken(target)} was changed by {who} since it was looked at: {found}")


def _frozen(split: Traffic) -> Traffic:
    if LATEST in split:
        raise Permanent("while a release is made, traffic stays at releases by name: the newest would be the new one")
    return split


def _must_take_traffic(now: run_v2.Service, target: Target, put_back: str) -> None:
    """A new release like the newest one, only of another size: that one must start, unless it is `put_back` by this."""
    if not any(targets.named(one) == LATEST and one.percent for one in _asked(now)):
        held = f"traffic of {names.spoken(target)} is held at named releases"
        raise Permanent(f"{held}, and that size needs a new one, which would serve nobody")
    newest = names.short(now.latest_created_revision)
    if newest not in (names.short(now.latest_ready_revision), put_back):
        raise Permanent(f"that size needs a new release like the newest one, and {newest} is not ready")


def _must_be_release(target: Target, name: str, image: str) -> None:
    if not name.startswith(names.release(target, "")):
        raise Permanent(f"a release of {names.spoken(target)} is called {names.release(target, '…')}, not {name}")
    if not BY_DIGEST.fullmatch(image):
        raise Permanent(f"a release is made of an image by digest, …@sha256:…, because tags move; {image} is none")


def _asked(service: run_v2.Service) -> list[run_v2.TrafficTarget]:
    """No target at all means all traffic to the newest ready release."""
    return list(service.traffic) or list(targets.split({LATEST: 100}))
