"""From which registry an environment pulls what another one runs: a copy of its own, a declared one, or none."""

from typing import Any

import pytest

from bot.core.catalog import Catalog
from bot.core.errors import Forbidden, NotFound, UserError
from bot.core.estate import System
from bot.core.ports import Image, Vulnerabilities
from bot.core.registries import pulled
from bot.core.request import Target

DIGEST = f"sha256:{'4f' * 32}"
STAGING, PROD = "us-docker.pkg.dev/shop-staging/images", "us-docker.pkg.dev/shop-prod/images"
SOURCE, COPY = f"{STAGING}/web@{DIGEST}", f"{PROD}/web@{DIGEST}"


class Registries:
    """ImageReads of registries that have what is said."""

    def __init__(self, *images: str) -> None:
        self.images, self.asked = images, list[str]()
        self.trouble: Exception | None = None

    def image(self, target: Target, reference: str) -> Image:
        self.asked.append(reference)
        if self.trouble:
            raise self.trouble
        if reference not in self.images:
            raise NotFound(f"no image {reference}")
        return Image(digest=DIGEST)

    def vulnerabilities(self, target: Target, reference: str) -> Vulnerabilities:
        raise AssertionError("nobody asks for that here")

    def by_hand_copy(self, target: Target, image: str, to: str) -> str:
        return f"cp {image} {to}"


def registry(address: str) -> dict[str, Any]:
    return {"type": "artifact_registry", "address": address}


def shop(prod_image: str, *addresses: str, type_: str = "cloud_run") -> Catalog:
    """Staging has a registry of its own; prod has those."""
    web = {"type": "cloud_run", "image": f"{STAGING}/web:v1", "instances": {"min": 0, "max": 2}}
    there = {**web, "image": prod_image} if type_ == "cloud_run" else {"type": type_, "tier": 1}
    places = {
        "staging": {"stage": "staging", "services": {"web": web}, "registries": {"images": registry(STAGING)}},
        "prod": {
            "stage": "prod",
            "services": {"web": there},
            "registries": {f"r{number}": registry(address) for number, address in enumerate(addresses)},
        },
    }
    whole = {"system": "shop", "title": "Shop", "owner": "us", "environments": places}
    return Catalog(systems={"shop": System.model_validate(whole)})


def asked(catalog: Catalog, images: Registries, image: str = SOURCE) -> str:
    source, target = catalog.target("shop", "staging", "web"), catalog.target("shop", "prod", "web")
    return pulled(catalog, source, target, image, images)


@pytest.mark.parametrize(
    ("image", "addresses", "there", "found"),
    [
        pytest.param(f"{STAGING}/web", [STAGING], [SOURCE], SOURCE, id="one registry for both"),
        pytest.param(f"{STAGING}/web:v3", [STAGING], [SOURCE], SOURCE, id="whatever tag the catalog says"),
        pytest.param(f"{PROD}/web", [PROD], [SOURCE, COPY], COPY, id="a copy in its own"),
        pytest.param(f"{PROD}/web:latest", [PROD], [SOURCE, COPY], COPY, id="a copy in its own, which has a tag"),
        pytest.param(f"{PROD}/web", [PROD, STAGING], [SOURCE, COPY], COPY, id="a copy before what others own"),
        pytest.param(f"{PROD}/web", [PROD, STAGING], [SOURCE], SOURCE, id="the declared registry of the other"),
        pytest.param(f"{PROD}/web", [], [COPY], COPY, id="a copy, where no registry is declared"),
        pytest.param("", [STAGING], [SOURCE], SOURCE, id="a declared registry, where no image is said"),
        pytest.param("", [], [SOURCE], SOURCE, id="where nothing is said, as the source does"),
    ],
)
def test_pulled(image: str, addresses: list[str], there: list[str], found: str) -> None:
    images = Registries(*there)
    assert asked(shop(image, *addresses), images) == found
    assert images.asked == [COPY, SOURCE][(PROD not in image) : 1 + (found == SOURCE)]


@pytest.mark.parametrize(
    ("image", "addresses", "says"),
    [
        pytest.param(
            f"{PROD}/web:v1", [PROD],
            "shop/prod/web pulls from no registry that has sha256:4f4f4f4f4f4f, which shop/staging/web runs: copy it "
            f"first, `cp {SOURCE} {PROD}/web`, or declare {STAGING} under `environments.prod.registries` of shop, if "
            "it may read there.",
            id="a registry of its own without a copy",
        ),
        pytest.param(
            "", [PROD],
            f"shop/prod/web pulls from no registry that has sha256:4f4f4f4f4f4f, which shop/staging/web runs: declare "
            f"{STAGING} under `environments.prod.registries` of shop, if it may read there.",
            id="nowhere to copy to",
        ),
        pytest.param(
            f"{PROD}/web", [PROD, STAGING],
            f"{SOURCE}, which shop/staging/web runs, is gone from its registry, and {PROD}/web has no copy.",
            id="gone from the registry of the other",
        ),
        pytest.param(
            f"{STAGING}/web", [STAGING], f"{SOURCE}, which shop/staging/web runs, is gone from its registry.",
            id="gone from the one that both have",
        ),
        pytest.param("", [], f"{SOURCE}, which shop/staging/web runs, is gone from its registry.", id="simply gone"),
    ],
)  # fmt: skip
def test_pulled_from_nowhere(image: str, addresses: list[str], says: str) -> None:
    with pytest.raises(UserError) as refused:
        asked(shop(image, *addresses), Registries())
    assert str(refused.value) == says


def test_what_the_source_declares_nowhere_is_named_by_its_folder() -> None:
    with pytest.raises(UserError, match=r"declare gcr.io/elsewhere/deep under"):
        asked(shop("", PROD), Registries(), f"gcr.io/elsewhere/deep/web@{DIGEST}")


def test_a_registry_is_not_taken_for_another_whose_name_begins_alike() -> None:
    with pytest.raises(UserError, match="pulls from no registry"):
        asked(shop("", f"{STAGING}-old", STAGING.removesuffix("s")), Registries(SOURCE))


def test_a_registry_that_cannot_be_asked_is_not_an_empty_one() -> None:
    images = Registries(SOURCE)
    images.trouble = Forbidden("aisq may not read it", permission="artifactregistry.dockerimages.get")
    with pytest.raises(Forbidden):
        asked(shop(f"{PROD}/web", PROD, STAGING), images)


def test_what_has_no_image_pulls_none_of_its_own() -> None:
    with pytest.raises(UserError, match="declare"):
        asked(shop("", PROD, type_="bigquery"), Registries(SOURCE))
