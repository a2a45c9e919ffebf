"""A form as a modal, built from an operation's model: a pure function of the model and of what there is to choose."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from pydantic.fields import FieldInfo

from bot.core.home import Choice
from bot.core.operation import Operation, marks, reference_of
from bot.core.pages import sentence
from bot.core.parser import base, is_flag, is_many, listed, ordered
from bot.core.request import Verb
from bot.doors.slack.draw import blocks
from bot.doors.slack.draw.blocks import Block
from bot.doors.slack.draw.foreign import clean
from bot.doors.slack.opened import FIELD, PICK, YES, Opened

CALLBACK = "aisq.form"
MOST_OPTIONS = 100
OPTION_TEXT, OPTION_VALUE = 75, 150
LONGEST_TEXT, LONGEST_INPUT = 1000, 3000  # characters that people may enter where the type says nothing, and Slack
GROUPS: dict[Verb, str] = {"answer": "Look", "plan": "Change", "act": "Control"}
SUBMITS: dict[Verb, str] = {"answer": "Show", "plan": "Plan it", "act": "Do it"}
SEARCH = "Type to search. If nothing is listed, type the whole of it."
WAIT = "One moment. If this stays, close it and type the command itself; `/aisq help` lists what there is."
Commands = Mapping[str, type[Operation]]
Named = Mapping[str, Sequence[Choice]]  # by field, all that the catalog has


def loading() -> Block:
    """What is shown at once."""
    return {**_modal(), "blocks": [blocks.rich(blocks.sentence(WAIT))]}


def form(opened: Opened, commands: Commands, named: Named, refused: str = "") -> Block:
    """The form of the operation that `opened` names; of none, what there is to choose. `refused` stands on top."""
    operation = commands.get(opened.operation)
    shown = [blocks.rich(blocks.sentence(f"⛔ {refused}", 2900))] if refused else []
    shown.append(_picker(opened.operation, commands))
    if operation:
        shown.append(blocks.context(sentence(operation)))
        shown.extend(_Fields(operation, opened, named).blocks())
    submit = SUBMITS[operation.verb] if operation else "Next"
    return {**_modal(), "submit": blocks.plain(submit, 24), "private_metadata": opened.kept(), "blocks": shown}


def block_id(operation: type[Operation], field: str, entered: Mapping[str, str | bool]) -> str:
    """Slack keeps what stands in a block of the same id: so another one where something else is asked."""
    of = depends_on(operation.model_fields[field])
    about = f"{operation.command()} {entered.get(of, '') if of else ''}"
    return f"{field}@{zlib.crc32(about.encode()):08x}"


def depends_on(field: FieldInfo) -> str:
    """The parameter whose value decides what this one can be; empty for none."""
    return str(marks(field).get("completes") or "").partition(" of ")[2]


def key(value: str) -> str:
    """A value as an option carries it: the longest names do not fit, and end in what tells them apart."""
    if len(value) <= OPTION_VALUE:
        return value
    return f"{value[: OPTION_VALUE - 33]}~{hashlib.sha256(value.encode()).hexdigest()[:32]}"


def options(choices: Iterable[Choice]) -> list[Block]:
    """At most so many as Slack takes, each once."""
    once = {one.value: one for one in choices if one.value}
    return [_option(one) for one in list(once.values())[:MOST_OPTIONS]]


def _modal() -> Block:
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": blocks.plain("aisq", 24),
        "close": blocks.plain("Close", 24),
    }


def _picker(chosen: str, commands: Commands) -> Block:
    """What to do, grouped by what it does."""
    found = {verb: [_command(one) for one in commands.values() if one.verb == verb] for verb in GROUPS}
    groups = [_group(GROUPS[verb], listed) for verb, listed in found.items() if listed]
    element = {"type": "static_select", "action_id": PICK, "option_groups": groups}
    initial = next((one for group in groups for one in group["options"] if one["value"] == chosen), None)
    return {
        "type": "input",
        "block_id": PICK,
        "dispatch_action": True,
        "label": blocks.plain("What to do", 100),
        "element": {**element, **({"initial_option": initial} if initial else {})},
    }


def _command(operation: type[Operation]) -> Block:
    return _option(Choice(value=operation.command(), about=sentence(operation)))


def _group(label: str, found: list[Block]) -> Block:
    return {"label": blocks.plain(label, OPTION_TEXT), "options": found[:MOST_OPTIONS]}


def _option(choice: Choice) -> Block:
    text = choice.text or choice.value
    shown = (
        text if len(text) <= OPTION_TEXT or choice.about else f"…{text[1 - OPTION_TEXT :]}"
    )  # a name's end tells more
    made: Block = {"text": blocks.plain(shown, OPTION_TEXT), "value": key(choice.value)}
    return {**made, "description": blocks.plain(choice.about, OPTION_TEXT)} if clean(choice.about, 9) else made


class _Fields:
    """The blocks of one operation's parameters."""

    def __init__(self, operation: type[Operation], opened: Opened, named: Named) -> None:
        self._operation, self._opened, self._named = operation, opened, named
        self._decides = {depends_on(field) for field in operation.model_fields.values()}

    def blocks(self) -> Iterator[Block]:
        for name, field in ordered(self._operation):
            element, hint = self._element(name, field)
            label = name.replace("_", " ").capitalize()
            yield {
                "type": "input",
                "block_id": block_id(self._operation, name, self._opened.entered),
                "label": blocks.plain(label, 100),
                "element": {"action_id": f"{FIELD}{name}", **element},
                "optional": not field.is_required() or is_flag(field),
                **({"hint": blocks.plain(hint, 1000)} if hint else {}),
                **({"dispatch_action": True} if name in self._decides else {}),
            }

    def _element(self, name: str, field: FieldInfo) -> tuple[Block, str]:
        """The element, and the sentence below it."""
        help, entered = field.description or "", self._opened.entered.get(name)
        if is_flag(field):
            return _checkbox(field.default if entered is None else entered is True), help
        said = _default(field) if entered is None else str(entered)
        is_long = reference_of(field) and len(self._named.get(name, ())) > MOST_OPTIONS
        if not is_many(field) and (marks(field).get("completes") or is_long):
            return _searched(said), f"{help} {SEARCH}".strip()
        if found := self._named.get(name):
            return _chosen(found, said), help
        if found := [Choice(value=one) for one in listed(field)]:
            return _chosen(found, said), help
        return (_number(field, said) if base(field) in (int, float) else _text(field, said)), help


