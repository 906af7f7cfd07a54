"""Which commands run a linter or a type checker, and whether what they find stops anybody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.checks.commands import Commands, Leaf
from auditor.checks.pipelines import RunStep, When, with_matrix
from auditor.checks.shell import unwrapped
from auditor.model.artifacts import Deployment, Manifests
from auditor.model.static_checks import StaticChecks, Work
from auditor.model.verdict import Place

_LINTERS = {
    "python": {"flake8", "pylint", "pyflakes", "prospector", "pylama", "pycodestyle", "flake8p", "pflake8"},
    "script": {"eslint", "eslint_d", "xo", "standard", "ts-standard", "semistandard", "oxlint", "jshint", "tslint", "rslint"},
}
_TYPES = {
    "python": {"mypy", "dmypy", "pyright", "basedpyright", "pyre", "pytype", "zuban", "pyrefly", "mypy-baseline"},
    "script": {"tsc", "vue-tsc", "svelte-check", "tsgo", "ngc", "glint", "flow"},
}
_WITH_WORD: dict[tuple[str, str], tuple[tuple[str, Work], ...]] = {
    ("ruff", "check"): (("python", Work.LINT),),
    ("ruff-check", ""): (("python", Work.LINT),),
    ("ty", "check"): (("python", Work.TYPES),),
    ("biome", "check"): (("script", Work.LINT),),
    ("biome", "ci"): (("script", Work.LINT),),
    ("biome", "lint"): (("script", Work.LINT),),
    ("vp", "check"): (("script", Work.LINT), ("script", Work.TYPES)),
    ("vp", "lint"): (("script", Work.LINT),),
    ("deno", "lint"): (("script", Work.LINT),),
    ("deno", "check"): (("script", Work.TYPES),),
    ("next", "lint"): (("script", Work.LINT),),
    ("next", "build"): (("script", Work.TYPES),),
    ("ng", "lint"): (("script", Work.LINT),),
    ("ng", "build"): (("script", Work.TYPES),),
    ("nest", "build"): (("script", Work.TYPES),),
    ("react-scripts", "build"): (("script", Work.LINT), ("script", Work.TYPES)),
    ("vue-cli-service", "lint"): (("script", Work.LINT),),
    ("astro", "check"): (("script", Work.TYPES),),
    ("nuxi", "typecheck"): (("script", Work.TYPES),),
    ("nuxt", "typecheck"): (("script", Work.TYPES),),
    ("react-router", "typecheck"): (("script", Work.TYPES),),
}
_ACTIONS: tuple[tuple[re.Pattern[str], tuple[tuple[str, Work], ...]], ...] = (
    (re.compile(r"(?:^|/)(?:super-linter|megalinter|mega-linter)", re.IGNORECASE), (("python", Work.LINT), ("script", Work.LINT))),
    (re.compile(r"(?:^|[/_-])ruff", re.IGNORECASE), (("python", Work.LINT),)),
    (re.compile(r"(?:^|[/_-])(?:flake8|pylint)", re.IGNORECASE), (("python", Work.LINT),)),
    (re.compile(r"(?:^|[/_-])(?:mypy|pyright)", re.IGNORECASE), (("python", Work.TYPES),)),
    (re.compile(r"(?:^|[/_-])(?:eslint|oxlint)", re.IGNORECASE), (("script", Work.LINT),)),
)
_MANAGERS = re.compile(r"^(?:[a-z]?npm|yarn|pnpm|bun)$")
_NEXT_BUILD = re.compile(r"(?:^|\s)next build\b")
_LINTS_NO_MORE = 16  # the major version of Next.js from which a build does not lint
_PRE_COMMIT = re.compile(r"^(?:pre-commit|prek)$")
_PRE_COMMIT_ACTION = re.compile(r"^(?:pre-commit/action|pre-commit-ci/|tox-dev/action-pre-commit|j178/prek-action)")
_FORGIVES = re.compile(r"\s--exit-zero\b|\s--no-error-on-unmatched-pattern-only\b|\s--quiet-exit\b")
_NARROW = re.compile(r"--select[= ](?:E9|F63|F7|F82)(?:,(?:E9|F63|F7|F82|E999))*(?:\s|$)")
_SHIPPING = re.compile(r"^(?:build|vercel-build|prebuild|build:prod(?:uction)?)$")


@dataclass(frozen=True, slots=True)
class CheckerRun:
    """A place where a checker runs by itself. `effect`: what it finds stops the change or the build; `narrow`: only a handful of its rules are asked for."""

    language: str
    work: Work
    place: Place
    effect: bool
    narrow: bool = False


def works_of(words: tuple[str, ...]) -> tuple[tuple[str, Work], ...]:
    """(language, work) of the checkers a command starts; nothing for formatters and version questions."""
    words = tuple(unwrapped(list(words)))
    if len(words) > 2 and re.match(r"^python[\d.]*$", words[0].rpartition("/")[2]) and words[1] == "-m":
        words = words[2:]
    if len(words) > 1 and _MANAGERS.match(words[0]):
        words = tuple(word for word in words[1:] if word not in {"run", "exec", "--"})
    if not words or {"--version", "--help", "--init", "--print-config"} & set(words):
        return ()
    tool = words[0].rpartition("/")[2].removesuffix(".cmd").partition("@")[0]
    for work, table in ((Work.LINT, _LINTERS), (Work.TYPES, _TYPES)):
        for language, names in table.items():
            if tool in names:
                return ((language, work),)
    if tool == "ruff" and len(words) > 1 and (words[1].startswith((".", "-")) or "/" in words[1]):
        return (("python", Work.LINT),)
    if tool == "biome" or tool.endswith("/biome"):
        tool = "biome"
    plain = [word for word in words[1:] if not word.startswith("-")]
    return _WITH_WORD.get((tool, plain[0] if plain else ""), ())


def checker_runs(
    steps: Iterable[RunStep], commands: Commands, manifests: Manifests, deployment: Deployment | None, checks: StaticChecks
) -> tuple[CheckerRun, ...]:
    """Everything that runs by itself: steps of pipelines on changes, commit hooks, and what a build does before it ships."""
    reader = _Leaves(frozenset(work for work, _, _ in checks.ignored), _lints_on_build(manifests))
    hooked = [run for place, command in checks.hooks for run in _hook(place, command, commands, reader)]
    found = list(hooked)
    for step in steps:
        if step.when >= When.AFTER_MERGE:
            found.extend(_step(step, commands, hooked, reader))
    for manifest in manifests.manifests:
        for script in manifest.scripts if manifest.kind == "package.json" else ():
            if _SHIPPING.match(script.name):
                found.extend(reader.runs(commands.leaves(script.command, manifest.root), script.place))
    for dockerfile in deployment.dockerfiles if deployment is not None else ():
        for instruction in dockerfile.instructions:
            if instruction.keyword == "RUN":
                found.extend(reader.runs(commands.leaves(instruction.text, dockerfile.context), Place(dockerfile.path, instruction.line)))
    return tuple(found)


def _hook(place: Place, command: str, commands: Commands, reader: _Leaves) -> Iterator[CheckerRun]:
    """A hook is a command, or the name of one ("ruff", "mirrors-mypy")."""
    if "\n" in command:
        for line in command.splitlines():
            text = re.sub(r"^\s*(?:-\s+)?(?:run|['\"*\w.{},/-]{1,60}):\s*", "", line).strip(" '\",[]")
            yield from reader.runs(commands.leaves(text, ""), place)
        return
    found = list(reader.runs(commands.leaves(command, ""), place))
    head = command.split(" ", 1)[0]
    if not found and re.fullmatch(r"ruff(?:-check)?", head):
        found = [CheckerRun("python", Work.LINT, place, effect=True)]
    yield from found


def _step(step: RunStep, commands: Commands, hooked: list[CheckerRun], reader: _Leaves) -> Iterator[CheckerRun]:
    if _PRE_COMMIT_ACTION.match(step.step.uses):
        yield from (CheckerRun(run.language, run.work, step.place(), step.blocks, run.narrow) for run in hooked)
    for pattern, works in _ACTIONS if step.step.uses else ():
        if pattern.search(step.step.uses.partition("@")[0]):
            yield from (CheckerRun(language, work, step.place(), step.blocks) for language, work in works)
    for text in dict.fromkeys(with_matrix(step.step.run, step.job)) if step.step.run else ():
        for leaf in commands.leaves(text, step.directory if "$" not in step.directory else "?"):
            place = step.place(leaf.line)
            if _PRE_COMMIT.match(leaf.words[0].rpartition("/")[2]):
                yield from (CheckerRun(run.language, run.work, place, step.blocks and not leaf.swallowed, run.narrow) for run in hooked)
            for run in reader.runs((leaf,), place):
                yield CheckerRun(run.language, run.work, place, run.effect and step.blocks, run.narrow)


@dataclass(frozen=True, slots=True)
class _Leaves:
    """Finds the checkers among the commands that everything comes to in the end. `ignored`: what a build of Next.js is told not to mind; `lints`: it lints too."""

    ignored: frozenset[Work]
    lints: bool

    def runs(self, leaves: Iterable[Leaf], place: Place) -> Iterator[CheckerRun]:
        """The checkers that the commands start."""
        for leaf in leaves:
            works = works_of(leaf.words)
            if works and _NEXT_BUILD.search(leaf.text):
                works = (*works, ("script", Work.LINT)) if self.lints else works
                works = tuple((language, work) for language, work in works if work not in self.ignored)
            for language, work in works:
                effect = not leaf.swallowed and not _FORGIVES.search(f" {leaf.text} ")
                yield CheckerRun(language, work, place, effect, bool(_NARROW.search(leaf.text)))


def _lints_on_build(manifests: Manifests) -> bool:
    """Whether the tree's Next.js is one whose build lints as well."""
    wanted = [
        entry.specifier
        for manifest in manifests.manifests
        for entry in manifest.requirements
        if entry.name == "next" and manifest.kind == "package.json"
    ]
    majors = [int(found[0]) for specifier in wanted if (found := re.search(r"\d+", specifier))]
    return bool(majors) and max(majors) < _LINTS_NO_MORE
