"""Facts from files that are not source code: manifests, locks, CI, containers, platforms, documents, settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from auditor.model.verdict import Place


class Ecosystem(StrEnum):
    """Package registries."""

    PYPI = "pypi"
    NPM = "npm"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A declared dependency.

    `name` is normalised (PEP 503 for PyPI, as written for npm); `specifier` as written ("" = any); `group` is "runtime", "dev", "peer",
    "optional" or the extra's/group's name; `source` is "registry", "git", "url", "path", "workspace" or "alias"; `pinned`: exactly one version satisfies it.
    """

    name: str
    specifier: str
    group: str
    place: Place
    source: str = "registry"
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """A named command of a manifest (npm script, console script, Makefile target, task); `command` as written."""

    name: str
    command: str
    place: Place


@dataclass(frozen=True, slots=True)
class Manifest:
    """One dependency manifest; `kind` is its format ("package.json", "pyproject.toml", "requirements.txt", "Pipfile", "setup.cfg", "setup.py", "environment.yml").

    `root` is its directory. `name`: the package it describes. `workspaces`: globs of its workspace members. `engines`: pinned run-times
    (("node", ">=20"), ("python", ">=3.11")). `private`, `has_entry`: package.json's `private`, and whether it is published as a library (main/exports/files, a build-system).
    `settings`: other flattened settings checks may ask for, key -> text ("type": "module", "packageManager": "pnpm@9").
    `problem`: why it could not be read completely, "" if it could.
    """

    path: str
    kind: str
    ecosystem: Ecosystem
    root: str
    name: str = ""
    requirements: tuple[Requirement, ...] = ()
    scripts: tuple[Script, ...] = ()
    workspaces: tuple[str, ...] = ()
    engines: tuple[tuple[str, str], ...] = ()
    private: bool = False
    publishable: bool = False
    settings: tuple[tuple[str, str], ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum a lock holds, in hexadecimal; `file`: the address or name of the file it is of, where a package has several ("" = the package)."""

    algorithm: str
    value: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One resolved package of a lock file; `dev` when only development needs it, `hashed` when the lock holds its checksum; `direct` when the root asks for it.

    `wants`: (name, version) of the packages in the same lock it needs, as far as the lock tells; `licence`: as the lock states it, "" when it does not;
    `deprecated`: what its author says in place of supporting it.
    """

    name: str
    version: str
    dev: bool = False
    hashed: bool = False
    direct: bool = False
    line: int = 0
    checksums: tuple[Checksum, ...] = ()
    wants: tuple[tuple[str, str], ...] = ()
    licence: str = ""
    deprecated: str = ""


@dataclass(frozen=True, slots=True)
class LockFile:
    """One lock file; `kind` is "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "deno.lock", "uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock" or "requirements.txt" (fully pinned)."""

    path: str
    kind: str
    ecosystem: Ecosystem
    root: str
    packages: tuple[LockedPackage, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Manifests:
    """Every manifest and lock file of the audited tree that is not vendored, generated, a test or an example."""

    manifests: tuple[Manifest, ...]
    locks: tuple[LockFile, ...]

    def declared(self, ecosystem: Ecosystem) -> frozenset[str]:
        """All names declared in any manifest of an ecosystem."""
        return frozenset(r.name for m in self.manifests if m.ecosystem is ecosystem for r in m.requirements)


@dataclass(frozen=True, slots=True)
class CiStep:
    """One command (`run`) or reused action (`uses`) of a CI job, at the line of that word.

    `ignores_failure`: continue-on-error, `|| true` on all it does, allow_failure. `condition`: its `if:`. `directory`: where it runs, "" = the job's.
    `environment`: variables set for it, those of its job and workflow included.
    """

    line: int
    run: str = ""
    uses: str = ""
    name: str = ""
    ignores_failure: bool = False
    condition: str = ""
    with_: tuple[tuple[str, str], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    directory: str = ""


@dataclass(frozen=True, slots=True)
class CiJob:
    """One job with its steps in order; `permissions` as written; `directory` its default working directory.

    `needs`: jobs that must succeed before it; `environment`: the deployment environment it is bound to; `matrix`: (variable, one of its values)
    pairs; `runner`: the machine it runs on ("self-hosted, linux").
    """

    name: str
    line: int
    steps: tuple[CiStep, ...]
    ignores_failure: bool = False
    condition: str = ""
    image: str = ""
    directory: str = ""
    permissions: tuple[tuple[str, str], ...] = ()
    needs: tuple[str, ...] = ()
    environment: str = ""
    matrix: tuple[tuple[str, str], ...] = ()
    runner: str = ""


@dataclass(frozen=True, slots=True)
class CiWorkflow:
    """One pipeline file. `system`: "github", "gitlab", "circleci", "azure", "travis", "jenkins", "bitbucket", "drone", "buildkite", "woodpecker", "cloudbuild", "appveyor".

    `triggers`: event names ("push", "pull_request", "schedule", "workflow_dispatch", "release", "workflow_call"; "tag" for pushes of tags only; "action" for a
    composite action, whose steps are its one job; for systems that run on each push by nature: "push").
    `branches`: branch filters of push/pull_request, empty = all. `inputs`: what a manual start asks for. `problem`: why it could not be read.
    `includes`: (file, line) of jobs taken from other places whose content can change unseen.
    Permissions given as one word stand under the key "*" ("write-all", "read-all"; "none" for an empty mapping).
    """

    path: str
    system: str
    name: str
    triggers: tuple[str, ...]
    branches: tuple[str, ...]
    jobs: tuple[CiJob, ...]
    permissions: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    inputs: tuple[str, ...] = ()
    includes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Instruction:
    """One Dockerfile instruction: upper-case `keyword`, its folded text, its flags ("--from=build"), the stage it belongs to."""

    keyword: str
    text: str
    line: int
    end_line: int
    stage: int
    flags: tuple[str, ...] = ()
    exec_form: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """One container file. `base_images`: image reference of each stage with build arguments substituted where they have defaults; `purpose`: "production", "development" or "ci".

    `context`: the directory it is built in, as far as compose files, pipelines or its own COPY sources tell. `ignore_file`: the ignore file that holds
    there, "" without one; `ignored`: which of ".git", ".env", "node_modules" and the tracked secret-like files it keeps out of the context.
    """

    path: str
    instructions: tuple[Instruction, ...]
    base_images: tuple[str, ...]
    purpose: str
    ignore_file: str
    ignored: tuple[str, ...]
    problem: str = ""
    context: str = ""


@dataclass(frozen=True, slots=True)
class ComposeService:
    """One service of a compose file; `environment` in source order, values as written."""

    path: str
    name: str
    line: int
    image: str = ""
    build: str = ""
    command: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    healthcheck: bool = False
    ports: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Container:
    """A container a cluster runs; `memory`: its limit as written, "" without one; `image` is "" in a patch of a container described elsewhere."""

    name: str
    image: str
    memory: str
    line: int


@dataclass(frozen=True, slots=True)
class PlatformFile:
    """A deployment description of a platform: "procfile", "vercel", "netlify", "fly", "render", "railway", "heroku", "appengine", "kubernetes", "helm", "serverless", "terraform", "nixpacks", "supabase", "firebase", "cloudflare", "systemd", "nginx", "pm2", "ansible", "kamal", "elasticbeanstalk", "digitalocean", "replit".

    `commands`: start, build and release commands as written. `health`: a health-check path or probe is set. `settings`: flattened key -> text.
    `containers`: those of a cluster's manifest that keep running, in order.
    """

    path: str
    platform: str
    commands: tuple[Script, ...] = ()
    health: bool = False
    images: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    containers: tuple[Container, ...] = ()


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything in the tree that says how it is built, started and shipped, apart from CI."""

    dockerfiles: tuple[Dockerfile, ...]
    compose: tuple[ComposeService, ...]
    platforms: tuple[PlatformFile, ...]


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A file of named commands outside the package manifests.

    `kind`: "make", "just", "taskfile", "tox", "nox", "invoke" or "shell"; a shell script is one task named like its file, whose command is its text.
    """

    path: str
    kind: str
    tasks: tuple[Script, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of a document and the text below it, up to the next heading; `level` 0 is the text before the first heading."""

    title: str
    level: int
    line: int
    text: str
    code: tuple[tuple[str, str, int], ...] = ()
    """Fenced and indented code blocks: (language, text, line)."""


@dataclass(frozen=True, slots=True)
class Document:
    """A prose document (Markdown, reStructuredText, plain text); `purpose`: "readme", "agent-rules", "contributing", "changelog", "runbook", "security", "licence", "other".

    `english`: False where its prose is long enough to tell and in another language: what is looked for by English words is then not seen.
    """

    path: str
    purpose: str
    sections: tuple[Section, ...]
    words: int
    english: bool = True


@dataclass(frozen=True, slots=True)
class Documents:
    """Prose documents of the tree, READMEs first."""

    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class EnvironmentFile:
    """A dotenv file; `example`: its name says it is a template. `entries`: (name, value shape, line), where the shape never holds the value: "", "placeholder", "literal"."""

    path: str
    example: bool
    tracked: bool
    entries: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Updater:
    """What opens pull requests for new versions: `tool` ("dependabot", "renovate", "pipeline"); `fault`: why it does not work for this repository, "" if it does."""

    tool: str
    place: Place
    fault: str = ""


class Firmness(IntEnum):
    """How surely a statement says what runs in production, the surest first."""

    IMAGE = 0  # the last stage of a production image
    PLATFORM = 1  # a hosting platform's setting
    FILE = 2  # .nvmrc, .python-version, engines
    BUILD = 3  # an earlier stage of an image
    PIPELINE = 4  # what the tests run on


@dataclass(frozen=True, slots=True)
class RuntimeStatement:
    """One place that says which version of a product runs: `product` as in `auditor.end_of_life`; `version` exact or a range, "" for whatever is newest."""

    product: str
    version: str
    firmness: Firmness
    place: Place


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Who updates the dependencies, and which versions of run-times are in use; `date` is the day of the audit, by which support is judged."""

    updaters: tuple[Updater, ...]
    runtimes: tuple[RuntimeStatement, ...]
    date: str
