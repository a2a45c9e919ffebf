"""The locks: everything pinned and hashed, nothing about where to fetch it, and all that pyproject.toml asks for."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
RUNTIME, DEV = "requirements.lock", "requirements-dev.lock"


class Pin(NamedTuple):
    """One requirement of a lock."""

    version: str
    hashes: frozenset[str]


PIN = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)(?: ; [^-]+?)?(?P<hashes>(?: +--hash=sha256:[0-9a-f]{64})+)"
)


def pins(text: str) -> dict[str, Pin]:
    """The requirements of a lock by name. Raises ValueError for any line that is not one name, pinned and hashed."""
    found = {}
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        requirement = line.partition(" #")[0].strip()
        if not requirement or requirement.startswith("#"):
            continue
        match = PIN.fullmatch(requirement)
        if match is None:
            raise ValueError(
                f"a lock holds pinned and hashed names and nothing else; this is neither: {requirement[:80]}"
            )
        found[match["name"]] = Pin(match["version"], frozenset(match["hashes"].split()))
    return found


@cache
def lock(name: str) -> dict[str, Pin]:
    return pins((ROOT / name).read_text())


@cache
def project() -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for: "" for the bot itself, an extra's name for an extra, "build" to build it."""
    parsed = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = {"": parsed["project"]["dependencies"], "build": parsed["build-system"]["requires"]}
    asked |= parsed["project"]["optional-dependencies"]
    return {part: [Requirement(line) for line in lines] for part, lines in asked.items()}


def unmet(asked: Iterable[Requirement], locked: dict[str, Pin]) -> list[str]:
    """What is asked for here and now, and is not in the lock, or not in range."""
    return [
        str(requirement)
        for requirement in asked
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if (pin := locked.get(canonicalize_name(requirement.name))) is None
        or not requirement.specifier.contains(pin.version, prereleases=True)
    ]


def wants(name: str) -> list[Requirement]:
    """What a locked package needs in turn, by its own metadata."""
    return [Requirement(line) for line in requires(name) or []]


@pytest.mark.parametrize("name", [RUNTIME, DEV])
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    assert len(lock(name)) > 50
    assert all(pin.hashes for pin in lock(name).values())


@pytest.mark.parametrize("name", [RUNTIME, DEV])
def test_no_lock_says_where_to_fetch(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-", text.replace("    --hash=", ""), re.MULTILINE)
    assert not re.search(r"\w@\w|\bindex\b|find-links|trusted-host|(^|\s)/", text)


@pytest.mark.parametrize(
    "line",
    [
        "click==8.5.1",
        "click>=8 --hash=sha256:" + "a" * 64,
        "click==8.5.1 --hash=sha256:" + "a" * 63,
        "click==8.5.1 --hash=md5:" + "a" * 32,
        "--index-url somewhere",
        "--find-links somewhere",
        "-e .",
        "click @ file:somewhere",
    ],
)
def test_a_line_of_another_kind_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="nothing else"):
        pins(line + "\n")


@pytest.mark.parametrize(
    ("lock_name", "part"),
    [(RUNTIME, ""), (RUNTIME, "build"), (DEV, ""), (DEV, "build"), (DEV, "sandbox"), (DEV, "test")],
)
def test_what_the_project_asks_for_is_locked_within_its_range(lock_name: str, part: str) -> None:
    assert project()[part]
    assert unmet(project()[part], lock(lock_name)) == []


def test_an_unmet_requirement_would_be_noticed() -> None:
    locked = {"click": Pin("8.5.1", frozenset())}
    asked = ["click>=8", "click>=9", "rich", "gone; python_version < '3'", "Click<=8.5.1", "more; extra == 'all'"]
    assert unmet(map(Requirement, asked), locked) == ["click>=9", "rich"]


@pytest.mark.parametrize("name", [RUNTIME, DEV])
def test_what_the_locked_packages_need_is_locked_too(name: str) -> None:
    lacking = {}
    for package in lock(name):
        try:
            lacking[package] = unmet(wants(package), lock(name))
        except PackageNotFoundError:
            pytest.fail(f"{package} is locked but not installed; run `make venv`")
    assert {package: names for package, names in lacking.items() if names} == {}


def test_the_runtime_lock_is_part_of_the_other() -> None:
    assert lock(RUNTIME).items() <= lock(DEV).items()


@pytest.mark.parametrize("part", ["sandbox", "test"])
def test_the_runtime_lock_holds_nothing_that_only_an_extra_asks_for(part: str) -> None:
    needed = {canonicalize_name(r.name) for package in lock(RUNTIME) for r in wants(package)}
    asked = {canonicalize_name(r.name) for r in project()[part]}
    assert (asked & lock(RUNTIME).keys()) - needed == set()


def test_the_header_says_how_to_write_it_anew() -> None:
    for name in (RUNTIME, DEV):
        assert "make lock" in (ROOT / name).read_text()[:300]
