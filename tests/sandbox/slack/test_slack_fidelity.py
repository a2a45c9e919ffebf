"""docs/sandbox-fidelity.md, the part on Slack: every row has a source, says how sure we are, and names its tests."""

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SURE = ("document", "code", "log", "inferred", "guess", "by construction", "ours")


def rows() -> list[list[str]]:
    """The cells of the tables; a `\\|` inside a cell separates nothing."""
    text = (ROOT / "docs/sandbox-fidelity.md").read_text(encoding="utf-8").partition("\n## Slack\n")[2]
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith(("|-", "| behaviour"))]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@functools.cache
def known() -> set[str]:
    """The names of all tests in this folder, those in classes included."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in Path(__file__).parent.glob("test_*.py")]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, functions)}


def test_there_are_tables() -> None:
    assert len(rows()) > 50


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:60])
def test_a_row_is_sourced_rated_and_tested(row: list[str]) -> None:
    assert len(row) == 4, "behaviour | source | how sure | test"
    behaviour, source, sure, tests = row
    assert behaviour and source and sure.startswith(SURE)
    named = re.findall(r"`(\w+)`", tests)
    assert named and set(named) <= known()
