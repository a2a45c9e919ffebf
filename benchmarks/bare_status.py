"""The floor of a status: Google's SDK and nothing else. The same two calls for each service, sixteen at a time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import grpc
from google.cloud import monitoring_v3, run_v2

AT_ONCE = 16
FILTER = (
    'metric.type = "run.googleapis.com/request_count" AND resource.type = "cloud_run_revision" '
    'AND resource.labels.location = "{}" AND resource.labels.service_name = "{}"'
)
COUNTED = monitoring_v3.Aggregation(
    alignment_period=timedelta(minutes=1),
    per_series_aligner=monitoring_v3.Aggregation.Aligner.ALIGN_DELTA,
    cross_series_reducer=monitoring_v3.Aggregation.Reducer.REDUCE_SUM,
    group_by_fields=["resource.labels.revision_name", "metric.labels.response_code_class"],
)


class Clients(NamedTuple):
    """Of both APIs, on one channel."""

    services: Any
    metrics: Any


def clients(endpoint: str) -> Clients:
    """Connected already when they are returned."""
    channel = grpc.insecure_channel(endpoint)
    grpc.channel_ready_future(channel).result(timeout=10)
    kinds: tuple[Any, ...] = (run_v2.ServicesClient, monitoring_v3.MetricServiceClient)
    return Clients(*(kind(transport=kind.get_transport_class("grpc")(channel=channel)) for kind in kinds))


def status(of: Clients, project: str, region: str, names: Sequence[str], until: datetime) -> list[tuple[Any, int]]:
    """Of each service what Cloud Run says of it, and the requests of eight minutes."""
    look = partial(_look, of, project, region, until.astimezone(UTC).replace(second=0, microsecond=0))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(look, names))


def _look(of: Clients, project: str, region: str, until: datetime, name: str) -> tuple[Any, int]:
    service = of.services.get_service(name=f"projects/{project}/locations/{region}/services/{name}")
    request = monitoring_v3.ListTimeSeriesRequest(
        name=f"projects/{project}",
        filter=FILTER.format(region, name),
        interval=monitoring_v3.TimeInterval(start_time=until - timedelta(minutes=8), end_time=until),
        aggregation=COUNTED,
        view=monitoring_v3.ListTimeSeriesRequest.TimeSeriesView.FULL,
    )
    found = [monitoring_v3.TimeSeries.pb(one) for one in of.metrics.list_time_series(request)]
    return service, sum(point.value.int64_value for one in found for point in one.points)
