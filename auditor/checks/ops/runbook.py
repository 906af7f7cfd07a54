"""Someone new can set up, run, deploy and first-aid the system from the repository's own documents, and the documented commands exist.

Passing title: Somebody new can set the system up, run it and help it from its own documents
Failing title: The documents do not tell how to run the system, or tell something that is not there
Grading: Pass when set-up, start, tests, deployment, configuration and something on operating it (logs, common failures, backup, upgrade) have content, and the commands
    name scripts, targets and files that exist. Partial when topics are missing or some commands lead nowhere. Fail without a README, with the unchanged one of
    a generator, with neither set-up nor start, or when most of the commands name things that are not there.
Done when: a colleague who has never seen the system starts it, ships it and restores it from these pages alone, and the commands are run in the pipeline.
What it cannot see: whether the described steps work, whether the text is true, and documentation kept outside the repository.
"""

from __future__ import annotations

import re

from auditor.checks.documented_commands import Documented, Repository, documented_commands
from auditor.checks.registry import check
from auditor.model.artifacts import Document, Documents, Manifests, Section, TaskFile
from auditor.model.needs import DOCUMENTS, MANIFESTS, SNAPSHOT, TASKS
from auditor.model.snapshot import Role, Snapshot
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, Place
from auditor.words import listed, plural

_FOREIGN = re.compile(
    r"(?:^|/)(?:specs?|\.specify|\.kiro|openspec|prompts?|\.claude|\.cursor|plans?|history|blueprints?|rfcs?|adrs?|tasks|templates?|locales?|i18n|ISSUE_TEMPLATE|examples?|src/content|content)/|pull_request_template",
    re.IGNORECASE,
)
_CENTRAL = re.compile(
    r"[^/]+$|(?:docs?|documentation|deploy\w*|docker|ops|backend|frontend|server|client|api|web|k8s|helm[\w-]*)/[^/]+$", re.IGNORECASE
)
"""Pages people start from; a page deep in a sub-package is read by those who work on it."""
_TOLERATED = 8
"""One stale command in so many is a slip and named; more of them make the documents unreliable."""
_START_PAGE = re.compile(
    r"^(?:(?:docs?|documentation)/)?(?:readme|install|installation|setup|set-?up\w*|getting[-_]?started|quick[-_]?start|development|contributing|hacking|index|usage)[\w-]*(?:\.\w+)?$",
    re.IGNORECASE,
)

_TOPICS: tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...] = (
    (
        "set-up",
        re.compile(r"\b(?:set(?:ting)?[- ]?up|install\w*|getting started|quick ?start|prerequisites|requirements|erste schritte|instal\w+|develop(?:ing|ment)|local environment|get the source)\b", re.IGNORECASE),
        re.compile(r"\b(?:pip3? install|uv sync|uv pip|poetry install|pipenv install|npm (?:install|i|ci)\b|pnpm (?:install|i)\b|yarn(?: install)?$|bun install|docker[ -]compose (?:up|build)|docker (?:build|run|pull)|bundle install|git clone)", re.MULTILINE),
    ),
    (
        "start",
        re.compile(r"\b(?:run(?:ning)?|start(?:ing)?|launch\w*|usage|local development|quick ?start|getting started|build(?:ing)? the application)\b", re.IGNORECASE),
        re.compile(r"(?:npm|pnpm|yarn|bun)(?: run)? (?:dev|start|serve|prod|preview)\b|npm start|python\d? \S+\.py|manage\.py runserver|uvicorn |gunicorn |flask (?:--\S+ \S+ )?run|streamlit run|docker[ -]compose(?: -f \S+)? up|docker run|node \S+|make (?:run|up|dev|start|serve)|\bbin/\w*run\w*|serve\b"),
    ),
    (
        "tests",
        re.compile(r"\btest(?:s|ing)?\b", re.IGNORECASE),
        re.compile(r"\bpytest\b|(?:npm|pnpm|yarn|bun)(?: run)? test|manage\.py test|make test|vitest|jest|playwright test|cypress|\btox\b|go test|python\d? -m unittest"),
    ),
    (
        "deployment",
        re.compile(r"\b(?:deploy\w*|hosting|production|self-?host\w*|docker|kubernetes|podman|releas(?:e|ing)|vercel|heroku|fly\.io|railway|render|systemd|veröffentlich\w*|publish)\b", re.IGNORECASE),
        re.compile(r"docker[ -]compose[^\n]{0,60} up (?:-d|--detach)|docker run|fly deploy|vercel(?: --prod)?$|kubectl apply|helm (?:install|upgrade)|git push heroku|railway up|gcloud run deploy|serverless deploy|cdk deploy|terraform apply|scripts/deploy", re.MULTILINE),
    ),
    (
        "configuration",
        re.compile(r"\b(?:config\w*|environment|env\b|settings|variables|options|konfigur\w*|secrets)", re.IGNORECASE),
        re.compile(r"^\s*(?:export )?[A-Z][A-Z0-9_]{3,60}=|cp \S*\.?env\S* ", re.MULTILINE),
    ),
    (
        "operation",
        re.compile(r"\b(?:troubleshoot\w*|common (?:issues|problems|errors|failures|pitfalls)|known issues|debugging|logs?|logging|backups?|restor\w+|recover\w*|roll ?back|monitor\w*|upgrad\w+|updat(?:e|ing)|maint(?:enance|aining)|clean-?up|operat(?:e|ing|ions?)|on[- ]call|incident\w*|health ?checks?|metrics|statistics|faq|runbook|database cleanup|repair\w*|migrat\w+)\b", re.IGNORECASE),
        re.compile(r"(?:docker[ -]compose|kubectl|heroku|fly|docker) logs|journalctl|pg_dump|pg_restore|mysqldump|kubectl rollout|helm rollback|systemctl (?:status|restart)"),
    ),
)  # fmt: skip

