"""`aisq` and `python -m bot`: puts together what a command needs, and hands over to the terminal's door."""

import importlib
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from bot import operations, settings
from bot.core import folder
from bot.core.errors import BotError, ConfigError, UserError
from bot.core.operation import Operation
from bot.core.rules import Act, PolicyFiles, Traits, acts
from bot.doors.cli import exits
from bot.doors.cli.door import Work, Workers
from bot.doors.cli.people import Accounts, Players
from bot.doors.cli.screen import Screen
from bot.doors.cli.terminal import Bot, Terminal
from bot.engine import logs
from bot.engine.clock import SystemClock
from bot.engine.people import Source
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.app import App
    from bot.doors.http import Inbound

LOG_FILE = "aisq.log"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character shows something else
    if words[:1] == ["sandbox"]:
        return _sandbox(words[1:])
    return Terminal(Composed(), Screen()).run(words)


def _sandbox(words: list[str]) -> int:
    try:
        return int(importlib.import_module("bot.sandbox").main(words))
    except ModuleNotFoundError as missing:
        sys.stderr.write(f"The sandbox is not installed ({missing.name} is missing): pip install 'aisq[sandbox]'\n")
        return exits.WRONG


class Composed:
    """Everything that commands need, made when first needed: most commands need little."""

    @cached_property
    def settings(self) -> Settings:
        return settings.load()

    @property
    def log_file(self) -> str:
        return str(self.settings.state_dir.resolve() / LOG_FILE)

    def commands(self) -> Mapping[str, type[Operation]]:
        found = folder.every(operations, self.settings.operations_dir).values()
        return {name: one for one in found for name in (one.command(), *one.aliases)}

    def actor(self, as_: str) -> str:
        if not as_:
            return f"os:{settings.os_user()}"
        if not self.settings.sandbox:
            raise UserError("`--as` is for the sandbox; here you are who you are logged in as.")
        return f"slack:{as_}"

    def bot(self) -> Bot:
        redact = logs.Redactor(self.settings.secrets())
        logs.to_file(self.settings.state_dir / LOG_FILE, self.settings.log_level, redact)
        return OneBot(composed(self.settings))

    def upgrade(self) -> str:
        from bot.stores import database

        return database.upgrade(self.settings.database)

    def serve(self) -> int:
        from bot.doors import http

        logs.to_stderr(self.settings.log_level, logs.Redactor(self.settings.secrets()))
        app = composed(self.settings)

        def look() -> str:
            app.check()
            return app.audit.head()

        life = http.Life(app.executor, self.settings.lease_s, app.worker(), look, slack(app))
        try:
            return http.serve(life, self.settings.host, self.settings.port)
        finally:
            app.front.stop()

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
        raise UserError("later")

    def _policy(self) -> tuple[PolicyFiles, Mapping[str, Act], Mapping[str, Traits]]:
        from bot.app import registry, traits
        from bot.stores.catalog_files import load_catalog
        from bot.stores.policy_files import policy_files

        files, catalog = policy_files(self.settings.policies_dir), load_catalog(self.settings.catalog_dir)
        return files, acts(registry(self.settings).operations), traits(catalog)


class OneBot:
    """The bot of one command, which may be its own worker."""

    def __init__(self, app: "App") -> None:
        self._app, self.front = app, app.front

    @property
    def workers(self) -> Workers:
        return self

    def alive(self) -> bool:
        return bool(self._app.leases.alive())

    def here(self) -> Work:
        return self._app.worker()

    def close(self) -> None:
        self._app.front.stop()


def composed(settings: Settings) -> "App":
    """The bot, and who knows people. Raises ConfigError and StoreError."""
    from bot.app import App

    return App(settings, sources(settings))


def sources(configured: Settings) -> dict[str, Source]:
    """Who knows people, by door."""
    known: dict[str, Source] = {"os": Accounts(settings.os_user(), settings.zone())}
    token, slack = configured.slack.bot_token, configured.slack
    if token is not None:
        from bot.doors.slack import SlackPeople
        from bot.stores.policy_files import policy_files

        roles = policy_files(configured.policies_dir).roles.roles.values()
        groups = {group for role in roles for group in role.slack_groups}
        real = SystemClock().monotonic
        known["slack"] = SlackPeople(token.get_secret_value(), slack.api_url, slack.team_id, groups, real)
    elif configured.sandbox:
        known["slack"] = Players()
    return known


def slack(app: "App") -> "tuple[Inbound, ...]":
    """Slack's door, when both of its secrets are there. Raises ConfigError when only one is."""
    chosen = app.settings.slack
    token, secret = chosen.bot_token, chosen.signing_secret
    if token is None and secret is None:
        return ()
    if token is None or secret is None:
        missing = "BOT_TOKEN" if token is None else "SIGNING_SECRET"
        raise ConfigError("Slack needs it too", file="environment", field=f"AISQ_SLACK__{missing}")
    from bot.doors.slack import SlackDoor

    return (
        SlackDoor(
            app.front,
            app.messages,
            app.clock,
            bot_token=token.get_secret_value(),
            signing_secret=secret.get_secret_value(),
            api_url=chosen.api_url,
            team_id=chosen.team_id,
            rate=app.settings.clock.rate,
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
