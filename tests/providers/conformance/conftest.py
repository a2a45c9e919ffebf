"""A service of each platform for each case."""

import pytest

from tests.providers.conformance.platform import PLATFORMS, Row


@pytest.fixture(params=PLATFORMS)
def row(request: pytest.FixtureRequest) -> Row:
    platform = PLATFORMS[request.param]
    return platform.row(request.getfixturevalue(platform.fixture))
