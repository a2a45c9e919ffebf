"""google.devtools.artifactregistry.v1.ArtifactRegistry: reads of images, tags and versions."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from google.cloud import artifactregistry_v1 as ar

from bot.sandbox.artifact_registry import Image, Registry, repository_of
from bot.sandbox.method import Api, Method
from bot.sandbox.paging import page
from bot.sandbox.refusal import Refused, denied, invalid
from bot.sandbox.world import World

Item = TypeVar("Item", ar.DockerImage, ar.Tag, ar.Version)
_MOST = 1000  # "Maximum page size is 1,000"
_MEDIA = "application/vnd.docker.distribution.manifest.v2+json"


def api(world: World) -> Api:
    reads = _Reads(world.registry)
    table: list[tuple[str, Any, Any, Callable[[Any], Any], str]] = [
        ("GetDockerImage", ar.GetDockerImageRequest, ar.DockerImage, reads.image, "dockerimages.get"),
        (
            "ListDockerImages",
            ar.ListDockerImagesRequest,
            ar.ListDockerImagesResponse,
            reads.images,
            "dockerimages.list",
        ),
        ("GetTag", ar.GetTagRequest, ar.Tag, reads.tag, "tags.get"),
        ("ListTags", ar.ListTagsRequest, ar.ListTagsResponse, reads.tags, "tags.list"),
        ("GetVersion", ar.GetVersionRequest, ar.Version, reads.version, "versions.get"),
        ("ListVersions", ar.ListVersionsRequest, ar.ListVersionsResponse, reads.versions, "versions.list"),
        ("GetPackage", ar.GetPackageRequest, ar.Package, reads.package, "packages.get"),
    ]
    methods = {
        name: Method(request, response, answer, _resource, _field(name), f"artifactregistry.{needed}")
        for name, request, response, answer, needed in table
    }
    service = "google.devtools.artifactregistry.v1.ArtifactRegistry"
    return Api(service, "artifactregistry.googleapis.com", methods, permission)


def permission(needed: str, resource: str) -> Refused:
    repository = "/".join(resource.split("/")[:6])
    return denied(f'Permission "{needed}" denied on resource "{repository}" (or it may not exist)', needed, repository)


class _Reads:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def image(self, request: ar.GetDockerImageRequest) -> ar.DockerImage:
        """By digest only: with a tag the real one answers INVALID_ARGUMENT."""
        if "@" not in request.name:
            raise Refused("INVALID_ARGUMENT", "Request contains an invalid argument.")
        return _one([_docker_image(image) for image in self._of(request.name)], request.name)

    def images(self, request: ar.ListDockerImagesRequest) -> ar.ListDockerImagesResponse:
        found = [_docker_image(image) for image in self._of(request.parent)]
        if request.order_by:
            _order(found, request.order_by)
        shown, token = page(found, request.page_size, request.page_token, _MOST)
        return ar.ListDockerImagesResponse(docker_images=shown, next_page_token=token)

    def tag(self, request: ar.GetTagRequest) -> ar.Tag:
        return _one(self._tags(request.name), request.name)

    def tags(self, request: ar.ListTagsRequest) -> ar.ListTagsResponse:
        """The filter may be version="…" or name="…", without wildcards."""
        found = self._tags(request.parent)
        if request.filter:
            key, _, value = request.filter.partition("=")
            if key.strip() not in ("name", "version") or "*" in value:
                raise invalid("filter", f"The sandbox does not filter tags by {request.filter}.")
            found = [tag for tag in found if getattr(tag, key.strip()) == value.strip().strip('"')]
        shown, token = page(found, request.page_size, request.page_token, _MOST)
        return ar.ListTagsResponse(tags=shown, next_page_token=token)

    def version(self, request: ar.GetVersionRequest) -> ar.Version:
        return _one([_version(image) for image in self._of(request.name)], request.name)

    def versions(self, request: ar.ListVersionsRequest) -> ar.ListVersionsResponse:
        found = [_version(image) for image in self._of(request.parent)]
        shown, token = page(found, request.page_size, request.page_token, _MOST)
        return ar.ListVersionsResponse(versions=shown, next_page_token=token)

    def package(self, request: ar.GetPackageRequest) -> ar.Package:
        images = [image for image in self._of(request.name) if _package(image) == request.name]
        if not images:
            raise _missing()
        uploads = [image.uploaded for image in images]
        name = images[0].reference.rpartition("/")[2]
        return ar.Package(name=request.name, display_name=name, create_time=min(uploads), update_time=max(uploads))

    def _of(self, name: str) -> list[Image]:
        """The images of the repository, and of the package if the name goes that far; newest first."""
        repository = "/".join(name.split("/")[:6])
        found = [image for image in self._registry.images.values() if _repository(image) == repository]
        if not found:
            raise _missing()
        if "/packages/" in name:
            found = [image for image in found if f"{name}/".startswith(f"{_package(image)}/")]
        return sorted(found, key=lambda image: image.uploaded, reverse=True)

    def _tags(self, name: str) -> list[ar.Tag]:
        return [_tag(image, tag) for image in self._of(name) for tag in sorted(image.tags)]


def _one(candidates: list[Item], name: str) -> Item:
    for candidate in candidates:
        if candidate.name == name:
            return candidate
    raise _missing()


def _missing() -> Refused:
    return Refused("NOT_FOUND", "Requested entity was not found.")


def _resource(request: Any) -> str:
    return str(getattr(request, "name", "") or getattr(request, "parent", ""))


def _field(method: str) -> str:
    return "parent" if method.startswith("List") else "name"


def _repository(image: Image) -> str:
    found = repository_of(image.reference)
    return found[0] if found else ""


def _package(image: Image) -> str:
    found = repository_of(image.reference)
    return f"{found[0]}/packages/{quote(found[1], safe='')}" if found else ""


def _docker_image(image: Image) -> ar.DockerImage:
    package = _package(image).rpartition("/")[2]
    return ar.DockerImage(
        name=f"{_repository(image)}/dockerImages/{package}@{image.digest}",
        uri=image.uri,
        tags=image.tags,
        image_size_bytes=image.size_bytes,
        upload_time=image.uploaded,
        update_time=image.uploaded,
        build_time=image.uploaded,
        media_type=_MEDIA,
    )


def _tag(image: Image, tag: str) -> ar.Tag:
    return ar.Tag(name=f"{_package(image)}/tags/{tag}", version=f"{_package(image)}/versions/{image.digest}")


def _version(image: Image) -> ar.Version:
    return ar.Version(
        name=f"{_package(image)}/versions/{image.digest}",
        create_time=image.uploaded,
        update_time=image.uploaded,
        related_tags=[_tag(image, tag) for tag in image.tags],
        metadata={"imageSizeBytes": str(image.size_bytes), "mediaType": _MEDIA, "name": _docker_image(image).name},
    )


def _order(images: list[ar.DockerImage], by: str) -> None:
    field, _, direction = by.partition(" ")
    if field not in ("upload_time", "update_time", "name") or direction.lower() not in ("", "asc", "desc"):
        raise invalid("order_by", f"The sandbox does not order by {by}.")
    images.sort(key=lambda image: getattr(image, field), reverse=direction.lower() == "desc")
