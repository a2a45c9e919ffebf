"""The steps of one plan, forwards and, if they fail, backwards. Deterministic, given how each step ended."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from bot.core.plan import Plan, Step
from bot.core.request import LEFT_AS_IT_IS, State, Target
from bot.core.system import Ending

CHANGED: Ending = "changed by someone else"
PUT_BACK, UNTOUCHED = "put back as it was", "nothing was done"
Data = dict[str, Any]  # JSON: it is written down, and read by the next version of this program
Make = Callable[[str, int, Step, str, Target], Data]  # do or undo, position, step, version of its target, target


class Done(BaseModel, frozen=True):
    """What becomes of an operation."""

    state: State
    detail: str


class Steps:
    """Carries a plan out. Every step expects the version that the one before left its target with, so nobody slips in
    between."""

    def __init__(self, plan: Plan, make: Make) -> None:
        self._plan, self._make = plan, make
        self._versions = {one.target.full_name: one.version for one in plan.targets}

    def forwards(self) -> Done:
        """To the outcome."""
        for position, step in enumerate(self._plan.steps):
            did = self._step("do", position, step)
            if did["ending"] != "succeeded":
                return self._stopped(position, step, did)
        return Done(state="applied", detail=self._plan.summary)

    def _stopped(self, position: int, step: Step, did: Data) -> Done:
        ending, detail, target = did["ending"], did["detail"], self._plan.target_of(step)
        began = position + 1 if did["began"] else position
        if ending == "cancelled":
            left = f" while the cloud worked on {_titles([step])}" if did["began"] and not step.undo else ""
            return self._back(began, "cancelled", f"cancelled by {detail}{left}")
        if step.kind == "check" and step.if_broken == "report":
            state: State = "uncertain" if ending == "uncertain" else "failed"
            said = (f"{LEFT_AS_IT_IS}: {detail}", f"look at {target}", *self._changed_before(position, target))
            return Done(state=state, detail="; ".join(said))
        if ending == "uncertain" and step.kind == "call":
            said = (detail, f"look at {target} before doing anything else", *self._changed_before(position, target))
            return Done(state="uncertain", detail="; ".join(said))
        if ending == CHANGED:  # undoing would overwrite what they did
            return self._back(position, "failed", detail, spared=target.full_name)
        return self._back(began, "failed", detail)

    def _changed_before(self, position: int, target: Target) -> Iterator[str]:
        """What was done elsewhere, and stands."""
        names = dict.fromkeys(self._name(step) for step in self._plan.steps[:position] if step.kind == "call")
        if others := [name for name in names if name != target.full_name]:
            yield f"changed before it, and left so: {', '.join(others)}"

    def _back(self, count: int, state: State, why: str, spared: str = "") -> Done:
        """Undo the first `count` steps in reverse; the failed step's own too, if the cloud had begun it.

        A target is left when it is `spared`, or when one undo of it is not made: somebody changed it, or it failed. One
        undo after the other that say the same are one: each stage of a rollout goes back to where all of them began.
        """
        made = [(position, step) for position, step in enumerate(self._plan.steps[:count]) if step.kind == "call"]
        undone, left = dict[str, Step](), dict[str, Data]()
        for position, step in reversed(made):
            name = self._name(step)
            if step.undo is None or name == spared or name in left or _alike(step.undo, undone.get(name)):
                continue
            did = self._step("undo", position, step.undo)
            if did["ending"] == "succeeded":
                undone[name] = step.undo
            else:
                left[name] = did
        stays = [step for _, step in made if not step.undo and self._name(step) != spared]
        return self._told(state, why, stays, list(undone), left, spared)

    def _told(
        self, state: State, why: str, stays: Sequence[Step], undone: list[str], left: dict[str, Data], spared: str
    ) -> Done:
        """What became of everything, each target by name when there are several."""
        hurts, several = [step for step in stays if not step.may_stay], bool(self._plan.others)
        whole = not (left or hurts or spared)
        not_back = [_not_back(f"{name} " if several else "it ", did) for name, did in left.items()]
        said = [why.removesuffix("."), *not_back]
        if hurts:
            places = ", ".join(dict.fromkeys(map(self._name, hurts)))
            said.append(f"cannot be undone: {_titles(hurts)}; look at {places}")
        if undone and (several or whole):
            said.append(f"put back: {', '.join(undone)}" if several else PUT_BACK)
        if kept := [step for step in stays if step.may_stay]:
            said.append(f"left, as it does no harm: {_titles(kept)}")
        if whole and not undone and not kept:
            said.append(UNTOUCHED)
        told = "; ".join(said)
        if any(did["ending"] != CHANGED for did in left.values()):
            return Done(state="uncertain", detail=told)
        return Done(state=state, detail=told) if whole else Done(state="failed", detail=f"{LEFT_AS_IT_IS}: {told}")

    def _step(self, direction: str, position: int, step: Step) -> Data:
        target = self._plan.target_of(step)
        did = self._make(direction, position, step, self._versions[target.full_name], target)
        self._versions[target.full_name] = did["version"] or self._versions[target.full_name]
        return did

    def _name(self, step: Step) -> str:
        return self._plan.target_of(step).full_name


def _not_back(name: str, did: Data) -> str:
    """Why a target is not as it was. What somebody else made of it is known, and theirs."""
    if did["ending"] == CHANGED:
        return f"{name}was not put back: {did['detail']}"
    return f"putting {name}back failed: {did['detail']}"


def _alike(undo: Step, other: Step | None) -> bool:
    return other is not None and (undo.verb, undo.args) == (other.verb, other.args)


def _titles(steps: Sequence[Step]) -> str:
    return ", ".join(step.title or step.verb for step in steps)
