"""What operations return and every door draws. A door escapes the texts: nothing in here is markup."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")  # as pydantic writes them
Mood = Literal["plain", "good", "warning", "bad"]


def _instant(value: Any) -> Any:
    """An instant that was stored as JSON comes back as text."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:  # a 40th of some month is a text like any other
        return value


Cell = Annotated[str | int | float | datetime | None, BeforeValidator(_instant)]


class Text(BaseModel, frozen=True):
    """A paragraph."""

    is_: Literal["text"] = "text"
    text: str
    mood: Mood = "plain"


class Code(BaseModel, frozen=True):
    """Lines to copy, such as commands."""

    is_: Literal["code"] = "code"
    lines: tuple[str, ...]


class Table(BaseModel, frozen=True):
    """Rows under named columns; an empty table says `empty`."""

    is_: Literal["table"] = "table"
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = "nothing"


class Series(BaseModel, frozen=True):
    """Named lines over time; `unit` such as "%" or "ms"."""

    is_: Literal["series"] = "series"
    title: str
    unit: str
    at: tuple[datetime, ...]
    lines: dict[str, tuple[float | None, ...]]


class Task(BaseModel, frozen=True):
    """One row of a task list."""

    title: str
    state: Literal["pending", "running", "done", "failed", "skipped"]
    detail: str = ""


class Tasks(BaseModel, frozen=True):
    """Things to be done in order, and how far each is."""

    is_: Literal["tasks"] = "tasks"
    title: str
    tasks: tuple[Task, ...]


Part = Annotated[Text | Code | Table | Series | Tasks, Field(discriminator="is_")]


class Answer(BaseModel, frozen=True):
    """A title and its parts, in reading order. `good` is false when the look found something wrong."""

    title: str
    parts: tuple[Part, ...] = ()
    good: bool = True
