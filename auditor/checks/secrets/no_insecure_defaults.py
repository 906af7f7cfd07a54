"""Signing keys, passwords and admin accounts have no built-in fallback.

Passing title: Without its keys and passwords the system refuses to start
Failing title: Missing keys and passwords are replaced by values that everybody can read in the code
Grading: Fail when a signing key, an account's or the database's password is a literal, or falls back to one, where that can apply in production: in code, in the
    first migration, in the compose or cluster files that install the system. Partial when the fallback is behind a check for development, stands in a seed script
    somebody has to run, is drawn at random at each start, is empty, or opens a database on the own machine only.
Done when: every such setting is required at start, with a message that names it, and no account with a known password is made by an installation.
What it cannot see: what is set on the server, and checks of settings that another program makes before the start.
"""

from __future__ import annotations

import re
from collections import defaultdict

from auditor.checks.database_logins import Login, database_logins
from auditor.checks.fixed_credentials import Fixed, Reach, concerns, fixed_credentials
from auditor.checks.known_logins import compared_passwords, seeded_accounts
from auditor.checks.registry import check
from auditor.model.artifacts import ComposeService, Deployment
from auditor.model.evidence import Secrets
from auditor.model.needs import DEPLOYMENT, PROJECT, SECRETS, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.snapshot import Language, Role, Snapshot
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.secret_names import NameKind
from auditor.settings_layers import set_in_production
from auditor.words import plural

_ACCOUNTS = re.compile(r"(?:^|[._ ])(?:jwt|bcrypt\w*|argon2|passport|next-auth|NextAuth|betterAuth|getServerSession)\b|password|signIn|sign_in|login_user|check_password|set_cookie|SessionMiddleware|cookieSession|createHmac|secret_key", re.IGNORECASE)  # fmt: skip
_WITH_ACCOUNTS = ("django", "supabase", "firebase", "nextauth", "clerk", "flask-login", "better-auth", "lucia", "passport", "auth0")
_INFRASTRUCTURE = re.compile(r"(?:^|/)(?:postgres|postgis|timescaledb|pgvector|mysql|mariadb|mongo|redis|valkey|rabbitmq|minio|elasticsearch|opensearch|memcached|mailhog|mailpit|adminer|pgadmin4?|phpmyadmin|kafka|zookeeper|localstack|grafana|prometheus|nginx|traefik|caddy|clickhouse\S*|keycloak|influxdb|neo4j|nats|meilisearch|typesense|qdrant|chroma|cassandra)(?=[:@/-]|$)", re.IGNORECASE)  # fmt: skip
_DEVELOPMENT_FILE = re.compile(
    r"(?:^|[/._-])(?:dev|develop|development|local|test|tests|testing|ci|e2e|override|example|sample|debug|devcontainer|demo|benchmark|playground)(?:[/._-]|$)",
    re.IGNORECASE,
)
_DEVELOPMENT_RUN = re.compile(
    r"--reload|runserver|(?:npm|pnpm|yarn|bun)(?: run)? (?:dev|start:dev|watch)\b|nodemon|flask run|vite(?: |$)|next dev|ts-node-dev|air\b|debugpy",
    re.IGNORECASE,
)
_HEAD_LINES = 10
_FOR_TRYING = re.compile(
    r"\b(?:not|never)\b.{0,40}\b(?:production|deployments?)\b|\bfor\b.{0,20}\b(?:development|testing|tests)\b|\b(?:development|testing|local) only\b|\binternal(?:ly)?\b.{0,20}\btest",
    re.IGNORECASE,
)
_DEFAULTED = re.compile(r"^\$\{[A-Za-z_]\w*:?-(.*)\}$")

_WORDS = {
    NameKind.PASSWORD: "A password",
    NameKind.SIGNING: "The key that logins or tokens are signed with",
    NameKind.KEY: "The key that callers prove themselves with",
}


