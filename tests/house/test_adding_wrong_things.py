"""A file of one's own that is wrong is refused by its name, in a sentence; a platform that lacks something says so."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.house.recipes import ROOT, Place, recipes

ANA = "U0ANA"
LOOK = '''"""Looks."""

from bot.core.answer import Answer
from bot.core.operation import Look, Risk


class {name}(Look, risk=Risk.READ{more}):
    """Look at something."""

    def answer(self) -> Answer:
        return Answer(title="")
'''
CHANGE = '''"""Writes while it plans."""

from bot.core.operation import Change, Risk, ServiceRef, param
from bot.core.plan import Plan
from bot.core.ports import Compute, ComputeReads, Effect


class ReleaseGrab(Change, risk=Risk.OPERATE):
    """Take all traffic at once."""

    service: ServiceRef = param("Service to take it from.", positional=True)

    def plan(self, compute: {asks}) -> Plan:
        compute.set_traffic(Effect(key="grab", version="1"), self.service, {{"till-2": 100}})
        return Plan(target=self.service, version="1", why="it is done already")
'''
HALF = '''"""Shows services and changes them, but cannot tell how that ended."""

from pathlib import Path

from bot.core.ports import Effect, Release, ServiceState, Traffic
from bot.core.request import Target


class HalfCloud:
    """Offers Compute without Effects."""

    def service(self, target: Target) -> ServiceState:
        return ServiceState(asked={"a": 100}, serving={"a": 100}, version="1", busy=False, latest_ready="b")

    def releases(self, target: Target) -> tuple[Release, ...]:
        return tuple(Release(name=name, created_at="2026-11-01T12:00:00Z", ready=True) for name in ("b", "a"))

    def by_hand_traffic(self, target: Target, traffic: Traffic) -> str:
        return "nothing"

    def set_traffic(self, effect: Effect, /, target: Target, traffic: Traffic) -> str:
        Path("written").touch()
        return "1"
'''
BARE = '''"""Shows services, and nothing else."""

from bot.core.ports import ServiceState
from bot.core.request import Target


class BareCloud:
    """Offers less than any port."""

    def service(self, target: Target) -> ServiceState:
        return ServiceState(asked={"a": 100}, serving={"a": 100}, version="1", busy=False)
'''
LAB = """# yaml-language-server: $schema=schema.json
system: lab
title: The lab
owner: us
default_environment: prod
environments:
  prod:
    stage: prod
    services:
      half: { type: half_cloud, kind: service, cloud: half, place: {} }
      bare: { type: bare_cloud, kind: service, cloud: bare, place: {} }
      none: { type: no_cloud, kind: service, cloud: none, place: {} }