def _default(field: FieldInfo) -> str:
    return "" if field.is_required() or field.default is None or is_many(field) else str(field.default)


def _checkbox(is_set: bool) -> Block:
    yes = {"text": blocks.plain("Yes", OPTION_TEXT), "value": YES}
    return {"type": "checkboxes", "options": [yes], **({"initial_options": [yes]} if is_set else {})}


def _searched(said: str) -> Block:
    made: Block = {"type": "external_select", "min_query_length": 0, "placeholder": blocks.plain("Search", 150)}
    return {**made, "initial_option": _option(Choice(value=said))} if said else made


def _chosen(found: Sequence[Choice], said: str) -> Block:
    """A menu, in groups where the choices have some."""
    grouped = [(group, options(ones)) for group, ones in groupby(found, lambda one: one.group)]
    if len(grouped) > 1:
        menu: Block = {"option_groups": [_group(group, ones) for group, ones in grouped]}
    else:
        menu = {"options": options(found)}
    every = (one for _, ones in grouped for one in ones)
    initial = next((one for one in every if said and one["value"] == key(said)), None)
    return {"type": "static_select", **menu, **({"initial_option": initial} if initial else {})}


def _number(field: FieldInfo, said: str) -> Block:
    whole = base(field) is int
    least, most = _bound(field, "ge"), _bound(field, "le")
    if whole:  # Slack knows no "more than"
        least = least if (above := _bound(field, "gt")) is None else above + 1
        most = most if (below := _bound(field, "lt")) is None else below - 1
    found = {"min_value": least, "max_value": most, "initial_value": _within(_decimal(said), least, most, whole)}
    bounds = {name: f"{value:f}" for name, value in found.items() if value is not None}
    return {"type": "number_input", "is_decimal_allowed": not whole, **bounds}


def _within(number: Decimal | None, least: Decimal | None, most: Decimal | None, whole: bool) -> Decimal | None:
    """The number, if Slack would let it stand there."""
    if number is None or (whole and number != number.to_integral_value()):
        return None
    fits = (least is None or number >= least) and (most is None or number <= most)
    return number if fits else None


def _text(field: FieldInfo, said: str) -> Block:
    most = min(int(_bound(field, "max_length") or LONGEST_TEXT), LONGEST_INPUT)
    least = _bound(field, "min_length")
    made: Block = {"type": "plain_text_input", "max_length": most}
    if least and least <= most and field.is_required():
        made["min_length"] = int(least)
    return {**made, "initial_value": said[:most]} if said else made


def _bound(field: FieldInfo, name: str) -> Decimal | None:
    """A limit that the type of the parameter says."""
    inside: list[Any] = [
        m for arg in getattr(field.annotation, "__args__", ()) for m in getattr(arg, "__metadata__", ())
    ]
    for mark in (*field.metadata, *inside):
        for one in (mark, *getattr(mark, "metadata", ())):
            if (value := getattr(one, name, None)) is not None:
                return Decimal(str(value))
    return None


def _decimal(said: str) -> Decimal | None:
    try:
        number = Decimal(said)
    except ArithmeticError:
        return None
    return number if number.is_finite() else None
