"""Where several services go together, where a name alone does not say it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.estate import System
from bot.core.going_back import Seen, together
from bot.core.reach import wide

RUN = {"type": "cloud_run", "instances": {"min": 0, "max": 3}}
SHOP = {
    "system": "shop", "title": "Shop", "owner": "us",
    "environments": {name: {"stage": "dev", "services": {"web": RUN}} for name in ("one", "two")},
}  # fmt: skip
CATALOG = Catalog(systems={"shop": System.model_validate(SHOP)})


def test_a_system_without_a_usual_environment_is_asked_about() -> None:
    nobody: Any = None
    seen = Seen(nobody, nobody, nobody, nobody, nobody, nobody, CATALOG, datetime(2026, 11, 20, tzinfo=UTC))
    with pytest.raises(UserError, match="shop has several environments: write shop/ENVIRONMENT"):
        together(next(wide(CATALOG)), seen.at, "", seen, {})
