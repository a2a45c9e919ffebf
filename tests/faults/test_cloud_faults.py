"""Whatever goes wrong in the cloud: a stated outcome, nothing done twice, and the message in Slack says it.

Everything is real: the bot's process, Google's clients, durable work, signed requests; only the cloud is small.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.sandbox.crash_town import GOOD, SERVICE, Town
from bot.sandbox.incident import Json
from bot.sandbox.transcript import lines
from tests.faults.scene import Scene

ROWS = YAML(typ="safe").load(Path(__file__).with_name("cloud_faults.yaml"))
FIELDS = {
    "name", "slow", "faults", "known", "ask", "before", "console", "meanwhile",
    "state", "judged", "fates", "apart_s", "serves", "planned", "told",
}  # fmt: skip
CASES = [pytest.param(row, id=row["name"], marks=pytest.mark.slow if row.get("slow") else ()) for row in ROWS]


def test_the_table_says_what_it_means() -> None:
    assert all(row.keys() <= FIELDS for row in ROWS)
    assert len({row["name"] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", CASES)
def test_a_fault_of_the_cloud(scene: Scene, row: Json) -> None:
    if "known" in row:
        inject(scene, row, "begun")
        scene.good_release_is_known(row["known"])
        scene.begin()
    else:
        scene.begin(lambda: inject(scene, row, "begun"))
    act(scene, row.get("before", {}))
    inject(scene, row, "asked")
    card = scene.plan(named(scene, row.get("ask", "rollback backend")))
    planned = "\n".join(lines(card)) if card else ""
    assert [part for part in row.get("planned", ()) if part not in planned] == []
    if card:
        act(scene, row.get("console", {}))
        inject(scene, row, "approved")
        assert scene.approve(card)
    if meanwhile := row.get("meanwhile"):
        scene.until(lambda: meanwhile["once"] in [call["fate"] for call in scene.updates()])
        act(scene, meanwhile)
    ended(scene, row)


def ended(scene: Scene, row: Json) -> None:
    """All that the row says of the end."""
    outcome = scene.outcome()
    missing = [part for part in row["told"] if named(scene, part) not in outcome.told]
    assert (outcome.state, missing) == (row["state"], []), outcome.told
    assert outcome.judged == row.get("judged", "")
    assert outcome.serves == split(scene, row["serves"])
    if row["fates"] != "any":
        assert outcome.fates == row["fates"]
    if apart_s := row.get("apart_s"):
        first, second = (datetime.fromisoformat(call["at"]) for call in scene.updates())
        assert (second - first).total_seconds() >= apart_s


def inject(scene: Scene, row: Json, at: str) -> None:
    for fault in row.get("faults", ()):
        if fault.get("at", "asked") == at:
            scene.cloud.fault(**{"service": "*", **{name: value for name, value in fault.items() if name != "at"}})


def act(scene: Scene, what: Mapping[str, Any]) -> None:
    """What somebody does in a console."""
    if traffic := what.get("traffic"):
        scene.cloud.traffic(SERVICE, {release(scene, name): share for name, share in traffic.items()})
    if gone := what.get("delete"):
        scene.cloud.delete_release(SERVICE, release(scene, gone))
    if gone := what.get("delete_image"):
        releases = scene.cloud.service(SERVICE)["releases"]
        scene.cloud.delete_image(next(one["image"] for one in releases if one["name"] == release(scene, gone)))


def split(scene: Scene, said: str | dict[str, int]) -> dict[str, int]:
    shares = said if isinstance(said, dict) else {said: 100}
    return {release(scene, name): share for name, share in shares.items()}


def release(scene: Scene, name: str) -> str:
    return {"good": GOOD, "bad": scene.bad, "spare": scene.spare}[name]


def named(scene: Scene, text: str) -> str:
    return text.replace("{spare}", scene.spare).replace("{bad}", scene.bad)


# --- what no table can say


@pytest.mark.parametrize(
    "held_s",
    [
        pytest.param(1.0, id="before the next one looks", marks=pytest.mark.slow),
        pytest.param(9.0, id="after the next one has called"),
    ],
)
def test_killed_while_the_call_is_held_in_the_network(town: Town, scene: Scene, held_s: float) -> None:
    """The call of the dead arrives when nobody waits for it: it is adopted, or refused by its etag."""
    scene.begin()
    scene.cloud.fault("hold", method="UpdateService", seconds=held_s)
    assert scene.approve(scene.plan("rollback backend") or {})
    scene.until(scene.updates)
    town.bot.kill()
    town.bot.start()
    outcome = scene.outcome()
    scene.until(lambda: all(call["fate"] != "arrived" for call in scene.updates()))
    assert (outcome.state, outcome.judged, outcome.serves) == ("applied", "holds", {GOOD: 100})
    assert sum(call["committed"] for call in scene.updates()) == 1
    assert {call["code"] for call in scene.updates() if not call["committed"]} <= {"ABORTED"}


def test_killed_and_the_cloud_is_away_when_the_next_one_looks(town: Town, scene: Scene) -> None:
    scene.begin()
    scene.cloud.fault("kill", method="UpdateService", when="after_commit", pid=town.bot.pid)
    assert scene.approve(scene.plan("rollback backend") or {})
    scene.until(lambda: not town.bot.is_running())
    scene.cloud.fault("error", method="ListOperations", code="UNAVAILABLE", times=2)
    scene.cloud.fault("error", method="GetService", code="UNAVAILABLE", times=2)
    town.bot.start()
    outcome = scene.outcome()
    assert (outcome.state, outcome.judged, outcome.serves) == ("applied", "holds", {GOOD: 100})
    assert outcome.fates == ["killed after commit"]