_SCAFFOLD = re.compile(
    r"bootstrapped with \[?`?create-(?:next|react|t3|expo|svelte)|bootstrapped with \[Create React App\]|Welcome to your (?:Lovable|Expo|Base44) |This template (?:provides a minimal setup|should help get you started)"
    r"|This project was (?:generated with \[?Angular CLI|created using `?bun init|bootstrapped with)|This is an \[Expo\]|Look at the \[?Nuxt|Everything you need to build a Svelte project|Run and deploy your AI Studio app|This README would normally document"
    r"|Fusion Starter|Astro Starter Kit|generated by \[?(?:v0|Bolt|Create)|automatically synced with your \[?v0\.dev",
    re.IGNORECASE,
)
_SCAFFOLD_TITLES = re.compile(
    r"^(?:welcome to your lovable project|project info|how can i edit this code\?|what technologies are used.*|how can i deploy this project\?|can i connect a custom domain.*|i want to use a custom domain.*|getting started.*|learn more|deploy on vercel|available scripts"
    r"|npm (?:start|test|run \w+)|yarn \w+|code splitting|analyzing the bundle size|making a progressive web app|advanced configuration|deployment|react \+ (?:typescript \+ )?vite|expanding the eslint configuration|react compiler|vue 3.*|recommended ide setup|development server"
    r"|code scaffolding|build(?:ing)?|running (?:unit|end-to-end) tests|further help|additional resources|welcome to your expo app.*|get started|get a fresh project|join the community|setup|development(?: server)?|production|nuxt(?: 3)? (?:minimal )?starter|create-svelte|sv|creating a project|developing|customize configuration|project setup|compiles.*|run and deploy.*|run locally|overview|how it works|build your app|type-check.*|lint with.*|)$",
    re.IGNORECASE,
)


@check("ops.runbook", needs=(DOCUMENTS, SNAPSHOT, MANIFESTS, TASKS), roles=(Role.DOC,))
def runbook(documents: Documents, snapshot: Snapshot, manifests: Manifests, tasks: tuple[TaskFile, ...]) -> Judgement:
    """Judge what the documents cover, and look up what their commands name."""
    pages = [document for document in documents.documents if _is_instruction(document)]
    start = [document for document in pages if _START_PAGE.match(document.path) and document.words >= 8]
    if not start:
        message = "No README or set-up page in the root: somebody new does not know how to start the system, let alone what to do when it stands still."
        finding = Finding("no-readme", "", message, detector="documents")
        return Assessed(
            0, 0, "There is no README, or one that says nothing.", 1.0, (finding,), signals=("searched: README, INSTALL, SETUP, docs/",)
        )
    scaffold = next((document for document in start if document.path.lower().startswith("readme") and _is_scaffold(document)), None)
    covered = _covered(pages)
    repository = Repository(snapshot, manifests, tasks)
    central = [document for document in pages if document in start or _CENTRAL.match(document.path)]
    commands = [command for document in central for command in documented_commands(document, repository)]
    return _assessed(start, covered, commands, scaffold)


