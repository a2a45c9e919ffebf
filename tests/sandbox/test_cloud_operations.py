"""google.longrunning.Operations of Cloud Run."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.api_core import exceptions as gx
from google.cloud import run_v2
from google.longrunning import operations_pb2 as lro
from google.protobuf import duration_pb2

from tests.sandbox.harness import PARENT, Cloud, until

OLD, BAD, NEW = "web-00001-abe", "web-00002-bec", "web-00003-cid"


def listed(cloud: Cloud, **fields: Any) -> lro.ListOperationsResponse:
    return cloud.services.list_operations(lro.ListOperationsRequest(**{"name": PARENT, **fields}))


def meant(operation: lro.Operation) -> dict[str, str]:
    """The annotations in an operation's metadata."""
    service = run_v2.Service()
    operation.metadata.Unpack(run_v2.Service.pb(service))
    return dict(service.annotations)


def wait(cloud: Cloud, name: str, **fields: Any) -> lro.Operation:
    """google-cloud-run 0.16.2 hands over the answer of WaitOperation undecoded."""
    return lro.Operation.FromString(cloud.services.wait_operation(lro.WaitOperationRequest(name=name, **fields)))


def test_names(cloud: Cloud) -> None:
    name = cloud.route({OLD: 100}).operation.name
    uuid4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert re.fullmatch(rf"{PARENT}/operations/{uuid4}", name)


def test_an_operation_is_got_by_name(cloud: Cloud) -> None:
    name = cloud.route({OLD: 100}).operation.name
    assert not cloud.operation(name).done
    cloud.settle()
    done = cloud.operation(name)
    assert done.done
    assert done.WhichOneof("result") == "response"


def test_an_unknown_operation_is_not_found(cloud: Cloud) -> None:
    with pytest.raises(gx.NotFound):
        cloud.operation(f"{PARENT}/operations/nope")


@pytest.mark.parametrize("suffix", ["", "/operations"])
def test_operations_are_listed_newest_first_with_their_stamps(cloud: Cloud, suffix: str) -> None:
    for key in ("a", "b", "c"):
        cloud.update("annotations", annotations={"aisq.dev/effect": key})
    found = listed(cloud, name=f"{PARENT}{suffix}").operations
    assert [meant(operation)["aisq.dev/effect"] for operation in found] == ["c", "b", "a"]


def test_operations_come_in_pages(cloud: Cloud) -> None:
    for _ in range(3):
        cloud.route({OLD: 100})
    first = listed(cloud, page_size=2)
    rest = listed(cloud, page_size=2, page_token=first.next_page_token)
    assert (len(first.operations), len(rest.operations), rest.next_page_token) == (2, 1, "")


def test_a_location_lists_its_own_operations_only(cloud: Cloud) -> None:
    cloud.route({OLD: 100})
    assert not listed(cloud, name="projects/shop/locations/us-central1").operations
    assert not listed(cloud, name="projects/other/locations/us-central1").operations


@pytest.mark.parametrize(("condition", "count"), [("done=true", 1), ("done = false", 1), ("", 2)])
def test_operations_can_be_filtered_by_done(cloud: Cloud, condition: str, count: int) -> None:
    cloud.route({OLD: 100})
    cloud.settle()
    cloud.route({NEW: 100})
    assert len(listed(cloud, filter=condition).operations) == count


def test_another_filter_is_refused(cloud: Cloud) -> None:
    with pytest.raises(gx.InvalidArgument, match="Invalid filter"):
        listed(cloud, filter="target=web")


def test_waiting_returns_when_the_operation_is_done(cloud: Cloud) -> None:
    name = cloud.route({OLD: 100}).operation.name
    moved = threading.Timer(0.05, cloud.clock.advance, (10,))
    moved.start()
    assert wait(cloud, name).done
    moved.join()


def test_waiting_gives_up_after_its_timeout_without_an_error(cloud: Cloud) -> None:
    name = cloud.route({OLD: 100}).operation.name
    timeout = duration_pb2.Duration(seconds=0)
    assert not wait(cloud, name, timeout=timeout).done


def test_a_waiting_call_blocks_nobody(cloud: Cloud) -> None:
    name = cloud.route({OLD: 100}).operation.name
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(wait, cloud, name)
        until(lambda: cloud.calls("WaitOperation"))
        assert cloud.service().reconciling
        assert not waiting.done()
        cloud.clock.advance(10)
        assert waiting.result().done


def test_forgotten_operations_are_neither_listed_nor_found_until_the_fault_is_cleared(cloud: Cloud) -> None:
    name = cloud.route({OLD: 100}).operation.name
    cloud.fault("forget_operations", service="web", times=0)
    assert not listed(cloud).operations
    with pytest.raises(gx.NotFound):
        cloud.operation(name)
    cloud.world.faults.clear()
    assert [operation.name for operation in listed(cloud).operations] == [name]


def test_forgetting_can_be_for_one_read_and_for_one_service(cloud: Cloud) -> None:
    name = cloud.route({OLD: 100}).operation.name
    cloud.fault("forget_operations", service="quiet", times=0)
    cloud.fault("forget_operations", service="web", method="ListOperations")
    assert cloud.operation(name)
    assert not listed(cloud).operations
    assert listed(cloud).operations
