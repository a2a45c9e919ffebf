"""docs/sandbox-fidelity.md: every behaviour says where it is known from, how sure we are, and which test holds it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SURE = ("document", "log", "inferred", "guess", "by construction", "ours")


def rows() -> list[list[str]]:
    """The cells of every table of the cloud's part, and of the page's."""
    text = (ROOT / "docs/sandbox-fidelity.md").read_text().partition("\n## Slack")[0]
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith(("|-", "| behaviour"))]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@cache
def known() -> set[str]:
    """The names of all tests of the sandbox."""
    return {
        node.name
        for pattern in ("test_*.py", "page/test_*.py")
        for path in Path(__file__).parent.glob(pattern)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_there_is_a_table() -> None:
    assert len(rows()) > 60


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:60])
def test_a_behaviour_is_sourced_rated_and_tested(row: list[str]) -> None:
    assert len(row) == 4, "behaviour | source | how sure | test"
    behaviour, source, sure, named = row
    assert behaviour and source
    assert sure.startswith(SURE)
    held = re.findall(r"`(\w+)`", named)
    assert held
    assert set(held) <= known()
