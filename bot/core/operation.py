"""What an operation is: its fields are the parameters, its docstring the help, its file name the command.

Three kinds: a `Look` answers, a `Change` plans, a `Control` acts on another operation. The parameters of
`answer`, `plan` or `act`, after `self`, are the operation's declared needs; the engine binds each by its type.
"""

import inspect
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    ValidationInfo,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticUndefined, core_schema

from bot.core.errors import UserError
from bot.core.request import Subject, Target, Verb


class Risk(StrEnum):
    """How much harm an operation can do; policies speak of risk and target, not of operation names."""

    READ = "read"
    CONTROL = "control"  # acts on an operation: approve, deny, cancel
    OPERATE = "operate"  # reversible at once: scale, restart
    ROLLOUT = "rollout"  # changes what users are served
    DATABASE = "database"  # interrupts a database or moves it
    DESTRUCTIVE = "destructive"  # overwrites or deletes data


@dataclass(frozen=True)
class Reference:
    """Marks a field that names something: `kind` is service, database, …, "any" of those, or "operation".

    Of several, "database|cache", any will do; "environment", "system" and "pattern" mean all that is in it.
    """

    kind: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(self._resolve, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, _: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string"}

    def _resolve(self, value: Any, info: ValidationInfo) -> Any:
        if not (isinstance(value, str) and info.context):
            return value
        try:
            return info.context["resolve"](value, self.kind)
        except UserError as error:
            error.fields = error.fields or {str(info.field_name): str(error)}
            raise


ServiceRef = Annotated[Target, Reference("service")]
PlaceRef = Annotated[Target, Reference("service|environment|system|pattern")]  # and all that is in it
OperationRef = Annotated[Subject, Reference("operation")]


def param(
    help: str,
    *,
    default: Any = PydanticUndefined,
    positional: bool = False,
    rest: bool = False,
    completes: str = "",
    value: str = "",
) -> Any:
    """One parameter, with the sentence that every door shows for it.

    `positional`: may be written without its name. `rest`: takes all words that are left.
    `completes`: what its values are, for pickers and completion ("releases of service", "operations").
    `value`: what one is called in the usage, if not as the parameter is.
    """
    noted: dict[str, JsonValue] = {
        "positional": positional or rest,
        "rest": rest,
        "completes": completes,
        "value": value,
    }
    return Field(default, description=help, json_schema_extra={"aisq": noted})


class Operation(BaseModel):
    """Base of the three kinds; use one of those."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    risk: ClassVar[Risk]
    aliases: ClassVar[tuple[str, ...]] = ()
    examples: ClassVar[tuple[str, ...]] = ()
    verb: ClassVar[Verb]

    def __init_subclass__(cls, **_: Any) -> None:
        """The class's own keywords are for the hook below, which runs when the fields are known."""

    @classmethod
    def __pydantic_init_subclass__(
        cls, *, risk: Risk | None = None, aliases: tuple[str, ...] = (), examples: tuple[str, ...] = (), **_: Any
    ) -> None:
        if risk is None:
            return  # one of the three kinds below
        cls.risk, cls.aliases, cls.examples = risk, aliases, examples
        if not inspect.isfunction(getattr(cls, cls.verb, None)):
            raise TypeError(f"{cls.__name__} has no {cls.verb}()")
        if not (cls.__doc__ or "").strip().endswith("."):
            raise TypeError(f"{cls.__name__} needs a docstring: the sentence that its help shows")

    @classmethod
    def command(cls) -> str:
        """What people type: the file name, with spaces."""
        return cls.__module__.rpartition(".")[2].replace("_", " ")

    @property
    def target(self) -> Target | None:
        """What the operation is about: the first parameter that names something in the catalog, or an operation."""
        values = [getattr(self, name) for name in type(self).model_fields]
        named = next((value for value in values if isinstance(value, Target | Subject)), None)
        return named.target if isinstance(named, Subject) else named


class Look(Operation):
    """Only reads: `answer(self, …) -> Answer`."""

    verb: ClassVar[Verb] = "answer"


class Change(Operation):
    """Changes a target, by `plan(self, …) -> Plan`; may have `check_NAME` and `judge_NAME` for its steps."""

    verb: ClassVar[Verb] = "plan"
    reason: str = param("Why; shown to approvers and kept in the audit.", default="")
    break_glass: str = param("Emergency: why the usual approval cannot be waited for.", default="", value="REASON")
    dry_run: bool = param("Only show the plan.", default=False)


class Control(Operation):
    """Acts on another operation, by `act(self, …) -> Answer`; its policy check is about that operation's target."""

    verb: ClassVar[Verb] = "act"
    operation: OperationRef = param("Operation, as `ops` lists it.", positional=True, completes="operations")


def needs(operation: type[Operation], method: str = "") -> dict[str, Any]:
    """Parameter name to type, for the method that the engine will call (default: the operation's verb)."""
    function = getattr(operation, method or operation.verb)
    hints = get_type_hints(function)
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    return {name: hints[name] for name in names}


def reference_of(field: FieldInfo) -> Reference | None:
    """How a field names something in the catalog, if it does."""
    found = [mark for mark in field.metadata if isinstance(mark, Reference)]
    found += [m for arg in getattr(field.annotation, "__args__", ()) for m in getattr(arg, "__metadata__", ())]
    return next((mark for mark in found if isinstance(mark, Reference)), None)


def marks(field: FieldInfo) -> dict[str, Any]:
    """The `positional`, `rest` and `completes` of a parameter."""
    extra = field.json_schema_extra
    found = extra.get("aisq", {}) if isinstance(extra, dict) else {}
    return found if isinstance(found, dict) else {}
