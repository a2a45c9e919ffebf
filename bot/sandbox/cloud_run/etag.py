"""Etags in the format that production uses."""

import base64
import binascii
from datetime import datetime

from google.protobuf import timestamp_pb2
from google.protobuf.message import DecodeError


def etag(name: str, changed: datetime) -> str:
    """A quoted pair of base64: the Timestamp of the last change, and the resource's name."""
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(changed)
    return '"' + "/".join(_encoded(part) for part in (stamp.SerializeToString(), name.encode())) + '"'


def version_of(tag: str) -> int:
    """The version (microseconds since 1970) in an etag. Raises ValueError if it is not one of ours."""
    try:
        part = tag.strip('"').split("/")[0]
        raw = base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True)
        return int(timestamp_pb2.Timestamp.FromString(raw).ToMicroseconds())
    except (binascii.Error, DecodeError) as error:
        raise ValueError(f"not an etag of this API: {tag}") from error


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")
