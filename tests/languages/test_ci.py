"""Pipelines of every system: steps with their lines, what ignores failure, and hostile texts."""

from __future__ import annotations

import time

import pytest

from auditor.languages.ci import read_ci, read_pipelines, system_of
from auditor.languages.yaml_nodes import flattened, read_yaml
from auditor.model.artifacts import CiWorkflow

GITHUB = """\
name: CI
on:
  push:
    branches: [main]
  pull_request:
    branches: [main]
  workflow_dispatch:
    inputs:
      version: {description: what to ship}
permissions: read-all
defaults: {run: {working-directory: api}}
jobs:
  test:
    runs-on: [self-hosted, linux]
    needs: lint
    strategy:
      matrix:
        python: ["3.11", "3.12"]
        include:
          - task: unit
    permissions:
      contents: write
    steps:
      - uses: actions/checkout@v4
        with: {ref: x}
      - name: Test
        env: {A: b}
        run: |
          pip install -r requirements.txt
          pytest
      - run: npm run lint || true
      - run: mypy .
        continue-on-error: true
  shared:
    uses: ./.github/workflows/shared.yml
"""


def read(path: str, text: str) -> CiWorkflow:
    found = read_ci(path, text)
    assert found is not None
    return found


def runs(workflow: CiWorkflow) -> list[str]:
    return [step.run or step.uses for job in workflow.jobs for step in job.steps]


def test_github_workflow_with_every_part() -> None:
    workflow = read(".github/workflows/ci.yml", GITHUB)
    assert (workflow.system, workflow.name, workflow.problem) == ("github", "CI", "")
    assert workflow.triggers == ("push", "pull_request", "workflow_dispatch")
    assert workflow.branches == ("main",)
    assert workflow.inputs == ("version",)
    assert workflow.permissions == (("*", "read-all"),)
    test, shared = workflow.jobs
    assert (test.line, test.directory, test.runner, test.needs) == (13, "api", "self-hosted, linux", ("lint",))
    assert test.matrix == (("python", "3.11"), ("python", "3.12"), ("task", "unit"))
    assert test.permissions == (("contents", "write"),)
    assert [(step.line, step.ignores_failure) for step in test.steps] == [(24, False), (28, False), (31, True), (32, True)]
    assert test.steps[1].run == "pip install -r requirements.txt\npytest\n"
    assert test.steps[1].environment == (("A", "b"),)
    assert shared.steps[0].uses == "./.github/workflows/shared.yml"


@pytest.mark.parametrize(
    ("on", "triggers"),
    [
        ("on: push", ("push",)),
        ("on: [push, pull_request]", ("push", "pull_request")),
        ("on: {push: {tags: ['v*']}}", ("tag",)),
        ("on: {push: {tags: ['v*'], branches: [main]}}", ("push",)),
        ("on: {pull_request: {types: [closed]}}", ()),
        ("on: {pull_request: {types: [opened, synchronize]}}", ("pull_request",)),
        ("on:\n  schedule:\n    - cron: '0 0 * * *'", ("schedule",)),
        ("'on': push", ("push",)),
    ],
)
def test_github_triggers(on: str, triggers: tuple[str, ...]) -> None:
    assert read(".github/workflows/a.yml", f"{on}\njobs: {{a: {{steps: [{{run: x}}]}}}}\n").triggers == triggers


def test_a_filter_on_one_event_only_is_no_filter() -> None:
    workflow = read(".github/workflows/a.yml", "on:\n  push: {branches: [main]}\n  pull_request:\njobs: {a: {steps: [{run: x}]}}\n")
    assert workflow.branches == ()


def test_workflows_run_only_from_the_root() -> None:
    assert system_of("themes/core/.github/workflows/build.yml") == ""
    assert system_of(".github/workflows/deep/build.yml") == ""
    assert system_of(".github/workflows/build.yaml") == "github"


def test_composite_actions_are_read_where_a_workflow_uses_them() -> None:
    texts = {
        ".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    steps:\n      - uses: ./tools/setup\n",
        "tools/setup/action.yml": "name: Setup\nruns:\n  using: composite\n  steps:\n    - run: npm test\n      shell: bash\n",
        "other/action.yml": "name: Published\nruns: {using: composite, steps: [{run: x}]}\n",
    }
    found = {workflow.path: workflow for workflow in read_pipelines(texts)}
    assert sorted(found) == [".github/workflows/ci.yml", "tools/setup/action.yml"]
    assert found["tools/setup/action.yml"].triggers == ("action",)
    assert found["tools/setup/action.yml"].jobs[0].steps[0].line == 5


def test_gitlab_extends_references_defaults_and_includes() -> None:
    main = """\
include:
  - local: /ci/*.yml
default: {image: "python:3.12"}
.base: &base
  before_script: [pip install -e .]
.setup:
  script:
    - echo setup
test:
  extends: .base
  script:
    - !reference [.setup, script]
    - pytest
lint:
  <<: *base
  script: ruff check .
  allow_failure: true
deploy:
  extends: .deploy
  when: manual
  environment: {name: production}
"""
    included = ".deploy:\n  script:\n    - kubectl apply -f k8s\n"
    found = {workflow.path: workflow for workflow in read_pipelines({".gitlab-ci.yml": main, "ci/deploy.yml": included})}
    workflow = found[".gitlab-ci.yml"]
    test, lint, deploy = workflow.jobs
    assert [step.run for step in test.steps] == ["pip install -e .", "echo setup", "pytest"]
    assert [step.line for step in test.steps] == [5, 8, 13]
    assert test.image == "python:3.12"
    assert [step.run for step in lint.steps] == ["pip install -e .", "ruff check ."]
    assert lint.ignores_failure
    assert (deploy.condition, deploy.environment, [step.run for step in deploy.steps]) == ("manual", "production", ["kubectl apply -f k8s"])
    assert "ci/deploy.yml" in found


