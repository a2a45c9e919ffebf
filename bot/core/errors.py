"""Every error that is raised on purpose.

* BotError
  x UserError        the request is wrong; the message says what to write instead
  x Denied           policy said no; the message names the policy, `remedy` the smallest fact that would permit it
  x ConfigError      a file of ours is wrong; `file`, `line` and `field` say where
    + ConfigErrors   several places are wrong; `errors` has one ConfigError each
  x Fenced           another process has taken this operation over; stop at once
  x Busy             more was asked at once than could be begun in time; nothing was begun
  x StoreError       our own database cannot be used
    + Away           not now: it does not answer, is held or is full; worth another try
  x CloudError       the cloud did not do what was asked
    + Transient      not executed; worth another try, no sooner than `retry_after_s`
    + Permanent      not executed; another try cannot help
      - NotFound     what was named does not exist
      - Forbidden    a permission is missing; `permission` names it
    + Refused        not executed; the target is no longer at the version that the call was made for
    + Uncertain      no answer: executed or not, nobody here knows. Look before calling again
"""

from collections.abc import Mapping


class BotError(Exception):
    """Base of all errors raised on purpose; anything else is a bug."""


class UserError(BotError):
    """The request is wrong. `choices` are whole words that would be right, nearest first.

    `fields` says of each parameter that is wrong what to write there, to be shown beside it; empty when none is.
    """

    def __init__(self, message: str, *, choices: tuple[str, ...] = (), fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.choices, self.fields = choices, dict(fields or {})


class Denied(BotError):
    """Policy refused. `policy` is the id of what decided, `remedy` what would permit it; both may be empty."""

    def __init__(self, message: str, *, policy: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.policy, self.remedy = policy, remedy


class ConfigError(BotError):
    """A catalog, policy or settings file is wrong."""

    def __init__(self, problem: str, *, file: str, line: int = 0, field: str = "") -> None:
        where = f"{file}:{line}" if line else file
        super().__init__(f"{where}: {f'{field}: ' if field else ''}{problem}")
        self.file, self.line, self.field, self.problem = file, line, field, problem


class ConfigErrors(ConfigError):
    """Several files of ours, or several places in one, are wrong; `errors` says each, in the order of the files."""

    def __init__(self, errors: tuple[ConfigError, ...]) -> None:
        first = errors[0]
        super().__init__(first.problem, file=first.file, line=first.line, field=first.field)
        self.args = ("\n".join(str(error) for error in errors),)
        self.errors = errors


class Fenced(BotError):
    """This process lost the target's mutex to a newer owner."""


class Busy(BotError):
    """More was asked at once than could be begun in time; nothing was begun."""


class StoreError(BotError):
    """Our own database cannot be used; the message says what to do."""


class Away(StoreError):
    """It cannot be used now; it may be there again in a moment."""


class CloudError(BotError):
    """A provider's call did not succeed."""


class Transient(CloudError):
    """Not executed; worth another try, no sooner than `retry_after_s` seconds from now."""

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Permanent(CloudError):
    """Not executed; another try cannot help."""


class NotFound(Permanent):
    """What was named does not exist there."""


class Forbidden(Permanent):
    """Not executed, because our identity lacks `permission` (empty when the cloud does not say)."""

    def __init__(self, message: str, *, permission: str = "") -> None:
        super().__init__(message)
        self.permission = permission


class Refused(CloudError):
    """Not executed, because the target moved on since its version was read."""


class Uncertain(CloudError):
    """No answer came, so the call may have taken effect."""
