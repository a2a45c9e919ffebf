"""Loading catalog/, finding what is wrong in it, and what is generated from it."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from bot.core.errors import ConfigError, ConfigErrors
from bot.stores import catalog_page
from bot.stores.catalog_files import HEADER, load_catalog, schema
from bot.stores.catalog_lint import lint
from bot.stores.catalog_page import page, table
from bot.stores.remarks import remarks
from bot.stores.yaml_file import YamlFile

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "catalog").glob("*.yaml"))
SHOP = f"""{HEADER}
system: shop
title: Shop
owner: us
environments:
  prod:
    stage: prod
    project: p
    region: r
    services:
      web: {{ type: cloud_run, instances: {{ min: 1, max: 3 }} }}
"""


def folder(at: Path, **files: str) -> Path:
    for name, text in files.items():
        (at / f"{name}.yaml").write_text(text, encoding="utf-8")
    return at


def problems(at: Path, **files: str) -> list[str]:
    return [str(problem).replace(f"{at}/", "") for problem in lint(folder(at, **files))]


# loading


def test_each_file_is_a_system(tmp_path: Path) -> None:
    catalog = load_catalog(folder(tmp_path, shop=SHOP, mall=SHOP.replace("system: shop", "system: mall")))
    assert [str(target) for target in catalog.targets()] == ["mall/prod/web", "shop/prod/web"]


def test_everything_that_is_wrong_in_all_files_is_said_at_once(tmp_path: Path) -> None:
    folder(tmp_path, a=SHOP.replace("max: 3", "max: 0"), b="system: [", c=SHOP.replace("owner: us\n", "zzz: 1\n"))
    with pytest.raises(ConfigErrors) as caught:
        load_catalog(tmp_path)
    assert str(caught.value).replace(f"{tmp_path}/", "").splitlines() == [
        "a.yaml:11: environments.prod.services.web.instances: min 1 is above max 0",
        "b.yaml:1: is not YAML here: expected the node content, but found '<stream end>'",
        "c.yaml:1: owner: is missing",
        "c.yaml:4: zzz: there is no such field",
    ]


def test_a_file_is_named_after_its_system(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match=r"mall\.yaml:2: system: `shop` must stand in shop\.yaml"):
        load_catalog(folder(tmp_path, mall=SHOP))


def test_a_folder_without_systems(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no system: write SYSTEM\.yaml"):
        load_catalog(tmp_path)
    assert lint(tmp_path) == []


# lint


def test_nothing_is_wrong_with_a_good_file(tmp_path: Path) -> None:
    assert problems(tmp_path, shop=SHOP) == []


def test_lint_goes_on_after_a_broken_file(tmp_path: Path) -> None:
    found = problems(tmp_path, a="x: [", b=SHOP, shop=SHOP.replace("stage: prod", "stage: x").split("\n", 1)[1])
    assert found == [
        "error: a.yaml:1: is not YAML here: expected the node content, but found '<stream end>'",
        "error: b.yaml:2: system: `shop` must stand in shop.yaml",
        "error: shop.yaml:6: environments.prod.stage: write 'prod', 'staging' or 'dev', not `x`",
    ]


def test_a_file_begins_with_the_line_for_editors(tmp_path: Path) -> None:
    found = problems(tmp_path, shop=SHOP.removeprefix(HEADER))
    assert found == [f"warning: shop.yaml:1: begin with `{HEADER}`, so that editors know the fields"]


def test_a_contradiction_is_an_error_unless_it_is_marked(tmp_path: Path) -> None:
    cost = "    cost:\n      low_usd: 9%s\n      lines: { a: { low_usd: 5 } }\n"
    assert problems(tmp_path, shop=SHOP + cost % "") == [
        "error: shop.yaml:13: environments.prod.cost.low_usd: the lines add up to 5; "
        "mend it, or say `# conflict: why` there"
    ]
    assert problems(tmp_path, shop=SHOP + cost % " # conflict: so it is written") == []
    assert len(problems(tmp_path, shop=SHOP + cost % " # assumed")) == 1


def test_a_contradiction_in_an_anchor_is_marked_there_once(tmp_path: Path) -> None:
    pods = (
        "      main: { type: gke_cluster, machine_type: m }\n"
        "      api: &api\n        type: gke\n        cluster: main\n        replicas: 1\n"
        "        image: gcr.io/p/api:latest # conflict: a moving tag\n"
        "      api-two: { <<: *api, resource: api-two }\n"
    )
    assert problems(tmp_path, shop=SHOP + pods) == []
    assert [line.split(": ")[2] for line in problems(tmp_path, shop=SHOP + pods.replace("# conflict", "#"))] == [
        "environments.prod.services.api.image",
        "environments.prod.services.api-two.image",
    ]


def test_an_alert_that_starts_nothing_is_a_warning(tmp_path: Path) -> None:
    rule = "{ metric: cpu, above: 80, for: 5m, severity: warning, source: prometheus%s }"
    alerts = f"    alerts:\n      High: {rule % ''}\n      Low: {rule % ', runbook: low'}\n"
    assert problems(tmp_path, shop=SHOP + alerts) == [
        "warning: shop.yaml:13: environments.prod.alerts.High: starts no runbook"
    ]


def test_a_channel_belongs_to_one_system(tmp_path: Path) -> None:
    owned = SHOP.replace("owner: us\n", "owner: us\nchannels: { C1: prod }\n")
    mall = owned.replace("system: shop", "system: mall").replace("project: p", "project: q")
    assert problems(tmp_path, shop=owned, mall=mall) == [
        "error: shop.yaml:5: channels.C1: mall has this channel already"
    ]


def test_a_resource_stands_in_one_place(tmp_path: Path) -> None:
    twice = "      other: { type: cloud_run, resource: web, instances: { min: 0, max: 1 } }\n"
    mall = SHOP.replace("system: shop", "system: mall")
    assert problems(tmp_path, shop=SHOP + twice, mall=mall) == [
        "error: shop.yaml:11: environments.prod.services.web: is the same cloud_run as mall/prod/web",
        "error: shop.yaml:12: environments.prod.services.other: is the same cloud_run as mall/prod/web",
    ]


def test_names_do_not_collide(tmp_path: Path) -> None:
    more = "      prod: { type: gcs }\n    groups: { web: [web], prod: [web] }\n"
    mall = SHOP.replace("system: shop", "system: prod").replace("project: p", "project: q")
    assert problems(tmp_path, shop=SHOP + more, prod=mall) == [
        "error: prod.yaml:6: environments.prod: `prod` is a system too; `prod/…` would mean either",
        "error: shop.yaml:6: environments.prod: `prod` is a system too; `prod/…` would mean either",
        "error: shop.yaml:12: environments.prod.services.prod: `prod` is an environment too",
        "error: shop.yaml:13: environments.prod.groups.prod: `prod` is an environment too",
        "error: shop.yaml:13: environments.prod.groups.web: `web` is a service too",
        "error: shop.yaml:13: environments.prod.groups.prod: `prod` is a service too",
    ]


# what is shipped


def test_nothing_is_wrong_with_what_is_shipped() -> None:
    assert [str(problem) for problem in lint(ROOT / "catalog")] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_editors_agree(path: Path) -> None:
    """What loads is also right by the JSON Schema, as an editor would check it."""
    data = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    jsonschema_rs.Draft202012Validator(json.loads(schema())).validate(data)


def test_editors_see_mistakes() -> None:
    data = YAML(typ="safe").load(SHOP)
    data["environments"]["prod"]["services"]["web"]["instnces"] = {}
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.Draft202012Validator(json.loads(schema())).validate(data)


def test_the_schema_is_current() -> None:
    committed = (ROOT / "catalog/schema.json").read_text(encoding="utf-8")
    assert committed == schema(), "run: python -m bot.stores.catalog_page"


def test_the_page_is_current() -> None:
    text = (ROOT / "docs/catalog.md").read_text(encoding="utf-8")
    assert text == page(text, ROOT / "catalog"), "run: python -m bot.stores.catalog_page"


# remarks


REMARKED = """system: shop # assumed
slo: { objective_pct: 99 } # assumed: nobody says | more
# assumed: a line of its own says nothing
list:
  - { a: 1 } # conflict: of an item
