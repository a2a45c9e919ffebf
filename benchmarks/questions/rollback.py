"""How much longer does an approved rollback take than a script on the bare SDK, and does it change anything more?"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from benchmarks import bare_rollback
from benchmarks.measure import Row, alone, alternating, beside, same
from benchmarks.town import ANA, BEN, CHANNEL, GOOD, SERVICE, serving, town, until
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.transcript import buttons

RATE = 2.0  # the sandbox reconciles for 4 s of its time: 2 real seconds
NAME = "projects/{}/locations/{}/services/{}".format(*SERVICE.split("/"))
SCRIPT = "a script on the SDK: get, update, wait"


class Measured(NamedTuple):
    """From the click, or from the script's first call, to the cloud showing 100 %, then to its being done with that.

    `mutations` are what the cloud's log has of it.
    """

    moved_ms: float
    settled_ms: float
    mutations: int


def rows(rounds: int = 5) -> list[Row]:
    with town(RATE) as here, serving(here):
        services = bare_rollback.client(here.town.grpc)
        ours, floor = alternating(rounds, partial(_ours, here), partial(_script, here, services))
    added = [one.moved_ms - other.moved_ms for one, other in zip(ours, floor, strict=True)]
    moved, settled, mutations = (_both(name, ours, floor) for name in Measured._fields)
    return [
        beside("approval to 100 % of traffic", "ms", *moved, SCRIPT, at_most=1.3),
        beside("approval to the end of the reconciling", "ms", *settled, SCRIPT),
        alone("added to the script", "ms", added),
        same("mutations in the cloud's log", "calls", *mutations, SCRIPT),
    ]


def _both(name: str, ours: list[Measured], floor: list[Measured]) -> tuple[list[float], list[float]]:
    """One figure of each round."""
    return [getattr(one, name) for one in ours], [getattr(one, name) for one in floor]


def _ours(here: Rehearsal) -> Measured:
    _deploy_wrong(here)
    newest = here.people.messages(CHANNEL)
    said = here.people.slash(ANA, CHANNEL, f'rollback backend --to {GOOD} --reason "measured"')
    assert said.get("ok"), f"Slack could not deliver the command: {said}"
    ts, approve = _card(here, after=newest[-1]["ts"] if newest else "")
    found = _until_there(here, lambda: here.people.click(BEN, CHANNEL, ts, approve))
    until(lambda: not buttons(_message(here, ts)) and "Done" in _message(here, ts)["text"], "it was never done")
    return found


def _script(here: Rehearsal, services: Any) -> Measured:
    _deploy_wrong(here)
    return _until_there(here, lambda: bare_rollback.roll_back(services, NAME, GOOD))


def _until_there(here: Rehearsal, act: Callable[[], object]) -> Measured:
    """Act, and watch the cloud meanwhile."""
    since = len(here.cloud.calls())
    with ThreadPoolExecutor(1) as pool:
        began = time.perf_counter()
        acting = pool.submit(act)
        until(lambda: _served(here) == {GOOD: 100}, "traffic never moved")
        moved_ms = (time.perf_counter() - began) * 1000
        until(lambda: not here.cloud.service(SERVICE)["reconciling"], "it was never done")
        settled_ms = (time.perf_counter() - began) * 1000
        acting.result()
    made = [call for call in here.cloud.calls(since=since) if call["committed"] and call["api"] != "console"]
    return Measured(moved_ms, settled_ms, len(made))


def _deploy_wrong(here: Rehearsal) -> None:
    """Somebody gives all traffic to another release, in the console."""
    others = [one["name"] for one in here.cloud.service(SERVICE)["releases"] if one["name"] != GOOD]
    here.cloud.traffic(SERVICE, {others[-1]: 100})
    until(lambda: not here.cloud.service(SERVICE)["reconciling"] and GOOD not in _served(here), "it did not settle")


def _card(here: Rehearsal, after: str) -> tuple[str, str]:
    """The message that can be approved, and its button."""

    def approvable() -> tuple[str, str] | None:
        cards = [(card["ts"], name) for card in here.people.messages(CHANNEL, after=after) for name in buttons(card)]
        return next((card for card in cards if "approve" in card[1]), None)

    until(lambda: approvable() is not None, "no plan to approve appeared")
    found = approvable()
    assert found, "a card stays where it is"
    return found


def _message(here: Rehearsal, ts: str) -> dict[str, Any]:
    return next(message for message in here.people.messages(CHANNEL) if message["ts"] == ts)


def _served(here: Rehearsal) -> dict[str, int]:
    return {name: share for name, share in here.cloud.service(SERVICE)["traffic"].items() if share}
