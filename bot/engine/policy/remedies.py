"""What would turn a no into a yes: changes of facts, tried in every small combination, of which the smallest remain."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from bot.core.facts import Facts, PersonId
from bot.core.request import Actor

MOST_CHANGES = 3  # in one remedy
MOST_SHOWN = 5
SOMEBODY_ELSE = PersonId("somebody else")


class Change(NamedTuple):
    """One thing that could be different. Of one `subject` only one change is made at a time.

    `takes` are the units of effort: two approvals take what one takes, and one more. `ease`: less is easier.
    """

    words: str
    subject: str
    takes: frozenset[str]
    ease: int
    facts: dict[str, Any]
    role: str = ""


class Remedy(NamedTuple):
    """Changes that together would permit."""

    changes: tuple[Change, ...]

    @property
    def sentence(self) -> str:
        """What is missing, such as "needs role sre-oncall and 1 approval"."""
        who_first = sorted(self.changes, key=lambda change: not change.role)
        return "needs " + " and ".join(change.words for change in who_first)

    @property
    def ease(self) -> tuple[int, int]:
        return len(self.changes), sum(change.ease for change in self.changes)

    @property
    def takes(self) -> frozenset[str]:
        return frozenset().union(*(change.takes for change in self.changes))

    def applied(self, facts: Facts) -> Facts:
        """The facts as they would be."""
        return facts.model_copy(update={name: value for change in self.changes for name, value in change.facts.items()})


def candidates(actor: Actor, facts: Facts, roles: Iterable[str]) -> dict[str, list[Remedy]]:
    """Every combination worth trying, by the role that it adds ("": none)."""
    changes = [*_approvals(facts), *_facts(actor, facts), *(_role(role) for role in roles if role not in actor.roles)]
    found: dict[str, list[Remedy]] = {}
    for count in range(1, MOST_CHANGES + 1):
        for some in combinations(changes, count):
            if len({change.subject for change in some}) == count:
                role = "".join(change.role for change in some)
                found.setdefault(role, []).append(Remedy(some))
    return found


def smallest(permitted: Sequence[Remedy]) -> tuple[Remedy, ...]:
    """Those of which no part would do, easiest first."""
    minimal = [one for one in permitted if not any(other.takes < one.takes for other in permitted)]
    return tuple(sorted(minimal, key=lambda one: one.ease)[:MOST_SHOWN])


def _approvals(facts: Facts) -> Iterator[Change]:
    have = facts.approvals or 0
    for count in range(have + 1, 4):
        words = f"{count} approval{'s' if count > 1 else ''}"
        takes = frozenset(f"approval {n}" for n in range(have + 1, count + 1))
        yield Change(words, "approvals", takes, count, {"approvals": count})


def _facts(actor: Actor, facts: Facts) -> Iterator[Change]:
    if not facts.break_glass:
        yield _change("break-glass with a reason", 4, break_glass=True)
    if facts.verdict != "GO":
        yield _change("a verdict of GO", 5, verdict="GO")
    if facts.pinned is not False:
        yield _change("the traffic to be unpinned", 6, pinned=False)
    if facts.frozen is not False:
        yield _change("the change freeze to be over", 7, frozen=False)
    if facts.locked is not False:
        yield _change("the target to be unlocked", 7, locked=False)
    if facts.requester == actor.id:
        yield _change("somebody other than the requester", 8, requester=SOMEBODY_ELSE)


def _change(words: str, ease: int, **facts: Any) -> Change:
    return Change(words, words, frozenset({words}), ease, facts)


def _role(role: str) -> Change:
    return Change(f"role {role}", "role", frozenset({f"role {role}"}), 9, {}, role)
