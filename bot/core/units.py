"""How the catalog writes values: durations, times of day, names, sizes, bounds."""

import re
from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from bot.core.parser import near

SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
DURATION = r"^\d+(ms|s|m|h|d)$"
Path = tuple[str | int, ...]
Fault = tuple[Path, str]  # where below the model, and what is wrong there


def seconds_of(text: Any) -> timedelta:
    """`300s`, `15m`, `7d` and so on. Raises ValueError that says what to write."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not re.fullmatch(DURATION, text):
        raise ValueError("write a duration such as 500ms, 300s, 15m, 24h or 7d")
    unit = text.lstrip("0123456789")
    return timedelta(seconds=int(text.removesuffix(unit)) * SECONDS[unit])


def mebibytes(memory: str) -> int:
    """Of `512Mi` or `2Gi`."""
    return int(memory[:-2]) * (1024 if memory.endswith("Gi") else 1)


def duration_text(value: timedelta) -> str:
    """The shortest way to write a duration: the largest unit that leaves no rest."""
    milliseconds = round(value / timedelta(milliseconds=1))
    unit = next(unit for unit, s in SECONDS.items() if milliseconds % round(s * 1000) == 0)
    return f"{milliseconds // round(SECONDS[unit] * 1000)}{unit}"


Duration = Annotated[
    timedelta,
    BeforeValidator(seconds_of),
    PlainSerializer(duration_text, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": DURATION, "examples": ["300s", "15m", "7d"]}),
]


def rising(said: Any) -> Any:
    """Percentages that rise to 100; also as words, in any of which several may stand: "10,25". Raises ValueError."""
    if not isinstance(said, list | tuple):
        return said
    words = [part for one in said for part in str(one).split(",") if part]
    numbers = [int(word) for word in (part.removesuffix("%") for part in words) if word.isascii() and word.isdigit()]
    rises = all(one < other for one, other in pairwise([0, *numbers]))
    if len(numbers) < len(words) or not rises or numbers[-1:] != [100]:
        raise ValueError(f"write percentages that rise to 100, such as 10,25,50,100, not `{','.join(words)[:40]}`.")
    return numbers


Weights = Annotated[tuple[int, ...], BeforeValidator(rising)]


def _formed(pattern: str, sentence: str) -> tuple[AfterValidator, WithJsonSchema]:
    """Text of a form, which `sentence` says to write; editors get the pattern."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(sentence)
        return text

    return AfterValidator(check), WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


Time = Annotated[str, *_formed(r"([01]\d|2[0-3]):[0-5]\d", 'write a time of day in quotes, such as "03:00"')]
Name = Annotated[
    str, *_formed(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "write 1 to 63 lower-case letters, digits and hyphens")
]
FileName = Annotated[
    str, *_formed(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", "write the name of the provider's file: small letters, digits and _")
]
Memory = Annotated[str, *_formed(r"[1-9]\d*(Mi|Gi)", "write memory such as 512Mi or 2Gi")]
Percent = Annotated[float, Field(gt=0, le=100)]
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Model(BaseModel):
    """Base of all catalog models: what is not declared is refused, and nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class Bounds(Model):
    """How few and how many of something an autoscaler may run."""

    min: int = Field(ge=0)
    max: int = Field(ge=0)

    def __contains__(self, count: int) -> bool:
        return self.min <= count <= self.max

    @model_validator(mode="after")
    def _ordered(self) -> "Bounds":
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


def hint(word: str, words: Iterable[str]) -> str:
    """ "; did you mean `db`?" or nothing."""
    found = near(word, words, most=1)
    return f"; did you mean `{found[0]}`?" if found else ""


def refuse(title: str, faults: list[Fault]) -> None:
    """Raise all faults at once, each at its own place; does nothing when there is none."""
    details: list[InitErrorDetails] = [
        {"type": PydanticCustomError("catalog", "{sentence}", {"sentence": sentence}), "loc": path, "input": None}
        for path, sentence in faults
    ]
    if details:
        raise ValidationError.from_exception_data(title, details)
