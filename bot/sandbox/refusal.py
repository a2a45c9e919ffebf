"""How a call is refused: a gRPC code, the text, and Google's error details."""

from typing import Any

from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2


class Refused(Exception):
    """The caller gets `code` (a name of google.rpc.Code, "ABORTED"), `message`, and typed details."""

    def __init__(self, code: str, message: str, *details: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.details = code, message, details

    def status(self) -> status_pb2.Status:
        """As google.rpc.Status: the error of an operation, or the trailing metadata of a call."""
        return status_pb2.Status(
            code=code_pb2.Code.Value(self.code),
            message=self.message,
            details=[_packed(detail) for detail in self.details],
        )


def invalid(field: str, description: str) -> Refused:
    """INVALID_ARGUMENT with the field violation that Google's front ends attach."""
    violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
    return Refused("INVALID_ARGUMENT", description, error_details_pb2.BadRequest(field_violations=[violation]))


def denied(message: str, permission: str, resource: str) -> Refused:
    """PERMISSION_DENIED as IAM explains it: the text of the API, and the permission in ErrorInfo."""
    info = error_details_pb2.ErrorInfo(
        reason="IAM_PERMISSION_DENIED",
        domain="iam.googleapis.com",
        metadata={"permission": permission, "resource": resource},
    )
    return Refused("PERMISSION_DENIED", message, info)


def rate_limited(service: str, consumer: str, retry_after_s: float) -> Refused:
    """RESOURCE_EXHAUSTED as the quota system words it, with RetryInfo."""
    message = (
        f"Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per region' "
        f"of service '{service}' for consumer '{consumer}'."
    )
    info = error_details_pb2.ErrorInfo(
        reason="RATE_LIMIT_EXCEEDED", domain="googleapis.com", metadata={"service": service, "consumer": consumer}
    )
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(round(retry_after_s * 1000))
    return Refused("RESOURCE_EXHAUSTED", message, info, retry)


def _packed(detail: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
