"""Slack's numbers: message sizes, lifetimes, and how many calls of which method fit into a minute.

Sources: docs.slack.dev for the sizes, Slack's java-slack-sdk (MethodsRateLimits.java) for the tiers. Where Slack
publishes no figure the comment says so; docs/sandbox-fidelity.md says how sure each is.
"""

from dataclasses import dataclass
from enum import Enum

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_TEXT = 40_000
MARKDOWN_TOTAL = 12_000
# Undocumented; refusals were seen between 11,300 and 13,300 characters (slackapi/bolt-js issue 2509).
MESSAGE_BLOCKS_TEXT = 12_000
METADATA_BYTES = 8_000  # no published figure; Slack answers metadata_too_large
ATTACHMENTS = 100
EDIT_TEXT = 4_000  # chat.update: "The `text` field cannot exceed 4,000 characters."
VIEW_BYTES = 250_000
PRIVATE_METADATA = 3_000
MODAL_TITLE = 24
MODAL_STACK = 3
CONNECTIONS = 10  # of Socket Mode, by one app
TABLES = 1
CHARTS = 2
UPLOAD_BYTES = 1_000_000_000
ALT_TEXT = 1_000

TRIGGER_LIFE_S = 3.0
ACK_DEADLINE_S = 3.0
HOOK_LIFE_S = 1_800.0
HOOK_USES = 5
REACTIONS_BY_ONE = 23

HISTORY_DEFAULT, HISTORY_MAX = 100, 999
LIST_DEFAULT, LIST_MAX = 100, 1_000


class Tier(Enum):
    """Calls a minute for each method; chat.postMessage has budgets of its own."""

    T1 = 1
    T2 = 20
    T3 = 50
    T4 = 100
    SPECIAL = 600


@dataclass(frozen=True)
class Burst:
    """A token bucket: `per_s` calls a second on average, at most `size` at once."""

    per_s: float
    size: int


# "1 message per second per channel, short bursts allowed"; the length of a burst is not published.
POST_PER_CHANNEL = Burst(per_s=1.0, size=5)
# "several hundred messages a minute per workspace"; 300 is our reading.
POSTS_PER_MINUTE = 300
