"""`aisq` and `python -m bot`: puts together what a command needs, and hands over to the terminal's door.

Nearly everything is imported where it is used: a shell that completes a word must not wait for what `serve` needs.
"""

import importlib
import io
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from bot import operations, settings
from bot.core import folder
from bot.core.errors import BotError, ConfigError, UserError

if TYPE_CHECKING:
    from bot.app import App
    from bot.core.operation import Operation
    from bot.core.request import Target
    from bot.core.rules import Act, PolicyFiles, Traits
    from bot.doors.cli.door import Work, Workers
    from bot.doors.cli.terminal import Bot
    from bot.doors.http import Inbound
    from bot.engine.front import Front
    from bot.engine.logs import Redactor
    from bot.engine.people import Source

LOG_FILE = "aisq.log"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character shows something else
    if asked := settings.completion():
        return _complete(asked)
    if words[:1] == ["sandbox"]:
        return _sandbox(words[1:])
    from bot.doors.cli.screen import Screen
    from bot.doors.cli.terminal import Terminal

    return Terminal(Composed(), Screen()).run(words)


def _complete(asked: str) -> int:
    """Answer a shell; where something is wrong it gets nothing, and the command itself will say why."""
    from bot.doors.cli.complete import Completer, reply

    parts = Composed()
    try:
        completer = Completer(parts.loaders(), parts.targets, parts.operations)
        sys.stdout.write(reply(asked, settings.COMPLETION, completer) + "\n")
    except BotError:
        return 2
    return 0


def _sandbox(words: list[str]) -> int:
    try:
        return int(importlib.import_module("bot.sandbox").main(words))
    except ModuleNotFoundError as missing:
        sys.stderr.write(f"The sandbox is not installed ({missing.name} is missing): pip install 'aisq[sandbox]'\n")
        return 2


class Composed:
    """Everything that commands need, made when first needed: most commands need little."""

    def __init__(self) -> None:
        self._logs_go_to = ""

    @cached_property
    def settings(self) -> settings.Settings:
        return settings.load()

    def logs_go_to(self) -> str:
        """Where a bug is told in full; begins the log when there is none yet."""
        from bot.engine import logs

        if not self._logs_go_to:
            file = self.settings.state_dir.resolve() / LOG_FILE
            self._logs_go_to = logs.to_file(file, self.settings.log_level, self._redactor())
        return self._logs_go_to

    def loaders(self) -> "Mapping[str, Callable[[], type[Operation]]]":
        """The operations by name, each imported when it is called."""
        folder.extend(operations, self.settings.operations_dir)
        return {name.replace("_", " "): partial(folder.load, operations, name) for name in folder.names(operations)}

    def commands(self) -> "Mapping[str, type[Operation]]":
        """By command and by alias. Raises ConfigError when two files claim one word."""
        from bot.core.commands import claimed
        from bot.doors.cli.administration import COMMANDS, SANDBOX

        return claimed({name: load() for name, load in self.loaders().items()}, taken=(*COMMANDS, SANDBOX))

    def actor(self, as_: str) -> str:
        if not as_:
            return f"os:{settings.os_user()}"
        if not self.settings.sandbox:
            raise UserError("`--as` is for the sandbox; here you are who you are logged in as.")
        return f"slack:{as_}"

    def bot(self) -> "Bot":
        self.logs_go_to()
        app = composed(self.settings)
        app.check()
        return OneBot(app)

    def serve(self) -> int:
        from bot.doors import http
        from bot.engine import logs

        self._logs_go_to = logs.to_stderr(self.settings.log_level, self._redactor())
        app = composed(self.settings)  # not checked: a database that is away may come back
        front, doors = app.front, slack(app)  # what may be wrong shows before this process says that it works
        worker = app.worker()
        front.on_change(worker.hurry)
        life = http.Life(app.executor, app.leases.lost_after_s, worker, app.look, doors)
        try:
            return http.serve(life, self.settings.host, self.settings.port)
        finally:
            front.stop()

    def upgrade(self) -> str:
        from bot.stores import database

        return database.upgrade(self.settings.database)

    def catalog_problems(self) -> Iterable[object]:
        from bot.stores.catalog_lint import lint

        return lint(self.settings.catalog_dir)

    def catalog_schema(self) -> str:
        from bot.stores.catalog_files import schema

        return schema()

    def write_catalog_schema(self) -> str:
        file = self.settings.catalog_dir / "schema.json"
        try:
            file.write_text(self.catalog_schema(), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}", file=str(file)) from None
        return str(file)

    def policy_problems(self) -> Sequence[BotError]:
        from bot.engine.policy import lint

        return lint(*self._policy())

    def policy_cases(self) -> Sequence[tuple[str, str, str]]:
        from bot.engine.policy import run_cases

        return [(one.file, one.case.name, one.problem) for one in run_cases(*self._policy())]

    def completion(self, shell: str) -> str:
        from bot.doors.cli.complete import script

        return script(shell, settings.COMPLETION)

    def targets(self) -> "Iterable[Target]":
        from bot.core.reach import wide
        from bot.stores.catalog_files import load_catalog

        catalog = load_catalog(self.settings.catalog_dir)
        return (*catalog.targets(), *wide(catalog))

    def operations(self) -> Iterable[str]:
        """The newest operations. Raises StoreError at once when the database is not there."""
        from bot.engine.clock import SystemClock
        from bot.stores import database
        from bot.stores.ledger import SqlLedger

        engine = database.connect(self.settings.database)
        database.check(engine)
        return [record.id for record in SqlLedger(engine, SystemClock()).operations()]

    def _policy(self) -> "tuple[PolicyFiles, Mapping[str, Act], Mapping[str, Traits]]":
        from bot.core.rules import acts, traits
        from bot.stores.catalog_files import load_catalog
        from bot.stores.policy_files import policy_files

        every = {one.command(): one for one in self.commands().values()}
        catalog = load_catalog(self.settings.catalog_dir)
        return policy_files(self.settings.policies_dir), acts(every), traits(catalog)

    def _redactor(self) -> "Redactor":
        from bot.engine.logs import Redactor

        return Redactor(self.settings.secrets())


