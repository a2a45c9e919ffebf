"""What is wrong with a policies folder, beyond what Cedar's own validator sees."""

from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from bot.core.errors import ConfigError
from bot.core.facts import Facts, Source, source
from bot.core.operation import Risk
from bot.core.parser import did_you_mean, near
from bot.core.rules import KNOWN, Act, PolicyFiles, PolicyText, Stage, Traits, places
from bot.engine.policy.cases import run_cases
from bot.engine.policy.cedar import Syntax, check, formatted, syntax
from bot.engine.policy.schema import ATTRIBUTES, ESTATE, fact_types, schema, words_of
from bot.engine.policy.syntax import Asked, asked, compared, covers, indirect, named, unread
from bot.engine.policy.witness import Witness

RESCUES = ("rollback", "ops undo", "ops cancel", "deny", "status")  # must work when monitoring does not


def lint(files: PolicyFiles, acts: Mapping[str, Act], targets: Mapping[str, Traits]) -> tuple[ConfigError, ...]:
    """Every problem, each with file, line and policy; none: the folder is right. Raises nothing."""
    rules = _Rules(files, acts, targets)
    found = [problem for policy in files.policies for problem in rules.problems(policy)]
    return (*found, *_cases(files, acts, targets), *_freezes(files, targets))


def _cases(files: PolicyFiles, acts: Mapping[str, Act], targets: Mapping[str, Traits]) -> Iterator[ConfigError]:
    try:
        results = run_cases(files, acts, targets)
    except ConfigError:
        return  # a policy does not fit, which is said already
    for result in results:
        if result.problem:
            yield ConfigError(result.problem, file=result.file, field=result.case.name)


def _freezes(files: PolicyFiles, targets: Mapping[str, Traits]) -> Iterator[ConfigError]:
    for freeze in files.freezes.freezes:
        if not any(map(freeze.covers, targets)):
            yield ConfigError("covers no target", file=f"{files.folder}/freezes.yaml", field=freeze.name)


class _Rules:
    """The rules for one policy, given everything that it may speak of."""

    def __init__(self, files: PolicyFiles, acts: Mapping[str, Act], targets: Mapping[str, Traits]) -> None:
        self._acts, self._schema = acts, schema(acts)
        self._names = _names(files, acts, targets)
        self._attributes = {of: {name.rstrip("?") for name in has} for of, has in ATTRIBUTES.items()}
        self._attributes["context"] = set(Facts.model_fields)
        self._booleans = {Asked("context", name) for name, kind in fact_types().items() if kind is bool}
        self._booleans.add(Asked("principal", "active"))
        self._words = _words(acts, targets)
        self._witness = Witness(acts, tuple(files.roles.roles), targets)

    def problems(self, policy: PolicyText) -> list[ConfigError]:
        """All problems; what Cedar refuses is not looked at further."""
        try:
            check(policy, self._schema)
        except ConfigError as refused:
            return [refused]
        tree = syntax(policy)
        rules: tuple[Callable[[Syntax], Iterator[str]], ...]
        rules = (self._literals, indirect, self._misspelt, self._never_equal, self._yes_or_no, self._monitoring)
        found = [sentence for rule in rules for sentence in rule(tree)]
        if policy.text != formatted(policy):
            found.append(f"is formatted otherwise than all policies are; write\n{formatted(policy)}")
        if not found and not self._witness.can_apply(policy):
            found.append("can never apply, whoever asks for whatever")
        return [ConfigError(one, file=policy.file, line=policy.line, field=policy.id) for one in found]

    def _literals(self, tree: Syntax) -> Iterator[str]:
        for one in sorted(named(tree)):
            if one.id not in self._names[one.kind]:
                yield f'there is no {one.kind}::"{one.id}".{did_you_mean(near(one.id, self._names[one.kind]))}'

    def _misspelt(self, tree: Syntax) -> Iterator[str]:
        for one in sorted(asked(tree)):
            known = self._attributes.get(one.of, {one.attribute})
            if one.attribute not in known:
                yield f"there is no {one.of}.{one.attribute}.{did_you_mean(near(one.attribute, known))}"

    def _never_equal(self, tree: Syntax) -> Iterator[str]:
        for (of, attribute), text in compared(tree):
            words = self._words.get((of, attribute), (text,))
            if text not in words:
                yield f'{of}.{attribute} is never "{text}"; it is {", ".join(words)}'

    def _yes_or_no(self, tree: Syntax) -> Iterator[str]:
        for of, name in sorted(unread(tree) & self._booleans):
            yield f"`{of} has {name}` also holds when it is false; write `{of} has {name} && {of}.{name}`"

    def _monitoring(self, tree: Syntax) -> Iterator[str]:
        measured = {name for name, field in Facts.model_fields.items() if source(field) is Source.MONITORING}
        rescues = [name for name in RESCUES if name in self._acts and covers(tree, name, self._acts[name])]
        for fact in sorted(measured & {one.attribute for one in asked(tree)}):
            for rescue in rescues:
                yield (
                    f"`{rescue}` must not depend on {fact}, which comes from monitoring: "
                    "name the other operations in the policy's scope"
                )


def _names(files: PolicyFiles, acts: Mapping[str, Act], targets: Mapping[str, Traits]) -> dict[str, frozenset[str]]:
    every = places(targets)
    return {
        "Role": frozenset({*files.roles.roles, KNOWN}),
        "User": files.roles.people(),
        "Action": frozenset({*acts, *(risk.value for risk in Risk)}),
        "Estate": frozenset({ESTATE}),
        **{kind: frozenset(name for name in every if name.count("/") == depth) for depth, kind in enumerate(_DEPTHS)},
    }


_DEPTHS = ("System", "Environment", "Target")


def _words(acts: Mapping[str, Act], targets: Mapping[str, Traits]) -> dict[tuple[str, str], tuple[str, ...]]:
    """The only values of what has a known list of them."""
    every = {("context", name): words_of(kind) for name, kind in fact_types().items() if words_of(kind)}
    every["context", "acts_on"] = tuple(sorted(acts))
    every["resource", "stage"] = get_args(Stage)
    for attribute in ("kind", "type"):
        every["resource", attribute] = tuple(sorted({getattr(one, attribute) for one in targets.values()} - {""}))
    return every
