"""Commands run in this process as if it were theirs."""

from collections.abc import Iterator

import pytest

from tests.root_logger import kept


@pytest.fixture(autouse=True)
def the_root_logger() -> Iterator[None]:
    with kept():
        yield
