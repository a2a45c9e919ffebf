"""Where a service's traffic stands before a release, and whether a deploy may move it."""

from typing import NamedTuple

from bot.core.deploying import DEPLOYING
from bot.core.errors import UserError
from bot.core.instants import in_utc
from bot.core.ports import LATEST, ServiceState, Traffic
from bot.core.request import Target
from bot.core.rollout import by_name
from bot.core.system import LedgerReads, OperationRecord, Pin
from bot.core.traffic import describe

LOOKED_AT = 5  # of the newest operations on a target


class Standing(NamedTuple):
    """`traffic` is what serves, by name; of a split, `stable` is the release that has most of it."""

    traffic: Traffic
    follows: bool  # traffic follows the newest release now
    taken_over: str = ""  # how it is held instead, where that ends with a deploy
    stays_pinned: bool = False  # by what people asked for, unless a deploy goes through

    @property
    def stable(self) -> str:
        return max(self.traffic, key=self.traffic.__getitem__)


def standing(target: Target, now: ServiceState, pin: Pin | None, ledger: LedgerReads, *, unpin: bool) -> Standing:
    """Where traffic stands, if a deploy may move it. Raises UserError that says what to write instead."""
    traffic = _settled(target, now)
    if now.asked == {LATEST: 100}:
        return Standing(traffic, follows=True)
    if deploy := left_by(target, now, pin, ledger):
        return Standing(traffic, follows=False, taken_over=f"held at {_where(now)}, where `{deploy}` left it")
    if unpin:
        pinned = pin is not None and pin.traffic == now.asked
        return Standing(traffic, follows=False, taken_over=_held(now, pin), stays_pinned=pinned)
    raise UserError(
        f"Traffic of {target} is {_held(now, pin)}, so a new release would get none. {_unpin(target, now, pin)} or"
        " deploy with `--no-traffic`."
    )


def serving(target: Target, now: ServiceState) -> Traffic:
    """What serves, by name. Raises UserError when nothing does."""
    if not now.serving:
        raise UserError(f"Nothing serves {target} yet, so there is no release that a new one could be like.")
    return by_name(now.asked, now)


def left_alone(target: Target, now: ServiceState) -> Standing:
    """Where traffic stands and is to stay, however it is split. Raises UserError."""
    return Standing(serving(target, now), follows=LATEST in now.asked)


def _settled(target: Target, now: ServiceState) -> Traffic:
    """One release has all traffic. Raises UserError when none has."""
    named = serving(target, now)
    if len(named) == 1 and named == now.serving:
        return named
    said = describe(now.serving if named != now.serving else now.asked)
    raise UserError(
        f"Traffic of {target} is split: {said}. Settle it first, by `traffic {target} RELEASE=100` or"
        f" `rollback {target}`."
    )


def _held(now: ServiceState, pin: Pin | None) -> str:
    """ "pinned to backend-00041-kex since 2026-11-20 07:41 UTC, by ana (`7k3q…`)" """
    if pin is None or pin.traffic != now.asked:
        return f"pinned to {_where(now)}, by somebody outside of aisq"
    return f"pinned to {_where(now)} since {in_utc(pin.since)}, by {pin.by} (`{pin.operation}`)"


def _where(now: ServiceState) -> str:
    return describe(now.asked).removesuffix(" 100 %")


def _unpin(target: Target, now: ServiceState, pin: Pin | None) -> str:
    """What ends it; `unpin` refuses to follow a release that somebody rolled back from."""
    if pin and now.latest_ready in pin.away_from:
        return "Add `--unpin`, so that it ends with this release,"
    return f"`unpin {target}` first, or add `--unpin`,"


def left_by(target: Target, now: ServiceState, pin: Pin | None, ledger: LedgerReads) -> str:
    """The deploy of ours that put traffic where it is: one without traffic, or one that was put back; else empty."""
    if pin and pin.traffic == now.asked:
        return pin.operation if _is_deploy(pin.operation, ledger) else ""
    for record in ledger.operations(target=target.full_name, limit=LOOKED_AT):
        if versions := [one.version for one in ledger.effects(record.id) if one.version]:
            return record.id if now.version == versions[-1] and _deploys(record) else ""
    return ""


def _is_deploy(operation: str, ledger: LedgerReads) -> bool:
    try:
        return _deploys(ledger.operation(operation))
    except UserError:  # it is so long ago that nobody keeps it
        return False


def _deploys(record: OperationRecord) -> bool:
    return record.request.operation in DEPLOYING
