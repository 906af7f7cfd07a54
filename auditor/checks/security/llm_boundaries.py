"""What goes into a language model, what becomes of its answer, what it may do and what it may cost.

Passing title: The language model is kept within bounds
Failing title: The language model can be talked out of its bounds
Grading: Four things are asked wherever production code calls a model. Input: no text of a request is pasted into the instructions; a message of the user's own is normal. Output: no answer
    reaches an interpreter, a query, a shell or a page as mark-up, and an answer that is read as data is checked against a shape. Tools: what a model can set off by itself neither runs code
    nor sends mail, moves money or deletes without somebody being asked. Spending: whoever reaches the model is known or slowed down, the owner's key is not in the browser, and
    the length of an answer or the number of calls is limited. Each missing one is a quarter; half of one where little hangs on it. An answer, or a tool, that runs code fails the
    item alone. Models on the owner's own machine cost nothing; scripts that nobody calls from outside have no spending to bound.
Done when: User text stands in messages of the user's role, answers are parsed with a schema, tools with an effect ask first, and each endpoint before a model
    asks who calls, counts the calls and limits the answer.
What it cannot see: Text from documents and databases that carries instructions, spending caps set at the vendor, limits in front of the program, and
    whether the prompt itself is any good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.checks.authorization import Guards
from auditor.checks.guard import Strength
from auditor.checks.limiters import before_everything
from auditor.checks.model_callers import ModelCallers
from auditor.checks.model_calls import ModelCall, keys_of, model_calls, model_imports
from auditor.checks.model_tools import HarmfulTool, harmful_tools
from auditor.checks.reach import within
from auditor.checks.registry import check
from auditor.model.evidence import Route, RouteKind, Routes, ToolHit, ToolHits
from auditor.model.needs import FLOWS, PROJECT, ROUTES, SEMGREP, SYNTAX, TEXTS
from auditor.model.project import SERVING, Project, Side
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import listed, plural

ITEM = "security.llm-boundaries"
_HALF = 0.5
_INTERPRETED = 0.8
_EXECUTED = frozenset({78, 89, 94, 95, 502, 1336})
"""CWE numbers of what runs on the server when it is not the answer it should be."""
_ASIDE = re.compile(
    r"document_?loaders|text_?splitter|node_parser|vectorstores?|embeddings|@ai-sdk/react|(?:^|[/.])(?:types?|schema|messages|documents|callbacks)(?:$|[/.])|docstore|retrievers"
)
"""Parts of the frameworks that call no model."""
_KEY = re.compile(
    r"(?:OPENAI|GEMINI|GOOGLE_?(?:AI|GENAI)|ANTHROPIC|CLAUDE|GROQ|OPENROUTER|MISTRAL|DEEPSEEK|COHERE|PERPLEXITY|LOVABLE)\w*(?:KEY|TOKEN)",
    re.IGNORECASE,
)
_PARSES = re.compile(r"^(?:JSON\.parse|json\.loads|orjson\.loads)$")
_OTHER_TEXT = re.compile(r"err|req|body|event|storage|cache|cookie|param|environ", re.IGNORECASE)
"""Names of texts that are no answer of a model: of an error, a request, a store."""
_SHAPES = re.compile(
    r"safeParse|(?<!JSON)\.parse(?:Async)?$|model_validate|TypeAdapter|parse_obj|parse_raw|jsonschema|[vV]alidat|ajv|isinstance$|Array\.isArray$|with_?[sS]tructured_?[oO]utput|[sS]anitize|[nN]ormali[sz]e|^coerce|^to(?:Number|String|Array)$|^Number$|^String$|^(?:int|float|bool|str)$"
)
_SHAPED = frozenset(
    {
        "response_format",
        "responseSchema",
        "response_schema",
        "responseJsonSchema",
        "tools",
        "tool_choice",
        "functions",
        "function_call",
        "output_type",
        "text_format",
        "schema",
        "output_config",
    }
)


@dataclass(slots=True)
class _Bound:
    """One of the four: how much of it is missing, with the witnesses."""

    name: str
    missing: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    unexamined: list[tuple[str, str]] = field(default_factory=list)

    def add(self, weight: float, finding: Finding) -> None:
        """A witness against it."""
        self.missing = max(self.missing, weight)
        self.findings.append(finding)


@check(ITEM, needs=(FLOWS,), corroborating=(SYNTAX, PROJECT, TEXTS, ROUTES), optional=(SEMGREP,))
def llm_boundaries(  # noqa: PLR0917 - one parameter per kind of evidence
    flows: ToolHits, syntax: Syntax, project: Project, texts: dict[str, str], routes: Routes, semgrep: ToolHits | None
) -> Judgement:
    """Ask the four questions of every call of a model."""
    files = syntax.of(project.production)
    calls = model_calls(files)
    if not calls:
        return _without_calls(files)
    guards = Guards(project, texts, syntax, routes)
    handlers = frozenset((route.place.path, route.handler_scope) for route in routes.routes)
    count, tools = harmful_tools(files, guards.reach, handlers)
    hits = [hit for tool in (flows, semgrep) if tool is not None for hit in tool.hits if hit.path in project.production]
    bounds = [
        _input(hits),
        _output(hits, calls, syntax),
        _tools(tools),
        _Spending(calls, syntax, project, routes, guards).bound(limited=before_everything(syntax, project, texts) is not None),
    ]
    runs = any(tool.runs for tool in tools) or any(_is_answer(hit) and hit.grade == "fail" and hit.cwe in _EXECUTED for hit in hits)
    lacking = [bound.name for bound in bounds if bound.missing]
    findings = [finding for bound in bounds for finding in bound.findings]
    summary = (
        f"{plural(len(calls), 'call')} of language models; all four bounds hold."
        if not lacking
        else f"{plural(len(calls), 'call')} of language models; not bounded: {listed(lacking)}."
    )
    return Assessed(
        bad=sum(bound.missing for bound in bounds),
        total=len(bounds),
        floor=_INTERPRETED if runs else 0.0,
        summary=summary,
        findings=tuple(sorted(findings, key=lambda finding: list(Confidence).index(finding.confidence))),
        evidence=tuple(Place(call.path, call.line, call.end_line) for call in calls[:3]),
        signals=(
            f"{plural(len(calls), 'call')} of models, {plural(count, 'tool')} offered to them, {sum(call.limited for call in calls)} with a limit of the answer",
        ),
        unexamined=tuple(entry for bound in bounds for entry in bound.unexamined),
        confidence=Confidence.MEDIUM,
    )


def _without_calls(files: tuple[FileFacts, ...]) -> Judgement:
    imports = [entry for entry in model_imports(files) if not _ASIDE.search(entry[2])]
    if not imports:
        return NotApplicable("Production code calls no language model.")
    path, line, module = imports[0]
    return Undecided(f"`{module}` is imported, but where a model is called could not be found.", (Place(path, line, line),))


# -- input and output --------------------------------------------------------------------------------------------------------------


def _input(hits: list[ToolHit]) -> _Bound:
    bound = _Bound("what goes in")
    for hit in hits:
        if hit.item == ITEM:
            bound.add(1.0, Finding(hit.rule, hit.path, hit.message, hit.line, hit.end_line, hit.confidence, "flows", hit.cwe))
    return bound


def _is_answer(hit: ToolHit) -> bool:
    """Whether what was followed there is the answer of a model."""
    return hit.item != ITEM and (hit.source == "model" or hit.rule.endswith("-from-model"))


def _output(hits: list[ToolHit], calls: tuple[ModelCall, ...], syntax: Syntax) -> _Bound:
    bound = _Bound("what comes out")
    seen: set[tuple[str, int]] = set()
    for hit in hits:
        if _is_answer(hit) and hit.grade != "note" and (hit.path, hit.line) not in seen:
            seen.add((hit.path, hit.line))
            bound.add(
                1.0 if hit.grade == "fail" else _HALF,
                Finding(f"answer-{hit.rule}", hit.path, hit.message, hit.line, hit.end_line, hit.confidence, "flows", hit.cwe),
            )
    for path, line in _unshaped(calls, syntax):
        message = "The answer of the model is read as data and used as it comes: a field that is missing, of another type or made up goes on into the program."
        bound.add(_HALF, Finding("answer-without-shape", path, message, line, line, Confidence.MEDIUM, cwe=20))
    return bound


def _unshaped(calls: tuple[ModelCall, ...], syntax: Syntax) -> Iterator[tuple[str, int]]:
    """Where a function that asks a model parses the answer, and neither the request nor the file says what shape it must have."""
    seen: set[tuple[str, int]] = set()
    for call in calls:
        facts = syntax.files[call.path]
        keys = {name for argument in call.call.arguments for name in (argument.name, *keys_of(argument.value))}
        if call.scope < 0 or keys & _SHAPED or any(_SHAPES.search(other.callee) for other in facts.calls):
            continue
        inside = within(facts, call.scope)
        for other in facts.calls:
            answers = _PARSES.match(other.callee) and not any(_OTHER_TEXT.search(name) for a in other.arguments for name in a.value.names)
            if answers and other.scope in inside and other.line >= call.line and (call.path, other.line) not in seen:
                seen.add((call.path, other.line))
                yield call.path, other.line
                break


# -- tools -------------------------------------------------------------------------------------------------------------------------


def _tools(tools: tuple[HarmfulTool, ...]) -> _Bound:
    bound = _Bound("what it may do")
    for tool in tools:
        message = f"`{tool.name}` is offered to the model as a tool and {tool.harm} without anybody being asked: a sentence in a pasted text is enough to set it off."
        finding = Finding(
            "tool-without-confirmation",
            tool.path,
            message,
            tool.line,
            tool.end_line,
            Confidence.HIGH if tool.runs else Confidence.MEDIUM,
            cwe=94 if tool.runs else 862,
        )
        bound.add(tool.weight, finding)
    return bound


# -- spending ----------------------------------------------------------------------------------------------------------------------


class _Spending:
    """Who can make the owner pay, and how much."""

    def __init__(self, calls: tuple[ModelCall, ...], syntax: Syntax, project: Project, routes: Routes, guards: Guards) -> None:
        self._callers = ModelCallers(calls, syntax, guards)
        self._syntax = syntax
        self._project = project
        self._routes = routes

    def bound(self, *, limited: bool) -> _Bound:
        """Calls from the page with the owner's key, endpoints open to anybody, and endpoints that limit nothing."""
        bound = _Bound("what it may cost")
        self._from_page(bound)
        reached = False
        for route in self._routes.routes:
            calls = self._callers.reached(route)
            reached = reached or bool(calls)
            if calls and not limited:
                self._weigh(bound, route, calls)
        server = [call for call in self._callers.paid.values() if self._project.sides.get(call.path) is not Side.BROWSER]
        if server and not reached and self._project.has(*SERVING) and self._routes.routes:
            first = server[0]
            bound.unexamined.append((f"{first.path}:{first.line}", "which endpoints lead to the model could not be followed"))
        return bound

    def _from_page(self, bound: _Bound) -> None:
        pages = [call for call in self._callers.paid.values() if self._project.sides.get(call.path) is Side.BROWSER]
        keys = [
            read
            for path in self._project.browser
            if path in self._syntax.files
            for read in self._syntax.files[path].environment
            if _KEY.search(read.name)
        ]
        for call in pages if keys else ():
            message = f"The page itself calls the model with the key in `{keys[0].name}`: everybody who opens the page can use the key without any limit."
            bound.add(1.0, Finding("key-in-page", call.path, message, call.line, call.end_line, Confidence.HIGH, cwe=522))

    def _weigh(self, bound: _Bound, route: Route, calls: list[ModelCall]) -> None:
        if self._callers.administrators_only(route) or self._callers.limited(route):
            return
        guard = self._callers.guard(route)
        named = route.path if route.method == "ANY" else f"{route.method} {route.path}"
        if guard is Strength.UNKNOWN:
            bound.unexamined.append((f"{route.place.path}:{route.place.line}", f"the handler of {named} could not be followed"))
        elif guard is Strength.NONE:
            page = route.kind is RouteKind.PAGE
            message = f"{named} calls a language model for anybody, as often as they like: one visitor with a loop runs up the bill."
            finding = Finding(
                "open-model-endpoint", route.place.path, message, route.place.line, route.place.end_line, Confidence.MEDIUM, cwe=770
            )
            bound.add(_HALF if page else 1.0, finding)
        elif not all(call.limited for call in calls):
            message = f"{named} lets an account call a language model without a limit of calls or of the length of the answer."
            bound.add(
                _HALF,
                Finding(
                    "unlimited-model-endpoint",
                    route.place.path,
                    message,
                    route.place.line,
                    route.place.end_line,
                    Confidence.MEDIUM,
                    cwe=770,
                ),
            )
