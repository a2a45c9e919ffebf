"""How big a service is: what the catalog says, what is there and differs, how it is changed, how people read it."""

from collections.abc import Iterator

from bot.core.compute import Compute
from bot.core.entry import Entry
from bot.core.errors import UserError
from bot.core.plan import Checked, Step
from bot.core.ports import LATEST, ComputeReads, ServiceState, Sizing
from bot.core.request import Target
from bot.core.traffic import describe
from bot.core.units import Bounds, mebibytes

GIB = 1024  # MiB
ARRIVES_WITHIN_S, STARTS_WITHIN_S = 120, 900  # what takes effect at once; a new release, which has to start


def size_of(now: ServiceState) -> Sizing:
    """As the platform shows it; None for what it does not tell."""
    return Sizing(**{field: getattr(now, field) for field in Sizing.model_fields})


def declared(entry: Entry) -> Sizing:
    """As the catalog has it, with the bounds that hold outside of scheduled times."""
    bounds, memory = getattr(entry, "bounds", None), getattr(entry, "memory", None)
    return Sizing(
        min_instances=bounds.min if bounds else None,
        max_instances=max(bounds.max, 1) if bounds else None,
        cpu=getattr(entry, "cpu", None),
        memory_mb=mebibytes(memory) if memory else None,
        concurrency=getattr(entry, "concurrency", None),
    )


def allowed(entry: Entry) -> Bounds | None:
    """The fewest and the most instances that the catalog has at any time of the week; None: it says nothing."""
    if not isinstance(entry, Compute) or entry.bounds is None:
        return None
    every = (entry.bounds, *entry.schedule)
    return Bounds(min=min(one.min for one in every), max=max(one.max for one in every))


def changed(wanted: Sizing, now: Sizing) -> Sizing:
    """Of what is wanted, that which is not so now."""
    differing = {field: value for field, value in _known(wanted).items() if value != getattr(now, field)}
    return Sizing(**differing)


def differing(now: Sizing, said: Sizing) -> Sizing:
    """As it is now, where that is known and other than what is said of it."""
    return changed(Sizing(**{field: value for field, value in _known(now).items() if field in _known(said)}), said)


def before(change: Sizing, now: Sizing) -> Sizing | None:
    """What puts a change back; None when something of it was not known."""
    was = Sizing(**{field: getattr(now, field) for field in _known(change)})
    return was if _known(was).keys() == _known(change).keys() else None


def merged(change: Sizing, now: Sizing) -> Sizing:
    """As it is after a change."""
    return now.model_copy(update=_known(change))


def must_serve(target: Target, now: ServiceState) -> None:
    """Raises UserError when a release that is made for its size would get no traffic."""
    if LATEST not in now.asked:
        raise UserError(
            f"That size needs a new release of {target}, which would serve nobody: traffic is held at"
            f" {describe(now.asked)}. `unpin {target}` first. Between how many instances it runs needs no release."
        )


def look_sized(change: Sizing, *, starts: bool) -> Step:
    """The step that looks whether a size arrived; the operation has a `check_sized`. `starts`: in a new release."""
    return Step(
        kind="check",
        verb="sized",
        args={"sizing": change.model_dump(mode="json"), "starts": starts},
        title="see that it has that size",
        deadline_s=STARTS_WITHIN_S if starts else ARRIVES_WITHIN_S,
    )


def check_sized(target: Target, compute: ComputeReads, wanted: Sizing, *, starts: bool) -> Checked:
    """Whether the target has the size, and what had to start for it did."""
    now = compute.service(target)
    if described(changed(wanted, size_of(now))):
        return Checked(state="broken", sentence=f"somebody else made it {described(size_of(now))} meanwhile")
    if now.busy:
        return Checked(state="not yet", sentence="the change is being rolled out")
    if starts and now.trouble:
        return Checked(state="broken", sentence=f"with that size it does not start: {now.trouble}")
    return Checked(state="holds", sentence=f"it has {described(wanted)}")


def described(size: Sizing) -> str:
    """Such as "2 to 20 instances, 2 CPU, 1 GiB memory, 80 requests at a time each"; empty when nothing is said."""
    return ", ".join(_parts(size))


def _parts(size: Sizing) -> Iterator[str]:
    least, most = size.min_instances, size.max_instances
    if least is not None and most is not None:
        yield f"{least} to {most} instances"
    elif least is not None:
        yield f"at least {least} instance{_s(least)}"
    elif most is not None:
        yield f"at most {most} instance{_s(most)}"
    if size.cpu is not None:
        yield f"{size.cpu:g} CPU"
    if size.memory_mb is not None:
        yield f"{_memory(size.memory_mb)} memory"
    if size.concurrency is not None:
        yield f"{size.concurrency} request{_s(size.concurrency)} at a time each"


def _memory(mebibytes: int) -> str:
    return f"{mebibytes // GIB} GiB" if mebibytes % GIB == 0 else f"{mebibytes:,} MiB"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _known(size: Sizing) -> dict[str, int | float]:
    return size.model_dump(exclude_none=True)
