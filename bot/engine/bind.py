"""Hands an operation what its signature asks for, and picks the provider of each target."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from bot.core.errors import Permanent
from bot.core.operation import Operation, needs
from bot.core.ports import PORTS, SUBJECTS, ComputeReads, LogReads, ServiceState
from bot.core.request import Target
from bot.core.system import Clock
from bot.engine.rate import Rate
from bot.engine.retry import patiently

RARELY: dict[type, tuple[str, int]] = {  # what may be read so many times a minute, a project and a process
    LogReads: ("The logs", 20),  # of 60 that a project has for all (cloud.google.com/logging/quotas)
}
READ_FOR_S = 6.0  # how long a look at a service is repeated before it counts as unreadable


class Seen(Protocol):
    """Told of every look at a service, so that serving history grows with each."""

    def __call__(self, target: Target, state: ServiceState) -> None: ...


class Providers:
    """Platforms by the catalog's `type:`, made when first needed.

    A target is served by the provider of its type. What that one does not offer (metrics, images, secrets) comes
    from a provider that speaks of everything in a cloud, and says so by an attribute `cloud`.
    """

    def __init__(self, classes: Mapping[str, type], make: Callable[[type], object]) -> None:
        self._classes, self._make = dict(classes), make
        self._made: dict[str, object] = {}

    def of(self, target: Target, method: str) -> Any:
        """Raises Permanent when nobody offers `method` for the target."""
        return self._get(self.name(target, method))

    def name(self, target: Target, method: str) -> str:
        """Who offers `method` for the target. Raises Permanent when nobody does."""
        for name in self._candidates(target):
            if hasattr(self._classes[name], method):
                return name
        subject = next(subject for port, subject in SUBJECTS.items() if method in vars(port))
        problem = f"is of type {target.type}, for which aisq does not offer {subject} ({method})"
        raise Permanent(f"{target} {problem}")

    def offers(self, target: Target, method: str) -> bool:
        """Whether anybody does."""
        return any(hasattr(self._classes[name], method) for name in self._candidates(target))

    def _candidates(self, target: Target) -> Iterable[str]:
        if target.type in self._classes:
            yield target.type
        yield from (name for name, made in self._classes.items() if getattr(made, "cloud", "") == target.cloud)

    def _get(self, name: str) -> object:
        if name not in self._made:
            self._made[name] = self._make(self._classes[name])
        return self._made[name]


class Router:
    """Stands for one port; every call goes to the provider of its target. A `…Reads` router has no write."""

    def __init__(self, port: type, providers: Providers, clock: Clock, seen: Seen | None = None) -> None:
        self._port, self._providers, self._clock, self._seen = port, providers, clock, seen
        self._rate = Rate(clock, *RARELY[port]) if port in RARELY else None

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("_") or not hasattr(self._port, method):
            raise AttributeError(f"{method} is not in {self._port.__name__}")

        def call(*args: Any, **kwargs: Any) -> Any:
            target = next(value for value in (*args, *kwargs.values()) if isinstance(value, Target))
            provider = self._providers.of(target, method)
            if self._rate:
                self._rate.take(target.place.get("project") or target.system)
            if self._port is not ComputeReads:
                return getattr(provider, method)(*args, **kwargs)
            result = patiently(lambda: getattr(provider, method)(*args, **kwargs), self._clock, for_s=READ_FOR_S)
            if self._seen and isinstance(result, ServiceState):
                self._seen(target, result)
            return result

        return call


class Binder:
    """Binds a method's declared needs, by type: ports to routers, all else to what the composition root offers."""

    def __init__(self, providers: Providers, clock: Clock, seen: Seen | None = None) -> None:
        self._offered: dict[type, object] = {}
        self.providers = providers
        self._routers = {port: Router(port, providers, clock, seen) for port in PORTS.values()}

    def offer(self, kind: type, thing: object) -> None:
        """Give `thing` to whoever asks for `kind`."""
        self._offered[kind] = thing

    def port(self, port: type) -> Any:
        """The router of one port; the engine's own way to the write half."""
        return self._routers[port]

    def arguments(self, operation: Operation, method: str = "", *given: object) -> dict[str, Any]:
        """Keyword arguments for the operation's verb, or for another method of it."""
        wanted = needs(type(operation), method)
        mine = {type(thing): thing for thing in given}
        return {name: self._bound(kind, mine) for name, kind in wanted.items() if self._is_need(kind, mine)}

    def _is_need(self, kind: Any, mine: Mapping[type, object]) -> bool:
        return kind in mine or kind in self._offered or kind in self._routers

    def _bound(self, kind: type, mine: Mapping[type, object]) -> object:
        if kind in mine:
            return mine[kind]
        return self._offered[kind] if kind in self._offered else self._reads(kind)

    def _reads(self, kind: type) -> object:
        if not kind.__name__.endswith("Reads"):
            raise TypeError(f"an operation may look at the world, not change it: ask for {kind.__name__}Reads")
        return self._routers[kind]