@check("secrets.no-insecure-defaults", needs=(PROJECT, DEPLOYMENT, SECRETS, SNAPSHOT, TEXTS), corroborating=(SYNTAX,))
def no_insecure_defaults(  # noqa: PLR0917 - one argument for each kind of evidence
    project: Project, deployment: Deployment, secrets: Secrets, snapshot: Snapshot, texts: dict[str, str], syntax: Syntax
) -> Judgement:
    """Judge what applies when nobody sets anything."""
    roles = {file.path: file.role for file in snapshot.files}
    paths = frozenset(path for path, role in roles.items() if path in project.server or _runs_before(path, role))
    found: list[tuple[Finding, Reach]] = []
    for facts in syntax.of(paths):
        found += _in_code(facts, texts, roles[facts.path])
    found += _in_sql(snapshot, texts)
    found += _in_containers(deployment, texts)
    found += _in_clusters(deployment, secrets)
    found += _local_databases(secrets, project, {(finding.path, finding.line) for finding, _ in found})
    guarded = _guarded_settings(syntax.of(paths))
    if not found and not guarded and not _has_accounts(syntax.of(project.production), project, deployment):
        return NotApplicable("No signing key, session, password or account was found in code, containers or platform files.")
    return _assessed(found, guarded, _unread(syntax, project))


def _unread(syntax: Syntax, project: Project) -> tuple[tuple[str, str], ...]:
    """Server code that could not be read: a key may stand there; what runs in the browser signs nothing."""
    unread = []
    for path in sorted(project.server):
        facts = syntax.files.get(path)
        if facts is None:
            unread.append((path, "it was not read"))
        elif facts.error_line:
            unread.append((path, f"does not parse: line {facts.error_line}"))
    return tuple(unread)


def _assessed(found: list[tuple[Finding, Reach]], guarded: tuple[Place, ...], unread: tuple[tuple[str, str], ...]) -> Assessed:
    found.sort(key=lambda entry: (-entry[1], entry[0].path, entry[0].line))
    open_doors = sum(reach is Reach.PRODUCTION for _, reach in found)
    if open_doors:
        summary = f"{plural(open_doors, 'place')} where a key, password or account is fixed and can apply in production."
    elif found:
        summary = f"{plural(len(found), 'fallback')}, all limited to development, drawn at random, empty or local."
    else:
        outside = (
            f"{plural(len(guarded), 'setting')} of that kind come{'s' if len(guarded) == 1 else ''} from outside"
            if guarded
            else "logins are left to a service or need none"
        )
        summary = f"No built-in key, password or account; {outside}."
    return Assessed(
        bad=0,
        total=0,
        summary=summary,
        floor=1.0 if open_doors else 0.4 if found else 0.0,
        findings=tuple(finding for finding, _ in found),
        evidence=guarded[:10],
        unexamined=unread,
        signals=(f"{plural(len(guarded), 'secret setting')} read without a fallback",),
        confidence=Confidence.HIGH
        if not found or any(finding.confidence is Confidence.HIGH for finding, _ in found)
        else Confidence.MEDIUM,
    )


def _runs_before(path: str, role: Role) -> bool:
    """Seed scripts and migrations prepare what the product runs on."""
    return (
        role is Role.SCRIPT and bool(re.search(r"seed|init|setup|create|admin|bootstrap", path, re.IGNORECASE))
    ) or role is Role.MIGRATION


def _in_code(facts: FileFacts, texts: dict[str, str], role: Role) -> list[tuple[Finding, Reach]]:
    text = texts.get(facts.path, "")
    lines = text.split("\n")
    found = []
    for fixed in fixed_credentials(facts, lines):
        if role is Role.SCRIPT and (fixed.how != "account" and fixed.kind is not NameKind.PASSWORD):
            continue
        layered = fixed.reach is Reach.PRODUCTION and fixed.name in set_in_production(facts.path, texts)
        reach = Reach.DEVELOPMENT if role is Role.SCRIPT or layered else fixed.reach
        found.append((_finding(facts.path, fixed, reach), reach))
    if role is Role.FIRST_PARTY:
        for line, name in compared_passwords(text):
            message = f"A login compares `{name}` with a password that stands in the code: everybody who reads the code gets in, and it can only be changed by a release."
            found.append((Finding("password-in-code", facts.path, message, line, line, Confidence.HIGH, "syntax", 798), Reach.PRODUCTION))
        known = {finding.line for finding, _ in found}
        found += [_database_login(facts.path, login) for login in database_logins(facts) if login.line not in known]
    return found


