"""Evidence FLOWS: values from outside that arrive where they do harm, in first-party Python, JavaScript and TypeScript.

A file is followed when it can be where something from outside comes in; functions it calls in other files are followed from there. Results are
remembered together with the digests of every file they depend on.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from auditor.cache import cache_key
from auditor.evidence.flow.engine import Engine
from auditor.evidence.flow.interpreter import TooMuchError
from auditor.evidence.flow.language import Flow
from auditor.evidence.flow.modules import LONGEST, Modules, PythonModules, ScriptModules
from auditor.evidence.flow.places import UNFOLLOWED, Certainty, Place, Places, together
from auditor.evidence.flow.python_tables import Python
from auditor.evidence.flow.script_tables import Script
from auditor.evidence.flow.values import Mark
from auditor.evidence.flow.weaknesses import CERTAIN_SOURCES, SOURCES, WEAK_RULES, WEAKNESSES
from auditor.evidence.ignored_paths import IgnoredPaths
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.evidence.script_config import ScriptConfig
from auditor.evidence.script_modules import ScriptResolver
from auditor.languages.embedded_scripts import page_scripts, text_scripts
from auditor.languages.script_components import read_component
from auditor.languages.tree import Grammar
from auditor.model.evidence import ToolHit, ToolHits
from auditor.model.need import Known, Unavailable
from auditor.model.needs import FLOWS, SNAPSHOT, TEXTS
from auditor.model.snapshot import Language, Role, Snapshot, SourceFile
from auditor.model.verdict import Confidence

_GRAMMARS = {Language.JAVASCRIPT: Grammar.JAVASCRIPT, Language.TYPESCRIPT: Grammar.TYPESCRIPT, Language.TSX: Grammar.TSX}
_PYTHON_ENTRY = re.compile(
    r"\brequest\b|\bRequest\b|\.(?:route|get|post|put|patch|delete|websocket)\(|\bargv\b|\binput\(|get_argument|openai|anthropic|litellm|genai|ollama|langchain|graphene|strawberry|@[\w.]*tool\b|urlopen|\b(?:requests|httpx)\."
)
_QUERY = re.compile(r"\b(?:select\s|insert\s+into|update\s|delete\s+from|where\s)", re.IGNORECASE)
_SENDS = re.compile(r"\b(?:execute\w*|raw|query|text|\w{0,30}(?:raw|run|exec|sql|db)_?query|\w+RawUnsafe|unsafe|prepare)\(", re.IGNORECASE)
_STARTS = re.compile(r"\b(?:child_?process|subprocess|os\.(?:system|popen))\b", re.IGNORECASE)
"""Code that sends queries or starts programs is followed too, so that it is known what becomes part of them."""
_CALL_LINES = 60
_EMBEDDED = "#script"
"""Added to the path of a page or Python file for the scripts inside it; a place is shown without it."""
_MARKUP = re.compile(
    r"\b(?:innerHTML|outerHTML|dangerouslySetInnerHTML|insertAdjacentHTML|document\.write|mark_safe|Markup|HTMLResponse)\b|\.html\("
)
_SCRIPT_ENTRY = re.compile(
    r"\b_?(?:req|request|ctx|event|context|c)\b\s*[,:)]|formData|FormData|@(?:Query|Body|Param)\b|\bargv\b|openai|anthropic|genai|generateText|searchParams|SearchParams|\blocation\b"
    r"|\beval\b"
)


@provides(FLOWS, needs=(SNAPSHOT, TEXTS))
def flows(context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[ToolHits] | Unavailable:
    """Follow every production file that outside values can enter."""
    files = [file for file in snapshot.with_role(Role.FIRST_PARTY) if file.path in texts and _is_read(file)]
    tracer = _Tracer(context, snapshot, files, texts)
    started = time.monotonic()
    followed, unexamined, fresh = tracer.run()
    if fresh:
        context.progress(f"flows: {fresh} files followed, {time.monotonic() - started:.1f} s")
    hits = sorted(
        {_hit(flow) for found in followed for flow in found.flows}, key=lambda hit: (hit.path, hit.line, hit.item, hit.rule, hit.message)
    )
    unread = tuple(sorted((path.removesuffix(_EMBEDDED), reason) for path, reason in unexamined.items()))
    examined = frozenset(file.path for file in files) - {path for path, _ in unread}
    lines = _lines(together([found.places for found in followed], tracer.mentioned), tracer.entered)
    settled = frozenset(line for line, certainty in lines.items() if certainty is Certainty.SETTLED)
    composed = frozenset(line for line, certainty in lines.items() if certainty is Certainty.COMPOSED)
    return Known(ToolHits(_first_of_each(hits), unread, settled=settled, composed=composed), own_stamp(), examined, unread)


@dataclass(frozen=True, slots=True)
class _Followed:
    """What following one file gave: its flows, and how much is known of the places that values can do harm at."""

    flows: list[Flow]
    places: Places = field(default_factory=Places)


def _is_read(file: SourceFile) -> bool:
    return file.language in _GRAMMARS or file.language in {Language.PYTHON, Language.VUE, Language.SVELTE}


class _Tracer:
    """Follows the files of one tree, the stored results of unchanged ones taken as they are."""

    def __init__(self, context: Context, snapshot: Snapshot, files: list[SourceFile], texts: dict[str, str]) -> None:
        self.context = context
        self.files = list(files)
        self.digests = {file.path: file.digest for file in files}
        self.code = {file.path: texts[file.path] for file in files}
        self.grammars: dict[str, Grammar] = {}
        for file in files:
            self._read_grammar(file)
        self.python = PythonModules({f.path: texts[f.path] for f in files if f.language is Language.PYTHON}, Python())
        pages = [file for file in snapshot.with_role(Role.FIRST_PARTY) if file.language in {Language.HTML, Language.PYTHON}]
        self._add_embedded(pages, texts)
        every = frozenset((*(file.path for file in snapshot.files), *(entry.path for entry in snapshot.skipped)))
        config = ScriptConfig.read(texts) if self.grammars else ScriptConfig.read({})
        resolver = ScriptResolver(every, {}, config, IgnoredPaths({}), texts)
        self.script = ScriptModules(self.code, self.grammars, resolver, Script())
        self.entered: frozenset[str] = frozenset()

    def _add_embedded(self, files: Iterable[SourceFile], texts: dict[str, str]) -> None:
        """Scripts inside pages and inside the texts of Python code, under a name of their own."""
        for file in files:
            text = texts.get(file.path, "")
            if len(text) > LONGEST or not _MARKUP.search(text) or "<script" not in text:
                continue
            code = page_scripts(text) if file.language is Language.HTML else text_scripts(text)
            if code:
                name = file.path + _EMBEDDED
                self.code[name], self.grammars[name], self.digests[name] = code, Grammar.JAVASCRIPT, file.digest
                self.files.append(replace(file, path=name, language=Language.JAVASCRIPT))

    def _read_grammar(self, file: SourceFile) -> None:
        if file.language in _GRAMMARS:
            self.grammars[file.path] = _GRAMMARS[file.language]
        elif file.language in {Language.VUE, Language.SVELTE}:
            component = read_component(self.code[file.path], file.language)
            self.code[file.path] = component.script
            self.grammars[file.path] = component.grammar

    def run(self) -> tuple[list[_Followed], dict[str, str], int]:
        """What each file gave, the files that were not followed with the reason, and how many were followed now."""
        entries = [file for file in self.files if self._enters(file)]
        self.entered = frozenset(file.path for file in entries)
        keys = {file.path: cache_key(_version(), file.path, file.digest) for file in entries}
        stored = self.context.cache.get_many(keys.values())
        found: list[_Followed] = []
        unexamined: dict[str, str] = {}
        remember: dict[str, bytes] = {}
        fresh = 0
        for file in entries:
            known = self._recalled(stored.get(keys[file.path]))
            if known is None:
                if self.context.cancelled.is_set() or self.context.remaining() == 0:
                    unexamined[file.path] = "not followed in the time allowed"
                    continue
                known, reason = self._follow(file)
                fresh += 1
                if reason:
                    unexamined[file.path] = reason
                else:
                    remember[keys[file.path]] = self._entry(file, known)
            found.append(known)
        self.context.cache.put_many(remember)
        return found, unexamined, fresh

    def _enters(self, file: SourceFile) -> bool:
        text = self.code[file.path]
        entry = _PYTHON_ENTRY if file.language is Language.PYTHON else _SCRIPT_ENTRY
        return bool(entry.search(text) or _MARKUP.search(text) or _STARTS.search(text) or (_QUERY.search(text) and _SENDS.search(text)))

    def mentioned(self, name: str) -> bool:
        """Whether a file that was not followed calls something of that name, which is none of its own functions."""
        called = re.compile(rf"(?<!function )(?<!def )(?<![\w$]){re.escape(name)}\s*\(")
        own = re.compile(rf"\b(?:function|def|const|let|var)\s+{re.escape(name)}\b")
        others = (code for path, code in self.code.items() if path not in self.entered and name in code)
        return any(called.search(code) and not own.search(code) for code in others)

    def _modules(self, file: SourceFile) -> Modules:
        return self.python if file.language is Language.PYTHON else self.script

    def _follow(self, file: SourceFile) -> tuple[_Followed, str]:
        if len(self.code[file.path]) > LONGEST:
            return _Followed([]), f"longer than {LONGEST:,} characters"
        modules = self._modules(file)
        doubtful = _MARKUP.search(self.code[file.path]) is not None
        engine = Engine(modules.language, modules.resolver(file.path), doubtful=doubtful)
        try:
            engine.run(modules.module(file.path))
        except (TooMuchError, RecursionError):
            return _Followed(list(engine.flows.values())), "too involved to follow every value through it"
        modules.forget(file.path)
        return _Followed(list(engine.flows.values()), engine.places), ""

    def _entry(self, file: SourceFile, found: _Followed) -> bytes:
        uses = [(path, self.digests[path]) for path in self._modules(file).used(file.path)]
        rows = [{**asdict(flow), "mark": [flow.mark.source, flow.mark.line, flow.mark.detail]} for flow in found.flows]
        return json.dumps([uses, rows, found.places.stored()]).encode()

    def _recalled(self, stored: bytes | None) -> _Followed | None:
        if stored is None:
            return None
        uses, rows, places = json.loads(stored)
        if any(self.digests.get(path) != digest for path, digest in uses):
            return None
        return _Followed([Flow(**{**row, "mark": Mark(*row["mark"])}) for row in rows], Places.of(places))


def _lines(places: dict[Place, Certainty], followed: frozenset[str]) -> dict[tuple[str, int, int], Certainty]:
    """(Path, line, CWE) -> the least that is known of what comes together there; only in files whose every function was entered."""
    lines: dict[tuple[str, int, int], Certainty] = {}
    for (where, first, last, weakness), certainty in places.items():
        if weakness == UNFOLLOWED or where not in followed:
            continue
        least = Certainty.OPEN if (where, first, last, UNFOLLOWED) in places else certainty
        for line in range(first, min(last, first + _CALL_LINES) + 1):
            place = (where, line, WEAKNESSES[weakness].cwe)
            lines[place] = min(lines.get(place, least), least)
    return lines


@functools.cache
def _version() -> str:
    """Digest of the reader, the engine and its tables: stored results are those of exactly this code."""
    here = Path(__file__).parent
    sources = sorted(
        [
            *(here / "flow").glob("*.py"),
            *(here.parent / "languages").glob("flow_*.py"),
            here / "script_modules.py",
            here.parent / "language_models.py",
        ]
    )
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


def _hit(flow: Flow) -> ToolHit:
    weakness = WEAKNESSES[flow.weakness]
    field = f" ({flow.mark.detail})" if flow.mark.detail else ""
    certain = flow.mark.source in CERTAIN_SOURCES
    return ToolHit(
        item=weakness.item,
        rule=flow.rule,
        path=flow.path.removesuffix(_EMBEDDED),
        line=flow.line,
        end_line=max(flow.line, flow.end_line),
        message=f"Text from {SOURCES[flow.mark.source]}{field} {weakness.harm}.",
        cwe=weakness.cwe,
        confidence=Confidence.HIGH if certain else Confidence.MEDIUM,
        grade="fail" if certain and flow.rule not in WEAK_RULES else "partial",
        source=flow.mark.source,
    )


def _first_of_each(hits: Iterable[ToolHit]) -> tuple[ToolHit, ...]:
    """One hit per place and weakness: several fields of one request on the same line are one finding, the certain one first."""
    best: dict[tuple[str, int, int], ToolHit] = {}
    for hit in hits:
        place = (hit.path, hit.line, hit.cwe)
        if place not in best or (hit.grade == "fail" and best[place].grade != "fail"):
            best[place] = hit
    return tuple(best.values())
