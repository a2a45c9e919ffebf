"""Many calls that wait for a network, at the same time: what is looked at in many places need not take as many times
as long."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")
Given = TypeVar("Given")
MOST = 16  # calls at a time


def at_once(call: Callable[[Item], Given], items: Sequence[Item]) -> list[Given]:
    """What a call gives for each item, in their order. Raises what the first of those that failed raised."""
    if not items:
        return []
    with ThreadPoolExecutor(min(MOST, len(items)), thread_name_prefix="at-once") as pool:
        begun = [pool.submit(copy_context().run, call, item) for item in items]
        return [one.result() for one in begun]
