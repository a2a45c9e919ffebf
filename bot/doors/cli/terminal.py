"""Everything that can be typed after `aisq`: requests, help, and the commands of whoever runs it."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Protocol

from bot.core.answer import Answer, Table
from bot.core.errors import BotError, UserError
from bot.core.operation import Operation
from bot.core.pages import overview, page
from bot.core.parser import did_you_mean, near
from bot.doors.cli import admin, exits, options
from bot.doors.cli.admin import Admin
from bot.doors.cli.administration import COMMANDS, SANDBOX
from bot.doors.cli.door import Door, Front, Workers
from bot.doors.cli.options import Options
from bot.doors.cli.screen import Screen

log = logging.getLogger(__name__)
STOPPED = 130  # what shells expect after Ctrl-C


class Bot(Protocol):
    """What a request needs, put together."""

    @property
    def front(self) -> Front: ...
    @property
    def workers(self) -> Workers: ...
    def close(self) -> None: ...


class Parts(admin.Tools, Protocol):
    """Makes what a command needs, when it needs it."""

    def logs_go_to(self) -> str:
        """Where a bug is told in full."""
        ...

    def commands(self) -> Mapping[str, type[Operation]]:
        """The operations by what is typed, aliases too."""
        ...

    def actor(self, as_: str) -> str:
        """Who asks. Raises UserError when `as_` may not be said here."""
        ...

    def bot(self) -> Bot:
        """Raises ConfigError and StoreError."""
        ...


class Terminal:
    """Runs one command line to its exit code; no error comes out."""

    def __init__(self, parts: Parts, screen: Screen) -> None:
        self._parts, self._screen, self._admin = parts, screen, Admin(parts, screen)

    def run(self, argv: Sequence[str]) -> int:
        try:
            return self._run(argv)
        except BotError as error:
            self._screen.refuse(error, as_json="--json" in argv)
            return exits.of_error(error)
        except KeyboardInterrupt:
            self._screen.say("Stopped.")
            return STOPPED
        except Exception:
            where = self._parts.logs_go_to()
            log.exception("a command met a bug")
            self._screen.say(f"That is a bug in aisq, not your mistake; what happened is in {where}.", "red")
            return exits.BUG

    def _run(self, argv: Sequence[str]) -> int:
        if command := self._admin.named(argv):
            return command() if "--help" not in argv else self._help([])
        chosen, said = options.read(argv)
        said = said[1:] if said[:1] in (["aisq"], ["/aisq"]) else said  # pasted from Slack, or from a page
        if chosen.help or not said or said[0] == "help":
            return self._help(said[1:] if said[:1] == ["help"] else said)
        self._known(said)
        return self._request(chosen, said)

    def _request(self, chosen: Options, said: list[str]) -> int:
        actor, bot = self._parts.actor(chosen.as_), self._parts.bot()
        try:
            return Door(bot.front, bot.workers, self._screen, actor, chosen).run(said)
        finally:
            bot.close()

    def _known(self, said: list[str]) -> None:
        """Raises UserError for a slip of the pen in one of the commands that are only a terminal's."""
        word, own = said[0].lower(), (*COMMANDS, SANDBOX)
        firsts, theirs = {name.split()[0] for name in own}, {name.split()[0] for name in self._parts.commands()}
        if word in theirs:
            return
        meant = word if word in firsts else next(iter(near(word, {*firsts, *theirs}, most=1)), "")
        if names := tuple(name for name in own if name.split()[0] == meant):
            said_so = f"`{word}` needs one word more" if word == meant else f"I don't know `{word[:40]}`"
            raise UserError(f"{said_so}.{did_you_mean(names)} `aisq help` lists what there is.", choices=names)

    def _help(self, topic: list[str]) -> int:
        known = self._parts.commands()
        if not topic:
            everything = {name: one for name, one in known.items() if one.command() == name}
            answers = [overview(everything.values()), admin.page(), terminal_page()]
        else:
            answers = [page(self._operation(topic, known))]
        draw = self._screen.drawer(UTC)
        for answer in answers:
            self._screen.show(draw.answer(answer))
            self._screen.print("")
        return exits.DONE

    def _operation(self, topic: list[str], known: Mapping[str, type[Operation]]) -> type[Operation]:
        """The longest name that the words begin with."""
        for count in range(len(topic), 0, -1):
            if found := known.get(" ".join(topic[:count]).lower()):
                return found
        word = topic[0][:40]
        names = near(" ".join(topic).lower(), known)
        raise UserError(f"I don't know `{word}`.{did_you_mean(names)} `aisq help` lists what there is.", choices=names)


def terminal_page() -> Answer:
    """What belongs to the terminal alone."""
    return Answer(
        title="In a terminal",
        parts=(
            Table(title="", columns=("option", "what it does"), rows=options.HELP),
            Table(title="Exit codes", columns=("code", "meaning"), rows=exits.MEANING),
        ),
    )
