"""From which registry an environment pulls an image that another environment runs."""

from bot.core.catalog import Catalog
from bot.core.compute import Compute
from bot.core.environment import Environment
from bot.core.errors import NotFound, UserError
from bot.core.ports import ImageReads
from bot.core.request import Target


def pulled(catalog: Catalog, source: Target, target: Target, image: str, images: ImageReads) -> str:
    """The image of `source`, by digest, as `target` is to pull it: the same bytes under a name that it may read.

    A copy in the target's own repository has the same digest and is taken where there is one; else the image stays
    where it is, if the target's environment declares that registry. Raises UserError that says which registry to
    declare and how to copy instead, and CloudError when the registry cannot be asked.
    """
    own = _repository(catalog, target)
    copy = f"{own}@{image.rpartition('@')[2]}" if own else ""
    if copy and (copy == image or _is_there(target, copy, images)):
        return copy
    if _address(catalog.environment(target), image):
        return image
    address = _address(catalog.environment(source), image) or image.partition("@")[0].rpartition("/")[0]
    declare = f"declare {address} under environments.{target.environment}.registries of {target.system}"
    by_hand = f", or copy the image first: `{images.by_hand_copy(target, image, own)}`" if own else ""
    raise UserError(f"{target} pulls from no registry that has {image}: {declare}, if it may read it{by_hand}")


def _repository(catalog: Catalog, target: Target) -> str:
    """Where the catalog says that the service's images are, without tag and digest; "" where it says nothing."""
    entry = catalog.entry(target)
    front, slash, last = (entry.image if isinstance(entry, Compute) else "").partition("@")[0].rpartition("/")
    return f"{front}{slash}{last.partition(':')[0]}"


def _is_there(target: Target, image: str, images: ImageReads) -> bool:
    try:
        images.image(target, image)
    except NotFound:
        return False
    return True


def _address(place: Environment, image: str) -> str:
    """Of the environment's registry that has the image, "" if none has."""
    return next((one.address for one in place.registries.values() if image.startswith(f"{one.address}/")), "")
