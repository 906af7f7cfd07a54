"""File names, uploads and addresses that come from outside are confined to a folder, a size and a host.

Passing title: File names, uploads and addresses from outside are confined
Failing title: Somebody outside chooses files or addresses the server uses
Grading: A file path, an address the server calls or a redirect that a request chooses freely fails the item; an archive unpacked without looking at its names,
    asking whether a file of a chosen name exists, a redirect to what a header or cookie says, an XML parser that follows entities, uploads read without any limit of size or kept under whatever ending they come with, and addresses let through because they contain a
    host's name, are partial; so are temporary files
    with a predictable name and files that every user of the machine may change. Base names, resolved paths compared with their folder, fixed hosts and allow-lists pass.
Done when: Every place listed resolves the path and compares it with its folder, compares the host with a list, or limits the size, and a test with `../` and with a foreign address is refused.
What it cannot see: Limits of a proxy or gateway in front of the service, and names that another program wrote into the database.
"""

from __future__ import annotations

import re

from auditor.checks.archive_entries import archive_entries
from auditor.checks.host_checks import host_checks
from auditor.checks.local_files import file_faults
from auditor.checks.registry import check
from auditor.checks.upload_types import upload_types
from auditor.model.evidence import ToolHit, ToolHits
from auditor.model.needs import BANDIT, FLOWS, PROJECT, SEMGREP, SYNTAX, TEXTS
from auditor.model.project import Kind, Project, Side
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import plural

ITEM = "security.outside-paths-and-urls"
_REDIRECT = 601
"""CWE number of a redirect that somebody else chooses."""
_CALLED_ADDRESS = 918
_ENTITIES = 611
_NEAR = 12
"""Lines between setting a parser up and using it."""
_PART = re.compile(r"\(\s*(?:\d+\.)?([^()]{1,80})\)")
_OWN_ADDRESS = re.compile(
    r"^(?:url|nextUrl|originalUrl|protocol|host|hostname|headers\.(?:host|x-forwarded-(?:host|proto)))$", re.IGNORECASE
)
"""The address that was called: sending a visitor back to it, over TLS or to another page, leads to this site."""
_NOT_BY_LINK = re.compile(r"^(?:headers|cookies|META)\b", re.IGNORECASE)
"""What a link to this site cannot set in a visitor's browser."""
_HOST_FILTER = re.compile(r"request-?filtering-?agent|ssrf|^(?:is-)?private-ip$|^advocate(?:\.|$)", re.IGNORECASE)
_HOST_CHECK = re.compile(r"(?:^|[._])(?:is_?private\w*|is_?(?:internal|public|global)_?(?:ip|host|address)\w*)$", re.IGNORECASE)
_LIMIT = re.compile(
    r"max[_-]?(?:content[_-]?length|file[_-]?size|upload|size|bytes|mb|fields[_-]?size)|content[_-]length|size[_-]?limit|file[_-]?size|client_max_body_size|DATA_UPLOAD_MAX|bodyLimit|limits\s*:",
    re.IGNORECASE,
)
_UPLOAD = re.compile(r"\bUploadFile\b")
_FLASK_UPLOAD = re.compile(r"\brequest\.files\b")


@check(ITEM, needs=(FLOWS, SYNTAX, PROJECT, TEXTS), corroborating=(BANDIT, SEMGREP))
def outside_paths_and_urls(  # noqa: PLR0917 - one parameter per kind of evidence
    flows: ToolHits, syntax: Syntax, project: Project, texts: dict[str, str], bandit: ToolHits, semgrep: ToolHits
) -> Judgement:
    """Flows into paths and addresses fail; unlimited uploads and unpacked archives are partial."""
    if not project.has(Kind.SERVICE, Kind.FULLSTACK, Kind.APP):
        return NotApplicable("Nothing here serves files, takes uploads or calls addresses for somebody else.")
    followed = [hit for hit in flows.of(ITEM) if hit.grade == "fail" and _reaches_server(hit, project) and not _filters_hosts(hit, syntax)]
    certain = [hit for hit in followed if not _OWN_ADDRESS.search(_from(hit)) and not _NOT_BY_LINK.search(_from(hit))]
    suspected = [hit for tool in (flows, bandit, semgrep) for hit in tool.of(ITEM) if hit.grade == "partial"]
    suspected += [hit for hit in followed if _NOT_BY_LINK.search(_from(hit)) and not _OWN_ADDRESS.search(_from(hit))]
    doubtful = [hit for hit in suspected if hit.path in project.production and not _reads_own_document(hit, flows)]
    uploads = _unlimited_uploads(syntax.of(project.server), texts)
    uploads += [finding for facts in syntax.of(project.server) for finding in upload_types(facts, texts.get(facts.path, ""))]
    uploads += [finding for facts in syntax.of(project.production) for finding in host_checks(facts)]
    followed_there = {(hit.path, hit.line) for hit in certain}
    archives = [finding for facts in syntax.of(project.server) for finding in archive_entries(facts, texts.get(facts.path, ""))]
    uploads += [finding for finding in archives if (finding.path, finding.line) not in followed_there]
    local = [finding for facts in syntax.of(project.server) for finding in file_faults(facts)]
    findings = [
        *(_finding(hit, "flows") for hit in certain),
        *(_finding(hit, _detector(hit)) for hit in doubtful),
        *uploads,
    ]
    floor = 1.0 if certain else 0.5 if findings else 0.3 if local else 0.0
    findings += local
    return Assessed(
        bad=0,
        total=0,
        floor=floor,
        summary=_summary(len(certain), len(findings) - len(certain), len(project.server)),
        findings=tuple(findings),
        signals=(f"{plural(len(project.server), 'server file')} followed from where requests come in",),
        confidence=Confidence.HIGH if certain or not findings else Confidence.MEDIUM,
    )


