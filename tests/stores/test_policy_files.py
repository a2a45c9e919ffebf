"""Reading the policies folder: where each policy begins, and every mistake with file, line and field."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import ConfigError
from bot.stores.policy_files import policy_files

ONE = '@id("grant.one")\n@title("One")\npermit (principal, action, resource);\n'
YAML = {
    "roles.yaml": "roles:\n  oncall:\n    description: Carry the pager.\n    slack_users: [U0ANA]\n",
    "freezes.yaml": "freezes: []\n",
    "limits.yaml": "approval_expires_min: 45\n",
}


def folder(path: Path, **files: str) -> Path:
    """A policies folder; keyword `grants` is the text of 10-grants.cedar."""
    written = {"10-grants.cedar": files.pop("grants", ONE), **YAML}
    written |= {name.replace("_", "."): text for name, text in files.items()}
    for name, text in written.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(text, encoding="utf-8")
    return path


def test_everything_in_the_folder(tmp_path: Path) -> None:
    made = folder(tmp_path)
    (made / "tests").mkdir()
    (made / "tests" / "a.yaml").write_text("cases:\n  - { name: x, what: status, needs_approvals: 0 }\n")
    found = policy_files(made)
    (policy,) = found.policies
    assert policy == (str(made / "10-grants.cedar"), 1, "grant.one", "One", ONE.strip())
    assert found.roles.roles_of("slack:U0ANA") == ("oncall",)
    assert found.limits.approval_expires_min == 45
    assert found.freezes.freezes == ()
    assert [(file, case.name) for file, case in found.cases] == [(str(made / "tests" / "a.yaml"), "x")]
    assert found.folder == str(made)


def test_policies_are_cut_where_they_end(tmp_path: Path) -> None:
    text = """\
// A head; with a semicolon, and a "quote.

// Two lines @id("no")
@id("a")
@title("Semi; colon, // no comment")
permit (principal, action, resource) // here; too
when { resource == Aisq::Target::"x;y" || 4 / 2 == 2 };

