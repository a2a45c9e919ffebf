"""Fixtures: a fresh world behind a real gRPC port on loopback, and a clock that the test moves."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from bot.sandbox import control, server
from bot.sandbox.blueprint import Blueprint
from bot.sandbox.clock import ManualClock
from bot.sandbox.front import Front
from bot.sandbox.world import World
from tests.sandbox.harness import PLAN, START_UNIX_S, Cloud, Http


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_UNIX_S)


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(Blueprint.model_validate(PLAN), clock, seed=7)


@pytest.fixture
def cloud(world: World, clock: ManualClock) -> Iterator[Cloud]:
    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((Front(world),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
        yield Cloud(world, clock, channel)
    world.stopping.set()
    server.stop(None).wait()


@pytest.fixture
def http(world: World) -> Http:
    """The HTTP side without a port."""
    return Http(server.app(control.routes(world)))
