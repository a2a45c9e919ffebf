"""The floor of a rollback: Google's SDK and nothing else. No plan, no approval, no record, no crash survived."""

from typing import Any

import grpc
from google.cloud import run_v2
from google.protobuf import field_mask_pb2


def client(endpoint: str) -> Any:
    """Connected already when it is returned."""
    channel = grpc.insecure_channel(endpoint)
    grpc.channel_ready_future(channel).result(timeout=10)
    return run_v2.ServicesClient(transport=run_v2.ServicesClient.get_transport_class("grpc")(channel=channel))


def roll_back(services: Any, name: str, release: str) -> None:
    """All traffic of the service to one release; returns when Cloud Run says that it is done."""
    service = services.get_service(name=name)
    named = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
    service.traffic = [run_v2.TrafficTarget(type_=named, revision=release, percent=100)]
    mask = field_mask_pb2.FieldMask(paths=["traffic"])
    services.update_service(request={"service": service, "update_mask": mask}).result(timeout=60)