def _assessed(start: list[Document], covered: dict[str, Place], commands: list[Documented], scaffold: Document | None) -> Assessed:
    looked_up = [command for command in commands if command.missing is not None]
    broken = [command for command in looked_up if command.missing]
    missing = [topic for topic, _, _ in _TOPICS if topic not in covered]
    findings = [*_scaffold_finding(scaffold), *_missing_findings(start[0], missing), *(_broken(command) for command in broken)]
    floor = min(0.55, 0.15 * len(missing)) if missing else 0.0
    if len(broken) > len(looked_up) // _TOLERATED:
        floor = max(floor, 0.3)
    if (len(broken) >= 3 and len(broken) * 2 > len(looked_up)) or {"set-up", "start"} <= set(missing):
        floor = max(floor, 0.8)
    if scaffold is not None and "operation" in missing:
        floor = 1.0
    there = f"{len(covered)} of 6 topics ({listed(list(covered), 6) or 'none'})"
    lead = (
        f"; {len(broken)} of {plural(len(looked_up), 'documented command')} name something that is not there"
        if broken
        else f"; {plural(len(looked_up), 'documented command')} looked up and found"
    )
    summary = (
        "The README is the unchanged one of the generator."
        if scaffold is not None and floor >= 1
        else f"The documents cover {there}{lead}."
    )
    return Assessed(
        0,
        0,
        summary,
        floor,
        tuple(findings),
        tuple(covered.values()),
        (f"{plural(len(commands), 'command')} in documents",),
        confidence=Confidence.MEDIUM,
    )


def _is_instruction(document: Document) -> bool:
    if document.purpose in {"changelog", "licence", "agent-rules", "security"}:
        return False
    return not _FOREIGN.search(document.path)


def _is_scaffold(document: Document) -> bool:
    """Whether the page is a generator's, with nothing added: no section of its own."""
    text = "\n".join(f"{section.title}\n{section.text}" for section in document.sections[:8])
    if not _SCAFFOLD.search(text[:8_000]):
        return False
    own = [
        section
        for section in document.sections
        if not _SCAFFOLD_TITLES.match(section.title.strip())
        and len(section.text.split()) + len(section.code) * 5 >= 10
        and not _SCAFFOLD.search(f"{section.title} {section.text[:2_000]}")
    ]
    return not own


def _covered(pages: list[Document]) -> dict[str, Place]:
    """The topics with content, and where: a heading alone is nothing."""
    covered: dict[str, Place] = {}
    for document in pages:
        for number, section in enumerate(document.sections):
            for topic, title, code in _TOPICS:
                if topic not in covered and _speaks_of(topic, title, code, document, number):
                    covered[topic] = Place(document.path, section.line)
    return {topic: covered[topic] for topic, _, _ in _TOPICS if topic in covered}


def _speaks_of(topic: str, title: re.Pattern[str], code: re.Pattern[str], document: Document, number: int) -> bool:
    section = document.sections[number]
    if any(code.search(block[:10_000]) for _, block, _ in section.code) or any(
        code.search(span) for span in re.findall(r"`([^`\n]{4,160})`", section.text[:20_000])
    ):
        return True
    named = title.search(section.title) or (
        number == 0 and title.search(document.path.rsplit("/", maxsplit=1)[-1].replace("-", " ").replace("_", " "))
    )
    if not named:
        return False
    return _content(document.sections, number) >= (12 if topic == "operation" else 8)


def _content(sections: tuple[Section, ...], number: int) -> int:
    """Words below a heading, its sub-headings' included."""
    level = sections[number].level
    words = 0
    for section in sections[number : number + 30]:
        if section is not sections[number] and section.level <= level:
            break
        words += len(section.text.split()) + sum(len(block.split()) for _, block, _ in section.code)
    return words


def _scaffold_finding(scaffold: Document | None) -> list[Finding]:
    if scaffold is None:
        return []
    message = "The README is the one the generator wrote: it describes the generator, and not one step of this system."
    return [Finding("scaffold-readme", scaffold.path, message, 1, 1, Confidence.HIGH, "documents")]


def _missing_findings(first: Document, missing: list[str]) -> list[Finding]:
    if not missing:
        return []
    message = f"The documents say nothing on {listed(missing, 6)}: whoever needs it at night has to read the code."
    return [Finding("missing-topics", first.path, message, 1, 1, Confidence.MEDIUM, "documents")]


def _broken(command: Documented) -> Finding:
    message = f"The documented command `{command.text}` leads nowhere: there is {command.missing} in the repository."
    return Finding("broken-command", command.path, message, command.line, command.line, Confidence.MEDIUM, "documents")
