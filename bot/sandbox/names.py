"""Google's resource names, taken apart."""

import re

SERVICE = re.compile(r"(?P<parent>projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+))/services/(?P<id>[^/]+)")

JOB = re.compile(r"projects/[^/]+/locations/[^/]+/jobs/[^/]+")


def location_of(name: str) -> str:
    """The location in a resource name, "" if it has none."""
    match = re.match(r"projects/[^/]+/locations/([^/]+)", name)
    return match[1] if match else ""


def project_of(name: str) -> str:
    match = re.match(r"projects/([^/]+)", name)
    return match[1] if match else ""


def service_of(name: str) -> str:
    """The Cloud Run service that a name belongs to, "" if it belongs to none."""
    match = SERVICE.match(name)
    return match[0] if match else ""


def job_of(name: str) -> str:
    """The Cloud Run job that a name belongs to, "" if it belongs to none."""
    match = JOB.match(name)
    return match[0] if match else ""


def short(name: str) -> str:
    """The last segment."""
    return name.rpartition("/")[2]