def _database_login(path: str, login: Login) -> tuple[Finding, Reach]:
    what = "without any password" if login.empty else "with a password that stands in the code"
    who = "every program on the own machine" if login.local else "whoever reads the code and reaches the server"
    message = f"The database is opened {what}: {who} can do the same."
    reach = Reach.DEVELOPMENT if login.local else Reach.PRODUCTION
    confidence = Confidence.MEDIUM if login.local else Confidence.HIGH
    rule, cwe = ("database-without-password", 258) if login.empty else ("database-password-in-code", 798)
    return Finding(rule, path, message, login.line, login.end_line, confidence, "syntax", cwe), reach


def _finding(path: str, fixed: Fixed, reach: Reach) -> Finding:
    what = f"{_WORDS[fixed.kind]} (`{fixed.name}`)"
    rule, message = {
        "literal": (
            "literal-credential",
            f"{what} stands in the code, the same for every installation: whoever reads the code can use it.",
        ),
        "fallback": (
            "literal-fallback",
            f"{what} falls back to a value that stands in the code: an installation that forgets the setting starts and is open.",
        ),
        "empty": (
            "empty-fallback",
            f"{what} is empty when the setting is missing: the start does not stop there, and what follows is up to the code that reads it.",
        ),
        "random": (
            "random-fallback",
            f"{what} is drawn at random when it is missing: safe, but logins end with each start and differ between processes unless it is kept.",
        ),
        "borrowed": ("borrowed-fallback", f"{what} falls back to another setting that was not made to be a key."),
        "account": (
            "fixed-account",
            "An account is made with a password that stands in the code: it opens every installation where it was not changed.",
        ),
    }[fixed.how]
    if reach is Reach.DEVELOPMENT and fixed.how in {"literal", "fallback", "account"}:
        message += " It is limited to development or to a script somebody has to run."
    return Finding(
        rule,
        path,
        message,
        fixed.line,
        fixed.line,
        Confidence.HIGH if reach is Reach.PRODUCTION else Confidence.MEDIUM,
        "syntax",
        1188 if "fallback" in rule else 798,
    )


def _in_sql(snapshot: Snapshot, texts: dict[str, str]) -> list[tuple[Finding, Reach]]:
    paths = [
        file.path
        for file in snapshot.files
        if file.language is Language.SQL and file.role in {Role.MIGRATION, Role.FIRST_PARTY, Role.SCRIPT}
    ]
    found = []
    for path, line in seeded_accounts(texts, paths):
        seed = bool(re.search(r"seed|sample|demo|dev|test|fixture", path, re.IGNORECASE))
        message = "The database is set up with an account whose password everybody can look up or guess: each new installation has it until somebody changes it."
        found.append(
            (
                Finding("fixed-account", path, message, line, line, Confidence.MEDIUM if seed else Confidence.HIGH, "sql", 1392),
                Reach.DEVELOPMENT if seed else Reach.PRODUCTION,
            )
        )
    return found


def _in_containers(deployment: Deployment, texts: dict[str, str]) -> list[tuple[Finding, Reach]]:
    files: dict[str, list[ComposeService]] = defaultdict(list)
    for service in deployment.compose:
        files[service.path].append(service)
    found = []
    for path, services in sorted(files.items()):
        reach = Reach.DEVELOPMENT if _said_for_trying(texts.get(path, "")) else _compose_reach(path, services)
        for service in services:
            for name, value in service.environment:
                if concerns(name) and _fixed_setting(value):
                    note = "" if reach is Reach.PRODUCTION else " The file is for development."
                    message = f"The container `{service.name}` gets `{name}` as a fixed value from the compose file: every installation made with it has the same one.{note}"
                    found.append(
                        (Finding("compose-password", path, message, service.line, service.line, Confidence.MEDIUM, "compose", 1392), reach)
                    )
                    break
    return found


def _said_for_trying(text: str) -> bool:
    """Whether the comment at the head of a file says that it is made for development or tests."""
    head = [line for line in text.split("\n")[:_HEAD_LINES] if line.lstrip().startswith("#")]
    return any(_FOR_TRYING.search(line) for line in head)


def _compose_reach(path: str, services: list[ComposeService]) -> Reach:
    """Whether a compose file installs the system, or only helps to develop it."""
    applications = [service for service in services if service.build or not _INFRASTRUCTURE.search(service.image)]
    developing = [
        service
        for service in applications
        if _DEVELOPMENT_RUN.search(service.command)
        or any(
            re.search(r"NODE_ENV|FLASK_ENV|APP_ENV|ENVIRONMENT", name) and re.match(r"dev|test|local", value)
            for name, value in service.environment
        )
    ]
    return (
        Reach.PRODUCTION
        if applications and len(developing) < len(applications) and not _DEVELOPMENT_FILE.search(path)
        else Reach.DEVELOPMENT
    )


def _fixed_setting(value: str) -> bool:
    value = value.strip().strip("\"'")
    default = _DEFAULTED.match(value)
    if default:
        value = default[1].strip().strip("\"'")
    return (
        bool(value)
        and not value.startswith(("$", "{{", "<", "/run/secrets"))
        and value.lower() not in {"true", "false", "yes", "no", "null", "0", "1"}
    )


def _in_clusters(deployment: Deployment, secrets: Secrets) -> list[tuple[Finding, Reach]]:
    clusters = {platform.path for platform in deployment.platforms if platform.platform in {"kubernetes", "helm"}}
    found = []
    for secret in secrets.found:
        if secret.path in clusters and secret.certainty in {"local", "working"} and secret.kind == "password":
            reach = Reach.DEVELOPMENT if _DEVELOPMENT_FILE.search(secret.path) else Reach.PRODUCTION
            message = (
                "A container of the cluster gets a fixed password from the manifest: everybody who reads the repository can log in to it."
            )
            found.append(
                (Finding("cluster-password", secret.path, message, secret.line, secret.line, Confidence.HIGH, "platforms", 1392), reach)
            )
    return found


def _local_databases(secrets: Secrets, project: Project, known: set[tuple[str, int]]) -> list[tuple[Finding, Reach]]:
    """Addresses of a database on the own machine, with their password, in the code of the product."""
    found = []
    for secret in secrets.found:
        if (
            secret.kind == "connection-string"
            and secret.certainty == "local"
            and secret.path in project.server
            and (secret.path, secret.line) not in known
        ):
            message = "The database's address with its password stands in the code; it only reaches the own machine, but applies wherever the setting is missing."
            found.append(
                (
                    Finding("local-database", secret.path, message, secret.line, secret.line, Confidence.MEDIUM, "secrets", 798),
                    Reach.DEVELOPMENT,
                )
            )
    return found


def _guarded_settings(files: tuple[FileFacts, ...]) -> tuple[Place, ...]:
    return tuple(
        Place(facts.path, read.line)
        for facts in files
        for read in facts.environment
        if concerns(read.name) and (read.default is None or read.default.text in {'""', "''"})
    )


def _has_accounts(files: tuple[FileFacts, ...], project: Project, deployment: Deployment) -> bool:
    if project.uses(*_WITH_ACCOUNTS) is not None:
        return True
    if any(concerns(name) for service in deployment.compose for name, _ in service.environment):
        return True
    return any(_ACCOUNTS.search(call.callee) for facts in files for call in facts.calls)
