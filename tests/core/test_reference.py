"""What people write, and which target that is."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.estate import System
from bot.core.reference import NO_DEFAULT, channel_default, resolve

TABLE = YAML(typ="safe").load(Path(__file__).with_name("references.yaml"))
CATALOG = Catalog(systems={one["system"]: System.model_validate(one) for one in TABLE["systems"]})


def name_of(case: dict[str, Any]) -> str:
    return f"{case['text']} as {case.get('kind', 'service')} in {case.get('in', 'nowhere')}"


def asked(case: dict[str, Any]) -> str:
    default = channel_default(CATALOG, case.get("in", ""))
    return str(resolve(CATALOG, case["text"], case.get("kind", "service"), default))


@pytest.mark.parametrize("case", [case for case in TABLE["cases"] if "is" in case], ids=name_of)
def test_what_is_plain_is_found(case: dict[str, Any]) -> None:
    assert asked(case) == case["is"]


@pytest.mark.parametrize("case", [case for case in TABLE["cases"] if "says" in case], ids=name_of)
def test_what_is_not_plain_is_asked_back(case: dict[str, Any]) -> None:
    with pytest.raises(UserError) as caught:
        asked(case)
    assert (str(caught.value), list(caught.value.choices)) == (case["says"], case["choices"])


@pytest.mark.parametrize("case", [case for case in TABLE["cases"] if case.get("choices")], ids=name_of)
def test_every_choice_is_right_or_leads_on(case: dict[str, Any]) -> None:
    """Choosing what was offered gives a target, or a narrower question; never the same refusal."""
    for choice in case["choices"]:
        try:
            asked({**case, "text": choice})
        except UserError as error:
            assert str(error) != case["says"] and error.choices


@pytest.mark.parametrize(
    ("channel", "default"),
    [("C0AISQ", ("ai-square", "prod")), ("C0EAILI", ("eaili5", "prod")), ("C0OPS", NO_DEFAULT), ("", NO_DEFAULT)],
)
def test_a_channel_means_an_environment(channel: str, default: tuple[str, str]) -> None:
    assert channel_default(CATALOG, channel) == default


def test_a_long_text_is_not_repeated_in_full() -> None:
    for text in ("x" * 5000, "x" * 5000 + "/y", "ai-square/" + "x" * 5000 + "/y", "a/b/c/" + "d" * 5000):
        with pytest.raises(UserError) as caught:
            resolve(CATALOG, text, "service", ("ai-square", "prod"))
        assert len(str(caught.value)) < 300


def test_a_long_list_is_cut() -> None:
    run = {"type": "cloud_run", "instances": {"min": 0, "max": 1}}
    services = {f"service-{number}": run for number in range(20)}
    prod = {"stage": "prod", "services": services}
    big = {"system": "big", "title": "Big", "owner": "us", "environments": {"prod": prod}}
    catalog = Catalog(systems={"big": System.model_validate(big)})
    with pytest.raises(UserError, match=r"`service-7`, …$"):
        resolve(catalog, "big/zzz", "service")


@settings(deadline=None)
@given(st.text(max_size=40), st.sampled_from(["service", "database", "database|cache", "any"]), st.booleans())
def test_any_text_is_a_target_or_a_sentence(text: str, kind: str, here: bool) -> None:
    try:
        target = resolve(CATALOG, text, kind, ("ai-square", "prod") if here else NO_DEFAULT)
    except UserError as error:
        assert str(error)
    else:
        assert target in CATALOG.targets()


def test_without_a_kind_everything_fits() -> None:
    assert resolve(CATALOG, "eaili5/prod/redis").kind == "cache"
