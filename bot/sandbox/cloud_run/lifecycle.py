"""CreateService and DeleteService."""

import re
from datetime import datetime

from google.cloud import run_v2
from google.longrunning import operations_pb2 as lro

from bot.sandbox.cloud_run import update
from bot.sandbox.cloud_run.cloud import CloudRun
from bot.sandbox.cloud_run.operations import end
from bot.sandbox.cloud_run.state import ServiceState, new_uid
from bot.sandbox.names import short
from bot.sandbox.refusal import Refused, invalid

_ID = re.compile(r"[a-z]([-a-z0-9]{0,47}[a-z0-9])?")  # "fewer than 50 characters"
_RPS = 1.0  # what a service made here is asked for, once it serves


def create(cloud: CloudRun, request: run_v2.CreateServiceRequest, now: datetime) -> lro.Operation:
    """A service with its first revision; it serves when that is ready."""
    name = f"{request.parent}/services/{request.service_id}"
    if not _ID.fullmatch(request.service_id):
        raise invalid(
            "service_id", "service_id must be lowercase letters, digits and hyphens, fewer than 50 characters."
        )
    if name in cloud.services:
        raise Refused("ALREADY_EXISTS", f"Resource '{request.service_id}' already exists.")
    wanted = run_v2.Service(request.service)
    wanted.name = name
    update.check(wanted)
    uri = f"https://{short(name)}-{new_uid(name)[:8]}-uc.a.run.app"
    empty = run_v2.Service(name=name, uid=new_uid(name), create_time=now, uri=uri, urls=[uri])
    for path in update.MUTABLE:
        if path in wanted and path != "template":
            setattr(empty, path, getattr(wanted, path))
    state = ServiceState(empty, rps=_RPS, not_found_rate=0.0)
    wanted = run_v2.Service(empty)
    wanted.template = request.service.template
    operation = cloud.change(state, wanted, "api", name_is_asked=True, dry=request.validate_only)
    if not request.validate_only:
        cloud.services[name] = state
    return operation


def delete(cloud: CloudRun, request: run_v2.DeleteServiceRequest, now: datetime) -> lro.Operation:
    """Gone at once; the operation is done already."""
    state = cloud.state(request.name)
    update.check_etag(state, request.etag)
    state.shown.delete_time = now
    operation = cloud.operations.start(state.name, run_v2.Service.pb(state.shown), state.shown.generation)
    end(operation, run_v2.Service.pb(state.shown))
    if not request.validate_only:
        del cloud.services[request.name]
    return operation
