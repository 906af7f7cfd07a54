"""Where pipelines check a change: steps that run tests, and steps that lint, type-check or build."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.checks.commands import Commands, Leaf
from auditor.checks.pipelines import RunStep, When, with_matrix
from auditor.checks.test_runs import TestRun, action_runs_tests, test_run
from auditor.model.artifacts import Deployment
from auditor.model.verdict import Place

_QUALITY = re.compile(
    r"^(?:eslint|shellcheck|actionlint|ruff|flake8|mypy|pyright|basedpyright|tsc|vue-tsc|svelte-check|prettier|black|isort|pylint|biome|oxlint|stylelint|pre-commit|bandit|semgrep|next (?:build|lint)|vite build|astro (?:build|check)|ng (?:build|lint)"
    r"|webpack|rollup|turbo|nx|docker(?: buildx)? build|docker[ -]compose build|cargo (?:build|clippy|check)|go (?:build|vet)|golangci-lint|hadolint|python[\d.]* -m (?:build|compileall|mypy|ruff|flake8)|(?:\w+-)?(?:npm|pnpm|yarn|bun)"
    r" (?:run )?(?:build|lint|check|typecheck|type-check|format)|nuxt build|react-scripts build|expo export|tox|nox)\b"
)
_QUALITY_ACTION = re.compile(
    r"(?:codeql-action|shellcheck|actionlint|eslint|ruff-action|pre-commit/action|super-linter|docker/build-push-action|hadolint|golangci|black|biome|sonar|trunk-io)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PipelineTest:
    """A test run of the pipeline and the step it happens in."""

    step: RunStep
    run: TestRun

    @property
    def blocks(self) -> bool:
        """Whether a failure stops the job."""
        return self.step.blocks and not self.run.leaf.swallowed

    @property
    def place(self) -> Place:
        """The line of the command."""
        return self.step.place(self.run.leaf.line)


def pipeline_tests(steps: Iterable[RunStep], commands: Commands, deployment: Deployment) -> list[PipelineTest]:
    """Every test run of the given steps."""
    found: list[PipelineTest] = []
    for step in steps:
        if step.when is When.NEVER:
            continue
        if action_runs_tests(step.step.uses):
            found.append(
                PipelineTest(step, TestRun(Leaf((step.step.uses,), "?", 0, swallowed=False), "any", "cypress" in step.step.uses, ()))
            )
        for text in dict.fromkeys(with_matrix(step.step.run, step.job)) if step.step.run else ():
            for leaf in commands.leaves(text, step.directory if "$" not in step.directory else "?"):
                run = test_run(leaf) or _by_container(leaf, deployment)
                if run is not None:
                    found.append(PipelineTest(step, run))
    return found


def _by_container(leaf: Leaf, deployment: Deployment) -> TestRun | None:
    """Tests run by building a stage, or by starting compose services that end with the tests' status."""
    text = leaf.text
    if re.match(r"docker(?:-compose| compose)\b.{0,200}\bup\b.{0,200}--(?:exit-code-from|abort-on-container-exit)", text):
        return TestRun(leaf, "any", browser=False, paths=())
    if re.match(r"docker (?:buildx )?build\b", text):
        for dockerfile in deployment.dockerfiles:
            for instruction in dockerfile.instructions:
                inner = Leaf(tuple(instruction.text.split()[:40]), "?", leaf.line, leaf.swallowed)
                if instruction.keyword == "RUN" and test_run(inner):
                    return TestRun(leaf, "any", browser=False, paths=())
    return None


def is_quality(step: RunStep, commands: Commands) -> bool:
    """Whether a step lints, type-checks or builds."""
    if _QUALITY_ACTION.search(step.step.uses):
        return True
    return any(_QUALITY.match(leaf.text) for leaf in commands.leaves(step.step.run, step.directory)) if step.step.run else False
