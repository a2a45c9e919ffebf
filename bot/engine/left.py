"""At which versions an operation that has ended left its targets."""

from collections.abc import Sequence

from bot.core.plan import Plan
from bot.core.ports import Jobs
from bot.core.system import EffectRecord


def left_at(plan: Plan, effects: Sequence[EffectRecord]) -> dict[str, str | None]:
    """By the name of the target, of those that it wrote to; None where nobody knows. `effects`: the first one first."""
    left = dict[str, str | None]()
    for effect in effects:
        name = plan.target_of(effect.call).full_name
        left[name] = _after(effect, left.get(name, effect.effect.version))
    return left


def _after(effect: EffectRecord, before: str | None) -> str | None:
    """What a write made of a version; a job makes nothing of it, nor does what somebody's change got in the way of."""
    if effect.ending == "changed by someone else" or effect.call.verb == Jobs.run_job.__qualname__:
        return before
    unknown = effect.ending in (None, "uncertain") or (effect.ending == "cancelled" and not effect.version)
    return None if unknown else effect.version or before