class OneBot:
    """The bot of one command, which may be its own worker."""

    def __init__(self, app: "App") -> None:
        self._app = app

    @property
    def front(self) -> "Front":
        return self._app.front

    @property
    def workers(self) -> "Workers":
        return self

    def alive(self) -> bool:
        return bool(self._app.leases.alive())

    def here(self) -> "Work":
        return self._app.worker()

    def close(self) -> None:
        self._app.front.stop()


def composed(configured: settings.Settings) -> "App":
    """The bot, and who knows people. Raises ConfigError."""
    from bot.app import App

    return App(configured, sources(configured))


def sources(configured: settings.Settings) -> "dict[str, Source]":
    """Who knows people, by door."""
    from bot.doors.cli.people import Accounts, Players

    known: dict[str, Source] = {"os": Accounts(settings.os_user(), settings.zone())}
    token, told = configured.slack.bot_token, configured.slack
    if token is not None:
        from bot.doors.slack import SlackPeople
        from bot.engine.clock import SystemClock
        from bot.stores.policy_files import policy_files

        roles = policy_files(configured.policies_dir).roles.roles.values()
        groups = {group for role in roles for group in role.slack_groups}
        real = SystemClock().monotonic
        known["slack"] = SlackPeople(token.get_secret_value(), told.api_url, told.team_id, groups, real)
    elif configured.sandbox:
        known["slack"] = Players()
    return known


def slack(app: "App") -> "tuple[Inbound, ...]":
    """Slack's door, when its secrets are there. Raises ConfigError when only one is."""
    told = app.settings.slack
    token, secret, app_token = told.bot_token, told.signing_secret, told.app_token
    way_in = app_token or secret  # in Socket Mode nothing is signed
    if token is None and way_in is None:
        return ()
    if token is None or way_in is None:
        missing = "BOT_TOKEN" if token is None else "SIGNING_SECRET"
        raise ConfigError("Slack's door needs this one too", file="environment", field=f"AISQ_SLACK__{missing}")
    from bot.doors.slack import SlackDoor, SlackPeople
    from bot.doors.slack.outbound.pace import Pace

    rate, takeover_s, usual = app.settings.clock.rate, 2 * app.settings.lease_s, Pace()
    pace = Pace(
        edit_every_s=usual.edit_every_s / max(1.0, told.rate_factor),
        takeover_s=takeover_s,
        edit_takeover_s=min(usual.edit_takeover_s, takeover_s),
        answers_for=usual.answers_for * rate,
        recent=usual.recent * rate,
    )
    people = app.people.source("slack")
    door = SlackDoor(
        app.front,
        app.messages,
        app.clock,
        bot_token=token.get_secret_value(),
        signing_secret=secret.get_secret_value() if secret else "",
        api_url=told.api_url,
        app_token=app_token.get_secret_value() if app_token else "",
        team_id=told.team_id,
        host=told.host,
        people=people if isinstance(people, SlackPeople) else None,
        pace=pace,
        share=lambda: told.rate_factor / max(1, len(app.leases.alive())),
    )
    return (door,)


if __name__ == "__main__":
    sys.exit(main())
