"""How fast things go out to Slack."""

from datetime import timedelta

from pydantic import BaseModel


class Pace(BaseModel, frozen=True):
    """In real seconds; only `answers_for` and `recent` are in the time that people see."""

    poll_s: float = 0.5
    edit_every_s: float = 3.0  # of one message; what comes faster is left out
    patience_s: float = 2.0  # until a plan that takes long gets a message that says so
    takeover_s: float = 30.0  # until a post that another process began counts as lost
    edit_takeover_s: float = 12.0  # of an edit, and until somebody looks for the post; a call takes less
    everything_every_s: float = 30.0  # between two looks at all that is remembered; the others are at what is recent
    answers_for: timedelta = timedelta(minutes=5)  # nobody waits longer for the answer to a look
    recent: timedelta = timedelta(minutes=10)
