"""What can be asked, and whether policy would allow it."""

from bot.core.answer import Answer, Text
from bot.core.clocktime import Standpoint
from bot.core.errors import Denied
from bot.core.operation import Operation
from bot.core.request import Actor
from bot.core.system import Clock
from bot.engine.gate import Gate
from bot.engine.registry import Names, Registry


class RegistryManual:
    """What `Manual` promises, on the registry and the gate."""

    def __init__(self, registry: Registry, names: Names, gate: Gate, clock: Clock) -> None:
        self._registry, self._names, self._gate, self._clock = registry, names, gate, clock

    def commands(self) -> tuple[type[Operation], ...]:
        return tuple(self._registry.operations.values())

    def command(self, words: str) -> type[Operation]:
        return self._registry.command(words)

    def why(self, text: str, actor: Actor, channel: str) -> Answer:
        """What policy says about a line that is not run, and the smallest change that would permit it."""
        made = self._registry.read(text, self._names.within(channel), Standpoint(actor.zone, self._clock.now()))
        title = f"{made.command()} {made.target or ''}".strip()
        try:
            permit = self._gate.permit(actor, made)
        except Denied as denied:
            remedies = self._gate.remedies(actor, made)
            refused = Text(text=f"Not for you now. {denied}", mood="bad")
            needs = tuple(Text(text=f"It {remedy}.") for remedy in remedies)
            nothing = (Text(text="Nothing that aisq knows of would permit it."),)
            return Answer(title=title, parts=(refused, *(needs or nothing)))
        said = f"You may, {permit.how} (policy {permit.by}). The plan may add facts that change this."
        return Answer(title=title, parts=(Text(text=said, mood="good"),))