text: "# assumed" # a comment of another kind
deep:
  one: &one # conflict
    two: 2 # assumed: below
  three: *one
last: 1 #conflict:without spaces
"""


def test_remarks_are_read_with_what_they_are_about(tmp_path: Path) -> None:
    found = remarks(YamlFile(folder(tmp_path, shop=REMARKED) / "shop.yaml", "shop.yaml"))
    assert [(one.line, one.field, one.kind, one.written, one.text) for one in found] == [
        (1, "system", "assumed", "system: shop", ""),
        (2, "slo", "assumed", "slo: { objective_pct: 99 }", "nobody says | more"),
        (5, "list.0", "conflict", "{ a: 1 }", "of an item"),
        (8, "deep.one", "conflict", "one: &one", ""),
        (9, "deep.one.two", "assumed", "two: 2", "below"),
        (11, "last", "conflict", "last: 1", "without spaces"),
    ]


def test_remarks_become_tables_conflicts_first(tmp_path: Path) -> None:
    lines = table(folder(tmp_path, shop=REMARKED)).splitlines()
    assert lines[:5] == [
        "### Conflicts (3)",
        "",
        "| where | what stands there | why |",
        "|---|---|---|",
        "| shop: list.0 | `{ a: 1 }` | of an item |",
    ]
    assert "### Assumed (3)" in lines and "#### shop.yaml" in lines
    assert r"| slo | `slo: { objective_pct: 99 }` | nobody says \| more |" in lines


def test_only_what_is_between_the_markers_is_made_anew(tmp_path: Path) -> None:
    text = f"before\n{catalog_page.BEGIN}old\n{catalog_page.END}after\n"
    made = page(text, folder(tmp_path, shop=REMARKED))
    assert made.startswith(f"before\n{catalog_page.BEGIN}\n### Conflicts")
    assert made.endswith(f"{catalog_page.END}after\n")
    assert "old" not in made and page(made, tmp_path) == made


def test_both_files_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "catalog").mkdir()
    (tmp_path / "docs").mkdir()
    folder(tmp_path / "catalog", shop=SHOP)
    (tmp_path / "docs/catalog.md").write_text(f"{catalog_page.BEGIN}{catalog_page.END}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    catalog_page.main()
    assert (tmp_path / "catalog/schema.json").read_text(encoding="utf-8") == schema()
    assert "### Conflicts (0)" in (tmp_path / "docs/catalog.md").read_text(encoding="utf-8")
