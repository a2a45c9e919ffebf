"""Fields of operations that take a time; it is understood when the line is read, by the zone of who wrote it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from bot.core.clocktime import examples, is_likely, read
from bot.core.errors import UserError


@dataclass(frozen=True)
class When:
    """Marks a field that takes a time: one that has passed or, `ahead`, one to come.

    `word` is a text that stands as it is; where others name something (`names`), whatever nobody would write as a time
    does too. What is read is kept as an instant, so a stored request means the same for ever.
    """

    ahead: bool = False
    word: str = ""
    names: str = ""  # what other texts name: "release"

    @property
    def written(self) -> str:
        """As usage shows it: "RELEASE|TIME"."""
        return "|".join(part for part in (self.names.upper(), "TIME", self.word) if part)

    @property
    def sentence(self) -> str:
        """How to write it, for a page of help."""
        return f" A time is written {examples(ahead=self.ahead)}; by your own clock unless it names a zone."

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, _: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string"}

    def _read(self, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str) or (self.word and value == self.word) or (self.names and not is_likely(value)):
            return value
        if not (info.context and info.context.get("here")):
            return datetime.fromisoformat(value)  # as it was stored
        try:
            return read(value, info.context["here"], ahead=self.ahead)
        except UserError as error:
            error.fields = error.fields or {str(info.field_name): str(error)}
            raise


Past = Annotated[AwareDatetime, When()]
Ahead = Annotated[AwareDatetime, When(ahead=True)]
ReleaseOrPast = Annotated[AwareDatetime | str, When(names="release")]


def when_of(field: FieldInfo) -> When | None:
    """How a field takes a time, if it does."""
    return next(_marks(field), None)


def _marks(field: FieldInfo) -> Iterator[When]:
    inside = (mark for arg in getattr(field.annotation, "__args__", ()) for mark in getattr(arg, "__metadata__", ()))
    yield from (mark for mark in (*field.metadata, *inside) if isinstance(mark, When))
