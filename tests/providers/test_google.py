"""_google.py: which clients are made, where they may go, and what Google's errors become."""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.api_core import exceptions as gx
from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.auth.exceptions import RefreshError
from google.cloud import run_v2, secretmanager_v1
from google.rpc.error_details_pb2 import ErrorInfo, QuotaFailure, RetryInfo

from bot.core.errors import (
    CloudError,
    ConfigError,
    Forbidden,
    NotFound,
    Permanent,
    Refused,
    Transient,
    Uncertain,
)
from bot.core.request import Target
from bot.providers._google import Google, instant, place, sentence, translated

ACTION, NEEDED = "read service web", "run.services.get"


@pytest.mark.parametrize("endpoint", ["127.0.0.1:7001", "localhost:7001", "[::1]:7001", "127.8.9.10:1"])
def test_a_local_endpoint_is_taken(endpoint: str) -> None:
    assert Google(endpoint).client(run_v2.ServicesClient)


@pytest.mark.parametrize(
    "endpoint",
    [
        "run.googleapis.com:443",
        "10.0.0.1:7001",
        "0.0.0.0:7001",
        "127.0.0.1",
        "127.0.0.1:",
        "localhost.evil.example:80",
        "http://127.0.0.1:80",
        "127.0.0.1:80@evil.example:80",
        "unix:/tmp/x",
        "",
    ],
)
def test_any_other_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError, match=r"is not on this machine; write 127\.0\.0\.1:PORT"):
        Google(endpoint)


def test_a_client_is_made_once_and_all_share_a_channel() -> None:
    google = Google("127.0.0.1:1")
    services = google.client(run_v2.ServicesClient)
    assert google.client(run_v2.ServicesClient) is services
    assert google.client(run_v2.RevisionsClient).transport.grpc_channel is services.transport.grpc_channel
    assert Google("127.0.0.1:1").client(run_v2.ServicesClient) is not services


def test_threads_that_ask_at_once_get_one_client() -> None:
    google, got = Google("127.0.0.1:1"), list[Any]()
    threads = [threading.Thread(target=lambda: got.append(google.client(run_v2.ServicesClient))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(map(id, got))) == 1


def test_a_forked_process_gets_clients_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    google = Google("127.0.0.1:1")
    parents = google.client(run_v2.ServicesClient)
    monkeypatch.setattr(os, "getpid", lambda: 4_000_000)
    child = google.client(run_v2.ServicesClient)
    assert child is not parents
    assert child.transport.grpc_channel is not parents.transport.grpc_channel


@pytest.mark.parametrize("method", ["reading", "writing"])
def test_no_call_is_repeated_behind_the_engines_back(method: str) -> None:
    assert getattr(Google("127.0.0.1:1", read_timeout_s=3, write_timeout_s=3), method) == {"retry": None, "timeout": 3}


def test_without_an_identity_it_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]
) -> None:
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    with pytest.raises(Permanent, match=r"could not log in to Google.*gcloud auth application-default login") as caught:
        Google().client(secretmanager_v1.SecretManagerServiceClient)
    assert caught.value.__cause__


def _denied(**told: str) -> gx.PermissionDenied:
    info = ErrorInfo(reason=told.pop("reason", "IAM_PERMISSION_DENIED"), metadata=told)
    return gx.PermissionDenied("Permission 'run.routes.invoke' denied.", error_info=info)


def _quota(seconds: float) -> gx.ResourceExhausted:
    retry = RetryInfo()
    retry.retry_delay.FromMilliseconds(round(seconds * 1000))
    return gx.ResourceExhausted("Quota exceeded.", details=[QuotaFailure(), retry])


ABORTED = gx.Aborted("Conflict for resource 'web': version '1' was specified but current version is '2'.")
PLUGIN = gx.ServiceUnavailable("Getting metadata from plugin failed with error: ('invalid_grant: Bad Request', {})")
EITHER: list[tuple[gx.GoogleAPICallError, type[CloudError], str]] = [
    (gx.TooManyRequests("slow down"), Transient, "quota for that is used up"),
    (
        gx.NotFound("Resource 'web' of kind 'SERVICE' does not exist."),
        NotFound,
        "'web' of kind 'SERVICE' does not exist",
    ),
    (gx.InvalidArgument("Traffic targets sum to 90, want 100"), Permanent, "Traffic targets sum to 90, want 100"),
    (gx.FailedPrecondition("It is serving."), Permanent, "It is serving"),
    (gx.AlreadyExists("Revision named 'web-1' already exists."), Permanent, "'web-1' already exists"),
    (gx.MethodNotImplemented("No such method."), Permanent, "No such method"),
    (
        gx.Unauthenticated("Request had invalid credentials."),
        Permanent,
        "does not accept its identity; run `gcloud auth",
    ),
    (PLUGIN, Transient, "it could not get a token from Google; run `gcloud auth"),
    (
        gx.PermissionDenied("Permission 'run.services.get' denied on 'web'."),
        Forbidden,
        "lacks the permission run.services",
    ),
]
NO_ANSWER: list[tuple[gx.GoogleAPIError, str]] = [
    (gx.ServiceUnavailable("ipv4:127.0.0.1:1: connect: Connection refused (111)"), "Google could not be reached"),
    (gx.BadGateway("bad"), "Google could not be reached"),
    (gx.DeadlineExceeded("Deadline Exceeded"), "no answer came in time"),
    (gx.GatewayTimeout("timeout"), "no answer came in time"),
    (gx.InternalServerError("Internal error encountered."), "an error of its own"),
    (gx.Unknown("Stream removed"), "an error of its own"),
    (gx.DataLoss("lost"), "an error of its own"),
    (gx.Cancelled("Cancelled"), "the call was broken off"),
    (gx.GoogleAPICallError("<_InactiveRpcError of RPC>"), "an error of its own"),
    (gx.RetryError("Timeout of 10.0s exceeded", cause=None), "client gave up"),
]


