"""What a service wrote, without what nobody should see."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from bot.core.answer import Answer, Table, Text
from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.instants import in_zone
from bot.core.operation import Look, Risk, ServiceRef, param
from bot.core.plan import Moment
from bot.core.ports import LogEntry, LogReads
from bot.core.redact import HIDDEN, redacted
from bot.core.request import Actor
from bot.core.units import duration_text
from bot.core.when import Past

MOST = 100
LONGEST = 500  # characters of an entry that are shown
USUALLY = timedelta(hours=1)


class Logs(Look, risk=Risk.READ, examples=("logs backend --errors", 'logs backend --since 14:05 "connection refused"')):
    """Show what a service wrote, newest first; what looks like a secret is hidden."""

    service: ServiceRef = param("Service whose logs are shown.", positional=True)
    text: tuple[str, ...] = param("Only entries that show these words.", positional=True, default=())
    since: Past | None = param("From when on; default: an hour ago.", default=None)
    until: Past | None = param("Until when; default: now.", default=None)
    errors: bool = param("Only errors, and what is worse.", default=False)
    release: str = param("Only of this release.", default="", completes="releases of service")
    limit: Annotated[int, Field(ge=1, le=MOST)] = param(f"How many entries, at most {MOST}.", default=20)

    def answer(self, logs: LogReads, catalog: Catalog, actor: Actor, moment: Moment) -> Answer:
        until = self.until or moment.now
        since = self.since or until - USUALLY
        if since >= until:
            raise UserError(
                f"--since ({in_zone(since, actor.zone)}) must be before --until ({in_zone(until, actor.zone)})."
            )
        found = logs.logs(
            self.service,
            since=since,
            until=until,
            release=self.release,
            errors_only=self.errors,
            containing=self._wanted,
            limit=MOST if self.text else self.limit,
        )
        entries = tuple(one for one in found if self._wanted.lower() in _line(one).lower())[: self.limit]
        between = f"{in_zone(since, actor.zone)} to {in_zone(until, actor.zone)}"
        notes = self._notes(entries, since, catalog, moment)
        table = Table(
            title=between,
            columns=("at", "level", "release", "text"),
            rows=tuple((one.at, _level(one), one.release, _shown(one)) for one in entries),
            empty="no entry",
        )
        return Answer(title=f"Logs of {self.service}", parts=(table, *(Text(text=note) for note in notes)))

    @property
    def _wanted(self) -> str:
        """Platforms look for it in all of an entry. Here nothing may depend on what is not shown: whoever asks for one
        beginning after the other would learn a secret so."""
        return " ".join(self.text)

    def _notes(self, shown: tuple[LogEntry, ...], since: datetime, catalog: Catalog, moment: Moment) -> Iterator[str]:
        if len(shown) == self.limit:
            yield f"That is the newest {self.limit}; there may be more before: `--limit`, `--until`."
        if any(redacted(one.text) != one.text for one in shown):
            yield f"What looked like a secret is shown as {HIDDEN}."
        kept = catalog.environment(self.service).logs
        if kept and since < moment.now - kept.keep:
            yield f"Logs are kept for {duration_text(kept.keep)}: there is nothing older."


def _level(entry: LogEntry) -> str:
    """Nothing where whoever wrote it did not say."""
    return "" if entry.level == "default" else entry.level


def _line(entry: LogEntry) -> str:
    """All that may be seen of it."""
    return " ".join(redacted(entry.text).split())


def _shown(entry: LogEntry) -> str:
    """No longer than people read."""
    line = _line(entry)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
