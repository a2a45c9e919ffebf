"""Scenarios: data that says what to try, how it begins, and how one notices that it is solved."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator
from ruamel.yaml import YAML

SHIPPED = Path(__file__).with_name("scenarios.yaml")
UNDER_WAY = ("Planning", "Waiting", "About to begin", "In progress", "Done")  # as the headline of a card has it
Json = dict[str, Any]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Act(Strict):
    """One thing that happens to the cloud: a deployment, a change of traffic, or a fault. `real_seconds` are ours."""

    release: Json | None = None
    traffic: dict[str, int] | None = None
    fault: Json | None = None

    @model_validator(mode="after")
    def _one(self) -> "Act":
        if len(self.model_fields_set) != 1:
            raise ValueError("an act is one of release, traffic, fault")
        return self


class Step(Strict):
    """`once` names one of CHECKS; `type` is what to type after /aisq, `does` what the page offers to do."""

    once: str
    say: str
    as_: str = ""
    type: str = ""
    does: Literal["", "kill"] = ""

    @model_validator(mode="before")
    @classmethod
    def _as(cls, given: Any) -> Any:
        return {"as_" if name == "as" else name: value for name, value in given.items()}

    @model_validator(mode="after")
    def _known(self) -> "Step":
        if self.once not in CHECKS:
            raise ValueError(f"`once` is one of {', '.join(CHECKS)}, not {self.once}")
        return self


class Meanwhile(Strict):
    once: str
    do: tuple[Act, ...]


class Scenario(Strict):
    title: str
    goal: str
    begin: tuple[Act, ...]
    steps: tuple[Step, ...]
    meanwhile: Meanwhile | None = None


@dataclass(frozen=True)
class Facts:
    """What a check may look at; everything is since the scenario began. Instants are time.monotonic's.

    `cards` are the app's messages, `writes` the bot's changes of the service that were committed, `by_hand` those of
    people in a console after the beginning.
    """

    service: Json
    good: str
    cards: list[Json]
    writes: list[Json]
    by_hand: list[Json]
    approvals: list[float]
    deaths: list[float]
    waits: bool

    @property
    def serving(self) -> dict[str, int]:
        """The split that serves; nothing while one is rolled out."""
        return {} if self.service["reconciling"] else {k: v for k, v in self.service["traffic"].items() if v}


def _latest(facts: Facts) -> bool:
    follows = facts.service["wanted"] == {"LATEST": 100}
    return follows and facts.serving == {facts.service["latest_ready"]: 100} and bool(facts.writes)


def _killed(facts: Facts) -> bool:
    return any(death > min(facts.approvals, default=death) for death in facts.deaths)


def _good(facts: Facts) -> bool:
    return facts.serving == {facts.good: 100} and bool(facts.writes)


def _refused(facts: Facts) -> bool:
    """Approved, and ended without a write; a plan that is being looked at again has not ended."""
    ended = bool(facts.cards) and not any(word in facts.cards[-1].get("text", "") for word in UNDER_WAY)
    return bool(facts.approvals and facts.by_hand) and ended and not facts.waits and not facts.writes


CHECKS: dict[str, Callable[[Facts], bool]] = {
    "asked": lambda facts: bool(facts.cards),
    "approved": lambda facts: bool(facts.approvals),
    "changed": lambda facts: bool(facts.by_hand) and not facts.service["reconciling"],
    "killed": _killed,
    "serves_good": _good,
    "serves_latest": _latest,
    "written_once": lambda facts: _killed(facts) and _good(facts) and len(facts.writes) == 1,
    "refused": _refused,
}


@dataclass
class Run:
    """A scenario that somebody began: `since` is the number of the last call before it, `after` a ts of Slack's.

    `done` are the steps that were seen to be done: once done, a step stays so.
    """

    name: str
    scenario: Scenario
    good: str
    bad: str
    since: int
    after: str
    began: float
    done: set[str] = field(default_factory=set)
    happened: bool = False

    @property
    def solved(self) -> bool:
        return {step.once for step in self.scenario.steps} <= self.done

    def said(self, text: str) -> str:
        """A text of the scenario with the names of its releases."""
        return text.replace("{good}", self.good).replace("{bad}", self.bad)

    def notice(self, facts: Facts) -> None:
        """Note the steps that are done by now; a step counts only when those before it are done."""
        for step in self.scenario.steps:
            if step.once not in self.done and not CHECKS[step.once](facts):
                return
            self.done.add(step.once)

    def is_time(self) -> bool:
        """Whether what happens meanwhile is to happen now; true once."""
        meanwhile = self.scenario.meanwhile
        if self.happened or meanwhile is None or meanwhile.once not in self.done:
            return False
        self.happened = True
        return True


def load(path: Path = SHIPPED) -> Mapping[str, Scenario]:
    """The scenarios by name, in their order. Raises pydantic's ValidationError."""
    read = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return {name: Scenario.model_validate(said) for name, said in read.items()}