def _translated(error: Exception, *, write: bool) -> CloudError:
    with pytest.raises(CloudError) as caught, translated(ACTION, NEEDED, write=write):
        raise error
    assert caught.value.__cause__ is error
    said = str(caught.value)
    assert ACTION in said
    assert "\n" not in said
    assert not said.endswith(".")
    return caught.value


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(("error", "kind", "words"), EITHER)
def test_clear_answers(error: Exception, kind: type[CloudError], words: str, write: bool) -> None:
    said = _translated(error, write=write)
    assert type(said) is kind
    assert words in str(said)


@pytest.mark.parametrize(("error", "words"), NO_ANSWER)
def test_no_clear_answer_may_mean_that_a_write_was_done(error: Exception, words: str) -> None:
    read, write = _translated(error, write=False), _translated(error, write=True)
    assert (type(read), type(write)) == (Transient, Uncertain)
    assert words in str(read)
    assert words in str(write)
    assert "nobody here knows whether it was done" in str(write)


@pytest.mark.parametrize(("error", "words"), NO_ANSWER)
def test_what_the_client_says_of_the_wire_is_not_shown(error: Any, words: str) -> None:
    assert str(error.args[0]) not in str(_translated(error, write=True))


def test_only_an_aborted_write_is_a_moved_etag() -> None:
    assert type(_translated(ABORTED, write=True)) is Refused
    assert type(_translated(ABORTED, write=False)) is Transient


def test_refreshing_the_identity_may_fail() -> None:
    assert "no Google identity that works" in str(_translated(RefreshError("invalid_grant"), write=True))


@pytest.mark.parametrize(("error", "after_s"), [(_quota(7.5), 7.5), (_quota(0), 0.0), (gx.ResourceExhausted("x"), 0.0)])
def test_how_long_to_wait(error: gx.ResourceExhausted, after_s: float) -> None:
    said = _translated(error, write=True)
    assert isinstance(said, Transient)
    assert said.retry_after_s == after_s


@pytest.mark.parametrize(
    ("error", "permission"),
    [
        (_denied(permission="run.services.update", resource="projects/p"), "run.services.update"),
        (_denied(), "run.routes.invoke"),
        (
            gx.PermissionDenied('Permission "artifactregistry.tags.get" denied on resource "x"'),
            "artifactregistry.tags.get",
        ),
        (gx.PermissionDenied("Permission monitoring.timeSeries.list denied."), "monitoring.timeSeries.list"),
        (gx.PermissionDenied("Permission 'iam.serviceaccounts.actAs' denied on a"), "iam.serviceaccounts.actAs"),
        (gx.PermissionDenied("The caller does not have permission"), NEEDED),
        (
            gx.PermissionDenied("User must have permission to read the image, gcr.io/p/app. Ensure that the provided"),
            "artifactregistry.repositories.downloadArtifacts",
        ),
        (gx.PermissionDenied(""), NEEDED),
    ],
)
def test_which_permission_is_missing(error: gx.PermissionDenied, permission: str) -> None:
    said = _translated(error, write=False)
    assert isinstance(said, Forbidden)
    assert said.permission == permission
    assert f"lacks the permission {permission}" in str(said)


def test_a_permission_that_nobody_names() -> None:
    with pytest.raises(Forbidden, match="lacks a permission that Google does not name") as caught, translated(ACTION):
        raise gx.PermissionDenied("Forbidden")
    assert caught.value.permission == ""


def test_the_resource_is_named() -> None:
    denied = _denied(permission="run.services.update", resource="projects/p/services/web")
    assert str(_translated(denied, write=True)).endswith("run.services.update on projects/p/services/web")


def test_an_api_that_is_switched_off_is_no_missing_permission() -> None:
    off = gx.PermissionDenied("Cloud Run Admin API is disabled.", error_info=ErrorInfo(reason="SERVICE_DISABLED"))
    said = _translated(off, write=False)
    assert type(said) is Permanent
    assert "Cloud Run Admin API is disabled" in str(said)


def test_our_own_errors_and_bugs_pass() -> None:
    for error in (Refused("moved"), KeyError("bug")):
        with pytest.raises(type(error)), translated(ACTION):
            raise error


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("It broke.", "It broke"),
        ("It broke.\n\nLogs URL: https://x\nMore", "It broke"),
        ("  Two\nlines\tand  spaces.  ", "Two lines and spaces"),
        ("bell\x07 and \u202eturned", "bell and turned"),
        ("naïve 東京 ✓", "naïve 東京 ✓"),
        ("", ""),
        ("x" * 400, "x" * 300 + "…"),
    ],
)
def test_sentence(text: str, line: str) -> None:
    assert sentence(text) == line


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (DatetimeWithNanoseconds(2026, 5, 1, 9, 30, 1, nanosecond=123456789, tzinfo=UTC), (9, 123456)),
        (datetime(2026, 5, 1, 11, 30, 1, 7, tzinfo=timezone(timedelta(hours=2))), (9, 7)),
    ],
)
def test_instant(moment: datetime, expected: tuple[int, int]) -> None:
    plain = instant(moment)
    assert type(plain) is datetime
    assert plain.tzinfo is UTC
    assert (plain.hour, plain.microsecond) == expected


def test_a_place_that_the_catalog_does_not_give(target_of: Callable[[str], Target]) -> None:
    target = target_of("web")
    assert place(target, "region") == "us-central1"
    with pytest.raises(Permanent, match="the catalog gives no zone for s/prod/web"):
        place(target, "zone")
