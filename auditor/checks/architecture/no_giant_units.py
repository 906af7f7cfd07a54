"""Functions and files so large that they mix several concerns.

Passing title: No function or file is so large that it mixes several concerns
Failing title: Functions or files are so large that nobody sees through them
Grading: The share of production code in functions of more than 100 lines and files of more than 800, mark-up and long texts weighed at 0.3, tables and other
    code without decisions left out. Above 3 % is partial, above 25 % fails; so does a function of more than 300 lines that mixes at least three of input, rules,
    storage, files, outside calls and presentation where it is at least two per cent of the code. Functions from 40 lines that mix four of them are told, and are partial where they
    hold more than 5 % of the code.
Done when: Functions above 100 lines hold less than 3 % of the code and none of them mixes three concerns.
What it cannot see: Whether many small functions in fact form one tangled unit, and templates and styles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.registry import check
from auditor.model.needs import PROJECT, SYNTAX
from auditor.model.project import Project
from auditor.model.syntax import Call, Definition, DefinitionKind, FileFacts, Syntax
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable
from auditor.words import listed, percent, plural

_FUNCTION = 100
_HUGE = 300
_FILE = 800
_MARKUP = 0.3
_DECISIONS_PER_LINE = 0.03
"""Below it a unit is a table: routes, columns, form fields, settings."""
_PARTIAL_SHARE = 0.03
_FAIL_SHARE = 0.25
_HUGE_SHARE = 0.02
_MIXED = 3
_SMALL = 40
_MANY_MIXED = 4
_MIXED_SHARE = 0.05
_MIXED_BADNESS = 0.3
"""One step and no slope: what mixes concerns is not bought off by clean lines beside it."""

_INPUT = re.compile(
    r"^(?:input|argparse|sys\.argv|useForm|useSearchParams|parse_qs)|(?:^|\.)(?:get_json|getlist|formData|searchParams|is_valid|parse_args|safeParse|validate|cleaned_data|getParameter)(?:$|\.|\(|\[)"
    r"|^(?:request|req|self\.request)\.(?:json|form|args|body|query|params|GET|POST|data|values|files|headers|get_json|formData|text)|^(?:c|ctx)\.req\."
)
_STORAGE = re.compile(
    r"(?:^|\.)(?:execute|executemany|fetchone|fetchall|commit|rollback|query|filter_by|findMany|findUnique|findFirst|findOne|findAll|insertOne|insertMany|updateOne|deleteOne|bulk_create|get_or_create|add_all|raw|save|insert|upsert|setItem"
    r"|\$queryRaw|\$transaction|scalars?)$|\.objects(?:$|\.)|^(?:prisma|db|session|cursor|conn|supabase|knex|localStorage|redis)\."
)
_OUTSIDE = re.compile(
    r"^(?:fetch|axios|requests|httpx|aiohttp|urllib|smtplib|openai|anthropic|stripe|boto3|client|got|ky|superagent|\$fetch|subprocess|nodemailer|twilio)(?:\.|$|\()|(?:^|\.)(?:send_mail|sendMail|send_message|urlopen|send_email|sendEmail)$"
)
_SHOWING = re.compile(
    r"(?:^|\.)(?:render|render_template|render_to_string|TemplateResponse|HTMLResponse|jsonify|json|send|print|innerHTML|appendChild|createElement|write|html|append|text|addClass|markdown|title)$|^(?:st|ui|\$|document|res|plt|fig|console)\b"
)
_FILES = re.compile(
    r"^(?:open|shutil\.\w+|tempfile\.\w+|fs\.\w+|fsp\.\w+|os\.(?:remove|rename|makedirs|mkdir|unlink))$|(?:^|\.)(?:read_text|write_text|read_bytes|write_bytes|readFile(?:Sync)?|writeFile(?:Sync)?|createReadStream|createWriteStream)$"
)
_ROOT = -1
_PLACES = ("input", "storage", "files", "outside calls", "presentation", "rules")


@dataclass(frozen=True, slots=True)
class _Giant:
    """A function or file that is too large; `lines` weighed, `last` its end."""

    path: str
    name: str
    line: int
    last: int
    lines: float
    concerns: tuple[str, ...]


@check("architecture.no-giant-units", needs=(SYNTAX, PROJECT), tolerance=0.05)
def no_giant_units(syntax: Syntax, project: Project) -> Judgement:
    """Weigh every outermost oversize function, then every oversize file."""
    files = syntax.of(project.production)
    total = sum(_weight_of_file(facts) for facts in files)
    if total < 1:
        return NotApplicable("There is no production code in a language that is read.")
    giants = [giant for facts in files for giant in _functions(facts)]
    large = [giant for facts in files if (giant := _file(facts)) is not None]
    share = _share(giants, large, total)
    huge = [giant for giant in giants if giant.lines > _HUGE and len(giant.concerns) >= _MIXED and giant.lines > _HUGE_SHARE * total]
    mixed = sorted(
        (each for facts in files for each in _mixing(facts)), key=lambda each: (-len(each.concerns), -each.lines, each.path, each.line)
    )
    mixed_share = sum(each.lines for each in mixed) / total
    badness = max(_badness(share, giants, large, mixed=bool(huge)), _mixed_badness(mixed_share))
    giants.sort(key=lambda giant: (-giant.lines, giant.path, giant.line))
    large.sort(key=lambda giant: (-giant.lines, giant.path))
    signals = (
        f"functions above {_FUNCTION} lines: {len(giants)}, above {_HUGE}: {sum(1 for giant in giants if giant.lines > _HUGE)}; files above {_FILE}: {len(large)}",
        f"share of {int(total):,} weighed lines in them: {percent(share)}",
        f"functions of {_SMALL} to {_FUNCTION} lines that mix {_MANY_MIXED} concerns or more: {len(mixed)} ({percent(mixed_share)})",
    )
    if giants or large:
        summary = f"{percent(share)} of the code is in {plural(len(giants), 'function')} above {_FUNCTION} lines and {plural(len(large), 'file')} above {_FILE}."
    else:
        summary = f"No function is longer than {_FUNCTION} lines and no file longer than {_FILE}."
    if mixed_share > _MIXED_SHARE:
        summary += f" {percent(mixed_share)} is in {plural(len(mixed), 'smaller function')} that {'mixes' if len(mixed) == 1 else 'mix'} {_MANY_MIXED} concerns."
    findings = (
        [_function_finding(giant) for giant in giants]
        + [_file_finding(giant) for giant in large]
        + [_mixed_finding(each) for each in mixed]
    )
    return Assessed(bad=badness, total=1, summary=summary, findings=tuple(findings), signals=signals)


def _badness(share: float, giants: list[_Giant], large: list[_Giant], *, mixed: bool) -> float:
    if mixed or share > _FAIL_SHARE:
        return min(1.0, 0.6 + share)
    if share <= _PARTIAL_SHARE or len(giants) + len(large) <= 1:
        return 0.05 * min(1.0, share / _PARTIAL_SHARE)
    return 0.1 + 0.45 * (share - _PARTIAL_SHARE) / (_FAIL_SHARE - _PARTIAL_SHARE)


def _mixed_badness(share: float) -> float:
    """Smaller functions that mix concerns are partial at most."""
    return _MIXED_BADNESS if share > _MIXED_SHARE else 0.0


def _share(giants: list[_Giant], large: list[_Giant], total: float) -> float:
    """Lines in oversize units; those of functions in an oversize file are counted with the file, which weighs half beyond them."""
    functions: dict[str, float] = {}
    for giant in giants:
        functions[giant.path] = functions.get(giant.path, 0.0) + giant.lines
    rest = sum(max(0.0, giant.lines - functions.get(giant.path, 0.0)) / 2 for giant in large)
    return min(1.0, (sum(functions.values()) + rest) / total)


def _weight_of_file(facts: FileFacts) -> float:
    markup = sum(d.jsx_lines for d in facts.definitions if d.parent == -1)
    text = sum(d.string_lines for d in facts.definitions if d.parent == -1)
    return max(0.0, facts.code_lines - (1 - _MARKUP) * (markup + text))


def _weight(definition: Definition) -> float:
    return definition.code_lines - (1 - _MARKUP) * (definition.jsx_lines + definition.string_lines)


def _functions(facts: FileFacts) -> Iterator[_Giant]:
    """The outermost oversize functions; one that only wraps smaller oversize ones gives way to them."""
    inner = _children(facts)
    taken: set[int] = set()
    for index, definition in enumerate(facts.definitions):
        if definition.parent in taken:
            taken.add(index)
            continue
        lines = _weight(definition)
        if definition.kind is DefinitionKind.CLASS or lines <= _FUNCTION:
            continue
        inside = _within(index, inner)
        own = lines - sum(_weight(facts.definitions[child]) for child in inner.get(index, ()))
        if own <= _FUNCTION and (own <= _FUNCTION / 4 or (not definition.name and definition.parent == _ROOT)):
            continue  # it only holds other functions: a module pattern, a script that waits for its page, a set-up of routes
        decisions = sum(facts.definitions[part].complexity - 1 for part in inside)
        if decisions / lines < _DECISIONS_PER_LINE:
            continue
        taken.add(index)
        concerns = _concerns(facts, frozenset(inside), definition, decisions)
        yield _Giant(facts.path, definition.qualname or "a function", definition.line, definition.end_line, lines, concerns)


def _mixing(facts: FileFacts) -> Iterator[_Giant]:
    """Functions of a bearable length that do four different things or more by themselves, those inside them left out."""
    inner = _children(facts)
    taken: set[int] = set()
    for index, definition in enumerate(facts.definitions):
        lines = _weight(definition)
        own = lines - sum(_weight(facts.definitions[child]) for child in inner.get(index, ()))
        if definition.parent in taken or definition.kind is DefinitionKind.CLASS or not _SMALL <= lines <= _FUNCTION or own < _SMALL / 2:
            continue
        inside = _within(index, inner)
        concerns = _concerns(facts, frozenset(inside), definition, sum(facts.definitions[part].complexity - 1 for part in inside))
        if len(concerns) >= _MANY_MIXED:
            taken.update(inside)
            yield _Giant(facts.path, definition.qualname or "a function", definition.line, definition.end_line, lines, concerns)


def _children(facts: FileFacts) -> dict[int, list[int]]:
    inner: dict[int, list[int]] = {}
    for index, definition in enumerate(facts.definitions):
        inner.setdefault(definition.parent, []).append(index)
    return inner


def _within(index: int, inner: dict[int, list[int]]) -> list[int]:
    found = [index]
    for part in found:
        found.extend(inner.get(part, ()))
    return found


def _concerns(facts: FileFacts, scopes: frozenset[int], definition: Definition, decisions: int) -> tuple[str, ...]:
    calls = [call for call in facts.calls if call.scope in scopes]
    shows = definition.jsx_lines + definition.string_lines > 10
    found = (
        any(_INPUT.search(call.callee) or _names_input(call) for call in calls),
        any(_STORAGE.search(call.callee) for call in calls),
        any(_FILES.search(call.callee) for call in calls),
        any(_OUTSIDE.search(call.callee) for call in calls),
        shows or any(_SHOWING.search(call.callee) for call in calls),
        decisions >= 10,
    )
    return tuple(name for name, present in zip(_PLACES, found, strict=True) if present)


def _names_input(call: Call) -> bool:
    return any(_INPUT.search(name) for argument in call.arguments for name in argument.value.names[:5])


def _file(facts: FileFacts) -> _Giant | None:
    lines = _weight_of_file(facts)
    decisions = sum(definition.complexity - 1 for definition in facts.definitions)
    if lines <= _FILE or decisions / lines < _DECISIONS_PER_LINE:
        return None
    return _Giant(facts.path, facts.path, 1, 0, lines, ())


def _function_finding(giant: _Giant) -> Finding:
    name = giant.name.rsplit(".", 1)[-1]
    mixes = f" and mixes {listed(list(giant.concerns), 5)}" if len(giant.concerns) >= _MIXED else ""
    message = f"{name} is {int(giant.lines)} lines long{mixes}: a change to one of its jobs can break the others, and no test can reach one alone."
    return Finding("giant-function", giant.path, message, giant.line, giant.last, cwe=1120)


def _mixed_finding(giant: _Giant) -> Finding:
    name = giant.name.rsplit(".", 1)[-1] or "a function"
    message = f"{name} does {listed(list(giant.concerns), 6)} in one piece of {int(giant.lines)} lines: none of them can be changed, reused or tested without the others."
    return Finding("mixed-function", giant.path, message, giant.line, giant.last, cwe=1120)


def _file_finding(giant: _Giant) -> Finding:
    message = f"{giant.path} holds {int(giant.lines)} lines of code: whoever looks for one thing in it has to read them all."
    return Finding("giant-file", giant.path, message, 0, cwe=1080)