def test_circleci_runs_the_jobs_its_workflows_name() -> None:
    text = """\
version: 2.1
commands:
  install:
    steps: [{run: npm ci}]
jobs:
  test:
    docker: [{image: "node:20"}]
    steps:
      - checkout
      - install
      - run: {name: Test, command: npm test}
  unused: {steps: [{run: never}]}
workflows:
  main:
    jobs:
      - test
      - hold: {type: approval}
      - node/test: {requires: [test]}
"""
    workflow = read(".circleci/config.yml", text)
    assert runs(workflow) == ["checkout", "npm ci", "npm test", "node/test"]
    assert workflow.jobs[0].image == "node:20"
    assert workflow.jobs[1].condition == "manual"


def test_azure_stages_and_its_implicit_triggers() -> None:
    text = """\
stages:
  - stage: build
    jobs:
      - job: test
        steps:
          - script: npm test
            displayName: Test
          - task: PublishTestResults@2
          - ${{ if eq(1, 1) }}:
              - bash: pytest
                continueOnError: true
"""
    workflow = read("azure-pipelines.yml", text)
    assert workflow.triggers == ("push", "pull_request")
    assert [(step.line, step.ignores_failure) for step in workflow.jobs[0].steps] == [(6, False), (8, False), (10, True)]
    assert read("azure-pipelines.yml", "trigger: none\npr: none\nsteps: [{script: x}]\n").triggers == ()


@pytest.mark.parametrize(
    ("path", "text", "commands"),
    [
        (".travis.yml", "language: node_js\n", ["npm test"]),
        (".travis.yml", "install: make\nscript:\n  - make test\n", ["make", "make test"]),
        ("appveyor.yml", "build: off\ntest_script:\n  - cmd: pytest\n", ["pytest"]),
        ("bitbucket-pipelines.yml", "pipelines:\n  default:\n    - step:\n        script: [npm ci, npm test]\n", ["npm ci", "npm test"]),
        (".drone.yml", "kind: pipeline\nsteps:\n  - name: t\n    image: go\n    commands: [go test]\n", ["go test"]),
        (".woodpecker.yml", "steps:\n  t:\n    image: go\n    commands:\n      - go test\n", ["go test"]),
        (".buildkite/pipeline.yml", "steps:\n  - label: t\n    command: make test\n  - wait\n", ["make test"]),
        ("cloudbuild.yaml", "steps:\n  - name: node:20\n    entrypoint: npm\n    args: [test]\n", ["npm test"]),
        ("Jenkinsfile", "pipeline { stages {\n stage('Test') { steps {\n // sh 'no'\n sh 'make test'\n sh '''\n npm ci\n npm test\n'''\n}}}}", ["make test", "npm ci\n npm test"]),
    ],
)  # fmt: skip
def test_commands_of_the_other_systems(path: str, text: str, commands: list[str]) -> None:
    workflow = read(path, text)
    assert runs(workflow) == commands
    assert workflow.problem == ""
    assert all(step.line for job in workflow.jobs for step in job.steps)


def test_a_pipeline_started_by_hand_only() -> None:
    workflow = read("bitbucket-pipelines.yml", "pipelines:\n  custom:\n    deploy:\n      - step: {script: [x]}\n")
    assert workflow.triggers == ("workflow_dispatch",)
    assert workflow.jobs[0].condition == "manual"


@pytest.mark.parametrize("text", ["jobs: [", "\t- a", "just a sentence", "", "on: push\njobs:\n", "\x00", "a: &a\n  <<: *a\n", "- - -"])
def test_malformed_workflows_carry_a_problem(text: str) -> None:
    workflow = read(".github/workflows/ci.yml", text)
    assert workflow.problem
    assert workflow.jobs == ()


@pytest.mark.parametrize(
    "path",
    [".github/workflows/a.yml", ".gitlab-ci.yml", ".circleci/config.yml", "azure-pipelines.yml", ".travis.yml", "bitbucket-pipelines.yml",
     ".drone.yml", ".buildkite/pipeline.yml", "cloudbuild.yaml", "appveyor.yml", "Jenkinsfile"],
)  # fmt: skip
@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(24))
        + "script: *y\njobs: {t: {steps: *y}}\nsteps: *y\n",
        "[" * 50_000,
        "{a: " * 20_000,
        "a: " + "x" * 20_000_000,
        "- a\n" * 400_000,
        "stage('" * 40_000,
        "sh '''" * 20_000,
        "x: !!python/object/apply:os.system [echo]\n",
        "steps: 3\njobs: [1, {a: }, [], null]\npipelines: x\nscript: {a: b}\non: {push: 3}\nextends: [x]\nt: {script: !reference [t, script]}\n",
    ],
    ids=["aliases", "brackets", "braces", "20-MB", "elements", "stages", "quotes", "tag", "shapes"],
)
def test_hostile_texts_end_quickly(path: str, text: str) -> None:
    started = time.process_time()
    read_pipelines({path: text})
    assert time.process_time() - started < 30


def test_walking_shared_nodes_is_bounded() -> None:
    text = "a: &a {x: 1}\n" + "".join(
        f"k{i + 1}: &k{i + 1} {{p: *{'a' if i == 0 else f'k{i}'}, q: *{'a' if i == 0 else f'k{i}'}}}\n" for i in range(40)
    )
    assert len(flattened(read_yaml(text).root)) <= 300


def test_merge_keys_are_followed_and_overridden() -> None:
    root = read_yaml("base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  y: 3\n").root
    assert root.get("own").pairs() == (("y", "3"), ("x", "1"))
