"""What is wrong with a payload, where, and in Slack's words."""

from dataclasses import dataclass, field
from typing import Any

Pointer = str


@dataclass(frozen=True)
class Problem:
    """One fault; `pointer` is a JSON pointer such as /blocks/0/text/text."""

    message: str
    pointer: Pointer
    constraint: str = "schema"
    expected: Any = None

    def line(self) -> str:
        """The line of response_metadata.messages."""
        return f"[ERROR] {self.message} [json-pointer:{self.pointer}]"

    def entry(self) -> dict[str, Any]:
        """The entry of blocks.validate's `errors`."""
        constraint: dict[str, Any] = {"type": self.constraint}
        if self.expected is not None:
            constraint["expected"] = self.expected
        return {"code": "failed_constraint", "message": self.message, "pointer": self.pointer, "constraint": constraint}


@dataclass
class Problems:
    """A collection that rules add to."""

    found: list[Problem] = field(default_factory=list)

    def add(self, message: str, pointer: Pointer, constraint: str = "schema", expected: Any = None) -> None:
        """Note one more problem."""
        self.found.append(Problem(message, pointer, constraint, expected))

    def __bool__(self) -> bool:
        return bool(self.found)