def _reaches_server(hit: ToolHit, project: Project) -> bool:
    """A visitor's own browser may call any address and opens no file of the server."""
    return project.sides.get(hit.path) is not Side.BROWSER or hit.cwe == _REDIRECT


def _from(hit: ToolHit) -> str:
    """For a redirect, which part of the request chose its target; "" for everything else."""
    found = _PART.search(hit.message)
    return found[1] if found and hit.cwe == _REDIRECT else ""


def _filters_hosts(hit: ToolHit, syntax: Syntax) -> bool:
    """Whether the file that calls the address uses a library that refuses private networks, or asks itself whether a host is private."""
    facts = syntax.files.get(hit.path)
    if hit.cwe != _CALLED_ADDRESS or facts is None:
        return False
    return any(_HOST_FILTER.search(entry.module) for entry in facts.imports) or any(_HOST_CHECK.search(call.callee) for call in facts.calls)


def _summary(certain: int, doubtful: int, files: int) -> str:
    if certain:
        return f"A request freely chooses a file or an address in {plural(certain, 'place')}."
    if doubtful:
        return f"{plural(doubtful, 'place')} handle uploads, archives, paths or files of their own without a limit in sight."
    return f"In {plural(files, 'server file')} no request chooses a file or an address freely."


def _reads_own_document(hit: ToolHit, flows: ToolHits) -> bool:
    """Whether the parser that was just set up reads a document that the code itself holds."""
    return hit.rule == "python-xml-entities" and flows.settled_at(hit.path, hit.line, hit.line + _NEAR, _ENTITIES)


def _detector(hit: ToolHit) -> str:
    return "bandit" if hit.rule.startswith("B") else "semgrep" if hit.rule.startswith("python-") else "flows"


def _finding(hit: ToolHit, detector: str) -> Finding:
    return Finding(hit.rule, hit.path, hit.message, hit.line, hit.end_line, hit.confidence, detector, hit.cwe)


def _unlimited_uploads(files: tuple[FileFacts, ...], texts: dict[str, str]) -> list[Finding]:
    """Uploads that are taken in while nothing in the file names a size (formidable has a limit of its own)."""
    found = []
    flask_limit = any("MAX_CONTENT_LENGTH" in texts.get(facts.path, "") for facts in files)
    for facts in files:
        text = texts.get(facts.path, "")
        if _LIMIT.search(text):
            continue
        for line in _upload_lines(facts, text, flask_limit=flask_limit):
            message = "An upload is taken in whatever its size: one large file fills the server's memory or disk."
            found.append(Finding("unlimited-upload", facts.path, message, line, line, Confidence.MEDIUM, "syntax", 770))
    return found


def _upload_lines(facts: FileFacts, text: str, *, flask_limit: bool) -> list[int]:
    lines = [d.line for d in facts.definitions if any(_UPLOAD.search(p.annotation) for p in d.parameters)]
    if not flask_limit and "flask" in text:
        lines += [a.line for a in facts.assignments if a.value is not None and _FLASK_UPLOAD.search(a.value.text)][:1]
    lines += [call.line for call in facts.calls if call.callee in {"multer", "fileUpload"} and not _has_limits(call.arguments)]
    return sorted(set(lines))


def _has_limits(arguments: tuple[object, ...]) -> bool:
    return any(
        "limits" in getattr(getattr(argument, "value", None), "text", "")
        or "maxFileSize" in getattr(getattr(argument, "value", None), "text", "")
        for argument in arguments
    )
