"""What a system promises against itself, against its cloud or against arithmetic; each at its place."""

from collections.abc import Iterable, Iterator

from bot.core.data import Cache, CloudSql
from bot.core.entry_checks import CHECKS
from bot.core.environment import Environment
from bot.core.estate import System
from bot.core.money import Cost
from bot.core.promises import Recovery, Slo
from bot.core.units import Fault, Path, duration_text

TOLERANCE = 0.01  # bills are estimates; a sum may be a percent off


def contradictions(system: System) -> Iterator[Fault]:
    """All of them, environment by environment."""
    yield from _of_alerts(system.slo)
    for name, place in system.environments.items():
        at: Path = ("environments", name)
        yield from _under(at, _of_alerts(place.slo))
        yield from _under(at, _of_services(place))
        if place.cost:
            yield from _under(at, _of_money(place, place.cost))
        if place.recovery:
            yield from _under(at, _of_recovery(place, place.recovery))
        elif system.recovery:
            yield from _of_recovery(place, system.recovery)
        if place.twin_of and system.environments[place.twin_of].twin_of != name:
            yield (*at, "twin_of"), f"{place.twin_of} does not call {name} its twin"


def _under(at: Path, found: Iterable[Fault]) -> Iterator[Fault]:
    yield from (((*at, *below), sentence) for below, sentence in found)


def _of_services(place: Environment) -> Iterator[Fault]:
    for name, entry in place.services.items():
        yield from _under(("services", name), _of_alerts(getattr(entry, "slo", None)))
        for model, check in CHECKS:
            if isinstance(entry, model):
                yield from _under(("services", name), check(entry, name, place))


def _of_alerts(slo: Slo | None) -> Iterator[Fault]:
    """Alerts on the error budget that would stay quiet were every answer bad; at the objective if nobody wrote them."""
    for at, alert in enumerate(slo.burn_alerts if slo else ()):
        if slo and (fault := slo.never_fires(alert)):
            yield ("slo", "burn_alerts", at) if "burn_alerts" in slo.model_fields_set else ("slo",), fault


def _of_money(place: Environment, cost: Cost) -> Iterator[Fault]:
    total = sum(line.low_usd for line in cost.lines.values())
    if cost.lines and abs(total - cost.low_usd) > TOLERANCE * max(total, cost.low_usd):
        yield ("cost", "low_usd"), f"the lines add up to {total:g}"
    if place.budget and place.budget.limit_usd < cost.low_usd:
        yield ("budget", "limit_usd"), f"the expected bill is {cost.low_usd:g} already"


def _of_recovery(place: Environment, recovery: Recovery) -> Iterator[Fault]:
    """An RPO below the age that the newest copy may have."""
    for name, entry in place.services.items():
        backup = entry.backup if isinstance(entry, CloudSql | Cache) else None
        if backup and not backup.point_in_time and recovery.rpo < backup.every:
            every = duration_text(backup.every)
            yield ("recovery", "rpo"), f"{name} is copied every {every} only, without point-in-time recovery"
