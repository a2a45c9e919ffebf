"""How our sentences write an instant; a door may show it in its reader's own zone."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


def in_utc(at: datetime) -> str:
    """Such as "2026-11-20 07:41 UTC"."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def in_zone(at: datetime, zone: str) -> str:
    """Such as "2026-11-20 08:41 Europe/Berlin (07:41 UTC)": what somebody in `zone` said, shown back to them.

    Seconds only where there are some. A zone that does not exist is shown as UTC.
    """
    local, utc = at.astimezone(zone_of(zone)), at.astimezone(UTC)
    form = "%H:%M:%S" if at.second else "%H:%M"
    if str(local.tzinfo) == "UTC":
        return f"{utc:%Y-%m-%d {form}} UTC"
    days = (utc.date() - local.date()).days
    other = {-1: ", the day before", 1: ", the day after"}.get(days, "")
    return f"{local:%Y-%m-%d {form}} {local.tzinfo} ({utc:{form}} UTC{other})"


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name; UTC for a name that there is not."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC
