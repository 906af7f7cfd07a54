"""Browser-facing answers set security headers and no TLS check is switched off.

Passing title: Connections check whom they talk to, and pages tell the browser what to refuse
Failing title: A connection does not check whom it talks to, or pages set no protection in the browser
Grading: A certificate check that is switched off towards a remote host, or for a whole process, fails the item; towards a host that is named only in the
    settings it is partial. So are a login sent in clear text (FTP, Telnet, mail and HTTP without TLS), server keys accepted unseen, and outdated TLS. Pages without any rule for frames, content types or a content security policy are partial. Development switches, connections to the own machine and
    switches an operator turns on purpose do not count.
Done when: No connection switches its check off (a private authority is given as a file instead), and the pages answer with a content security policy, `nosniff` and a rule for frames.
What it cannot see: Headers and certificates of a proxy, gateway or hosting service whose settings are outside the repository.
"""

from __future__ import annotations

import re

from auditor.checks.certificates import Unchecked, settings_off, unchecked
from auditor.checks.clear_text import transport_faults
from auditor.checks.page_headers import RULES, page_rules, serves_pages
from auditor.checks.registry import check
from auditor.model.artifacts import Deployment, Manifests
from auditor.model.needs import DEPLOYMENT, MANIFESTS, PROJECT, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import SERVING, Project
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

ITEM = "security.headers-and-tls"
_CLIENT = re.compile(
    r"^(?:requests|httpx|aiohttp|urllib3?(?:\..+)?|http\.client|ssl|pycurl|boto3|axios|got|node-fetch|undici|superagent|ky|https?|node:https?|pg|mysql2?(?:/promise)?|ioredis|redis|kafkajs|nodemailer|ws|openai|anthropic|stripe"
    r"|@supabase/.+|psycopg2?|pymongo|smtplib|websockets?|@aws-sdk/.+|mongoose|mongodb)$"
)

_SERVERS = frozenset({"django", "flask", "fastapi", "starlette", "aiohttp", "express", "nestjs", "hono", "fastify", "koa"})


@check(ITEM, needs=(PROJECT, SYNTAX, TEXTS, SNAPSHOT), corroborating=(DEPLOYMENT, MANIFESTS))
def headers_and_tls(  # noqa: PLR0917 - evidence comes by position
    project: Project, syntax: Syntax, texts: dict[str, str], snapshot: Snapshot, deployment: Deployment, manifests: Manifests
) -> Judgement:
    """Certificate checks first; they decide alone. Headers matter where pages are shown."""
    shipped = snapshot.with_role(Role.FIRST_PARTY, Role.CONFIG, Role.SCRIPT)
    texts = {file.path: texts[file.path] for file in shipped if file.path in texts}
    open_doors = [*unchecked(syntax, project, texts), *settings_off(deployment, manifests)]
    pages = serves_pages(project, texts)
    if not open_doors and not pages and not project.has(*SERVING) and not _connects(syntax, project):
        return NotApplicable("Nothing here connects to another machine or answers a browser.")
    rules = page_rules(project, syntax, texts) if pages else {}
    findings = [_finding(place) for place in open_doors]
    known = {(finding.path, finding.line) for finding in findings}
    weak = [
        fault
        for facts in syntax.of(project.server)
        for fault in transport_faults(facts, texts.get(facts.path, ""))
        if (fault.path, fault.line) not in known
    ]
    findings += weak
    bare = bool(pages) and not {"content security policy", "frames"} & set(rules)
    if bare:
        findings.append(_bare(pages, project, texts))
    remote = any(place.remote for place in open_doors)
    floor = 1.0 if remote else 0.5 if open_doors or weak else 0.4 if bare else 0.0
    return Assessed(
        bad=0,
        total=0,
        floor=floor,
        summary=_summary(open_doors, weak, bare=bare, pages=bool(pages)),
        findings=tuple(findings),
        evidence=tuple(dict.fromkeys(rules[rule] for rule in RULES if rule in rules)),
        signals=(
            f"parts that show pages: {len(pages)}",
            f"rules for browsers found: {', '.join(rule for rule in RULES if rule in rules) or 'none'}",
            f"certificate checks switched off: {len(open_doors)}",
        ),
        confidence=Confidence.HIGH if remote or not findings else Confidence.MEDIUM,
    )


def _connects(syntax: Syntax, project: Project) -> bool:
    return any(
        any(_CLIENT.match(statement.module) for statement in facts.imports) or any(call.callee == "fetch" for call in facts.calls)
        for facts in syntax.of(project.production)
    )


def _finding(place: Unchecked) -> Finding:
    if place.everything:
        message = "No connection of this program checks whom it talks to: anybody on the way reads and changes what is sent, passwords and payments included."
    elif place.remote:
        message = "This connection to another machine does not check whom it talks to: anybody on the way reads and changes what is sent."
    else:
        message = "This connection does not check whom it talks to: if the host named in the settings is another machine, anybody on the way reads and changes what is sent."
    confidence = Confidence.HIGH if place.remote else Confidence.MEDIUM
    return Finding("certificate-unchecked", place.path, message, place.line, place.end_line, confidence, "syntax", 295)


def _bare(pages: list[str], project: Project, texts: dict[str, str]) -> Finding:
    part = next((part for part in project.parts if part.root == pages[0]), project.parts[0])
    server = next(
        (framework.place for framework in part.frameworks if framework.name in _SERVERS and framework.place.path in project.production),
        None,
    )
    entry = min((path for path in texts if path.endswith("index.html") and path.startswith(part.root)), key=len, default="")
    place = server or (Place(entry, 1, 1) if entry else part.frameworks[0].place if part.frameworks else Place(part.root))
    message = "No page tells the browser what to refuse: another site can show these pages in a frame and have visitors click what they do not see."
    return Finding("no-page-headers", place.path, message, place.line, place.end_line, Confidence.MEDIUM, "syntax", 693)


def _summary(open_doors: list[Unchecked], weak: list[Finding], *, bare: bool, pages: bool) -> str:
    if open_doors:
        return (
            f"{plural(len(open_doors), 'connection')} {'does' if len(open_doors) == 1 else 'do'} not check whom it talks to."
            if len(open_doors) == 1
            else f"{len(open_doors)} connections do not check whom they talk to."
        )
    if weak:
        return f"{plural(len(weak), 'connection')} can be listened to, or {'does' if len(weak) == 1 else 'do'} not know whom it talks to."
    if bare:
        return "No certificate check is switched off; the pages set no rule for frames and no content security policy."
    return (
        "No certificate check is switched off, and the pages set rules for the browser."
        if pages
        else "No certificate check is switched off; no pages are served from here."
    )
