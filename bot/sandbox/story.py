"""stories.yaml as models: what each changing operation is asked in the crash matrix, and what must come of it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

SHIPPED = Path(__file__).with_name("stories.yaml")


class Story(BaseModel):
    """One operation; stories.yaml says what each field means. Splits are percent of `good`, `bad`, `new`, LATEST."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask: str
    alone: bool = False
    calm: bool = False
    failing: float = 0.0
    ends: str = "applied"
    before: str = ""
    asked: dict[str, int] = {}
    then: tuple[dict[str, int], ...] = ()
    serves: dict[str, int]
    pinned: dict[str, int] = {}
    locked: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    told: tuple[str, ...]
    judged: str = ""
    again: tuple[str, ...]

    @property
    def moves(self) -> list[dict[str, int]]:
        """The split of each write, in order."""
        return [self.asked, *self.then] if self.asked else []

    @property
    def events(self) -> tuple[str, ...]:
        """What the audit chain tells of it, in order; of its stages it tells as often as there is something new."""
        permission = () if self.alone else ("waiting", "approved")
        writes = ("writing", "written") * len(self.moves)
        judgement = ("judged",) if self.judged else ()
        return ("asked", *permission, "queued", "running", *writes, self.ends, *self.noted, *judgement)

    def named(self, **names: str) -> "Story":
        """The same with names in place of {good}, {bad}, {before} and {number}."""
        texts = {field: getattr(self, field).format(**names) for field in ("ask", "before")}
        told = tuple(part.format(**names) for part in self.told)
        return self.model_copy(update={**texts, "told": told}).made_of(names)

    def made_of(self, names: dict[str, str]) -> "Story":
        """The same with names in place of those in its splits."""
        splits = {
            field: {names.get(name, name): share for name, share in getattr(self, field).items()}
            for field in ("asked", "serves", "pinned")
        }
        then = tuple({names.get(name, name): share for name, share in split.items()} for split in self.then)
        return self.model_copy(update={**splits, "then": then})


def stories() -> dict[str, Story]:
    """By the name of the operation; where it has two, after a comma how the other ends. Raises ValidationError."""
    read = YAML(typ="safe").load(SHIPPED.read_text())
    return {operation: Story.model_validate(said) for operation, said in read.items()}
