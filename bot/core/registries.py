"""From which registry an environment pulls an image that another environment runs."""

from bot.core.catalog import Catalog
from bot.core.deploying.image import SHORT, path_of
from bot.core.environment import Environment
from bot.core.errors import NotFound, UserError
from bot.core.ports import ImageReads
from bot.core.request import Target


def pulled(catalog: Catalog, source: Target, target: Target, image: str, images: ImageReads) -> str:
    """The image of `source`, by digest, as `target` is to pull it: the same bytes under a name that it may read.

    A copy where the target's own images are has the same digest and is taken where there is one; else the image stays
    where it is, if the target's environment declares that registry, or none at all. Raises UserError that says how to
    copy and which registry to declare, and CloudError when a registry cannot be asked.
    """
    own, place = path_of(getattr(catalog.entry(target), "image", "")), catalog.environment(target)
    stays = bool(_address(place, image)) or not (own or place.registries)
    names = (*([f"{own}@{image.partition('@')[2]}"] if own else []), *([image] if stays else []))
    for name in dict.fromkeys(names):
        if _is_there(target, name, images):
            return name
    if stays:
        raise UserError(f"{image}, which {source} runs, is gone from its registry{_nor(own, image)}.")
    raise UserError(_refusal(catalog, source, target, image, images.by_hand_copy(target, image, own) if own else ""))


def _refusal(catalog: Catalog, source: Target, target: Target, image: str, by_hand: str) -> str:
    path, _, digest = image.partition("@")
    address = _address(catalog.environment(source), image) or path.rpartition("/")[0]
    declare = f"declare {address} under `environments.{target.environment}.registries` of {target.system}"
    copy = f"copy it first, `{by_hand}`, or " if by_hand else ""
    problem = f"{target} pulls from no registry that has {digest[:SHORT]}, which {source} runs"
    return f"{problem}: {copy}{declare}, if it may read there."


def _nor(own: str, image: str) -> str:
    return f", and {own} has no copy" if own not in ("", path_of(image)) else ""


def _is_there(target: Target, image: str, images: ImageReads) -> bool:
    try:
        images.image(target, image)
    except NotFound:
        return False
    return True


def _address(place: Environment, image: str) -> str:
    """Of the environment's registry that has the image, "" if none has."""
    return next((one.address for one in place.registries.values() if image.startswith(f"{one.address}/")), "")
