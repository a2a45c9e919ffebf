"""Locks and freezes as people meet them: which of them stop something now, and in words."""

from collections.abc import Iterable
from datetime import datetime

from bot.core.instants import in_utc
from bot.core.locks import Kind, Lock
from bot.core.rules import Freeze

VERBS: dict[Kind, str] = {"deploys": "unlock", "freeze": "unfreeze"}  # what lifts them
STOPPED: dict[Kind, str] = {"deploys": "Locked for deploys", "freeze": "Frozen"}
ALWAYS = "Rollback, undo and cancel are never stopped by it."


def stopping(locks: Iterable[Lock], kind: Kind, target: str, now: datetime) -> tuple[Lock, ...]:
    """Those that stop a target, the narrowest first."""
    found = [one for one in locks if one.stops(kind, target, now)]
    return tuple(sorted(found, key=lambda one: (-one.target.count("/"), one.target)))


def own(locks: Iterable[Lock], kind: Kind, place: str, now: datetime) -> Lock | None:
    """The one of this very place, if it is in force."""
    return next((one for one in stopping(locks, kind, place, now) if one.target == place), None)


def spoken(lock: Lock, *, of: str = "") -> str:
    """Such as "Locked for deploys by ana since 2026-11-20 07:41 UTC, until `unlock shop/prod` (incident).".

    `of` is the target that is looked at; where the lock is of more than that, it is said of what.
    """
    where = f" with {lock.target}" if of and lock.target != of else ""
    since = f" since {in_utc(lock.since)}" if lock.since else ""
    reason = f" ({lock.reason})" if lock.reason else ""
    return f"{STOPPED[lock.kind]}{where} by {lock.by or 'somebody'}{since}, until {_end(lock)}{reason}."


def announced(freeze: Freeze) -> str:
    """The same of a freeze that stands in the policies."""
    targets = ", ".join(freeze.targets)
    return f"Frozen with {targets} until {in_utc(freeze.until)}: {freeze.reason} ({freeze.name}, in freezes.yaml)."


def _end(lock: Lock) -> str:
    lifted = f"`{VERBS[lock.kind]} {lock.target}`"
    return f"{in_utc(lock.until)} or {lifted}" if lock.until else lifted
