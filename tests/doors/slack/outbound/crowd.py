"""Many rollbacks in one channel, in the tests' own time, and what Slack's side says of how they were shown."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bot.core.ports import Effect
from bot.core.system import EffectRecord
from bot.doors.slack.outbound.gateway import Gateway
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.state import Message
from tests.doors.slack.harness import BACKEND, CHANNEL, StillTime, Teller, plan

TICK_S = 1.0
MOVE = plan().steps[0]


@dataclass
class Crowd:
    """Rollbacks that are told by hand, each of a service of its own; `gateways` are the replicas."""

    tell: Teller
    time: StillTime
    slack: FakeSlack
    gateways: Sequence[Gateway]
    tokens: dict[str, int] = field(default_factory=dict)
    ended_at: dict[str, float] = field(default_factory=dict)

    async def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds / TICK_S)):
            await asyncio.gather(*(gateway.round() for gateway in self.gateways))
            self.time.advance(TICK_S)

    # --- what happens to them

    def asked(self, count: int) -> list[str]:
        """They wait for approval."""
        services = (BACKEND.model_copy(update={"name": f"s{number}"}) for number in range(count))
        ids = [self.tell.asked(target=service) for service in services]
        for id in ids:
            self.tell.planned(id)
        return ids

    def begin(self, ids: Sequence[str]) -> None:
        for id in ids:
            self.tell.approve(id)
            token = self.tell.ledger.claim(id, "this process")
            assert isinstance(token, int)
            self.tokens[id] = token
            self.tell.ledger.begin(id, token, "in progress")

    def write(self, ids: Sequence[str], number: int) -> None:
        """One more write each, which succeeds."""
        for id in ids:
            effect = Effect(key=f"{id}/{number}/do", version=str(number))
            self.tell.ledger.intend(id, self.tokens[id], effect, MOVE)
            done = EffectRecord(effect=effect, call=MOVE, ending="succeeded", version=str(number + 1))
            self.tell.ledger.settle(id, self.tokens[id], done)

    def end(self, ids: Sequence[str]) -> None:
        for id in ids:
            self.tell.ledger.finish(id, self.tokens[id], "applied", plan().summary, judge=True)
            self.ended_at[id] = self.time()

    def judge(self, ids: Sequence[str]) -> None:
        for id in ids:
            self.tell.ledger.judged(id, "holds", f"Errors of {id} fell.")

    # --- what Slack's side says

    @property
    def messages(self) -> dict[str, Message]:
        """By operation; more than one fails."""
        return self._of("")

    @property
    def details(self) -> dict[str, Message]:
        return self._of("details")

    def _of(self, kind: str) -> dict[str, Message]:
        found: dict[str, Message] = {}
        for message in self.slack.workspace.in_channel(CHANNEL):
            about = message.metadata["event_payload"]
            if about.get("kind", "") == kind:
                assert about["operation"] not in found, "one copy"
                found[about["operation"]] = message
        return found

    def waited_s(self) -> dict[str, float]:
        """From each outcome until it was shown."""
        return {id: self._shown_at(self.messages[id]) - at for id, at in self.ended_at.items()}

    def _shown_at(self, message: Message) -> float:
        """When the message first said that it is done."""
        texts = [*(edit.text for edit in message.edits), message.text]
        return next(edit.at for edit, after in zip(message.edits, texts[1:], strict=True) if after.startswith("✅"))

    def refused(self) -> int:
        return sum(call.status == 429 for call in self.slack.workspace.calls)

    def most_in_a_minute(self, method: str) -> int:
        made = [call.at for call in self.slack.workspace.calls if call.method == method]
        return max((sum(start <= at < start + 60 for at in made) for start in made), default=0)

    def pauses_s(self) -> Iterator[float]:
        """Between two edits of one message."""
        for message in self.slack.workspace.in_channel(CHANNEL):
            yield from (after.at - before.at for before, after in pairwise(message.edits))
