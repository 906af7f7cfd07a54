"""Nothing a caller sends is ever run: as code, as a shell command, as an object being loaded, or as script in a page.

Passing title: What comes from outside is data and stays data
Failing title: Outside input can be run as a program
Grading: A call that runs text (eval, exec, new Function, a shell, a template compiler, pickle and its relatives, yaml.load without a safe loader) fails the item
    when what it runs is followed to a request, an upload, a download or a language model; so does mark-up from users or models that reaches pages as script
    at more than one place. A variable that is not plainly from outside (own settings, an own model file, an administrator's own script) is partial, and so are code
    that only runs in the visitor's own browser and a regular expression that a request chooses. Constants, values from fixed lists, argument lists without a shell, tests and development scripts do not count.
Done when: Each listed call is replaced by a parser, an argument list, a safe loader or a lookup in a fixed list, or runs in a sandbox without secrets and network.
What it cannot see: Sandboxes set up outside the repository, plug-ins that are installed later, and programs that treat their arguments as commands.
"""

from __future__ import annotations

import re
from dataclasses import replace

from auditor.checks.own_values import Origin, OwnValues
from auditor.checks.registry import check
from auditor.model.evidence import ToolHit, ToolHits
from auditor.model.needs import BANDIT, FLOWS, PROJECT, SEMGREP, SYNTAX, TEXTS
from auditor.model.project import Project, Side
from auditor.model.syntax import FileFacts, Syntax, Value, ValueKind
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import plural

ITEM = "security.no-dynamic-execution"
_MARKUP = "security.output-encoded"
_SCRIPTING = 79
"""CWE number of script in a page."""
_TEMPLATE = 1336
"""CWE number of a text compiled as a template."""
_LOADED = 502
"""CWE number of objects made by a loader that can run code."""
_COMPARES = re.compile(r"(?:^|\.)(?:compare_digest|timingSafeEqual|unsign(?:_object)?)$")
_READS_FILE = re.compile(r"(?:^|\.)(?:read_text|readFileSync|readFile|read_template|load_template|get_template_source)$")
_KINDS = {
    78: "command-injection",
    _TEMPLATE: "template-injection",
    _LOADED: "object-injection",
    1333: "pattern-injection",
    _SCRIPTING: "script-injection",
}
_POSSIBLE = "possible-"
_HALF = 0.5
_RUNS_TEXT = re.compile(
    r"(?:^|\.)(?:eval|exec|compile|Function|run_path|system|popen|getoutput|getstatusoutput|run|call|check_call|check_output|Popen|create_subprocess_shell|exec_command|"
    r"execSync|spawn|spawnSync|load|loads|full_load|unsafe_load|Unpickler|decode|read_pickle|Template|render_template_string|from_string|runInContext|runInNewContext|"
    r"runInThisContext|compileFunction|Script|template|unserialize|setTimeout|setInterval)$|^new (?:Function|vm\.Script)$"
)
_DEVELOPMENT = re.compile(
    r"(?:^|/)bin/(?:.*/)?(?:release|publish|deploy|build|make|gen|check|lint|docs?|clean|bump|update|test|bench)[\w.-]*\.[cm]?[jt]s$",
    re.IGNORECASE,
)
"""Programs in `bin` that by their names serve the people who develop; a product's own program is called after the product."""


@check(ITEM, needs=(FLOWS,), corroborating=(SEMGREP, SYNTAX, PROJECT, TEXTS, BANDIT))
def no_dynamic_execution(  # noqa: PLR0917 - one parameter per kind of evidence
    flows: ToolHits, semgrep: ToolHits, syntax: Syntax, project: Project, texts: dict[str, str], bandit: ToolHits
) -> Judgement:
    """Grade every place that runs text by where the text comes from."""
    if not project.production:
        return NotApplicable("There is no code here that could run anything.")
    origins = OwnValues(syntax, project.production, texts)
    found: dict[tuple[str, int], Finding] = {}
    scripting = [hit for hit in flows.of(_MARKUP) if hit.grade == "fail" and hit.cwe == _SCRIPTING and hit.path in project.production]
    for hit in flows.of(ITEM):
        if hit.path in project.production:
            _keep(found, _graded(hit, "flows", project))
    for hit in scripting:
        # one place may be harmless for a reason nobody sees here; two are a habit
        _keep(found, _graded(hit if len(scripting) > 1 else replace(hit, grade="partial"), "flows", project))
    for detector, tool in (("semgrep", semgrep), ("bandit", bandit)):
        for hit in tool.of(ITEM):
            if _is_relevant(hit, project) and (hit.path, hit.line) not in found and not flows.settles(hit):
                finding = _followed(hit, detector, syntax, origins, project)
                if finding is not None:
                    _keep(found, finding)
    findings = sorted(found.values(), key=lambda finding: (-_weight(finding), finding.path, finding.line))
    worst = max((_weight(finding) for finding in findings), default=0.0)
    return Assessed(
        bad=sum(_weight(finding) for finding in findings),
        total=len(findings),
        floor=worst,
        summary=_summary(findings, len(project.production)),
        findings=tuple(findings),
        signals=(f"{plural(len(project.production), 'source file')} searched for interpreters, shells and loaders",),
        confidence=findings[0].confidence if findings else Confidence.HIGH,
    )


def _is_relevant(hit: ToolHit, project: Project) -> bool:
    """Hits in production code; mark-up is left to the flows, which see where it comes from."""
    if hit.path not in project.production or hit.grade == "note" or hit.cwe == _SCRIPTING:
        return False
    return _DEVELOPMENT.search(hit.path) is None


