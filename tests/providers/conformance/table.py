"""What came of the suite as one table, platform x case: whether each platform kept each promise, at each crash too."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

CELL = "conformance"  # the property of a report that tells of which cell it is
BROKEN = "BROKEN"


class Played(NamedTuple):
    """One case, played once on a platform: whether it was kept, and whether our process died in it."""

    platform: str
    case: str
    kept: bool
    crashed: bool


def table(played: Iterable[Played]) -> Iterator[str]:
    """Its lines: "kept", how many crashes were too, and BROKEN where anything was not."""
    cells: dict[str, dict[str, list[Played]]] = {}
    for one in played:
        cells.setdefault(one.case, {}).setdefault(one.platform, []).append(one)
    platforms = sorted({platform for row in cells.values() for platform in row})
    width = max(map(len, ("case", *cells)), default=0)
    yield "  ".join(("case".ljust(width), *(platform.ljust(18) for platform in platforms))).rstrip()
    for case, row in cells.items():
        said = (_cell(row.get(platform, [])).ljust(18) for platform in platforms)
        yield "  ".join((case.ljust(width), *said)).rstrip()


def _cell(played: list[Played]) -> str:
    if not played:
        return "-"
    if wrong := [one for one in played if not one.kept]:
        return f"{BROKEN} ({len(wrong)} of {len(played)})"
    crashes = sum(one.crashed for one in played)
    return f"kept, {crashes} crashes" if crashes else "kept"
