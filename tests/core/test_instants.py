"""How our sentences write an instant."""

from datetime import UTC, datetime

import pytest

from bot.core.instants import in_utc, in_zone

AT = datetime(2026, 11, 20, 7, 41, tzinfo=UTC)
LATE, EARLY = datetime(2026, 11, 20, 23, 30, tzinfo=UTC), datetime(2026, 11, 20, 0, 30, tzinfo=UTC)


def test_in_utc() -> None:
    assert in_utc(AT) == "2026-11-20 07:41 UTC"


@pytest.mark.parametrize(
    "at, zone, said",
    [
        (AT, "Europe/Berlin", "2026-11-20 08:41 Europe/Berlin (07:41 UTC)"),
        (AT, "UTC", "2026-11-20 07:41 UTC"),
        (AT, "no/such/zone", "2026-11-20 07:41 UTC"),
        (AT, "", "2026-11-20 07:41 UTC"),
        (AT, "America", "2026-11-20 07:41 UTC"),  # a folder of the database
        (LATE, "Asia/Tokyo", "2026-11-21 08:30 Asia/Tokyo (23:30 UTC, the day before)"),
        (EARLY, "America/New_York", "2026-11-19 19:30 America/New_York (00:30 UTC, the day after)"),
        (AT.replace(second=5), "Europe/Berlin", "2026-11-20 08:41:05 Europe/Berlin (07:41:05 UTC)"),
        (AT.replace(second=5), "UTC", "2026-11-20 07:41:05 UTC"),
    ],
)
def test_in_a_zone(at: datetime, zone: str, said: str) -> None:
    assert in_zone(at, zone) == said
