"""A service of each platform for each case, and what came of them as a table when the suite runs alone."""

from collections.abc import Iterator

import pytest

from tests.providers.conformance.platform import PLATFORMS, Row
from tests.providers.conformance.table import CELL, Played, table


@pytest.fixture(params=PLATFORMS)
def row(request: pytest.FixtureRequest) -> Row:
    platform, params = PLATFORMS[request.param], request.node.callspec.params
    request.node.user_properties.append((CELL, (request.param, params["case"]["case"], "moment" in params)))
    return platform.row(request.getfixturevalue(platform.fixture))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """In a folder of its own pytest asks only when that folder is named."""
    if played := list(_played(terminalreporter)):
        terminalreporter.section("conformance")
        for line in table(played):
            terminalreporter.write_line(line)


def _played(terminalreporter: pytest.TerminalReporter) -> Iterator[Played]:
    reports = [one for outcome in ("passed", "failed", "error") for one in terminalreporter.stats.get(outcome, [])]
    for report in reports:
        for platform, case, crashed in (value for name, value in report.user_properties if name == CELL):
            yield Played(platform, case, report.passed, crashed)