def _keep(found: dict[tuple[str, int], Finding], finding: Finding) -> None:
    known = found.get((finding.path, finding.line))
    if known is None or _weight(finding) > _weight(known):
        found[finding.path, finding.line] = finding


def _graded(hit: ToolHit, detector: str, project: Project) -> Finding:
    """A hit whose source the tool has followed; what runs in the visitor's own browser reaches no server."""
    in_browser = project.sides.get(hit.path) is Side.BROWSER
    own_browser = hit.cwe != _SCRIPTING and in_browser and "page's address" not in hit.message
    fails = hit.grade == "fail" and not own_browser
    rule = _rule(hit.cwe, proven=fails)
    confidence = hit.confidence if hit.cwe != _SCRIPTING else Confidence.MEDIUM
    message = hit.message.replace(" on the server", " in the visitor's browser") if in_browser else hit.message
    return Finding(rule, hit.path, message, hit.line, hit.end_line, confidence, detector, hit.cwe)


def _followed(hit: ToolHit, detector: str, syntax: Syntax, origins: OwnValues, project: Project) -> Finding | None:
    """A pattern hit, graded by the origin of what the call runs; None for constants."""
    facts = syntax.files.get(hit.path)
    if hit.grade == "fail" or facts is None:
        return _graded(hit, detector, project)
    if hit.cwe == _LOADED and _is_signed(facts, hit):
        return None
    if (hit.cwe == _TEMPLATE and _in_sandbox(facts, syntax)) or (not project.on_server(hit.path) and _is_page_worker(facts)):
        return None
    place = _argument(facts, hit)
    if place is not None:
        origin = origins.of(place[0], hit.path, place[1], hit.line)
        if origin is Origin.CONSTANT or (origin is not Origin.FOREIGN and hit.cwe == _TEMPLATE and _is_own_file(place[0], facts, place[1])):
            return None
        if origin is Origin.FOREIGN and project.on_server(hit.path):
            message = f"{hit.message.rstrip('.')}; what it runs here somebody else wrote, into a file or to a language model."
            return Finding(_rule(hit.cwe, proven=True), hit.path, message, hit.line, hit.end_line, Confidence.MEDIUM, detector, hit.cwe)
    return _graded(hit, detector, project)


def _is_page_worker(facts: FileFacts) -> bool:
    """Whether the file is a web worker that takes its work from the page: it has no page, and runs what its own visitor gave it."""
    listens = any(
        call.callee in {"self.addEventListener", "addEventListener"} and call.arguments and call.arguments[0].value.literal == "message"
        for call in facts.calls
    ) or any(entry.target in {"self.onmessage", "onmessage"} for entry in facts.assignments)
    return listens and any(call.callee in {"self.postMessage", "postMessage"} for call in facts.calls)


def _is_signed(facts: FileFacts, hit: ToolHit) -> bool:
    """Whether the function that loads objects has compared a signature of the bytes first: then they are the program's own."""
    scopes = {call.scope for call in facts.calls if call.line <= hit.line <= call.end_line}
    return any(call.scope in scopes and call.line < hit.line and _COMPARES.search(call.callee) for call in facts.calls)


def _in_sandbox(facts: FileFacts, syntax: Syntax) -> bool:
    """Whether the program's templates run in jinja's sandbox and the file makes no environment without one."""
    if any(re.search(r"(?:^|\.)(?:Environment|Template)$", call.callee) for call in facts.calls):
        return False
    return any(
        name in {"SandboxedEnvironment", "ImmutableSandboxedEnvironment"}
        for other in syntax.files.values()
        for entry in other.imports
        if entry.module == "jinja2.sandbox"
        for name, _ in entry.names
    )


def _is_own_file(value: Value, facts: FileFacts, scope: int) -> bool:
    """Whether a template is the content of a file that the program reads: such files belong to it, as its code does."""
    text = value
    if value.kind is ValueKind.NAME:
        given = [entry.value for entry in facts.assignments if entry.scope == scope and entry.target == value.literal and entry.value]
        if len(given) != 1:
            return False
        text = given[0]
    if text.kind is not ValueKind.CALL:
        return False
    receiver, _, method = text.literal.rpartition(".")
    if method == "read":
        opened = (call for call in facts.calls if call.scope == scope and call.callee.rpartition(".")[2] == "open")
        return receiver.endswith("open()") or any(True for _ in opened)
    return bool(_READS_FILE.search(text.literal))


def _argument(facts: FileFacts, hit: ToolHit) -> tuple[Value, int] | None:
    """What the call at the place of a hit runs, and the scope it is in."""
    for call in facts.calls:
        if call.line <= hit.line <= call.end_line and _RUNS_TEXT.search(call.callee) and call.arguments:
            if call.callee == "new Function":
                return call.arguments[-1].value, call.scope
            return call.arguments[0].value, call.scope
    return None


def _rule(cwe: int, *, proven: bool) -> str:
    """What is run; "possible-" where nobody saw that the text comes from outside."""
    kind = _KINDS.get(cwe, "code-injection")
    return kind if proven else f"{_POSSIBLE}{kind}"


def _weight(finding: Finding) -> float:
    return _HALF if finding.rule.startswith(_POSSIBLE) else 1.0


def _summary(findings: list[Finding], files: int) -> str:
    outside = sum(_weight(finding) == 1 for finding in findings)
    if outside:
        return f"At {plural(outside, 'place')} what comes from outside is run as a program or as script in a page."
    if findings:
        return f"At {plural(len(findings), 'place')} text that is not a constant is run; nothing shows that it comes from outside."
    return f"No code interpreter, shell or unsafe loader in {plural(files, 'source file')} gets anything but constants."
