"""Evidence SEMGREP: matches of our own rules in first-party Python, JavaScript and TypeScript, file by file and remembered by content."""

from __future__ import annotations

import json
import re
import time
from dataclasses import astuple, replace

from auditor.cache import cache_key
from auditor.evidence.registry import Context, provides
from auditor.model.evidence import ToolHit, ToolHits
from auditor.model.need import Known, ToolStamp, Unavailable
from auditor.model.needs import SEMGREP, SNAPSHOT, TEXTS
from auditor.model.snapshot import Language, Role, Snapshot, SourceFile
from auditor.resources import data_dir
from auditor.tools import semgrep
from auditor.tools.rules import Bundle, RuleError, load_bundle

_LANGUAGES = {
    Language.PYTHON: "python",
    Language.JAVASCRIPT: "javascript",
    Language.TYPESCRIPT: "typescript",
    Language.TSX: "tsx",
}
_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)
_FORMAT = "semgrep-2"


@provides(SEMGREP, needs=(SNAPSHOT, TEXTS))
def semgrep_hits(context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[ToolHits] | Unavailable:
    """Run the rules of `rules/` over production code."""
    installed = semgrep.version()
    if not installed:
        return Unavailable("semgrep", "it is not installed.")
    files = [file for file in snapshot.with_role(Role.FIRST_PARTY) if file.path in texts and _readable(file)]
    try:
        bundle = load_bundle(data_dir("rules"), context.cache)
        return _gather(context, files, texts, bundle, ToolStamp("semgrep", installed))
    except (RuleError, semgrep.SemgrepError) as error:
        return Unavailable("semgrep", f"{error}.")


def _gather(
    context: Context, files: list[SourceFile], texts: dict[str, str], bundle: Bundle, stamp: ToolStamp
) -> Known[ToolHits] | Unavailable:
    keys = {file.path: _key(file, bundle, stamp) for file in files}
    stored = context.cache.get_many(keys.values())
    fresh = [_target(file, texts[file.path], bundle) for file in files if keys[file.path] not in stored]
    account = _scan(context, fresh, bundle)
    if account.broken_rules:
        named = ", ".join(sorted(account.broken_rules))
        return Unavailable("semgrep", f"it rejects the rule {named}.")
    _remember(context, account, keys)
    for path, key in keys.items():
        if key in stored:
            _recall(stored[key], path, account)
    return _known(account, bundle, stamp)


def _scan(context: Context, fresh: list[semgrep.Target], bundle: Bundle) -> semgrep.Scan:
    if not fresh:
        return semgrep.Scan()
    started = time.monotonic()
    context.progress(f"semgrep: {len(fresh)} files")
    account = semgrep.scan(
        bundle.rules,
        fresh,
        root=context.root,
        workers=context.workers,
        timeout=context.remaining(),
        cancelled=context.cancelled,
        core=semgrep.core_binary(),
        cli=semgrep.cli_binary(),
    )
    context.progress(f"semgrep: done, {time.monotonic() - started:.1f} s")
    return account


def _readable(file: SourceFile) -> bool:
    return file.language in _LANGUAGES or file.language in {Language.VUE, Language.SVELTE}


def _target(file: SourceFile, text: str, bundle: Bundle) -> semgrep.Target:
    language, code = (_LANGUAGES[file.language], text) if file.language in _LANGUAGES else _script_part(text)
    return semgrep.Target(file.path, language, code, bundle.applicable(language, code))


def _script_part(text: str) -> tuple[str, str]:
    """Language and text of the script parts of a component file, everything else blanked so that lines stay where they are."""
    typed = False
    parts: list[str] = []
    position = 0
    for found in _SCRIPT.finditer(text):
        parts.append("\n" * text.count("\n", position, found.start(2)))
        parts.append(found[2])
        typed = typed or re.search(r"lang\s*=\s*['\"]?ts", found[1]) is not None
        position = found.end(2)
    return ("typescript" if typed else "javascript", "".join(parts))


def _key(file: SourceFile, bundle: Bundle, stamp: ToolStamp) -> str:
    return cache_key(_FORMAT, stamp.version, bundle.digest, file.language, file.digest)


def _remember(context: Context, account: semgrep.Scan, keys: dict[str, str]) -> None:
    """Store what another run would find again; a timeout is not a property of the file."""
    entries: dict[str, bytes] = {}
    for path, matches in account.matches.items():
        entries[keys[path]] = json.dumps({"matches": [astuple(match) for match in matches]}).encode()
    for path, reason in account.unread.items():
        if path not in account.transient:
            entries[keys[path]] = json.dumps({"unread": reason}).encode()
    context.cache.put_many(entries)


def _recall(stored: bytes, path: str, account: semgrep.Scan) -> None:
    data = json.loads(stored)
    if "unread" in data:
        account.unread[path] = data["unread"]
    else:
        account.matches[path] = [semgrep.Match(*match) for match in data["matches"]]


def _known(account: semgrep.Scan, bundle: Bundle, stamp: ToolStamp) -> Known[ToolHits]:
    hits = sorted(
        {_hit(path, match, bundle) for path, matches in account.matches.items() for match in matches},
        key=lambda hit: (hit.path, hit.line, hit.end_line, hit.rule, hit.message),
    )
    unread = tuple(sorted(account.unread.items()))
    return Known(ToolHits(_strongest(hits), unread), stamp, frozenset(account.matches), unread)


def _hit(path: str, match: semgrep.Match, bundle: Bundle) -> ToolHit:
    facts = bundle.facts[match.rule]
    return ToolHit(
        facts.item,
        match.rule,
        path,
        match.line,
        match.end_line,
        match.message,
        cwe=facts.cwe,
        confidence=facts.confidence,
        grade=facts.grade,
    )


def _strongest(hits: list[ToolHit]) -> tuple[ToolHit, ...]:
    """One hit per place and kind of weakness: a taint match makes the weaker pattern match of the same call superfluous."""
    order = {"fail": 0, "partial": 1, "note": 2}
    best: dict[tuple[str, str, int, int], ToolHit] = {}
    for hit in hits:
        place = (hit.item, hit.path, hit.line, hit.cwe)
        if place not in best or order[hit.grade] < order[best[place].grade]:
            best[place] = replace(hit)
    return tuple(sorted(best.values(), key=lambda hit: (hit.path, hit.line, hit.end_line, hit.rule)))
