"""The pages for people tell the truth: their commands are understood, their links lead somewhere."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import operations
from bot.core import folder
from bot.core.clocktime import Standpoint
from bot.core.commands import claimed
from bot.core.parser import build, parse, split
from bot.core.reference import resolve
from bot.core.request import Subject, Target
from bot.settings import HERE
from bot.stores.catalog_files import load_catalog

PAGES = [*HERE.glob("*.md"), *HERE.glob("docs/*.md"), *HERE.glob("policies/*.md")]
WORDS = claimed({one.command(): one for one in folder.every(operations).values()})
TYPED = re.compile(r"^    /aisq (?P<typed>.+?)(?:\s+#.*)?$", re.MULTILINE)
LINK = re.compile(r"\]\((?P<to>[^)#\s]+)[^)]*\)")
HERE_AND_NOW = Standpoint("Europe/Berlin", datetime(2026, 11, 20, 20, tzinfo=UTC))
CATALOG = load_catalog(HERE / "catalog")
COMMANDS = [
    pytest.param(found["typed"], id=f"{page.name}: {found['typed']}")
    for page in PAGES
    for found in TYPED.finditer(page.read_text(encoding="utf-8"))
]
LINKS = [
    pytest.param(page, found["to"], id=f"{page.name}: {found['to']}")
    for page in PAGES
    for found in LINK.finditer(page.read_text(encoding="utf-8"))
    if "://" not in found["to"]
]


def resolved(text: str, kind: str) -> Target | Subject:
    """What is named, in the channel of ai-square/prod."""
    target = resolve(CATALOG, "backend" if kind == "operation" else text, "service" if kind == "operation" else kind,
                     ("ai-square", "prod"))  # fmt: skip
    return Subject(id=text, operation="deploy", requester="os:ana", target=target) if kind == "operation" else target


@pytest.mark.parametrize("typed", COMMANDS)
def test_a_command_is_understood(typed: str) -> None:
    operation, said = split(typed, WORDS)
    assert isinstance(build(operation, parse(operation, said), resolved, HERE_AND_NOW), operation)


@pytest.mark.parametrize(("page", "to"), LINKS)
def test_a_link_leads_somewhere(page: Path, to: str) -> None:
    assert (page.parent / to).exists()


def test_there_is_something_to_look_at() -> None:
    assert len(COMMANDS) > 25
    assert len(LINKS) > 10


def test_every_change_is_explained() -> None:
    """The page of releases names every operation that changes a service."""
    page = (HERE / "docs/releasing.md").read_text(encoding="utf-8")
    for name in ("deploy", "promote", "rollback", "scale", "lock", "unlock", "freeze", "unfreeze", "ops undo"):
        assert f"/aisq {name} " in page, name
