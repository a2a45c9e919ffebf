"""Reading a policy's tree: what it names, what it asks, and which operations it is about."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from bot.core.rules import Act
from bot.engine.policy.cedar import Syntax


class Named(NamedTuple):
    """An entity that is written out: Aisq::Role::"sre-oncall"."""

    kind: str
    id: str


class Asked(NamedTuple):
    """An attribute that is read or looked for; `of` is empty when it is not that of a variable itself."""

    of: str
    attribute: str


class Compared(NamedTuple):
    """An attribute that is compared with a text."""

    asked: Asked
    text: str


def covers(tree: Syntax, operation: str, act: Act) -> bool:
    """Whether the policy's scope takes the operation in, by its name or by its risk."""
    scope = tree["action"]
    named = [scope["entity"]] if "entity" in scope else scope.get("entities", [])
    return scope["op"] == "All" or bool({operation, act.risk.value} & {one["id"] for one in named})


def named(tree: Syntax) -> frozenset[Named]:
    """Every entity that is written out, but for actions in the scope, which Cedar checks itself."""
    parts = [tree[part] for part in ("principal", "action", "resource", "conditions")]
    found = [args for op, args, _ in _walk(parts) if op in ("entity", "__entity")]
    return frozenset(Named(one["type"].rpartition("::")[2], one["id"]) for one in found)


def asked(tree: Syntax) -> frozenset[Asked]:
    """Every attribute that a condition asks for."""
    return frozenset(_asked(args) for op, args, _ in _walk(tree["conditions"]) if op in (".", "has"))


def unread(tree: Syntax) -> frozenset[Asked]:
    """Attributes that are only looked for, never read: known to be false is known too."""
    read = {_asked(args) for op, args, _ in _walk(tree["conditions"]) if op == "."}
    return asked(tree) - read


def indirect(tree: Syntax) -> Iterator[str]:
    """What a reader, this one too, cannot follow: facts by a detour, and membership of what has no known groups."""
    for op, args, above in _walk(tree["conditions"]):
        if op == "Var" and args == "context" and above not in (".", "has"):
            yield "name each fact: context.NAME, never context as a whole"
        if op in (".", "has") and not _asked(args).of:
            yield f"`{args['attr']}` must be asked of context, principal or resource directly"
        if op in ("in", "is") and "left" in args and "Var" not in args["left"]:
            yield f"only principal, action and resource have groups, so nothing else can stand before `{op}`"


def compared(tree: Syntax) -> Iterator[Compared]:
    """Every comparison of an attribute with a text: ==, !=, and ["…"].contains(attribute)."""
    for op, args, _ in _walk(tree["conditions"]):
        if op in ("==", "!="):
            yield from _compared(args["left"], [args["right"]])
            yield from _compared(args["right"], [args["left"]])
        if op == "contains":
            yield from _compared(args["right"], args["left"].get("Set", []))


def values(tree: Syntax, kind: type) -> frozenset[Any]:
    """The numbers or texts that the conditions write out."""
    return frozenset(args for op, args, _ in _walk(tree["conditions"]) if op == "Value" and type(args) is kind)


def _compared(attribute: Any, others: list[Any]) -> Iterator[Compared]:
    if "." in attribute:
        texts = (other.get("Value") for other in others)
        yield from (Compared(_asked(attribute["."]), text) for text in texts if isinstance(text, str))


def _asked(args: Any) -> Asked:
    return Asked(args["left"].get("Var", ""), args["attr"])


def _walk(node: Any, above: str = "") -> Iterator[tuple[str, Any, str]]:
    """Every operator with its arguments and the operator that it stands under."""
    if isinstance(node, list):
        for one in node:
            yield from _walk(one, above)
    elif isinstance(node, dict):
        for op, args in node.items():
            yield op, args, above
            inside = list(args.values()) if op == "Record" else args
            yield from _walk(inside, above if op == "left" else op)