@title("Say 'no'") @id("b-2.c")
// between
@note("more")
forbid (principal, action, resource);
// The end; really.
"""
    one, two = policy_files(folder(tmp_path, grants=text)).policies
    assert (one.line, one.id, one.title) == (4, "a", "Semi; colon, // no comment")
    assert (two.line, two.id, two.title) == (9, "b-2.c", "Say 'no'")
    assert one.text.startswith("@id(") and one.text.endswith("4 / 2 == 2 };")
    assert two.text.startswith("@title(") and two.text.endswith("resource);")


def test_files_are_read_in_order(tmp_path: Path) -> None:
    made = folder(tmp_path)
    (made / "05-first.cedar").write_text(ONE.replace("grant.one", "grant.zero"))
    (made / "notes.txt").write_text("no policy")
    assert [policy.id for policy in policy_files(made).policies] == ["grant.zero", "grant.one"]


@pytest.mark.parametrize(
    "text, line, field, says",
    [
        ("permit (principal, action, resource);", 1, "", 'a policy begins with @id("…")'),
        ('\n\n@title("x")\npermit (principal, action, resource);', 3, "", 'a policy begins with @id("…")'),
        ('@id("Grant One")\n@title("x")\npermit (principal);', 1, "Grant One", 'a policy begins with @id("…")'),
        ('@id("a..b") @title("x") permit (principal);', 1, "a..b", 'a policy begins with @id("…")'),
        ('@id("a")\npermit (principal, action, resource);', 1, "a", 'a policy needs a @title("…")'),
        ('@id("a") @title(" ") permit (principal);', 1, "a", 'a policy needs a @title("…")'),
        ('@id("a") @title("\\u{41}") permit (principal);', 1, "a", 'a policy needs a @title("…") without backslashes'),
        (ONE + '@id("b") @title("x") permit (principal)', 4, "b", "a policy ends with `;`"),
        (ONE + "  garbage", 4, "", 'a policy begins with @id("…")'),
        (ONE + "\n;", 5, "", 'a policy begins with @id("…")'),
        (ONE + '@id("b") @title("never closed);\n// x', 4, "b", 'a policy needs a @title("…")'),
        ('// @id("a") @title("x")\npermit (principal, action, resource);', 2, "", 'a policy begins with @id("…")'),
        (ONE + ONE, 4, "grant.one", "there is a policy with this id in"),
    ],
)
def test_a_policy_that_is_wrong(tmp_path: Path, text: str, line: int, field: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        policy_files(folder(tmp_path, grants=text))
    error = caught.value
    assert (error.file, error.line, error.field) == (str(tmp_path / "10-grants.cedar"), line, field)
    assert error.problem.startswith(says)


def test_twins_in_two_files_name_both(tmp_path: Path) -> None:
    made = folder(tmp_path)
    (made / "20-guards.cedar").write_text("\n" + ONE)
    with pytest.raises(ConfigError) as caught:
        policy_files(made)
    assert str(caught.value) == (
        f"{made}/20-guards.cedar:2: grant.one: there is a policy with this id in {made}/10-grants.cedar:1;"
        " choose another"
    )


@pytest.mark.parametrize("text", ["", "// nothing\n", "\n\n"])
def test_no_policy_at_all(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="there is no policy in this folder, so everything would be forbidden"):
        policy_files(folder(tmp_path, grants=text))


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no policy in this folder"):
        policy_files(tmp_path / "nowhere")


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    made = folder(tmp_path)
    (made / "10-grants.cedar").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"10-grants\.cedar: cannot be read"):
        policy_files(made)


ROLE = "roles:\n  oncall:\n    description: x\n"
FREEZE = "freezes:\n  - name: x\n    from: soon\n    to: later\n    targets: [a]\n    reason: x\n"


@pytest.mark.parametrize(
    "name, text, line, field",
    [
        ("roles.yaml", ROLE + "    slack_users: ['@ana']\n", 4, "roles.oncall.slack_users.0"),
        ("roles.yaml", ROLE + "    slack_user: [U0ANA]\n", 4, "roles.oncall.slack_user"),
        ("freezes.yaml", FREEZE, 3, "freezes.0.from"),
        ("limits.yaml", "approval_expires_min: 30\naudit_kept_days: 30\n", 2, "audit_kept_days"),
        ("limits.yaml", "approval_expires_min: soon\n", 1, "approval_expires_min"),
    ],
)
def test_a_yaml_file_that_is_wrong(tmp_path: Path, name: str, text: str, line: int, field: str) -> None:
    made = folder(tmp_path)
    (made / name).write_text(text)
    with pytest.raises(ConfigError) as caught:
        policy_files(made)
    assert (caught.value.file, caught.value.line, caught.value.field) == (str(made / name), line, field)


def test_a_case_that_is_wrong(tmp_path: Path) -> None:
    made = folder(tmp_path)
    (made / "tests").mkdir()
    (made / "tests" / "a.yaml").write_text("cases:\n  - name: x\n    what: status\n    needs_approvals: 4\n")
    with pytest.raises(ConfigError, match=r"a.yaml:4: cases.0.needs_approvals: "):
        policy_files(made)


@pytest.mark.parametrize("name", list(YAML))
def test_a_yaml_file_that_is_missing(tmp_path: Path, name: str) -> None:
    made = folder(tmp_path)
    (made / name).unlink()
    with pytest.raises(ConfigError, match=f"{name}: cannot be read"):
        policy_files(made)


@settings(derandomize=True, deadline=None)
@given(text=st.text(alphabet='@id("a);/\\ \n;{}=|x', max_size=60))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    made = folder(tmp_path_factory.mktemp("any"), grants=ONE + text)
    try:
        found = policy_files(made)
    except ConfigError as error:
        assert error.line > 0
    else:
        assert all(policy.text in ONE + text for policy in found.policies)


def test_a_long_unclosed_text_takes_no_time(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        policy_files(folder(tmp_path, grants='@id("' + 'x\\"' * 50_000))