"""


def look(name: str, more: str = "") -> str:
    return LOOK.format(name=name, more=more)


SHIPPED = ROOT / "bot/operations"
WRONG: dict[str, tuple[str, str, str]] = {
    "two files of one name": ("status.py", look("Status"), f"{SHIPPED}/status.py is called so already; choose another"),
    "an alias that is a command": (
        "glance.py",
        look("Glance", ', aliases=("status",)'),
        f"`status` is claimed by {SHIPPED}/status.py too; choose another alias",
    ),
    "an alias that is an alias": (
        "glance.py",
        look("Glance", ', aliases=("ops",)'),
        f"{SHIPPED}/ops_list.py: `ops` is claimed by /",  # of two aliases nobody knows which was first
    ),
    "another class": ("glance.py", look("Look2"), "must define class Glance"),
    "no class at all": ("glance.py", "x = 1\n", "must define class Glance"),
    "a class that is no operation": ("glance.py", "class Glance: ...\n", "Glance must be a Look, Change or Control"),
    "no risk": ("glance.py", look("Glance").replace(", risk=Risk.READ", ""), "class Glance(Change, risk=Risk.OPERATE)"),
    "no verb": (
        "glance.py",
        look("Glance").replace("def answer", "def reply"),
        ":7: cannot be loaded: TypeError: Glance has no",
    ),
    "a slip": ("glance.py", look("Glance").replace("-> Answer:", "-> Answer"), ":10: cannot be loaded: SyntaxError"),
    "an import that is not there": ("glance.py", "\nimport boto9\n", ":2: cannot be loaded: ModuleNotFoundError: No"),
    "a file name that nobody can type": ("glance-at.py", look("GlanceAt"), "the file's name is the entry's"),
    "a word of the terminal": ("serve.py", look("Serve"), "`serve` is a command of the terminal itself"),
    "a word of policies": ("operate.py", look("Operate"), "`operate` is what policies call a risk"),
}


IN_EVERY_RUN = ("two files of one name", "another class", "a slip")  # each of them starts a process


@pytest.mark.parametrize(
    "file, text, says",
    [
        pytest.param(*wrong, id=name, marks=() if name in IN_EVERY_RUN else pytest.mark.slow)
        for name, wrong in WRONG.items()
    ],
)
def test_a_wrong_operation_is_refused(tmp_path: Path, file: str, text: str, says: str) -> None:
    place = Place(tmp_path, {f"operations/{file}": text})
    said = place.aisq("help", COLUMNS="400")
    assert (said.returncode, said.stdout) == (2, "")
    assert f"{tmp_path}/operations/{file}" in said.stderr and said.stderr.count("\n") == 1
    assert says in said.stderr


def test_serve_refuses_it_too(tmp_path: Path) -> None:
    place = Place(tmp_path, {"operations/glance.py": look("Glimpse")})
    assert place.aisq("db", "upgrade").returncode == 0
    said = place.aisq("serve", COLUMNS="400")
    assert (said.returncode, said.stderr) == (2, f"{tmp_path}/operations/glance.py: must define class Glance\n")


@pytest.mark.parametrize("folder", ["operations", "providers"])
def test_a_folder_that_is_not_there_is_said(tmp_path: Path, folder: str) -> None:
    name = f"AISQ_{folder.upper()}_DIR"
    said = Place(tmp_path, {}).aisq("help", **{name: "/nowhere"})
    assert (said.returncode, said.stderr) == (2, f"environment: {name}: Path does not point to a directory\n")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The files of the page, and wrong ones that can be loaded."""
    place = Place(
        tmp_path_factory.mktemp("lab"),
        {
            **recipes(),
            "operations/release_grab.py": CHANGE.format(asks="ComputeReads"),
            "operations/release_seize.py": CHANGE.format(asks="Compute").replace("ReleaseGrab", "ReleaseSeize"),
            "providers/half_cloud.py": HALF,
            "providers/bare_cloud.py": BARE,
            "catalog/lab.yaml": LAB,
            "policies/40-lab.cedar": recipes()["policies/30-shop.cedar"].replace("shop", "lab"),
        },
    )
    assert place.aisq("db", "upgrade").returncode == 0
    return place


def ended(place: Place, typed: str) -> dict[str, Any]:
    """The outcome of a change; nothing may come out beside it but sentences."""
    said = place.aisq(*typed.split(), "--as", ANA, "--json", "--no-wait")
    assert "Traceback" not in said.stderr
    assert said.returncode == 5
    return dict(json.loads(said.stdout))


@pytest.mark.parametrize(
    "typed, bug",
    [
        ("release grab till", "AttributeError: set_traffic is not in ComputeReads"),
        ("release seize till", "TypeError: an operation may look at the world, not change it: ask for ComputeReads"),
    ],
)
def test_a_plan_that_writes_fails_and_writes_nothing(lab: Place, typed: str, bug: str) -> None:
    record = ended(lab, typed)
    kind = bug.partition(":")[0]
    assert (record["state"], record["detail"]) == ("failed", f"nothing done: a bug in aisq ({kind})")
    assert [line["traffic"] for line in lab.lines()] == [{"till-1": 100}]
    assert bug in (lab.folder / "state/aisq.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "typed, lacks",
    [
        ("release try half", "half_cloud, for which aisq does not offer following changes (find)"),
        ("release try bare", "bare_cloud, for which aisq does not offer reading services (releases)"),
        ("rollback none", "no_cloud, for which aisq does not offer reading services (service)"),
    ],
)
def test_what_a_platform_lacks_is_said_before_anything_is_written(lab: Place, typed: str, lacks: str) -> None:
    record = ended(lab, typed)
    target = f"lab/prod/{typed.rpartition(' ')[2]}"
    assert (record["state"], record["detail"]) == ("failed", f"nothing done: {target} is of type {lacks}")
    assert not (lab.folder / "written").exists()


def test_what_a_platform_lacks_hides_nothing_else(lab: Place) -> None:
    said = lab.aisq("status", "bare", "--as", ANA, COLUMNS="400")
    assert "Serving: a 100 %." in said.stdout
    assert "for which aisq does not offer reading metrics (lag_s)" in said.stdout
